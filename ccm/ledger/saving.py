"""Writing decisions: replaces what was not final, never touches a piece that was handed over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.rows import (
    Values,
    communication_values,
    event_values,
    piece_values,
    remark_values,
    total_values,
)
from ccm.ledger.sqlite_steps import insert_rows
from ccm.ledger.tables import communications, events, pieces, remarks, totals
from ccm.ledger.transitions import FINAL_OUTCOMES, HANDED_OVER
from ccm.model.records import Decision, PieceState

_IDS_PER_QUERY = 500
_Item = TypeVar("_Item")


def save_chunk(connection: Connection, run_id: str, decisions: Sequence[Decision], fence: int, now: datetime) -> None:
    """Write up to 500 decisions inside the caller's transaction."""
    final = final_among(connection, [decision.communication_id for decision in decisions])
    fresh = [decision for decision in decisions if decision.communication_id not in final]
    kept, earlier = _clear_replaced(connection, [decision.communication_id for decision in fresh])
    made = [(one, piece) for one in fresh for piece in one.pieces if piece.piece_id not in kept]
    _insert(connection, communications, [communication_values(run_id, one, now) for one in fresh])
    _insert(
        connection,
        pieces,
        [piece_values(run_id, one, piece, now, **earlier.get(piece.piece_id, {})) for one, piece in made],
    )
    _insert(connection, totals, [row for one, piece in made for row in total_values(run_id, one, piece)])
    _insert(connection, remarks, [row for one in fresh for row in remark_values(run_id, one)])
    lines = [event_values(run_id, piece.piece_id, piece.state, now, fence) for _, piece in made]
    _insert(connection, events, lines)


def final_among(connection: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Return those of up to 500 communications whose outcome is final."""
    table = communications.c
    query = sa.select(table.communication_id).where(
        is_among(connection, table.communication_id, ids), table.outcome.in_(sorted(FINAL_OUTCOMES))
    )
    return frozenset(connection.scalars(query).all())


def is_among(connection: Connection, column: sa.Column[str], ids: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of some ids.

    Why: SQLite gets them as one text, so that the statement is the same, and stays prepared, for any number of them.
    """
    if connection.dialect.name != "sqlite":
        return column.in_(ids)
    listed = sa.func.json_each(orjson.dumps(ids).decode()).table_valued("value")
    return column.in_(sa.select(listed.c.value))


def execute_many(connection: Connection, statement: sa.Executable, values: Iterable[Values]) -> None:
    """Execute a statement once for each row; nothing for no rows."""
    rows = list(values)
    if rows:
        connection.execute(statement, rows)


def _insert(connection: Connection, table: sa.Table, rows: Sequence[Values]) -> None:
    """Insert rows; past SQLAlchemy where it costs more than the database."""
    if rows and connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        insert_rows(driver.cursor(), table.name, rows)
    else:
        execute_many(connection, sa.insert(table), rows)


def chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Cut a sequence into parts that fit one query."""
    for start in range(0, len(items), _IDS_PER_QUERY):
        yield items[start : start + _IDS_PER_QUERY]


def _clear_replaced(connection: Connection, ids: Sequence[str]) -> tuple[frozenset[str], dict[str, Values]]:
    """Remove earlier decisions but for pieces that were handed over.

    Returns:
        The ids of pieces that stay; by id, attempts and possible duplicate of all earlier pieces.
    """
    mine = is_among(connection, communications.c.communication_id, ids)
    replaced = connection.scalars(sa.select(communications.c.communication_id).where(mine)).all()
    if not replaced:
        return frozenset(), {}
    query_pieces = sa.select(pieces.c.piece_id, pieces.c.state, pieces.c.attempts, pieces.c.possible_duplicate)
    earlier = connection.execute(query_pieces.where(pieces.c.communication_id.in_(replaced))).all()
    kept = frozenset(row.piece_id for row in earlier if PieceState(row.state) in HANDED_OVER)
    for gone in chunks([row.piece_id for row in earlier if row.piece_id not in kept]):
        connection.execute(sa.delete(totals).where(totals.c.piece_id.in_(gone)))
        connection.execute(sa.delete(pieces).where(pieces.c.piece_id.in_(gone)))
    connection.execute(sa.delete(remarks).where(remarks.c.communication_id.in_(replaced)))
    connection.execute(sa.delete(communications).where(communications.c.communication_id.in_(replaced)))
    return kept, {row.piece_id: {"attempts": row.attempts, "twice": row.possible_duplicate} for row in earlier}
