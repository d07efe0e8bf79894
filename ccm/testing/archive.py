"""An archive in memory."""

from __future__ import annotations

import hashlib

from ccm.archive.interface import Archive, ContentChanged, ContentMissing
from ccm.model.records import ArchiveRef


class MemoryArchive(Archive):
    """Keeps content in a dictionary.

    kept: Bytes by SHA-256; tests may change them to play a damaged disk.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes, media_type: str) -> ArchiveRef:
        """Keep content."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return ArchiveRef(sha256, len(content), media_type)

    def get(self, sha256: str) -> bytes:
        """Return content after checking it against its hash."""
        if sha256 not in self.kept:
            raise ContentMissing(f"the archive has no {sha256}", "put it first")
        if hashlib.sha256(self.kept[sha256]).hexdigest() != sha256:
            raise ContentChanged(f"the bytes of {sha256} changed in the archive", "restore it from a backup")
        return self.kept[sha256]

    def remove(self, sha256: str) -> bool:
        """Take content out."""
        return self.kept.pop(sha256, None) is not None
