"""Child rows by their parent's key, kept on disk so that memory does not grow with them.

A child table is read once into a small SQLite file under `.ccm/staging/`, named after the hash of its content: the
next run or preview finds it there, a changed file gets a new one. Rows of one parent and month that come one after the
other are kept as one packet, column by column, which is how they are typed. Databases have no such hash; their rows are staged
for one run only. Staged rows are customer data: the folder is for its owner alone and nothing outdated stays in it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import compress, groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, TypeAlias

import orjson

from ccm.load.source.scratch import cannot_stage, make_folder, private
from ccm.load.source.tables import FileTable, Match, RawRow, RowBatch, RowBlock, Table
from ccm.model.definitions import ChildTable

_FORMAT = 4  # raise when the staged form changes; older files are then made anew
_DAY = re.compile(r"(\d{4}-\d{2})(-\d{2})?([T ].*)?")
_PACKED_AT_ONCE = 1_000  # rows; a table that is not sorted by its parents still gives packets of several rows
# first, last: Days of the packet's rows, empty where they have none. trouble: Why its one row cannot be trusted.
_SCHEMA = "CREATE TABLE rows (key TEXT, first TEXT, last TEXT, trouble TEXT, packet BLOB)"
_INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?)"
_OF_KEY = "SELECT trouble, packet FROM rows WHERE key = ? AND (first = '' OR first <= ? AND last >= ?) ORDER BY rowid"
_KEYS = "SELECT DISTINCT key FROM rows WHERE first = '' OR first <= ? AND last >= ?"  # from the index alone
_DOUBTFUL = "SELECT key, packet FROM rows WHERE trouble NOT IN ('', ?)"

# Staged files that this process made or looked through. Looking takes long, and a process that makes one month after the
# other would do it for each.
_SOUND: dict[Path, tuple[int, int, int]] = {}

_Staged: TypeAlias = tuple[str, str, str, str, bytes]  # one row of that table

NOT_A_DAY = "its period column holds neither a date nor a month"


class ChildRows:
    """The rows of one child table, by the key of their parent."""

    def __init__(self, table: Table, child: ChildTable, period: tuple[date, date] | None) -> None:
        self.table = table
        self.child = child
        first, last = period if child.period and period else (date.min, date.max)
        self._first, self._last = first.isoformat(), last.isoformat()

    def of(self, key: str) -> list[RawRow]:
        """Return the rows of a parent in the period, in the order of the table. Reads the whole table."""
        rows = []
        for row in self.table.rows(Match(self.child.key, key)):
            row, day = _dated(row, self.child)
            if not day or self._first <= day <= self._last:
                rows.append(row)
        return rows

    def batch(self, key: str) -> RowBatch | None:
        """Return the rows of a parent as `of` does, column by column; None where they are not kept like that."""
        return None

    def close(self) -> None:
        """Give back what is held: nothing here."""


class StagedChildRows(ChildRows):
    """Child rows looked up in their staged form, in microseconds."""

    def __init__(
        self, table: Table, child: ChildTable, period: tuple[date, date] | None, staged: sqlite3.Connection
    ) -> None:
        super().__init__(table, child, period)
        self._staged = staged

    def of(self, key: str) -> list[RawRow]:
        """Return the rows of a parent in the period, in the order of the table."""
        rows: list[RawRow] = []
        for trouble, packet in self._packets(key):
            unpacked = self._unpacked(packet)
            rows += [row._replace(trouble=trouble) for row in unpacked.rows()] if trouble else unpacked.rows()
        return rows

    def batch(self, key: str) -> RowBatch | None:
        """Return the rows of a parent in the period together; None if one is not to be trusted, or has other columns."""
        packets = self._packets(key)
        if not packets:
            return RowBatch([], {})
        if any(trouble for trouble, _ in packets):
            return None
        first, *others = [self._unpacked(packet) for _, packet in packets]
        if any(list(one.columns) != list(first.columns) for one in others):
            return None
        for one in others:
            first.lines.extend(one.lines)
            for name, values in first.columns.items():
                values.extend(one.columns[name])
        return first

    def all_keys(self) -> Iterator[str]:
        """Yield each key that rows may have in the period, once; rows without any have the empty one."""
        return (key for (key,) in self._staged.execute(_KEYS, (self._last, self._first)))

    def lines(self, key: str) -> tuple[list[int], list[int]]:
        """Return where the rows of a key in the period stand: those that are its own, and those that may be another's."""
        own: list[int] = []
        doubtful: list[int] = []
        for trouble, packet in self._packets(key):
            (own if trouble in ("", NOT_A_DAY) else doubtful).extend(self._unpacked(packet).lines)
        return own, doubtful

    def doubtful(self) -> Iterator[tuple[str, int]]:
        """Yield key and line of every row that may be another's; reads all rows."""
        for key, packet in self._staged.execute(_DOUBTFUL, (NOT_A_DAY,)):
            for line in self._unpacked(packet).lines:
                yield key, line

    def _packets(self, key: str) -> list[tuple[str, bytes]]:
        return self._staged.execute(_OF_KEY, (key, self._last, self._first)).fetchall()

    def _unpacked(self, packet: bytes) -> RowBatch:
        """Return the rows of a packet that are in the period."""
        lines, days, columns = orjson.loads(packet)
        if days and not (self._first <= min(days) and max(days) <= self._last):
            inside = [self._first <= day <= self._last for day in days]
            lines = list(compress(lines, inside))
            columns = {name: list(compress(values, inside)) for name, values in columns.items()}
        return RowBatch(lines, columns)

    def close(self) -> None:
        """Close the staged file."""
        self._staged.close()


