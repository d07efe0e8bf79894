"""Tables of raw rows: what every file and database looks like before the data contract types it.

Cells are text, None, bool-as-text, or (JSON, Parquet) records and lists of these; numbers stay exact
because they never become floats on the way: `1.10` of a JSON file arrives as the text "1.10".
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from ccm.diagnostics import Diagnostic, Location
from ccm.model.definitions import TableDefinition


class SourceUnreadable(Exception):
    """A table could not be read at all; nothing of it may be used."""

    def __init__(self, code: str, message: str, remedy: str, location: Location) -> None:
        self.diagnostic = Diagnostic(code, message, remedy, location)
        super().__init__(str(self.diagnostic))

    def __reduce__(self) -> tuple[type[SourceUnreadable], tuple[str, str, str, Location]]:
        """Let worker processes hand the error over."""
        one = self.diagnostic
        return SourceUnreadable, (one.code, one.message, one.remedy, one.location)


class RawRow(NamedTuple):
    """One row as it stands in its table.

    line: Line of a file, from 1; number of the row in Parquet and databases, from 1.
    cells: Values by our column names.
    trouble: Why the row cannot be trusted, without any of its values; empty when it can.
    candidates: Only with trouble: the texts that may be its key.
    """

    line: int
    cells: Mapping[str, object]
    trouble: str = ""
    candidates: tuple[str, ...] = ()

    def text(self, column: str) -> str:
        """Return a cell as stripped text; empty when it is missing. `a.b` also looks into nested records."""
        value = self.cells.get(column)
        if type(value) is str:
            return value.strip()
        if value is None and "." in column:
            value = reach(self.cells, column)
        return "" if value is None else str(value).strip()


class RowBatch(NamedTuple):
    """Trusted rows of one parent, column by column.

    lines: As in `RawRow`, one for each row.
    columns: Values by our column names, one for each row.
    """

    lines: list[int]
    columns: dict[str, list[object]]

    def rows(self) -> list[RawRow]:
        """Return them one by one."""
        names = tuple(self.columns)
        cells = zip(*self.columns.values(), strict=True) if names else (() for _ in self.lines)
        return [RawRow(line, dict(zip(names, row, strict=True))) for line, row in zip(self.lines, cells, strict=True)]


class RowBlock(NamedTuple):
    """Trusted rows that follow one another in a table, all with the same columns.

    names: Our column names, in the order of the cells.
    lines: As in `RawRow`, one for each row.
    """

    names: tuple[str, ...]
    lines: list[int]
    rows: list[list[str]]

    def raw(self) -> Iterator[RawRow]:
        """Yield them one by one."""
        names = self.names
        for line, cells in zip(self.lines, self.rows, strict=True):
            yield RawRow(line, dict(zip(names, cells, strict=True)))


class Match(NamedTuple):
    """Wish for the rows whose column holds one value."""

    column: str
    value: str


class Table(ABC):
    """Rows of one file or query, read anew by every call and never held together.

    label: How people know it: path from the workspace, or database and table.
    """

    def __init__(self, definition: TableDefinition, label: str) -> None:
        self.label = label
        self.renames: Mapping[str, str] = definition.columns

    @abstractmethod
    def raw_header(self) -> tuple[str, ...]:
        """Return the columns under the names that the table has for them.

        Raises:
            SourceUnreadable: If the table cannot be opened or has no header.
        """

    @abstractmethod
    def scan(self, match: Match | None) -> Iterator[RawRow]:
        """Read rows in the table's order; with `match` at least the rows that match."""

    def pieces(self) -> Iterator[RawRow | RowBlock]:
        """Read all rows in the table's order, many together where the table can."""
        yield from self.scan(None)

    def fingerprint(self) -> str | None:
        """Return a hash of the content, or None where it cannot be told without reading everything."""
        return None

    def header(self) -> tuple[str, ...]:
        """Return the columns under our names."""
        return tuple(name for name, _ in self.pairs(self.raw_header()))

    def rows(self, match: Match | None = None) -> Iterator[RawRow]:
        """Read rows in the table's order.

        Args:
            match: Only rows with this value; untrusted rows come along when the value stands anywhere in them.
        Raises:
            SourceUnreadable: If the table cannot be read to its end.
        """
        if match is None:
            yield from self.scan(None)
            return
        for row in self.scan(match):
            if match.value in row.candidates if row.trouble else row.text(match.column) == match.value:
                yield row

    def pairs(self, columns: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
        """Return our name and position of every column, renames applied."""
        taken = set(self.renames.values())
        kept = [(name, index) for index, name in enumerate(columns) if name and name not in taken]
        index_of = {name: index for index, name in enumerate(columns)}
        renamed = [(ours, index_of[theirs]) for ours, theirs in self.renames.items() if theirs in index_of]
        return tuple(sorted(kept + renamed, key=lambda pair: pair[1]))

    def unreadable(
        self, message: str, remedy: str, *, code: str = "unreadable-source", line: int = 0
    ) -> SourceUnreadable:
        """Make the error for this table."""
        return SourceUnreadable(code, message, remedy, Location(self.label, line))


class FileTable(Table):
    """A table that is one file."""

    def __init__(self, definition: TableDefinition, path: Path, label: str) -> None:
        super().__init__(definition, label)
        self.path = path

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file.

        Why: Time stamps repeat within a clock tick, and a statement made of stale rows is wrong money.
        """
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise self.refused(error) from None

    def refused(self, error: OSError) -> SourceUnreadable:
        """Explain why the operating system would not let us read."""
        match error:
            case FileNotFoundError():
                return self.unreadable("the file does not exist", "put it there, or mend the path in the source")
            case IsADirectoryError():
                return self.unreadable("this is a folder, not a file", "name the file inside it in the source")
            case PermissionError():
                return self.unreadable("no permission to read the file", "give the user of this process read access")
            case _:
                return self.unreadable(f"the file cannot be read ({error.strerror})", "check the disk, then try again")


def reach(record: object, path: str) -> object:
    """Return the value under a dotted path of nested records; None when there is none."""
    for name in path.split("."):
        if not isinstance(record, Mapping):
            return None
        record = record.get(name)
    return record


def as_cell(value: object) -> object:
    """Bring a value of a database or of Parquet into the form that a text file would give.

    Why: One reader of texts types all sources alike; a float is written with its shortest exact digits
    (1.98, not 1.979999…).
    """
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case Decimal():
            return format(value, "f")
        case datetime() | date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "replace")
        case Mapping():
            return {str(name): as_cell(item) for name, item in value.items()}
        case list() | tuple():
            return [as_cell(item) for item in value]
        case _:
            return str(value)
