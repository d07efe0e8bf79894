"""Moving pieces forward and settling communications, in any database. Inside the caller's transaction.

SQLite has a shorter way for what is ordinary, `sqlite_steps`; this is the one that knows every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.decisions import refuse_backward, settleable
from ccm.ledger.rows import Values, event_values
from ccm.ledger.saving import chunks, execute_many
from ccm.ledger.tables import communications, events, pieces, runs
from ccm.ledger.transitions import comes_late
from ccm.model.records import Outcome, PieceState, StateChange


def record_steps(
    connection: Connection,
    run_id: str,
    changes: Sequence[StateChange],
    outcomes: Sequence[Outcome],
    fence: int,
    now: datetime,
) -> None:
    """Move pieces forward and settle communications; see `Ledger.record`."""
    if changes:
        _advance(connection, run_id, changes, fence)
    if outcomes:
        _settle(connection, run_id, outcomes, fence, now)


def _advance(connection: Connection, run_id: str, changes: Sequence[StateChange], fence: int) -> None:
    states = _states(connection, run_id, changes)
    refuse_backward(changes, states)
    if intents := sum(item.state is PieceState.INTENT for item in changes):
        connection.execute(_COUNT, {"b_run": run_id, "b_more": intents})
    execute_many(connection, _ADVANCE, map(_advance_values, _in_time(changes, states)))
    lines = [event_values(run_id, item.piece_id, item.state, item.at, fence, item) for item in changes]
    execute_many(connection, sa.insert(events), lines)


def _in_time(changes: Iterable[StateChange], states: Mapping[str, PieceState]) -> list[StateChange]:
    """Leave out answers that come after their news: they are history and move nothing."""
    now = dict(states)
    moving = []
    for change in changes:
        if not comes_late(now[change.piece_id], change.state):
            now[change.piece_id] = change.state
            moving.append(change)
    return moving


def _settle(connection: Connection, run_id: str, outcomes: Sequence[Outcome], fence: int, now: datetime) -> None:
    fresh = settleable(outcomes, _outcomes(connection, run_id, outcomes))
    execute_many(connection, _SETTLE, map(_settle_values, fresh))
    lines = [event_values(run_id, item.communication_id, item.kind, now, fence) for item in fresh]
    execute_many(connection, sa.insert(events), lines)


def _states(connection: Connection, run_id: str, changes: Iterable[StateChange]) -> dict[str, PieceState]:
    """Return where the pieces of this run stand. The run is compared here: its index would read the whole run."""
    states: dict[str, PieceState] = {}
    for ids in chunks([change.piece_id for change in changes]):
        query = sa.select(pieces.c.piece_id, pieces.c.state, pieces.c.run_id).where(pieces.c.piece_id.in_(ids))
        states |= {row.piece_id: PieceState(row.state) for row in connection.execute(query) if row.run_id == run_id}
    return states


def _outcomes(connection: Connection, run_id: str, outcomes: Iterable[Outcome]) -> dict[str, str | None]:
    current: dict[str, str | None] = {}
    for ids in chunks([item.communication_id for item in outcomes]):
        table = communications.c
        query = sa.select(table.communication_id, table.outcome, table.run_id).where(table.communication_id.in_(ids))
        current |= {row.communication_id: row.outcome for row in connection.execute(query) if row.run_id == run_id}
    return current


_COUNT = (
    sa.update(runs)
    .where(runs.c.run_id == sa.bindparam("b_run"))
    .values(intents=runs.c.intents + sa.bindparam("b_more", type_=sa.BigInteger))
)

_ADVANCE = (
    sa.update(pieces)
    .where(pieces.c.piece_id == sa.bindparam("b_id"))
    .values(
        state=sa.bindparam("state"),
        updated_at=sa.bindparam("updated_at"),
        provider_id=sa.func.coalesce(sa.bindparam("b_provider_id", type_=sa.Text), pieces.c.provider_id),
        detail=sa.bindparam("detail"),
        attempts=pieces.c.attempts + sa.bindparam("b_tries", type_=sa.Integer),
        possible_duplicate=sa.or_(pieces.c.possible_duplicate, sa.bindparam("b_twice", type_=sa.Boolean)),
    )
)

_SETTLE = (
    sa.update(communications)
    .where(communications.c.communication_id == sa.bindparam("b_id"))
    .values(outcome=sa.bindparam("outcome"), reason=sa.bindparam("reason"), until=sa.bindparam("until"))
)


def _settle_values(outcome: Outcome) -> Values:
    return {
        "b_id": outcome.communication_id,
        "outcome": outcome.kind,
        "reason": outcome.reason,
        "until": outcome.until,
    }


def _advance_values(change: StateChange) -> Values:
    return {
        "b_id": change.piece_id,
        "state": change.state,
        "updated_at": change.at,
        "b_provider_id": change.provider_id or None,
        "detail": change.detail,
        "b_tries": int(change.state is PieceState.SENDING),
        "b_twice": change.possible_duplicate,
    }
