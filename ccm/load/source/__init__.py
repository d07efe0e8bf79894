"""Sources: tables of recipients with child rows, read as streams and typed by the data contract."""