def child_rows(
    table: Table, child: ChildTable, period: tuple[date, date] | None, *, folder: Path, name: str, one: bool
) -> ChildRows:
    """Return the child rows, staged where that pays.

    Args:
        folder: Where staged files live.
        name: Source and child, for the file's name.
        one: Only one parent will be asked for: an existing staged file is used, none is made.
    Raises:
        SourceUnreadable: If the table cannot be read, or there is no room to stage it.
    """
    fingerprint = table.fingerprint()
    if fingerprint is None:
        return (
            ChildRows(table, child, period)
            if one
            else StagedChildRows(table, child, period, _once(table, child, folder))
        )
    described = orjson.dumps([_FORMAT, fingerprint, child.model_dump(mode="json")])
    path = folder / f"{name}-{hashlib.sha256(described).hexdigest()[:20]}.db"
    staged = _opened(path)
    if staged is None and one:
        return ChildRows(table, child, period)
    return StagedChildRows(table, child, period, staged or _built(table, child, path, name))


def drop_staged(folder: Path) -> None:
    """Take away every staged file; the next reading makes those it needs anew.

    Why: They hold rows of people who may have to be forgotten. A run that has one open goes on reading it.

    Raises:
        SourceUnreadable: If one cannot be removed.
    """
    try:
        for path in (*folder.glob("*.db"), *folder.glob("*.tmp")):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_stage(folder, error) from None


def _opened(path: Path) -> sqlite3.Connection | None:
    """Open a staged file; None when it is absent or damaged, and then it is removed."""
    if not path.is_file():
        return None
    # It is put in place complete and never changed there, so nothing is locked or looked up anew for each question.
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    try:
        mark = _mark_of(path)
        if _SOUND.get(path) == mark or connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
            connection.execute(_OF_KEY, ("", "", "")).fetchall()
            _SOUND[path] = mark
            return connection
    except (sqlite3.Error, OSError):  # the latter where another process took it away just now
        pass
    connection.close()
    path.unlink(missing_ok=True)
    return None


