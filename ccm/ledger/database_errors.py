"""What a database says when it fails, in words for an operator; free of values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from ccm.ledger.interface import LedgerError

_RESTORE = "stop all runs and restore it from the last backup"

# By the beginning of SQLite's error name.
_SQLITE = {
    "SQLITE_BUSY": ("another program holds the ledger's write lock", "close it (a database browser?) and try again"),
    "SQLITE_LOCKED": ("another program holds the ledger's write lock", "close it (a database browser?) and try again"),
    "SQLITE_READONLY": ("the ledger is read-only", "give this user write permission on the file and its folder"),
    "SQLITE_PERM": ("the ledger may not be opened", "give this user write permission on the file and its folder"),
    "SQLITE_CANTOPEN": ("the ledger cannot be opened", "check that its folder exists and may be written"),
    "SQLITE_FULL": ("the disk of the ledger is full", "free space and give the command again"),
    "SQLITE_IOERR": ("the disk of the ledger fails", "check free space and the disk's health, then try again"),
    "SQLITE_CORRUPT": ("the ledger is damaged", _RESTORE),
    "SQLITE_NOTADB": ("the ledger's file is no SQLite database", "correct `ledger` in ccm.yaml or restore a backup"),
}

_BUSY = ("another process holds the ledger", "wait for it, or look for a forgotten session of the database")
_LOST = ("the connection to the ledger was lost", "give the command again")

# By the beginning of the SQLSTATE. Source: PostgreSQL documentation, appendix A.
_POSTGRES = {
    "08": ("the ledger's database cannot be reached", "check that it runs and that `ledger` in ccm.yaml names it"),
    "25006": ("the ledger is read-only", "name the primary server in `ledger`, not a standby"),
    "28": ("the ledger's database refuses the login", "check user and password of `ledger` in ccm.yaml"),
    "3D000": ("the ledger's database does not exist", "make it: createdb NAME"),
    "40": ("two processes got in each other's way in the ledger", "give the command again"),
    "42501": ("the ledger may not be written", "grant this user the rights on its database"),
    "53100": ("the disk of the ledger is full", "free space and give the command again"),
    "53": ("the ledger's database is out of connections or memory", "close other clients, or raise its limits"),
    "55P03": _BUSY,
    "57": _LOST,
    "58": ("the disk of the ledger fails", "check free space and the disk's health, then try again"),
    "XX": ("the ledger is damaged", _RESTORE),
}


@contextmanager
def named_errors() -> Iterator[None]:
    """Turn what an operator must mend into a `LedgerError`; a fault of ours stays what it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        found = _words_for(error)
        if found is None:
            raise
        raise LedgerError(*found) from None
    except ValueError:  # a state, time or number that was read and is none; what we write wrongly has other errors
        raise LedgerError("the ledger is damaged: it holds a value that ccm never writes", _RESTORE) from None


def _words_for(error: DBAPIError | sqlite3.Error) -> tuple[str, str] | None:
    original = getattr(error, "orig", error)
    name, state = getattr(original, "sqlite_errorname", ""), getattr(original, "sqlstate", None)
    for known, code in ((_SQLITE, name), (_POSTGRES, state or "")):
        for begins, words in known.items():
            if code.startswith(begins):
                return words
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _LOST
    if type(original).__module__.startswith("psycopg") and type(original).__name__ == "OperationalError":
        return _POSTGRES["08"]  # no server, no answer: there is no SQLSTATE then
    return None
