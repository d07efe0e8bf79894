"""The hot path on SQLite: whatever is ordinary about a group of steps, in few constant statements.

Why: SQLAlchemy's way to a statement costs as much as the statement, and its `executemany` steps row by row: each step gives
Python's lock away and has to wait to get it back. Here rows travel as one JSON text, so the same few statements do for groups
of every size, stay prepared, and give the lock away once. What is out of the ordinary goes the general way in `stepping`.
The contract suite holds both to the same promises.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from ccm.ledger.transitions import FOLLOWERS, OPEN_OUTCOMES
from ccm.model.records import Outcome, PieceState, StateChange

# By new state, the old states that it may follow, as a text that `instr` looks into.
_BEFORE = {
    new: "," + "".join(f"{old}," for old in PieceState if new in FOLLOWERS[old]) for new in PieceState
}  # fmt: skip
_OPEN = "," + "".join(f"{kind}," for kind in sorted(OPEN_OUTCOMES))

# Steps about which there is nothing to tell but the time. "+" keeps SQLite from walking through a whole run by its index
# when it is asked for some pieces of it.
_ADVANCE_ALIKE = """
UPDATE pieces SET state = ?2, updated_at = ?3, detail = '', attempts = attempts + ?4
WHERE piece_id IN (SELECT value FROM json_each(?1)) AND +run_id = ?5 AND instr(?6, ',' || state || ',')
"""
# Steps with a time, a provider's id and a detail each. Not "->>", which SQLite has from 3.38: Ubuntu 22.04 has 3.37.
_ADVANCE = """
UPDATE pieces SET state = ?2, updated_at = v.at, detail = v.detail, attempts = attempts + ?3,
    provider_id = CASE WHEN v.provider_id = '' THEN pieces.provider_id ELSE v.provider_id END,
    possible_duplicate = max(possible_duplicate, v.twice)
FROM (SELECT json_extract(value, '$[0]') AS piece_id, json_extract(value, '$[1]') AS at,
    json_extract(value, '$[2]') AS provider_id, json_extract(value, '$[3]') AS detail, json_extract(value, '$[4]') AS twice
    FROM json_each(?1)) AS v
WHERE pieces.piece_id = v.piece_id AND +pieces.run_id = ?4 AND instr(?5, ',' || pieces.state || ',')
"""
_SETTLE = """
UPDATE communications SET outcome = ?2, reason = ?3, until = ?4
WHERE communication_id IN (SELECT value FROM json_each(?1)) AND +run_id = ?5
    AND (outcome IS NULL OR instr(?6, ',' || outcome || ','))
"""
_EVENTS_ALIKE = """
INSERT INTO events (run_id, subject, state, at, fence, provider_id, detail)
SELECT ?2, value, ?3, ?4, ?5, '', '' FROM json_each(?1)
"""
_EVENTS = """
INSERT INTO events (run_id, subject, state, at, fence, provider_id, detail)
SELECT ?2, json_extract(value, '$[0]'), ?3, json_extract(value, '$[1]'), ?4, json_extract(value, '$[2]'),
    json_extract(value, '$[3]')
