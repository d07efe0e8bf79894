"""The permission store: who agreed to what, and which addresses must not be used. In the ledger's own database.

Nothing readable is kept: people and addresses stand in it as marks (`ccm.model.keyring`). Entries are added and never
changed, in one order that every process sees alike; the revision grows with every change, so that a run that is
sending notices an opt-out by one small look.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.database import Database
from ccm.ledger.interface import LedgerError
from ccm.ledger.permission_tables import (
    consents,
    permission_keys,
    permission_revision,
    provider_events,
    run_purposes,
    suppressions,
)
from ccm.ledger.saving import chunks, execute_many
from ccm.ledger.tables import communications, pieces
from ccm.ledger.transitions import TAKEN
from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import ConsentEntry, PermissionEntry, SuppressionEntry, SuppressionReason
from ccm.model.records import PieceState

_BATCH = 2000  # entries in one transaction of a long import
_REACHES = (Channel.EMAIL, Channel.SMS)  # a document in the archive reaches nobody
_COUNTED = (TAKEN | {PieceState.INTENT, PieceState.SENDING, PieceState.UNKNOWN}) - {PieceState.BOUNCED}


class PermissionStore:
    """Consents, suppressions and what runs were for. Safe in threads and between processes."""

    def __init__(self, database: Database, idents: frozenset[str]) -> None:
        """Take an open database.

        Args:
            idents: Names of the secrets at hand, see `Keyring.idents`.
        Raises:
            LedgerError: If an entry was written under a secret that is not at hand. Why: Its person would not be
                recognised any more and would be written to again.
        """
        self._database = database
        self._seen_idents: set[str] = set()
        with database.read() as connection:
            known = set(connection.scalars(sa.select(permission_keys.c.ident)))
        if known - idents:
            database.close()
            names = ", ".join(sorted(known - idents))
            raise LedgerError(
                f"the permission store was written under another secret than is here ({names})",
                "give the older secret after the new one in CCM_SECRET, or restore .ccm/secret; if it is lost for good: "
                "ccm suppress --give-up-secret",
            )
        self._seen_idents |= known

    @property
    def database(self) -> Database:
        """The database that the store lives in; others write into it in the same transaction."""
        return self._database

    # ── writing ──────────────────────────────────────────────────────────

    def record(self, entries: Iterable[PermissionEntry]) -> int:
        """Write entries down, durably; of a long list every batch by itself.

        Returns:
            How many were written.
        """
        written = 0
        iterator = iter(entries)
        while batch := list(itertools.islice(iterator, _BATCH)):
            with self._database.write() as connection:
                self.record_in(connection, batch)
            written += len(batch)
        return written

    def record_in(self, connection: Connection, entries: Sequence[PermissionEntry]) -> None:
        """Write entries within a transaction that does other things too."""
        if not entries:
            return
        connection.execute(sa.update(permission_revision).values(revision=permission_revision.c.revision + 1))
        self._note_idents(connection, {entry.subject.partition(".")[0] for entry in entries})
        revision = connection.scalar(sa.select(permission_revision.c.revision))
        agreed = [_consent_values(entry, revision) for entry in entries if isinstance(entry, ConsentEntry)]
        barred = [_suppression_values(entry, revision) for entry in entries if isinstance(entry, SuppressionEntry)]
        execute_many(connection, sa.insert(consents), agreed)
        execute_many(connection, sa.insert(suppressions), barred)

    def take_turn(self, connection: Connection) -> None:
        """Let no other writer of this store in until the transaction ends.

        Why: Where the database lets several write at once, two processes could both find an event new.
        """
        connection.execute(sa.select(permission_revision.c.revision).with_for_update())

    def forget(self, subjects: Sequence[str]) -> int:
        """Remove every consent and every trace of evidence of an erased person; what bars them stays.

        Returns:
            How many consents were removed.
        """
        removed = 0
        with self._database.write() as connection:
            for part in chunks(subjects):
                removed += connection.execute(sa.delete(consents).where(consents.c.subject.in_(part))).rowcount
                mine = suppressions.c.subject.in_(part)
                connection.execute(sa.update(suppressions).where(mine).values(evidence=""))
                theirs = provider_events.c.subject.in_(part)
                connection.execute(sa.update(provider_events).where(theirs).values(subject=""))
        return removed

    def note_run(self, run_id: str, brand: str, purpose: Purpose, ident: str) -> None:
        """Write down for whom and what a run is, once, and under which secret its links are signed.

        Why the secret: Another machine with a secret of its own would not know the links; it is told when it starts.
        """
        with self._database.write() as connection:
            self.take_turn(connection)
            self._note_idents(connection, {ident})
            known = connection.scalar(sa.select(run_purposes.c.run_id).where(run_purposes.c.run_id == run_id))
            if known is None:
                connection.execute(sa.insert(run_purposes), {"run_id": run_id, "brand": brand, "purpose": purpose})

    # ── reading ──────────────────────────────────────────────────────────

    def revision(self) -> int:
        """Return the number of the last change."""
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(permission_revision.c.revision)) or 0)

    def subjects(self) -> Iterator[str]:
        """Stream every mark that an entry stands under; some come twice."""
        with self._database.read() as connection:
            for table in (consents, suppressions):
                yield from connection.scalars(sa.select(table.c.subject))

    def entries(self, subjects: Sequence[str], *, after: int = 0) -> tuple[PermissionEntry, ...]:
        """Return every entry of some subjects, in the order they were written.

        Args:
            after: Only entries of later revisions.
        """
        with self._database.read() as connection:
            return tuple(_entries(connection, subjects, after))

    def changes(self, after: int) -> tuple[int, tuple[PermissionEntry, ...]]:
        """Return the newest revision and every entry written since an older one."""
        with self._database.read() as connection:
            revision = int(connection.scalar(sa.select(permission_revision.c.revision)) or 0)
            return revision, tuple(_entries(connection, None, after)) if revision > after else ()

    def counts(self) -> Mapping[tuple[str, str, str, str], int]:
        """Return how many suppressions are in force by reason, channel, purpose and brand; empty words mean all."""
        with self._database.read() as connection:
            last = sa.select(sa.func.max(suppressions.c.number).label("number")).group_by(*_KIND).subquery()
            words = (suppressions.c.reason, suppressions.c.channel, suppressions.c.purpose, suppressions.c.brand)
            query = sa.select(*words, sa.func.count()).join(last, last.c.number == suppressions.c.number)
            query = query.where(suppressions.c.lifted.is_(False)).group_by(*words).order_by(*words)
            return {(row[0], row[1], row[2], row[3]): int(row[4]) for row in connection.execute(query)}

    def contacts(
        self, recipient_id: str, since: datetime, *, campaign: str = "", brand: str = "", but: str = ""
    ) -> int:
        """Return how many marketing communications reached, or may yet reach, a recipient since a time.

        Args:
            since: Aware.
            brand: Whose marketing.
            but: The communication that is being decided on; a second execution must not count it against itself.
        Why: A communication counts once, on however many channels it went; a document alone reaches nobody. What is
            about to be handed over counts as well, so that two runs at once do not both take the last place.
        """
        query = (
            sa.select(sa.func.count(sa.distinct(pieces.c.communication_id)))
            .join(run_purposes, run_purposes.c.run_id == pieces.c.run_id)
            .where(pieces.c.recipient_id == recipient_id, pieces.c.updated_at >= since)
            .where(pieces.c.state.in_(sorted(_COUNTED)), pieces.c.channel.in_(_REACHES))
            .where(run_purposes.c.purpose == Purpose.MARKETING, run_purposes.c.brand == brand)
            .where(pieces.c.communication_id != but)
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def addressee(self, communication_id: str) -> tuple[str, str] | None:
        """Return recipient id and run id of a communication, or None if the ledger does not know it."""
        query = sa.select(communications.c.recipient_id, communications.c.run_id)
        query = query.where(communications.c.communication_id == communication_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
            return (row.recipient_id, row.run_id) if row else None

    def close(self) -> None:
        """Give back connections."""
        self._database.close()

    def _note_idents(self, connection: Connection, idents: set[str]) -> None:
        for ident in idents - self._seen_idents:
            known = connection.scalar(sa.select(permission_keys.c.ident).where(permission_keys.c.ident == ident))
            if known is None:
                connection.execute(sa.insert(permission_keys), {"ident": ident})
            self._seen_idents.add(ident)


_KIND = (
    suppressions.c.subject,
    suppressions.c.channel,
    suppressions.c.purpose,
    suppressions.c.brand,
    suppressions.c.reason,
)


def open_permissions(url: str, root: str | Path, idents: frozenset[str]) -> PermissionStore:
    """Open the permission store in the database of a workspace's ledger.

    Args:
        url: SQLAlchemy URL, see `Database`.
        idents: Names of the secrets at hand.
    Raises:
        LedgerError: If the database cannot be opened, or was written under a secret that is not at hand.
    """
    return PermissionStore(Database(url, root), idents)


def give_up_secret(url: str, root: str | Path, ident: str) -> int:
    """Remove every entry that was marked under a secret that is lost for good.

    Returns:
        How many entries were removed. Their people are not recognised any more and may be written to again.
    """
    database = Database(url, root)
    try:
        with database.write() as connection:
            removed = 0
            for table in (consents, suppressions):
                lost = table.c.subject.startswith(f"{ident}.", autoescape=True)
                removed += connection.execute(sa.delete(table).where(lost)).rowcount
            connection.execute(sa.delete(permission_keys).where(permission_keys.c.ident == ident))
            connection.execute(sa.update(permission_revision).values(revision=permission_revision.c.revision + 1))
        return removed
    finally:
        database.close()


def _entries(connection: Connection, subjects: Sequence[str] | None, after: int) -> Iterator[PermissionEntry]:
    parts = [None] if subjects is None else list(chunks(subjects))
    rows: list[tuple[int, int, PermissionEntry]] = []
    for part in parts:
        for order, table in enumerate((consents, suppressions)):
            query = sa.select(table).where(table.c.revision > after)
            if part is not None:
                query = query.where(table.c.subject.in_(part))
            for row in connection.execute(query.order_by(table.c.number)).mappings():
                rows.append((row["revision"], order, _consent(row) if table is consents else _suppression(row)))
    rows.sort(key=lambda item: item[:2])  # stable: within one revision as they were given
    return (entry for _, _, entry in rows)


def _consent_values(entry: ConsentEntry, revision: int | None) -> dict[str, object]:
    return {
        "revision": revision,
        "subject": entry.subject,
        "purpose": entry.purpose,
        "channel": entry.channel,
        "brand": entry.brand,
        "granted": entry.granted,
        "at": entry.at,
        "source": entry.source,
        "evidence": entry.evidence,
    }


def _suppression_values(entry: SuppressionEntry, revision: int | None) -> dict[str, object]:
    return {
        "revision": revision,
        "subject": entry.subject,
        "channel": entry.channel or "",
        "purpose": entry.purpose or "",
        "brand": entry.brand,
        "reason": entry.reason,
        "lifted": entry.lifted,
        "at": entry.at,
        "source": entry.source,
        "evidence": entry.evidence,
    }


def _consent(row: sa.RowMapping) -> ConsentEntry:
    return ConsentEntry(
        row["subject"],
        Purpose(row["purpose"]),
        Channel(row["channel"]),
        row["granted"],
        row["at"],
        row["source"],
        row["evidence"],
        row["brand"],
    )


def _suppression(row: sa.RowMapping) -> SuppressionEntry:
    return SuppressionEntry(
        row["subject"],
        Channel(row["channel"]) if row["channel"] else None,
        Purpose(row["purpose"]) if row["purpose"] else None,
        SuppressionReason(row["reason"]),
        row["at"],
        row["source"],
        row["evidence"],
        row["brand"],
        row["lifted"],
    )
