"""Every archive of ours keeps the contract."""

from __future__ import annotations

from pathlib import Path

from ccm.archive.folder import FolderArchive
from ccm.archive.interface import Archive
from ccm.testing import ArchiveContract, MemoryArchive


class TestMemoryArchive(ArchiveContract):
    def open(self, folder: Path) -> Archive:
        return MemoryArchive()

    def damage(self, archive: Archive, folder: Path, sha256: str) -> None:
        assert isinstance(archive, MemoryArchive)
        archive.kept[sha256] += b"!"


class TestFolderArchive(ArchiveContract):
    def open(self, folder: Path) -> Archive:
        return FolderArchive(folder)

    def damage(self, archive: Archive, folder: Path, sha256: str) -> None:
        path = folder / sha256[:2] / sha256[2:4] / sha256
        path.write_bytes(path.read_bytes()[:-1] + b"!")


class TestFolderArchiveThatAlwaysWaits(TestFolderArchive):
    def open(self, folder: Path) -> Archive:
        return FolderArchive(folder, sync_every_put=True)
