"""Rows of CSV files. A broken row costs itself and no other one."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from ccm.load.source.tables import FileTable, Match, RawRow, RowBlock

_SEPARATORS = ",;\t"
_LINE_LIMIT_BYTES = (
    4 * 1024 * 1024
)  # no line of customer data is longer; keeps a file without line ends from filling memory
_CHUNK_BYTES = 64 * 1024
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class CsvTable(FileTable):
    """A CSV file: UTF-8 with or without BOM, separated by commas, semicolons or tabs, first row names the columns."""

    def raw_header(self) -> tuple[str, ...]:
        """Return the names in the first row."""
        try:
            with self.path.open("rb") as file:
                return self._columns(_Lines(file))[0]
        except OSError as error:
            raise self.refused(error) from None

    def scan(self, match: Match | None) -> Iterator[RawRow]:
        """Read the rows; an untrusted one says why."""
        for piece in self._pieces(match):
            if isinstance(piece, RowBlock):
                yield from piece.raw()
            else:
                yield piece

    def pieces(self) -> Iterator[RawRow | RowBlock]:
        """Read all rows, those in order together."""
        return self._pieces(None)

    def _pieces(self, match: Match | None) -> Iterator[RawRow | RowBlock]:
        try:
            with self.path.open("rb") as file:
                lines = _Lines(file)
                columns, separator = self._columns(lines)
                if match is not None:
                    lines.keep_only(match.value)
                yield from self._rows(lines, columns, separator)
        except OSError as error:
            raise self.refused(error) from None

    def _columns(self, lines: _Lines) -> tuple[tuple[str, ...], str]:
        first = lines.peek()
        if first.startswith(_UTF16):
            raise self.unreadable("the file is UTF-16", "save it as UTF-8", line=1)
        if not first.strip():
            raise self.unreadable("the file is empty", "write a first row that names the columns", code="empty-source")
        separator = max(_SEPARATORS, key=first.decode("utf-8", "replace").count)
        try:
            names = next(csv.reader(lines, delimiter=separator, strict=True))
        except (csv.Error, StopIteration):
            raise self.unreadable("the first row is not valid CSV", "mend its quotes", line=1) from None
        columns = tuple(name.strip() for name in names)
        for place, name in enumerate(columns):
            if name and name in columns[:place]:
                # Not by name: where the first row is missing, it would be a customer's.
                message = f"columns {columns.index(name) + 1} and {place + 1} have the same name"
                raise self.unreadable(message, "rename one of them", code="duplicate-column", line=1)
        return columns, separator

    def _rows(self, lines: _Lines, columns: tuple[str, ...], separator: str) -> Iterator[RawRow | RowBlock]:
        pairs, width = self.pairs(columns), len(columns)
        every = [index for _, index in pairs] == list(range(width))
        names = tuple(name for name, _ in pairs) if every else ()
        reader = csv.reader(lines, delimiter=separator, strict=True)
        while True:
            if names and not lines.wait:
                yield from self._rows_in_order(lines, names, separator)
            line = lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield RawRow(line, {}, "its quotes are not closed or not doubled", lines.candidates())
                lines.read_again()
                continue
            if not cells:
                continue
            trouble = lines.trouble
            if len(cells) != width:
                trouble = f"it has {len(cells)} cells where the first row has {width}"
            if trouble:
                known = {name: cells[index] for name, index in pairs if index < len(cells)}
                yield RawRow(line, known, trouble, (*(cell.strip() for cell in cells), *lines.candidates()))
            elif names:
                yield RawRow(line, dict(zip(names, cells, strict=True)))
            else:
                yield RawRow(line, {name: cells[index] for name, index in pairs})

    def _rows_in_order(self, lines: _Lines, names: tuple[str, ...], separator: str) -> Iterator[RowBlock]:
        """Read rows as long as nothing is wrong with them; from the first that is not in order on, lines wait.

        Why: Many lines at once are read in half the time.
        """
        width, even = len(names), True
        while text := lines.take():
            above = done = lines.number
            rows = _one_a_line(text, width, separator) if even else []
            if rows:
                lines.number += len(rows)
                yield RowBlock(names, list(range(above + 1, lines.number + 1)), rows)
                continue
            even = False  # where one row spans lines, others do
            block = RowBlock(names, [], [])
            reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
            whole = False
            try:
                for cells in reader:
                    if len(cells) == width:
                        block.lines.append(done + 1)
                        block.rows.append(cells)
                    elif cells:
                        break
                    done = above + reader.line_num
                else:
                    whole = True
            except csv.Error:
                pass
            if whole:
                lines.number = done
            else:
                lines.give_back(text, done)
            yield block
            if not whole:
                return


def _one_a_line(text: str, width: int, separator: str) -> list[list[str]]:
    """Return the rows of lines that hold one each, all of a width; nothing if one of them does not."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
    try:
        rows = list(reader)
    except csv.Error:
        return []
    return rows if reader.line_num == len(rows) and set(map(len, rows)) == {width} else []


