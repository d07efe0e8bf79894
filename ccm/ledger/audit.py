"""The audit log: who did what and when, in a chain of hashes, so that no entry can be changed without being noticed.

Every entry holds the hash of the one before it, and its own hash covers everything it says. The hashes are also
written, one a line, into an anchor: a file beside the database. Whoever changes an entry must change every later one
and the anchor, and still differs from every head that was printed or copied elsewhere before.

Entries hold ids, names of releases, counts and digests; never an address, a name or what a message said. They outlive
erasures: the erased stand in them as their keyed hash from the beginning.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.database import Database
from ccm.ledger.interface import LedgerError
from ccm.ledger.tables import metadata
from ccm.model.audit import AuditAction

GENESIS = "0" * 64  # what the first entry follows
_PAGE_ROWS = 500
_TAIL = 200  # bytes; more than a line
_COLUMNS = ("number", "at", "action", "actor", "subject", "details", "previous", "hash")

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 …: a gap is a missing entry
    *(sa.Column(name, sa.Text, nullable=False) for name in _COLUMNS[1:]),
)


@dataclass(frozen=True)
class AuditEntry:
    """One entry.

    number: From 1, without gaps.
    at: ISO 8601, UTC.
    actor: Who, as the system knows them.
    subject: A run, release or piece id, or what stands for an erased customer.
    details: Counts, states and digests.
    previous, hash: SHA-256 in hex.
    """

    number: int
    at: str
    action: str
    actor: str
    subject: str
    details: Mapping[str, object] = field(default_factory=dict)
    previous: str = GENESIS
    hash: str = ""


@dataclass(frozen=True)
class AuditVerdict:
    """What verifying the log found.

    entries: How many there are.
    head: Hash of the last one; keep it elsewhere.
    faults: One sentence each; empty when nothing was changed.
    """

    entries: int
    head: str
    faults: tuple[str, ...] = ()


class AuditLog:
    """Appends and verifies. Safe in threads and between processes."""

    def __init__(self, database: Database, anchor: Path) -> None:
        """Take an open database, closed with this, and the file that heads are anchored in."""
        self._database = database
        self._anchor = anchor

    @classmethod
    def open(cls, url: str, root: str | Path, anchor: Path) -> AuditLog:
        """Open the log in the workspace's ledger, see `ccm.ledger.sql.open_ledger`."""
        return cls(Database(url, root), anchor)

    def append(
        self,
        action: AuditAction,
        subject: str,
        *,
        actor: str,
        at: datetime,
        details: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        """Write an entry durably and anchor it.

        Args:
            at: Aware.
            details: Short texts, numbers and truths; no personal data.
        Raises:
            LedgerError: If it cannot be written. Why: What is not in the log must not be done.
        """
        with self._database.write() as connection:
            entry = self.append_in(connection, action, subject, actor=actor, at=at, details=details)
        self.anchor()
        return entry

    def append_in(
        self,
        connection: Connection,
        action: AuditAction,
        subject: str,
        *,
        actor: str,
        at: datetime,
        details: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        """Write an entry in the transaction that does what it tells, in this log's database; `anchor` comes after it."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE audit IN EXCLUSIVE MODE")
        last = connection.execute(sa.select(audit).order_by(audit.c.number.desc()).limit(1)).mappings().first()
        number, previous = (last["number"] + 1, last["hash"]) if last else (1, GENESIS)
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
        entry = _sealed(AuditEntry(number, moment, str(action), actor, subject, dict(details or {}), previous))
        connection.execute(sa.insert(audit), _values(entry))
        return entry

    def entries(self) -> Iterator[AuditEntry]:
        """Stream the entries, oldest first."""
        last = 0
        while True:
            query = sa.select(audit).where(audit.c.number > last).order_by(audit.c.number).limit(_PAGE_ROWS)
            with self._database.read() as connection:
                rows = connection.execute(query).mappings().all()
            yield from map(_entry, rows)
            if len(rows) < _PAGE_ROWS:
                return
            last = rows[-1]["number"]

    def verify(self, head: str = "") -> AuditVerdict:
        """Check that no entry was changed, removed, moved or cut off.

        Args:
            head: A hash that was printed or copied earlier; it must still be in the chain.
        """
        anchored, faults = self._anchored()
        previous, count, seen = GENESIS, 0, False
        for entry in self.entries():
            count += 1
            faults += _faults_of(entry, count, previous)
            if count <= len(anchored) and anchored[count - 1] != entry.hash:
                faults.append(f"entry {count} is not the one that was anchored")
            previous, seen = entry.hash, seen or entry.hash == head
        if count < len(anchored):
            faults.append(f"{len(anchored) - count} entries after number {count} are missing")
        if head and not seen:
            faults.append("the head that was kept elsewhere is not in the chain")
        return AuditVerdict(count, previous, tuple(dict.fromkeys(faults)))

    def close(self) -> None:
        """Give back connections."""
        self._database.close()

    def anchor(self) -> None:
        """Write hashes that the anchor lacks: the new one, and those of commands that were killed before this.

        Raises:
            LedgerError: If the file cannot be written; the next entry's anchoring makes up for it.
        Why after the commit, and lines are only ever added: a line too many would look like a missing entry, and
        taking lines away would repair what somebody cut off.
        """
        try:
            self._anchor.parent.mkdir(parents=True, exist_ok=True)
            with self._anchor.open("a+") as file:
                _lock(file)
                anchored = _last_number(file)
                query = sa.select(audit.c.number, audit.c.hash).where(audit.c.number > anchored)
                with self._database.read() as connection:
                    rows = connection.execute(query.order_by(audit.c.number)).all()
                file.write("".join(f"{row.number} {row.hash}\n" for row in rows))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise LedgerError(
                f"the audit log cannot be anchored in {self._anchor.name} ({error.strerror})",
                "correct the permissions of its folder, or free space",
            ) from None

    def _anchored(self) -> tuple[list[str], list[str]]:
        """Return the anchored hashes in order, and what is wrong with the file."""
        if not self._anchor.exists():
            with self._database.read() as connection:
                some = connection.scalar(sa.select(sa.func.count()).select_from(audit))
            return [], [f"the anchor {self._anchor.name} is missing"] if some else []
        hashes, faults = [], []
        for number, line in enumerate(self._anchor.read_text(errors="replace").splitlines(), 1):
            name, _, digest = line.partition(" ")
            if name != str(number) or len(digest) != len(GENESIS):
                faults.append(f"line {number} of the anchor {self._anchor.name} was changed")
            hashes.append(digest)
        return hashes, faults


def _lock(file: TextIO) -> None:
    """Let one process write at a time; it ends with the file. Where the system has no such locks, nothing is locked."""
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _last_number(file: TextIO) -> int:
    """Return the number of the anchor's last line; of one that was changed, how many lines there are.

    Why not count always: a web app anchors every click, and the anchor grows for years.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL))
    last = file.read().splitlines()[-1:]
    name, _, digest = last[0].partition(" ") if last else ("0", "", GENESIS)
    if name.isdigit() and len(digest) == len(GENESIS):
        return int(name)
    file.seek(0)
    return sum(1 for _ in file)


