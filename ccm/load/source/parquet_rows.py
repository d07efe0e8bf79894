"""Rows of Parquet files, read in batches by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ccm.load.source.tables import FileTable, Match, RawRow, as_cell

if TYPE_CHECKING:
    import duckdb

_BATCH_ROWS = 1_000


class ParquetTable(FileTable):
    """A Parquet file; nested columns become records and lists."""

    def raw_header(self) -> tuple[str, ...]:
        """Return the columns of the file's schema."""
        with self._connection() as connection:
            return tuple(name for name, _ in self._schema(connection))

    def scan(self, match: Match | None) -> Iterator[RawRow]:
        """Read rows in file order."""
        with self._connection() as connection:
            schema = self._schema(connection)
            pairs = self.pairs(tuple(name for name, _ in schema))
            cursor = connection.execute(f"SELECT {_columns(schema)} FROM read_parquet(?)", [str(self.path)])  # noqa: S608 - quoted names
            number = 0
            while batch := cursor.fetchmany(_BATCH_ROWS):
                for values in batch:
                    number += 1
                    yield RawRow(number, {name: as_cell(values[index]) for name, index in pairs})

    def _schema(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
        found = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(self.path)]).fetchall()
        return [(str(row[0]), str(row[1])) for row in found]

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb  # heavy: only sources that are Parquet pay for it

        try:
            with self.path.open("rb"):
                pass
        except OSError as error:
            raise self.refused(error) from None
        connection = duckdb.connect(config={"threads": 1, "memory_limit": "256MB"})
        try:
            yield connection
        except duckdb.Error:
            raise self.unreadable("this is not a Parquet file, or it is damaged", "export it again") from None
        finally:
            connection.close()


def _columns(schema: list[tuple[str, str]]) -> str:
    """Select every column; times with a zone as text, which needs no package for zones."""
    quoted = [('"' + name.replace('"', '""') + '"', kind) for name, kind in schema]
    return ", ".join(f"CAST({name} AS VARCHAR) AS {name}" if "TIME ZONE" in kind else name for name, kind in quoted)