class _Lines:
    """Physical lines, decoded one by one; those of a broken record can be read again.

    Why: A quote that is never closed swallows every row up to the next quote or the end of the file. After such
    an error reading goes on with the line below the one where the record began.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._again: deque[bytes] = deque()
        self._record: list[bytes] = []
        self._needle: bytes | None = None
        self.number = 0  # line handed out last
        self.trouble = ""  # of the current record

    @property
    def wait(self) -> bool:
        """Tell whether lines were read and not handed out, or are searched one by one."""
        return bool(self._again) or self._needle is not None

    def take(self) -> str:
        """Return the next lines together; nothing if one of them is in trouble, and then they wait, or if there are none."""
        raw = self._file.read(_CHUNK_BYTES)
        if raw and not raw.endswith(b"\n"):
            raw += self._file.readline(_LINE_LIMIT_BYTES)
        try:
            if b"\0" not in raw:
                return raw.decode()
        except UnicodeDecodeError:
            pass
        self._again.extend(io.BytesIO(raw))
        return ""

    def give_back(self, text: str, done: int) -> None:
        """Let lines that were taken wait, all but those up to a number."""
        self._again.extend(line.encode() for line in list(io.StringIO(text, newline="\n"))[done - self.number :])
        self.number = done

    def keep_only(self, value: str) -> None:
        """Skip lines that cannot hold the value, as long as no field spans several lines."""
        self._needle = value.encode() if '"' not in value else None

    def peek(self) -> bytes:
        """Return the first line without handing it out; the BOM is dropped."""
        first = self._file.readline(_LINE_LIMIT_BYTES).removeprefix(b"\xef\xbb\xbf")
        self._again.append(first)
        return first

    def begin(self) -> int:
        """Start a record; returns its line."""
        self._record.clear()
        self.trouble = ""
        if self._needle is not None:
            self._skip(self._needle)
        return self.number + 1

    def read_again(self) -> None:
        """Hand out the lines of the current record once more, all but its first."""
        rest = self._record[1:]
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)

    def candidates(self) -> tuple[str, ...]:
        """Return every text of the record's first line that may be a key."""
        first = self._record[0].decode("utf-8", "replace") if self._record else ""
        return tuple(part.strip() for part in re.split(r'[,;\t"]', first) if part.strip())

    def _skip(self, needle: bytes) -> None:
        """Pass over lines without the needle, up to the first line where a quoted field may span lines."""
        for raw in self._raw():
            if raw.count(b'"') % 2:
                self._needle = None
            elif needle not in raw:
                self.number += 1
                continue
            self._again.appendleft(raw)
            return

    def _raw(self) -> Iterator[bytes]:
        while raw := self._again.popleft() if self._again else self._file.readline(_LINE_LIMIT_BYTES):
            yield raw

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._file.readline(_LINE_LIMIT_BYTES)
        if not raw:
            raise StopIteration
        self.number += 1
        self._record.append(raw)
        if b"\0" in raw:
            self.trouble = "it holds a NUL byte"
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.trouble = "it is not UTF-8"
            return raw.decode("utf-8", "replace")
