"""The archive in a folder: layout and faults of the disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ccm.archive.folder import FolderArchive
from ccm.archive.interface import ArchiveError
from tests.ledger.test_sql import on_a_small_disk


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    """Other programs find content by its hash."""
    sha256 = FolderArchive(tmp_path).put(b"statement", "text/plain").sha256
    assert (tmp_path / sha256[:2] / sha256[2:4] / sha256).read_bytes() == b"statement"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_torn_bytes_are_mended(tmp_path: Path) -> None:
    """A file that a power cut left empty is replaced by the right bytes at the next put."""
    archive = FolderArchive(tmp_path)
    sha256 = hashlib.sha256(b"statement").hexdigest()
    path = tmp_path / sha256[:2] / sha256[2:4] / sha256
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    archive.put(b"statement", "text/plain")
    archive.sync()
    assert archive.get(sha256) == b"statement"


def test_a_blocked_folder_is_named(tmp_path: Path) -> None:
    """An archive that cannot be written is an error with a remedy, before anything is sent."""
    (tmp_path / "archive").write_text("a file")
    with pytest.raises(ArchiveError, match="free space or correct the permissions"):
        FolderArchive(tmp_path / "archive").put(b"statement", "text/plain")


FULL = """
    import os, sys
    from pathlib import Path
    from ccm.archive.folder import FolderArchive
    from ccm.archive.interface import ArchiveError

    root = Path(sys.argv[1])
    archive = FolderArchive(root / "archive")
    kept = []
    try:
        for n in range(20):
            content = bytes([n]) * 300_000
            kept.append((archive.put(content, "x").sha256, content))
            archive.sync()
    except ArchiveError as error:
        print(error)
    files = [path for path in (root / "archive").rglob("*") if path.is_file()]
    assert len(files) == len(kept) > 0
    assert all(archive.get(sha256) == content for sha256, content in kept)
    (root / "ballast").unlink()
    assert archive.get(archive.put(content, "x").sha256) == content
"""


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """What was kept stays whole, what did not fit leaves nothing, and with space again it goes on."""
    assert "No space left" in on_a_small_disk(tmp_path, FULL)
