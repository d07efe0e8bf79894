"""What a reading keeps on disk while it lasts, under `.ccm/staging/`: databases without a name, gone with their process."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
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

    def has(self, *parts: str) -> bool:
        """Tell whether a key came."""
        try:
            return (
                self._connection.execute("SELECT 1 FROM seen WHERE key = ?", (_digest(parts),)).fetchone() is not None
            )
        except sqlite3.Error as error:
            raise cannot_stage(self._folder, error) from None

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
