"""ARCHIVE: keeps what was sent, content-addressed: the hash of the bytes is their address."""