def _sealed(entry: AuditEntry) -> AuditEntry:
    return AuditEntry(**{**{name: getattr(entry, name) for name in _COLUMNS}, "hash": _hash(entry)})


def _hash(entry: AuditEntry) -> str:
    """Return the SHA-256 over everything an entry says and the hash before it."""
    said = [getattr(entry, name) for name in _COLUMNS[:-1]]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _faults_of(entry: AuditEntry, number: int, previous: str) -> list[str]:
    if entry.number != number:
        return [f"entry {number} is missing"]
    faults = []
    if entry.previous != previous:
        faults.append(f"entry {number} does not follow the one before it")
    if _hash(entry) != entry.hash:
        faults.append(f"entry {number} was changed")
    return faults


def _values(entry: AuditEntry) -> dict[str, object]:
    values = {name: getattr(entry, name) for name in _COLUMNS}
    return values | {"details": json.dumps(entry.details, sort_keys=True, separators=(",", ":"))}


def _entry(row: sa.RowMapping) -> AuditEntry:
    """Read an entry; details that are no JSON any more stand as they are, and the hash tells."""
    try:
        details = json.loads(row["details"])
        same = json.dumps(details, sort_keys=True, separators=(",", ":")) == row["details"]
    except ValueError:
        same = False
    values = {name: row[name] for name in _COLUMNS}
    return AuditEntry(**{**values, "details": details if same else {"changed": row["details"]}})
