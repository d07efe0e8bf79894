"""What came back after the hand-over, written once: pieces move forward, never back, whatever order events come in.

Nobody's lease is needed: news about a piece may come while its run goes on elsewhere, or years after it was closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.database import Database
from ccm.ledger.permission_tables import provider_events, run_purposes
from ccm.ledger.permissions import PermissionStore
from ccm.ledger.rows import event_values
from ccm.ledger.tables import communications, events, pieces, runs
from ccm.ledger.transitions import may_follow
from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import NewsKind, PermissionEntry, SuppressionEntry
from ccm.model.records import Outcome, OutcomeKind, PieceState

STATE_OF: Mapping[NewsKind, PieceState] = {
    NewsKind.DELIVERED: PieceState.DELIVERED,
    NewsKind.BOUNCED: PieceState.BOUNCED,
    NewsKind.FAILED: PieceState.BOUNCED,
    NewsKind.COMPLAINED: PieceState.COMPLAINED,
}
_MEMORY = timedelta(days=30)  # failures further apart say nothing about an address

Summary: TypeAlias = Callable[[str, str, Mapping[Channel, PieceState], frozenset[Channel]], Outcome]


@dataclass(frozen=True)
class Addressed:
    """Whom a piece went to and why, as far as the ledger knows."""

    piece_id: str
    recipient_id: str
    run_id: str
    channel: Channel
    brand: str
    purpose: Purpose | None


@dataclass(frozen=True)
class Step:
    """One event, ready to be written.

    subject: Mark of the address that failures are counted under; empty to count none.
    entries: Gives what the permission store learns, from the number of failures of the subject, this one included.
    """

    event_id: str
    kind: NewsKind
    piece_id: str
    at: datetime
    detail: str
    subject: str
    entries: Callable[[int], Sequence[PermissionEntry]]


@dataclass(frozen=True)
class Written:
    """What became of one event."""

    new: bool
    moved: bool = False
    suppressed: int = 0


class NewsStore:
    """Writes events into ledger and permission store, each in one transaction with everything that follows from it."""

    def __init__(self, database: Database, permissions: PermissionStore, summary: Summary) -> None:
        """Take an open database.

        Args:
            summary: Sums up a communication from the states of its pieces.
        """
        self._database = database
        self._permissions = permissions
        self._summary = summary

    def addressed(self, piece_ids: Sequence[str]) -> Mapping[str, Addressed]:
        """Return whom pieces went to; those that are not ours are missing."""
        query = (
            sa.select(
                pieces.c.piece_id,
                pieces.c.recipient_id,
                pieces.c.run_id,
                pieces.c.channel,
                run_purposes.c.brand,
                run_purposes.c.purpose,
            )
            .outerjoin(run_purposes, run_purposes.c.run_id == pieces.c.run_id)
            .where(pieces.c.piece_id.in_(piece_ids))
        )
        with self._database.read() as connection:
            return {
                row.piece_id: Addressed(
                    row.piece_id,
                    row.recipient_id,
                    row.run_id,
                    Channel(row.channel),
                    row.brand or "",
                    Purpose(row.purpose) if row.purpose else None,
                )
                for row in connection.execute(query)
            }

    def write(
        self,
        steps: Sequence[Step],
        now: datetime,
        *,
        noted: Callable[[Connection, Sequence[Written]], None] = lambda connection, written: None,
    ) -> tuple[Written, ...]:
        """Write events in one transaction; those written before change nothing.

        Args:
            now: When they were read, aware.
            noted: Told what became of them, before the transaction ends.
        """
        with self._database.write() as connection:
            self._permissions.take_turn(connection)
            written = tuple(self._write(connection, step, now) for step in steps)
            noted(connection, written)
            return written

    def _write(self, connection: Connection, step: Step, now: datetime) -> Written:
        known = sa.select(provider_events.c.event_id).where(provider_events.c.event_id == step.event_id)
        if connection.scalar(known) is not None:
            return Written(new=False)
        values = {"event_id": step.event_id, "kind": step.kind, "subject": step.subject, "at": now}
        connection.execute(sa.insert(provider_events), values)
        moved = self._move(connection, step)
        entries = list(step.entries(_failures(connection, step.subject, now)))
        self._permissions.record_in(connection, entries)
        return Written(True, moved, sum(isinstance(entry, SuppressionEntry) for entry in entries))

    def _move(self, connection: Connection, step: Step) -> bool:
        state = STATE_OF.get(step.kind)
        if state is None or not step.piece_id:
            return False
        query = sa.select(pieces.c.state, pieces.c.run_id, pieces.c.communication_id, runs.c.fence)
        query = query.join(runs, runs.c.run_id == pieces.c.run_id).where(pieces.c.piece_id == step.piece_id)
        row = connection.execute(query.with_for_update()).first()
        if row is None or not may_follow(PieceState(row.state), state):
            return False
        change = {"state": state, "updated_at": step.at, "detail": step.detail}
        connection.execute(sa.update(pieces).where(pieces.c.piece_id == step.piece_id), change)
        line = event_values(row.run_id, step.piece_id, state, step.at, row.fence) | {"detail": step.detail}
        connection.execute(sa.insert(events), [line])
        self._settle(connection, row.communication_id, row.run_id, row.fence, step.at)
        return True

    def _settle(self, connection: Connection, communication_id: str, run_id: str, fence: int, at: datetime) -> None:
        """Give a communication whose answer was lost its last word, once no required piece is in doubt any more."""
        mine = communications.c.communication_id == communication_id
        row = connection.execute(sa.select(communications.c.outcome, communications.c.recipient_id).where(mine)).first()
        if row is None or row.outcome != OutcomeKind.UNKNOWN:
            return
        query = sa.select(pieces.c.channel, pieces.c.state, pieces.c.required)
        found = connection.execute(query.where(pieces.c.communication_id == communication_id)).all()
        states = {Channel(piece.channel): PieceState(piece.state) for piece in found}
        required = frozenset(Channel(piece.channel) for piece in found if piece.required)
        outcome = self._summary(communication_id, row.recipient_id, states, required)
        if outcome.kind is OutcomeKind.UNKNOWN:
            return
        connection.execute(
            sa.update(communications).where(mine), {"outcome": outcome.kind, "reason": outcome.reason, "until": None}
        )
        connection.execute(sa.insert(events), [event_values(run_id, communication_id, outcome.kind, at, fence)])


def _failures(connection: Connection, subject: str, now: datetime) -> int:
    if not subject:
        return 0
    query = sa.select(sa.func.count()).where(
        provider_events.c.subject == subject,
        provider_events.c.kind == NewsKind.FAILED,
        provider_events.c.at >= now - _MEMORY,
    )
    return int(connection.scalar(query) or 0)
