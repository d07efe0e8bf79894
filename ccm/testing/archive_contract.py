"""What every archive must do. Subclass in your tests and make the archive."""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from pathlib import Path

from ccm.archive.interface import Archive, ArchiveError, ContentChanged, ContentMissing
from ccm.testing.expect import refused


class ArchiveContract(ABC):
    """The promises of `Archive`, one test each. Needs pytest for its `tmp_path`."""

    @abstractmethod
    def open(self, folder: Path) -> Archive:
        """Return an archive; two calls with the same folder see the same content."""

    @abstractmethod
    def damage(self, archive: Archive, folder: Path, sha256: str) -> None:
        """Change the kept bytes behind the archive's back."""

    def test_gives_back_what_it_was_given(self, tmp_path: Path) -> None:
        """The address is the SHA-256 of the bytes; empty and large content come back whole."""
        archive = self.open(tmp_path)
        for content in (b"", b"one", bytes(range(256)) * 8192):
            ref = archive.put(content, "application/pdf")
            assert ref.sha256 == hashlib.sha256(content).hexdigest()
            assert (ref.size_bytes, ref.media_type) == (len(content), "application/pdf")
            assert archive.get(ref.sha256) == content
        archive.sync()
        assert archive.get(hashlib.sha256(b"one").hexdigest()) == b"one"

    def test_keeping_the_same_bytes_twice_is_fine(self, tmp_path: Path) -> None:
        """The second time changes nothing."""
        archive = self.open(tmp_path)
        assert archive.put(b"same", "text/plain") == archive.put(b"same", "text/plain")
        archive.sync()

    def test_something_missing_is_an_error(self, tmp_path: Path) -> None:
        """Asking for what was never kept, or for no hash at all, is refused."""
        archive = self.open(tmp_path)
        for address in ("0" * 64, "../../etc/passwd", ""):
            with refused(ContentMissing if len(address) == 64 else ArchiveError):
                archive.get(address)

    def test_changed_bytes_are_never_given_out(self, tmp_path: Path) -> None:
        """Damage is found when reading, and mended by keeping the right bytes again."""
        archive = self.open(tmp_path)
        sha256 = archive.put(b"statement", "text/plain").sha256
        archive.sync()
        self.damage(archive, tmp_path, sha256)
        with refused(ContentChanged):
            archive.get(sha256)
        archive.put(b"statement", "text/plain")
        archive.sync()
        assert archive.get(sha256) == b"statement"

    def test_what_was_removed_is_gone_and_may_come_back(self, tmp_path: Path) -> None:
        """Removing tells whether something was there; the same bytes may be kept again."""
        archive = self.open(tmp_path)
        sha256 = archive.put(b"statement", "text/plain").sha256
        archive.sync()
        assert archive.remove(sha256)
        assert not archive.remove(sha256)
        with refused(ArchiveError):
            archive.get(sha256)
        archive.put(b"statement", "text/plain")
        archive.sync()
        assert archive.get(sha256) == b"statement"

    def test_threads_may_keep_at_once(self, tmp_path: Path) -> None:
        """Many threads keeping the same and different bytes disturb nobody."""
        archive = self.open(tmp_path)
        contents = [f"piece {n % 50}".encode() for n in range(200)]

        def keep(part: list[bytes]) -> None:
            for content in part:
                archive.put(content, "text/plain")

        threads = [threading.Thread(target=keep, args=(contents[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        archive.sync()
        assert all(archive.get(hashlib.sha256(content).hexdigest()) == content for content in contents)
