"""The objects of a file: numbered, packed into object streams, and put together with their cross-references.

Source: ISO 32000-1, 7.5.7 (object streams) and 7.5.8 (cross-reference streams).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any

from isal import isal_zlib

_PER_STREAM = 2000  # objects kept together
_ROW = struct.Struct(">BIH")  # of the cross-reference: kind, place or stream, index
_FREE = _ROW.pack(0, 0, 65535)
_ROUND = 64  # numbers of objects, see `Objects.align`
_ROUND_PLACE = 1024  # bytes in an object stream, likewise


@dataclass(frozen=True, slots=True)
class Packed:
    """Objects with numbers that follow each other, as they stand in an object stream from one place on.

    count: Of objects. marks: How much marked content they own. size: Bytes from their place to the next one's.
    heads: Their numbers and offsets. first: Reference to the first of them.
    owners: References to those of them that own marked content, in the order of the marks.
    """

    count: int
    marks: int
    size: int
    bodies: bytes
    heads: bytes
    first: bytes
    owners: bytes


@dataclass(frozen=True, slots=True)
class Prefix:
    """What many files begin with: objects 1 to `count`, as bytes, as rows of the cross-reference and as a hash so far."""

    count: int
    content: bytes
    rows: bytes
    hashed: Any


_NOTHING = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"
_EMPTY = Prefix(0, _NOTHING, _FREE, hashlib.sha256(_NOTHING))


class Objects:
    """The objects of one file while it is made. They are numbered in the order they are asked for."""

    def __init__(self, prefix: Prefix = _EMPTY) -> None:
        self.count = prefix.count
        self._prefix = prefix
        self._streams: list[tuple[int, bytes, bytes]] = []
        self._rows: dict[int, bytes] = {}
        self._packs: list[Pack] = []

    def number(self) -> int:
        """Return the number of an object to come."""
        self.count += 1
        return self.count

    def add(self, body: bytes, number: int = 0) -> int:
        """Take an object that is no stream; returns its number."""
        number = number or self.number()
        packs = self._packs
        pack = packs[-1] if packs and packs[-1].count < _PER_STREAM else self.open()
        pack.heads.append(b"%d %d" % (number, pack.offset))
        pack.bodies.append(body)
        self._rows[number] = _ROW.pack(2, pack.number, pack.count)
        pack.offset += len(body) + 1
        pack.count += 1
        return number

    def open(self) -> Pack:
        """Return the object stream that takes the next object."""
        if not self._packs or self._packs[-1].count >= _PER_STREAM:
            self._packs.append(Pack(self.number()))
        return self._packs[-1]

    def align(self) -> None:
        """Leave out numbers, and fill the object stream with spaces, up to the next round number and place.

        Why: What follows then has the same numbers in most files of a kind, and can be remembered. Numbers that are
        left out and spaces take next to nothing once they are deflated.
        """
        pack = self.open()
        spaces = -pack.offset % _ROUND_PLACE
        if spaces:
            pack.bodies.append(b" " * (spaces - 1))
            pack.offset += spaces
        left_out = -self.count % _ROUND
        if left_out:
            self._rows[self.count + 1] = _FREE * left_out
            self.count += left_out

    def add_packed(self, packed: list[Packed]) -> None:
        """Take objects that were packed one behind the other for this very place."""
        pack = self._packs[-1]
        pack.heads += [one.heads for one in packed]
        pack.bodies += [one.bodies for one in packed]
        count = sum([one.count for one in packed])
        self._rows[self.count + 1] = pack.rows(count)
        pack.offset += sum([one.size for one in packed])
        pack.count += count
        self.count += count

    def stream(self, entries: bytes, deflated: bytes) -> int:
        """Take a stream; returns its number."""
        number = self.number()
        self._streams.append((number, entries, deflated))
        return number

    def prefix(self) -> Prefix:
        """Return what was made so far as the beginning of files to come."""
        content = b"".join(self._written())
        rows = self._prefix.rows + b"".join([self._rows[one] for one in sorted(self._rows)])
        return Prefix(self.count, content, rows, hashlib.sha256(content))

    def assembled(self, catalog: int, info: int, identity: bytes) -> bytes:
        """Return the file.

        Args:
            catalog, info: Numbers of these objects.
            identity: Of the document, whatever its version.
        """
        out = self._written()
        at = sum(map(len, out))
        number = self.number()
        rows = self._rows
        rows[number] = _ROW.pack(1, at, 0)
        deflated = deflate(self._prefix.rows + b"".join([rows[one] for one in sorted(rows)]))
        hashed = self._prefix.hashed.copy()
        hashed.update(b"".join(out[1:]))
        mark = hashed.hexdigest()[:32].encode()
        out.append(
            b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]/Filter/FlateDecode/Length %d>>"
            b"stream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
            % (number, number + 1, catalog, info, identity.hex().encode(), mark, len(deflated), deflated, at)
        )
        return b"".join(out)

    def _written(self) -> list[bytes]:
        """Return everything so far as it stands in a file; notes where."""
        out = [self._prefix.content]
        at = len(out[0])
        for number, entries, deflated in self._streams + [pack.closed() for pack in self._packs]:
            body = b"%d 0 obj\n<</Filter/FlateDecode/Length %d%b>>stream\n%b\nendstream\nendobj\n" % (
                number, len(deflated), entries, deflated,
            )  # fmt: skip
            self._rows[number] = _ROW.pack(1, at, 0)
            out.append(body)
            at += len(body)
        return out


class Pack:
    """One object stream.

    offset: Where its next object begins. count: Objects in it.
    """

    __slots__ = ("bodies", "count", "heads", "number", "offset")

    def __init__(self, number: int) -> None:
        self.number = number
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.offset = 0
        self.count = 0

    @property
    def room(self) -> int:
        """How many more objects belong into it."""
        return _PER_STREAM - self.count

    def rows(self, count: int) -> bytes:
        """Return the cross-references of its next objects."""
        table = _rows(self.number)
        end = (self.count + count) * _ROW.size
        if end > len(table):  # rows of one table may be more than a stream should hold
            return b"".join([_ROW.pack(2, self.number, at) for at in range(self.count, self.count + count)])
        return table[self.count * _ROW.size : end]

    def closed(self) -> tuple[int, bytes, bytes]:
        """Return number, entries and content of the stream."""
        heads = b" ".join(self.heads) + b"\n"
        entries = b"/Type/ObjStm/N %d/First %d" % (self.count, len(heads))
        return self.number, entries, deflate(heads + b"\n".join(self.bodies))


def pack(first: int, bodies: bytes, count: int, owners: Sequence[int], offset: int) -> Packed:
    """Pack objects with the numbers from `first` on for a place in an object stream.

    Args:
        bodies: One in a line.
        owners: Numbers of those that own marked content, in the order of the marks.
        offset: Of the place.
    """
    places = accumulate([len(body) + 1 for body in bodies.split(b"\n")], initial=offset)
    heads = (b"%d %d " * count)[:-1] % tuple(
        chain.from_iterable(zip(range(first, first + count), places, strict=False))
    )
    return Packed(count, len(owners), len(bodies) + 1, bodies, heads, b"%d 0 R" % first, references(owners))


def references(numbers: Sequence[int]) -> bytes:
    """Return references to objects."""
    return (b"%d 0 R " * len(numbers))[:-1] % tuple(numbers)


@lru_cache(maxsize=256)
def _rows(stream: int) -> bytes:
    """Return the cross-references of all objects of a stream."""
    return b"".join([_ROW.pack(2, stream, at) for at in range(_PER_STREAM + 200)])


def deflate(content: bytes) -> bytes:
    """Return a content compressed; the same for the same content everywhere."""
    return bytes(isal_zlib.compress(content, 2))
