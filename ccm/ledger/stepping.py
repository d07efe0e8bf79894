"""Moving pieces forward and settling communications: the writes of the hot path. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.decisions import refuse_backward, settleable
from ccm.ledger.rows import Values, event_values
from ccm.ledger.saving import chunks, execute_many
from ccm.ledger.tables import communications, events, pieces
from ccm.model.records import Outcome, PieceState, StateChange


def advance_pieces(connection: Connection, run_id: str, changes: Sequence[StateChange], fence: int) -> None:
    """Move pieces forward; see `Ledger.advance`."""
    states: dict[str, PieceState] = {}
    for ids in chunks([change.piece_id for change in changes]):
        query = sa.select(pieces.c.piece_id, pieces.c.state)
        query = query.where(pieces.c.run_id == run_id, pieces.c.piece_id.in_(ids))
        states |= {piece: PieceState(state) for piece, state in connection.execute(query)}
    refuse_backward(changes, states)
    execute_many(connection, _ADVANCE, map(_advance_values, changes))
    lines = [event_values(run_id, item.piece_id, item.state, item.at, fence, item) for item in changes]
    execute_many(connection, sa.insert(events), lines)


def settle_outcomes(
    connection: Connection, run_id: str, outcomes: Sequence[Outcome], fence: int, now: datetime
) -> None:
    """Write outcomes that are not final yet; see `Ledger.settle`."""
    current: dict[str, str | None] = {}
    for ids in chunks([item.communication_id for item in outcomes]):
        query = sa.select(communications.c.communication_id, communications.c.outcome)
        query = query.where(communications.c.run_id == run_id, communications.c.communication_id.in_(ids))
        current |= {row.communication_id: row.outcome for row in connection.execute(query)}
    fresh = settleable(outcomes, current)
    execute_many(connection, _SETTLE, map(_settle_values, fresh))
    lines = [event_values(run_id, item.communication_id, item.kind, now, fence) for item in fresh]
    execute_many(connection, sa.insert(events), lines)


_ADVANCE = (
    sa.update(pieces)
    .where(pieces.c.piece_id == sa.bindparam("b_id"))
    .values(
        state=sa.bindparam("state"),
        updated_at=sa.bindparam("updated_at"),
        provider_id=sa.func.coalesce(sa.bindparam("b_provider_id", type_=sa.Text), pieces.c.provider_id),
        detail=sa.bindparam("detail"),
        attempts=pieces.c.attempts + sa.bindparam("b_tries", type_=sa.Integer),
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
    }
