"""Rows of databases: SQLite and whatever SQLAlchemy has a driver for. Read only, streamed."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ccm.load.source.tables import Match, RawRow, SourceUnreadable, Table, as_cell
from ccm.model.definitions import TableDefinition

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine, Select, TextClause

_BATCH_ROWS = 500
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SqlTable(Table):
    """A table or query of a database."""

    def __init__(self, definition: TableDefinition, folder: Path, label: str) -> None:
        super().__init__(definition, f"{label}#{definition.table or 'query'}")
        self._url = definition.url or ""
        self._table = definition.table
        self._query = definition.query
        self._folder = folder

    def raw_header(self) -> tuple[str, ...]:
        """Return the columns of the result."""
        with self._result(None) as result:
            return tuple(result.keys())

    def scan(self, match: Match | None) -> Iterator[RawRow]:
        """Read rows in the database's order; `match` becomes a WHERE."""
        with self._result(match) as result:
            pairs = self.pairs(tuple(result.keys()))
            for number, values in enumerate(result, start=1):
                yield RawRow(number, {name: as_cell(values[index]) for name, index in pairs})

    @contextmanager
    def _result(self, match: Match | None) -> Iterator[CursorResult[tuple[object, ...]]]:
        from sqlalchemy.exc import SQLAlchemyError

        engine = self._engine()
        try:
            with engine.connect() as connection:
                yield self._execute(connection, match)
        except SQLAlchemyError as error:
            raise self._failed(error) from None
        finally:
            engine.dispose()

    def _execute(self, connection: Connection, match: Match | None) -> CursorResult[tuple[object, ...]]:
        options = {"stream_results": True, "max_row_buffer": _BATCH_ROWS, "yield_per": _BATCH_ROWS}
        return connection.execution_options(**options).execute(self._statement(match))

    def _statement(self, match: Match | None) -> Select[tuple[object, ...]] | TextClause:
        from sqlalchemy import String, cast, column, select, table, text

        query = (self._query or "").replace(":", r"\:")  # no parameters: a colon is a colon
        if self._query and match is None:
            return text(query)
        origin = text(query).columns().subquery("source_rows") if self._query else table(self._table or "")
        rows = select(text("*")).select_from(origin)
        if match is None:
            return rows
        theirs = self.renames.get(match.column, match.column)
        return rows.where(cast(column(theirs), String) == match.value)

    def _engine(self) -> Engine:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
        from sqlalchemy.pool import NullPool

        address = self._filled()
        try:
            url = make_url(address)
            if url.get_backend_name() != "sqlite":
                return create_engine(url, poolclass=NullPool)
        except (ArgumentError, NoSuchModuleError):
            raise self.unreadable(
                "the url is none that SQLAlchemy knows", "write it as in sqlite:///shop.db or postgresql+psycopg://…"
            ) from None
        except ImportError as error:
            raise self.unreadable(
                f"the database's driver is not installed ({error.name})", "install it beside ccm, or choose another one"
            ) from None
        file = self._folder / (url.database or "")
        if not file.is_file():
            raise self.unreadable("the database file does not exist", "put it there, or mend the url in the source")
        # SQLite would make an empty database where there is none, and write locks where it may: read only.
        return create_engine("sqlite://", creator=lambda: _read_only(file), poolclass=NullPool)

    def _filled(self) -> str:
        def fill(found: re.Match[str]) -> str:
            value = os.environ.get(found[1])
            if value is None:
                raise self.unreadable(
                    f'the environment variable "{found[1]}" is not set', f"set {found[1]}", code="missing-variable"
                )
            return value

        return _VARIABLE.sub(fill, self._url)

    def _failed(self, error: Exception) -> SourceUnreadable:
        """Tell what the database said, without parameters and wrong values, which are customer data."""
        from sqlalchemy.exc import DataError

        cause = None if isinstance(error, DataError) else getattr(error, "orig", None)
        said = str(cause).strip().splitlines()[0] if cause is not None and str(cause).strip() else type(error).__name__
        return self.unreadable(f"the database refused: {said}", "mend the url, the table or the query in the source")


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True)
