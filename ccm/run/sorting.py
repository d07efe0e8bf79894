"""The order of documents in print streams, kept on disk while it is made: millions of them need no memory."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from ccm.compose.formats.postal import address_parts
from ccm.model.records import Communication, PieceRecord
from ccm.model.values import Money
from ccm.plan.capabilities import POSTAL_FIELD

Key: TypeAlias = str | int | float

KNOWN = ("country", "postcode", "pages", "sheets", "language", "locale")
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class UnknownKey(ValueError):
    """A key that documents cannot be sorted by."""


@dataclass(frozen=True)
class Chosen:
    """How documents are sorted and divided.

    by: Keys, the most important first. apart: Keys that begin a new stream whenever they change.
    most, most_sheets: Largest stream; 0 sheets for no limit.
    duplex: Both sides are printed, and every document begins on a new sheet.
    """

    by: tuple[str, ...] = ("country", "postcode")
    apart: tuple[str, ...] = ()
    most: int = 5000
    most_sheets: int = 0
    duplex: bool = True

    def __post_init__(self) -> None:
        """Refuse keys that are neither known nor the path of a field.

        Raises:
            UnknownKey: Names it.
        """
        for key in (*self.by, *self.apart):
            if key not in KNOWN and not _PATH.fullmatch(key):
                raise UnknownKey(key)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys in the order of sorting: what is kept apart comes first."""
        return tuple(dict.fromkeys((*self.apart, *self.by)))

    def sheets(self, pages: int) -> int:
        """Return how many sheets a document takes."""
        return (pages + 1) // 2 if self.duplex else pages


def keys_of(piece: PieceRecord, communication: Communication, chosen: Chosen) -> tuple[tuple[Key, ...], set[str]]:
    """Return what a document is sorted by, and which of the keys it has; a missing one sorts first."""
    address = communication.data.get(POSTAL_FIELD)
    parts = address_parts(address) if isinstance(address, Mapping) else {}
    known: dict[str, Key] = {
        "country": parts.get("country_code", "").upper(),
        "postcode": parts.get("postal_code", "").upper(),
        "pages": piece.pages,
        "sheets": chosen.sheets(piece.pages),
        "language": communication.language,
        "locale": communication.locale,
    }
    found = {name: known[name] if name in known else _field(communication.data, name) for name in chosen.keys}
    return tuple(found.values()), {name for name, value in found.items() if value != ""}


def _field(data: object, path: str) -> Key:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    match data:
        case Money():
            return float(data.amount)
        case bool() | int():
            return int(data)
        case Decimal():
            return float(data)
        case date():
            return data.isoformat()
        case None:
            return ""
        case _:
            return str(data)


@dataclass(frozen=True)
class Sorted:
    """One document in order.

    apart: Changes where a new stream begins.
    """

    piece_id: str
    pages: int
    apart: tuple[object, ...]


class SortedPieces:
    """A table on disk; it holds keys of customers in clear, so it lies where the documents themselves go."""

    def __init__(self, file: Path, chosen: Chosen) -> None:
        self._chosen = chosen
        self._connection = sqlite3.connect(file)
        self._connection.execute("PRAGMA journal_mode=OFF")
        columns = ", ".join(f"k{index}" for index in range(len(chosen.keys) + 1))
        self._connection.execute(f"CREATE TABLE pieces (piece, pages, {columns})")

    def add(self, piece: PieceRecord, keys: Sequence[Key]) -> None:
        """Take a document; those of one release stay together, because a stream has the fonts of one brand."""
        marks = ", ".join("?" * (len(keys) + 3))
        values = (piece.piece_id, piece.pages, piece.release, *keys)
        self._connection.execute(f"INSERT INTO pieces VALUES ({marks})", values)  # noqa: S608 - marks alone

    def streams(self) -> Iterator[tuple[int, Sorted]]:
        """Yield the documents in order, each with the number of its stream, from 1."""
        apart = 1 + len(self._chosen.apart)
        columns = ", ".join(f"k{index}" for index in range(len(self._chosen.keys) + 1))
        rows = self._connection.execute(f"SELECT piece, pages, {columns} FROM pieces ORDER BY {columns}, piece")  # noqa: S608 - numbers
        number, documents, sheets, before = 0, 0, 0, None
        for piece, pages, *keys in rows:
            own = self._chosen.sheets(pages)
            full = documents >= self._chosen.most or 0 < self._chosen.most_sheets < sheets + own
            if full or keys[:apart] != before:
                number, documents, sheets, before = number + 1, 0, 0, keys[:apart]
            documents, sheets = documents + 1, sheets + own
            yield number, Sorted(piece, pages, tuple(keys[:apart]))

    def close(self) -> None:
        """Close the table."""
        self._connection.close()