def _mark_of(path: Path) -> tuple[int, int, int]:
    """Return what tells a staged file from one that was changed: inode, size, nanoseconds of the last change."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _built(table: Table, child: ChildTable, path: Path, name: str) -> sqlite3.Connection:
    """Stage a file and put it in place in one step, so that another process sees all of it or nothing."""
    make_folder(path.parent)
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    before = _stamp(table)
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            _fill(connection, table, child)
        finally:
            connection.close()
        if _stamp(table) != before:
            raise table.unreadable("the file changed while it was read", "wait until it is complete, then try again")
        draft.replace(path)
        _SOUND[path] = _mark_of(path)
    except (sqlite3.Error, OSError) as error:
        raise cannot_stage(path.parent, error) from None
    finally:
        draft.unlink(missing_ok=True)
    for outdated in path.parent.glob(f"{name}-{'[0-9a-f]' * 20}.db"):
        if outdated != path:
            outdated.unlink(missing_ok=True)
    connection_to_it = _opened(path)
    if connection_to_it is None:
        raise cannot_stage(path.parent, OSError("the staged file vanished"))
    return connection_to_it


def _once(table: Table, child: ChildTable, folder: Path) -> sqlite3.Connection:
    """Stage for this run only."""
    connection = private(folder, "SELECT 1")
    try:
        _fill(connection, table, child)
    except sqlite3.Error as error:
        connection.close()
        raise cannot_stage(folder, error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _fill(connection: sqlite3.Connection, table: Table, child: ChildTable) -> None:
    if not connection.in_transaction:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
    connection.execute(_SCHEMA)
    connection.executemany(_INSERT, _staged_rows(table, child))
    connection.execute("CREATE INDEX by_key ON rows (key, first, last)")
    connection.execute("COMMIT")


def _staged_rows(table: Table, child: ChildTable) -> Iterator[_Staged]:
    packing = _Packing()
    for piece in table.pieces():
        if isinstance(piece, RowBlock):
            packing.add_block(piece, child)
            if packing.count >= _PACKED_AT_ONCE:
                yield from packing.packed()
            continue
        row, day = _dated(piece, child)
        if row.trouble and row.trouble != NOT_A_DAY:
            # It cannot be told whose row this is: everyone it may belong to is held until it is mended.
            for key in dict.fromkeys(row.candidates or ("",)):
                packing.add(key, "", row)
        else:
            packing.add(row.text(child.key), day, row)
        if packing.count >= _PACKED_AT_ONCE:
            yield from packing.packed()
    yield from packing.packed()


class _Packing:
    """Rows on their way to disk, by their parents."""

    def __init__(self) -> None:
        self.count = 0
        self._parents: dict[str, list[_Packet]] = {}

    def add(self, key: str, day: str, row: RawRow) -> None:
        """Put a row behind those that its parent has already, into their last packet if it is like them."""
        self.count += 1
        packets = self._parents.setdefault(key, [])
        kind = (day[:7], row.trouble, tuple(row.cells))
        if not packets or packets[-1].kind != kind or row.trouble:
            packets.append(_Packet(kind, [], [], []))
        last = packets[-1]
        last.lines.append(row.line)
        last.days.append(day)
        last.rows.append(tuple(row.cells.values()))

    def add_block(self, block: RowBlock, child: ChildTable) -> None:
        """Put rows behind those that their parents have already, as `add` does."""
        places = {name: place for place, name in enumerate(block.names)}
        key_at, day_at = places.get(child.key), places.get(child.period or "")
        if key_at is None or (child.period and day_at is None):
            for row in block.raw():
                self._add_row(row, child)
            return
        days = ("",) * len(block.rows) if day_at is None else map(itemgetter(day_at), block.rows)
        end = 0
        for (raw_key, raw_day), run in groupby(zip(map(itemgetter(key_at), block.rows), days, strict=True)):
            begin, end = end, end + len(list(run))  # rows of one parent and day mostly come together
            lines, rows = block.lines[begin:end], block.rows[begin:end]
            key, day = raw_key.strip(), _first_day(raw_day.strip()) if raw_day else ""
            if key and (day or day_at is None):
                self._add_run(key, day, block.names, lines, rows)
                continue
            for row in RowBlock(block.names, lines, rows).raw():
                self._add_row(row, child)

    def _add_run(
        self, key: str, day: str, names: tuple[str, ...], lines: list[int], rows: Sequence[Sequence[object]]
    ) -> None:
        kind = (day[:7], "", names)
        packets = self._parents.setdefault(key, [])
        if not packets or packets[-1].kind != kind:
            packets.append(_Packet(kind, [], [], []))
        last = packets[-1]
        last.lines.extend(lines)
        last.days.extend([day] * len(lines))
        last.rows.extend(rows)
        self.count += len(lines)

    def _add_row(self, row: RawRow, child: ChildTable) -> None:
        row, day = _dated(row, child)
        self.add(row.text(child.key), day, row)

    def packed(self) -> Iterator[_Staged]:
        """Give all packets away."""
        for key, packets in self._parents.items():
            for one in packets:
                days = one.days if one.kind[0] else []
                columns = dict(zip(one.kind[2], map(list, zip(*one.rows, strict=True)), strict=True))
                packet = orjson.dumps([one.lines, days, columns])
                yield key, min(days, default=""), max(days, default=""), one.kind[1], packet
        self._parents.clear()
        self.count = 0


class _Packet(NamedTuple):
    """Rows of one kind: of one month, with the same trouble and the same columns."""

    kind: tuple[str, str, tuple[str, ...]]
    lines: list[int]
    days: list[str]
    rows: list[Sequence[object]]


def _dated(row: RawRow, child: ChildTable) -> tuple[RawRow, str]:
    """Return the row with the first day of its period, ISO; empty when it has none or it cannot be told."""
    if child.period is None or row.trouble:
        return row, ""
    day = _first_day(row.text(child.period))
    return (row, day) if day else (row._replace(trouble=NOT_A_DAY), "")


@lru_cache(maxsize=4096)
def _first_day(text: str) -> str:
    """Return the first day of a period as its column has it, ISO; empty when it cannot be told."""
    found = _DAY.fullmatch(text)
    day = found[1] + (found[2] or "-01") if found else ""
    try:
        date.fromisoformat(day)
    except ValueError:
        return ""
    return day


def _stamp(table: Table) -> tuple[int, int]:
    if not isinstance(table, FileTable):
        return (0, 0)
    found = table.path.stat()
    return found.st_size, found.st_mtime_ns
