"""The hot path on SQLite: every kind of write of a group in one statement.

Why: SQLAlchemy's `executemany` steps row by row, and each step gives Python's lock away and has to wait to get it back from
sixteen sending threads. One statement with all rows gives it away once. Measured: five times as many marks a second.
The contract suite holds this to the same promises as the general way in `stepping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection

from ccm.ledger.transitions import FOLLOWERS, OPEN_OUTCOMES
from ccm.model.records import Outcome, PieceState, StateChange

# By new state, the old states that it may follow, as a text that `instr` looks into.
_BEFORE = {
    new: "," + "".join(f"{old}," for old in PieceState if new in FOLLOWERS[old]) for new in PieceState
}  # fmt: skip

# "+" keeps SQLite from walking through a whole run by its index when it is asked for some pieces of it.
_ADVANCE = """
UPDATE pieces SET state = v.column2, updated_at = v.column3,
    provider_id = CASE WHEN v.column4 = '' THEN provider_id ELSE v.column4 END, detail = v.column5,
    attempts = attempts + v.column6, possible_duplicate = max(possible_duplicate, v.column8)
FROM (VALUES {rows}) AS v
WHERE pieces.piece_id = v.column1 AND +pieces.run_id = ? AND instr(v.column7, ',' || pieces.state || ',')
RETURNING pieces.piece_id
"""
_EVENTS = "INSERT INTO events (run_id, subject, state, at, fence, provider_id, detail) VALUES {rows}"
_SETTLE = """
UPDATE communications SET outcome = v.column2, reason = v.column3, until = v.column4
FROM (VALUES {rows}) AS v
WHERE communications.communication_id = v.column1 AND +communications.run_id = ?
    AND (communications.outcome IS NULL OR communications.outcome IN ({open}))
RETURNING communications.communication_id
"""
_OPEN = ", ".join(f"'{kind}'" for kind in sorted(OPEN_OUTCOMES))


def advance_in_one(connection: Connection, run_id: str, changes: Sequence[StateChange]) -> frozenset[str]:
    """Move pieces forward, of at most 500 different ones; return those that could be moved."""
    parameters: list[Any] = []
    for item in changes:
        parameters += (
            item.piece_id,
            item.state.value,
            as_text(item.at),
            item.provider_id,
            item.detail,
            int(item.state is PieceState.SENDING),
            _BEFORE[item.state],
            int(item.possible_duplicate),
        )
    statement = _ADVANCE.format(rows=_rows(8, len(changes)))
    return frozenset(row[0] for row in connection.exec_driver_sql(statement, (*parameters, run_id)))


def settle_in_one(connection: Connection, run_id: str, outcomes: Sequence[Outcome]) -> frozenset[str]:
    """Write outcomes of communications that have no final one, at most 500; return which had none."""
    parameters: list[Any] = []
    for item in outcomes:
        until = as_text(item.until) if item.until else None
        parameters += (item.communication_id, item.kind.value, item.reason, until)
    statement = _SETTLE.format(rows=_rows(4, len(outcomes)), open=_OPEN)
    return frozenset(row[0] for row in connection.exec_driver_sql(statement, (*parameters, run_id)))


def append_events(connection: Connection, lines: Sequence[tuple[Any, ...]]) -> None:
    """Write lines of the history, at most 1,000: run, subject, state, time, fence, provider's id, detail."""
    parameters = tuple(value for line in lines for value in line)
    connection.exec_driver_sql(_EVENTS.format(rows=_rows(7, len(lines))), parameters)


def as_text(moment: datetime) -> str:
    """Return a time as SQLAlchemy writes it into SQLite: UTC without an offset.

    Raises:
        ValueError: If it is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("the ledger takes aware times only")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _rows(width: int, count: int) -> str:
    one = "(" + "?," * (width - 1) + "?)"
    return ",".join([one] * count)
