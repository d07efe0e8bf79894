"""The hot path on SQLite: every kind of write of a group in one statement.

Why: SQLAlchemy's `executemany` steps row by row, and each step gives Python's lock away and has to wait to get it back from
sixteen sending threads. One statement with all rows gives it away once. Measured: five times as many marks a second.
The contract suite holds this to the same promises as the general way in `stepping`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
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


def cursor_of(connection: Connection) -> sqlite3.Cursor:
    """Return a cursor of the driver, inside the connection's transaction.

    Why: SQLAlchemy's own way to a statement costs as much as the statement.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.cursor()


def advance_in_one(cursor: sqlite3.Cursor, run_id: str, changes: Sequence[StateChange]) -> frozenset[str]:
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
    parameters.append(run_id)
    return frozenset(row[0] for row in cursor.execute(_statement(_ADVANCE, 8, len(changes)), parameters))


def settle_in_one(cursor: sqlite3.Cursor, run_id: str, outcomes: Sequence[Outcome]) -> frozenset[str]:
    """Write outcomes of communications that have no final one, at most 500; return which had none."""
    parameters: list[Any] = []
    for item in outcomes:
        until = as_text(item.until) if item.until else None
        parameters += (item.communication_id, item.kind.value, item.reason, until)
    parameters.append(run_id)
    return frozenset(row[0] for row in cursor.execute(_statement(_SETTLE, 4, len(outcomes)), parameters))


def append_events(cursor: sqlite3.Cursor, lines: Sequence[tuple[Any, ...]]) -> None:
    """Write lines of the history, at most 1,000: run, subject, state, time, fence, provider's id, detail."""
    parameters = [value for line in lines for value in line]
    cursor.execute(_statement(_EVENTS, 7, len(lines)), parameters)


def count_intents(cursor: sqlite3.Cursor, run_id: str, intents: int) -> None:
    """Count intents, once for ever."""
    cursor.execute("UPDATE runs SET intents = intents + ? WHERE run_id = ?", (intents, run_id))


def as_text(moment: datetime) -> str:
    """Return a time as SQLAlchemy writes it into SQLite: UTC without an offset.

    Raises:
        ValueError: If it is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("the ledger takes aware times only")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=512)
def _statement(pattern: str, width: int, count: int) -> str:
    one = "(" + "?," * (width - 1) + "?)"
    return pattern.replace("{rows}", ",".join([one] * count)).replace("{open}", _OPEN)
