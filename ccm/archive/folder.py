"""The archive in a folder: a file's name is the hash of its bytes."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ccm.archive.interface import Archive, ArchiveError, ContentChanged, ContentMissing
from ccm.durable_file import create_once, replace_whole, sync_file, sync_folder
from ccm.model.records import ArchiveRef

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SYNC_THREADS = 8  # file systems gather concurrent syncs into one journal commit


class FolderArchive(Archive):
    """Keeps content under `<root>/ab/cd/<sha256>`. May be shared by threads and processes."""

    def __init__(self, root: str | Path, *, sync_every_put: bool = False) -> None:
        """Use a folder; it is made at the first `put`.

        Args:
            root: Absolute folder.
            sync_every_put: Wait for the disk in every `put`; otherwise `sync` waits for many at once.
        """
        self._root = Path(root)
        self._sync_every_put = sync_every_put
        self._lock = threading.Lock()
        self._waiting: set[Path] = set()

    def put(self, content: bytes, media_type: str) -> ArchiveRef:
        """Keep content; durable after `sync`."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        try:
            # Bytes at this address that differ were torn by a power cut or a fault; the right ones are at hand.
            if not self._holds(path, content) and not create_once(path, content, sync=self._sync_every_put):
                replace_whole(path, content)
            if self._sync_every_put:
                sync_file(path)
                sync_folder(path.parent)
        except OSError as error:
            raise _cannot("keep", error) from None
        with self._lock:
            self._waiting.add(path)
        return ArchiveRef(sha256, len(content), media_type)

    def get(self, sha256: str) -> bytes:
        """Return content after checking it against its hash."""
        if not _SHA256.fullmatch(sha256):
            raise ArchiveError("the archive was asked for something that is no SHA-256", "give 64 hex digits")
        try:
            content = self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise ContentMissing(
                f"the archive has no {sha256}", "restore it from a backup, or run the campaign that made it again"
            ) from None
        except OSError as error:
            raise _cannot("give", error) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ContentChanged(f"the bytes of {sha256} changed in the archive", "restore it from a backup")
        return content

    def remove(self, sha256: str) -> bool:
        """Take a file out."""
        if not _SHA256.fullmatch(sha256):
            raise ArchiveError("the archive was asked for something that is no SHA-256", "give 64 hex digits")
        try:
            self._path(sha256).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _cannot("remove", error) from None
        return True

    def sync(self) -> None:
        """Wait until everything put so far is on the disk."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        if self._sync_every_put or not waiting:
            return
        folders = {path.parent for path in waiting}
        folders |= {folder.parent for folder in folders} | {self._root}
        try:
            with ThreadPoolExecutor(_SYNC_THREADS) as pool:
                list(pool.map(sync_file, sorted(waiting)))
                list(pool.map(sync_folder, sorted(folders)))
        except OSError as error:
            with self._lock:
                self._waiting |= waiting
            raise _cannot("keep", error) from None

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _holds(self, path: Path, content: bytes) -> bool:
        try:
            return path.read_bytes() == content
        except FileNotFoundError:
            return False


def _cannot(what: str, error: OSError) -> ArchiveError:
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return ArchiveError(
        f"the archive could not {what} content ({reason})",
        "free space or correct the permissions of its folder, then give the command again",
    )
