"""What a reading keeps on disk while it lasts, under `.ccm/staging/`: databases without a name, gone with their process."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ccm.diagnostics import Location
from ccm.load.source.tables import SourceUnreadable


class SeenKeys:
    """The keys of a run so far, on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = private(folder, "CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, *parts: str) -> bool:
        """Remember a key; tells whether it is new."""
        try:
            return self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (_digest(parts),)).rowcount == 1
        except sqlite3.Error as error:
            raise cannot_stage(self._folder, error) from None

    def missing(self, kind: str, keys: Sequence[str]) -> list[str]:
        """Return those of some keys that did not come as (kind, key), in their order.

        Args:
            keys: A few hundred at most.
        """
        digests = {_digest((kind, key)): key for key in keys}
        query = f"SELECT key FROM seen WHERE key IN ({','.join('?' * len(digests))})"  # noqa: S608 - question marks
        try:
            found = {digest for (digest,) in self._connection.execute(query, tuple(digests))}
        except sqlite3.Error as error:
            raise cannot_stage(self._folder, error) from None
        return [key for digest, key in digests.items() if digest not in found]

    def close(self) -> None:
        """Forget them."""
        self._connection.close()


def _digest(parts: tuple[str, ...]) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()


def private(folder: Path, schema: str) -> sqlite3.Connection:
    """Open a database that has lost its name already: even a kill leaves nothing behind."""
    make_folder(folder)
    path = folder / f"private.{os.getpid()}-{threading.get_ident()}-{os.urandom(4).hex()}.tmp"
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "BEGIN", schema, "COMMIT", "BEGIN"):
            connection.execute(statement)
        with suppress(OSError):
            path.unlink()
    except sqlite3.Error as error:
        raise cannot_stage(folder, error) from None
    return connection


def make_folder(folder: Path) -> None:
    """Make the folder for staged rows, for its owner alone.

    Raises:
        SourceUnreadable: If it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_stage(folder, error) from None


def cannot_stage(folder: Path, error: Exception) -> SourceUnreadable:
    """Explain why customer rows could not be staged."""
    return SourceUnreadable(
        "staging-failed",
        f"child rows could not be staged on disk ({str(error).splitlines()[0]})",
        "make room and give write access under .ccm/staging, then give the command again",
        Location(".ccm/staging" if folder.name == "staging" else str(folder)),
    )