FROM json_each(?1)
"""


class OutOfTheOrdinary(Exception):
    """A piece or communication is not where a step would take it from: refused, late, or settled already."""


def record_in_few(
    cursor: sqlite3.Cursor,
    run_id: str,
    changes: Sequence[StateChange],
    outcomes: Sequence[Outcome],
    fence: int,
    now: datetime,
) -> None:
    """Move pieces forward and settle communications, inside the caller's transaction; see `Ledger.record`.

    Args:
        changes: Of different pieces.
        outcomes: Of different communications.
    Raises:
        OutOfTheOrdinary: If something could not be moved; the transaction must be rolled back.
    """
    alike: defaultdict[tuple[PieceState, datetime], list[str]] = defaultdict(list)
    different: defaultdict[PieceState, list[tuple[str, str, str, str, bool]]] = defaultdict(list)
    for item in changes:
        if item.provider_id or item.detail or item.possible_duplicate:
            row = (item.piece_id, as_text(item.at), item.provider_id, item.detail, item.possible_duplicate)
            different[item.state].append(row)
        else:
            alike[item.state, item.at].append(item.piece_id)
    for state, rows in different.items():
        _advance(cursor, run_id, state, rows, fence)
    for (state, at), pieces in alike.items():
        _advance_alike(cursor, run_id, state, as_text(at), pieces, fence)
    if intents := sum(item.state is PieceState.INTENT for item in changes):
        cursor.execute("UPDATE runs SET intents = intents + ? WHERE run_id = ?", (intents, run_id))
    ends: defaultdict[tuple[str, str, datetime | None], list[str]] = defaultdict(list)
    for outcome in outcomes:
        ends[outcome.kind.value, outcome.reason, outcome.until].append(outcome.communication_id)
    for (kind, reason, until), communications in ends.items():
        _settle(cursor, run_id, (kind, reason, as_text(until) if until else None), communications, fence, as_text(now))


def _advance(cursor: sqlite3.Cursor, run_id: str, state: PieceState, rows: Sequence[Any], fence: int) -> None:
    text, tries = orjson.dumps(rows).decode(), int(state is PieceState.SENDING)
    cursor.execute(_ADVANCE, (text, state.value, tries, run_id, _BEFORE[state]))
    _all_moved(cursor, rows)
    cursor.execute(_EVENTS, (text, run_id, state.value, fence))


def _advance_alike(
    cursor: sqlite3.Cursor, run_id: str, state: PieceState, at: str, pieces: Sequence[str], fence: int
) -> None:
    text, tries = orjson.dumps(pieces).decode(), int(state is PieceState.SENDING)
    cursor.execute(_ADVANCE_ALIKE, (text, state.value, at, tries, run_id, _BEFORE[state]))
    _all_moved(cursor, pieces)
    cursor.execute(_EVENTS_ALIKE, (text, run_id, state.value, at, fence))


def _settle(
    cursor: sqlite3.Cursor,
    run_id: str,
    end: tuple[str, str, str | None],
    communications: Sequence[str],
    fence: int,
    at: str,
) -> None:
    text = orjson.dumps(communications).decode()
    cursor.execute(_SETTLE, (text, *end, run_id, _OPEN))
    _all_moved(cursor, communications)
    cursor.execute(_EVENTS_ALIKE, (text, run_id, end[0], at, fence))


def _all_moved(cursor: sqlite3.Cursor, items: Sequence[object]) -> None:
    if cursor.rowcount != len(items):
        raise OutOfTheOrdinary


def insert_rows(cursor: sqlite3.Cursor, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns in the same order."""
    columns = list(rows[0])
    one = f"({','.join('?' * len(columns))})"
    begin = " ".join(("INSERT INTO", table, "(", ", ".join(columns), ") VALUES "))  # names of ours
    whole = len(rows) - len(rows) % _TOGETHER
    for start in range(0, whole, _TOGETHER):
        cursor.execute(begin + ",".join([one] * _TOGETHER), _bound(rows[start : start + _TOGETHER]))
    cursor.executemany(begin + one, (_bound([row]) for row in rows[whole:]))


_TOGETHER = 50  # rows that one INSERT takes; a constant, so that the statement stays prepared
_AS_THEY_ARE = (str, int, bool, type(None))


def _bound(rows: Sequence[dict[str, Any]]) -> list[Any]:
    """Return the values of all rows as SQLAlchemy would write them."""
    values = (value for row in rows for value in row.values())
    return [value if type(value) in _AS_THEY_ARE else _as_written(value) for value in values]


def _as_written(value: Any) -> Any:
    return as_text(value) if isinstance(value, datetime) else value.value  # a member of an enumeration


@lru_cache(maxsize=16)  # a group has few different ones
def as_text(moment: datetime) -> str:
    """Return a time as SQLAlchemy writes it into SQLite: UTC without an offset.

    Raises:
        ValueError: If it is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("the ledger takes aware times only")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]
