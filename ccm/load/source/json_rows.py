"""Rows of JSON Lines files: one record per line, nested as it likes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ccm.load.source.tables import FileTable, Match, RawRow, reach

_SAMPLED_ROWS = 100  # rows read to learn the columns, for JSON has no header


class JsonTable(FileTable):
    """A JSONL file. Numbers arrive as text, digit by digit as they were written."""

    def raw_header(self) -> tuple[str, ...]:
        """Return the names used by the first rows."""
        names: dict[str, None] = {}
        for row, _ in zip(self._records(None), range(_SAMPLED_ROWS), strict=False):
            names.update(dict.fromkeys(row.cells))
        if not names:
            raise self.unreadable("the file has no rows", "write one JSON record per line", code="empty-source")
        return tuple(names)

    def header(self) -> tuple[str, ...]:
        """Return the names under which cells arrive; a rename may reach into a nested record."""
        taken = set(self.renames.values())
        return tuple(name for name in self.raw_header() if name not in taken) + tuple(self.renames)

    def scan(self, match: Match | None) -> Iterator[RawRow]:
        """Read the rows; an untrusted one says why."""
        for row in self._records(match):
            yield self._renamed(row) if self.renames and not row.trouble else row

    def _renamed(self, row: RawRow) -> RawRow:
        taken = set(self.renames.values())
        cells = {name: value for name, value in row.cells.items() if name not in taken}
        for ours, theirs in self.renames.items():
            cells[ours] = row.cells[theirs] if theirs in row.cells else reach(row.cells, theirs)
        return row._replace(cells=cells)

    def _records(self, match: Match | None) -> Iterator[RawRow]:
        needle = match.value.encode() if match and match.value.isascii() and match.value.isalnum() else b""
        try:
            with self.path.open("rb") as file:
                for number, raw in enumerate(file, start=1):
                    if needle in raw or b"\\u" in raw:
                        row = _record(number, raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
                        if row is not None:
                            yield row
        except OSError as error:
            raise self.refused(error) from None


class _Refused(ValueError):
    """JSON that has more than one meaning."""


def _record(line: int, raw: bytes) -> RawRow | None:
    """Read one line; None when it is blank."""
    if not raw.strip():
        return None
    try:
        value = json.loads(
            raw.decode(), parse_float=str, parse_int=str, parse_constant=_constant, object_pairs_hook=_unique
        )
    except UnicodeDecodeError:
        return _untrusted(line, raw, "it is not UTF-8")
    except _Refused as error:
        return _untrusted(line, raw, str(error))
    except (ValueError, RecursionError):
        return _untrusted(line, raw, "it is not valid JSON")
    if not isinstance(value, dict):
        return _untrusted(line, raw, "it is not a JSON record")
    if b"\\ud" in raw.lower() and not _is_writable(value):
        return _untrusted(line, raw, "it holds half of a character, which no text may hold")
    return RawRow(line, value)


def _is_writable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _untrusted(line: int, raw: bytes, trouble: str) -> RawRow:
    words = re.split(r'[\s,:{}\[\]"]+', raw.decode("utf-8", "replace"))
    return RawRow(line, {}, trouble, tuple(word for word in words if word))


def _constant(_: str) -> object:
    raise _Refused("it holds NaN or Infinity, which no number may be")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = {name: value if not isinstance(value, bool) else "true" if value else "false" for name, value in pairs}
    if len(record) != len(pairs):
        raise _Refused("it gives a name twice")
    return record
