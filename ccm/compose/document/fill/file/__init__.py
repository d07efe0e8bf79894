"""The PDF file: content of pages, structure tree, objects, fonts and metadata, as bytes."""
