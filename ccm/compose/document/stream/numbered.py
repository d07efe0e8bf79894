"""Objects of a file that is written while it is made: nothing is kept but where each object begins, and that on disk.

Tags are half of a file and say little: a kind, and numbers that count up. So objects of a kind stand below each other in rows of
one width, and each row is written as its difference from the one above, which is nearly nothing.

Source: ISO 32000-1, 7.4.4.4 (predictors), 7.5.7 (object streams), 7.5.8 (cross-reference streams).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from PIL import Image, ImageChops

MOST_OBJECTS = 8_000_000  # PDF/A allows 8,388,607
_PER_STREAM = 2000  # objects kept together
_STEP = 32  # bytes; widths of rows are whole steps
_WIDEST = 1024  # bytes; a longer object stands for itself
_ROW = 8  # bytes of a cross-reference: kind, place in five, index in two
_ROWS = 1 << 14  # cross-references that are written to disk, or read, at once


class NumberedObjects:
    """Writes objects in any order under numbers that were given out before.

    Args:
        write: Takes the file's bytes from its beginning to its end.
        scratch: An empty file, opened for reading and writing; holds eight bytes for each object.
    """

    def __init__(self, write: Callable[[bytes], object], scratch: BinaryIO) -> None:
        self._write = write
        self._scratch = scratch
        self._hash = hashlib.sha256()
        self._rows: dict[int, bytes] = {}  # cross-references on their way to the disk
        self._pending: dict[int, list[tuple[int, bytes]]] = {}  # by width of their rows
        self.size = 0
        self.count = 0
        self._put(b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n")

    def number(self, count: int = 1) -> int:
        """Return the first of so many new numbers."""
        first = self.count + 1
        self.count += count
        return first

    def plain(self, objects: Iterable[tuple[int, bytes]]) -> None:
        """Take objects that are no streams."""
        for number, body in objects:
            width = len(body) // _STEP * _STEP + _STEP  # at least one byte more, for the line end
            pending = self._pending.setdefault(min(width, _WIDEST + _STEP), [])
            pending.append((number, body))
            if len(pending) >= _PER_STREAM:
                self._pack(width, pending)
                pending.clear()

    def stream(self, number: int, entries: bytes, deflated: bytes) -> None:
        """Write a stream."""
        self._row(number, 1, self.size, 0)
        self._put(
            b"%d 0 obj\n<</Filter/FlateDecode/Length %d%b>>stream\n%b\nendstream\nendobj\n"
            % (number, len(deflated), entries, deflated)
        )

    def end(self, root: int, info: int, identity: bytes) -> None:
        """Write what is pending, the cross-references and the end of the file."""
        for width, pending in self._pending.items():
            if pending:
                self._pack(width, pending)
        number, place = self.number(), self.size
        self._row(number, 1, place, 0)
        deflated = _deflated(self._references())
        mark = self._hash.hexdigest()[:32].encode()
        self._put(
            b"%d 0 obj\n<</Type/XRef/Size %d/W[1 5 2]/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]/Filter/FlateDecode"
            b"/DecodeParms%b/Length %d>>stream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
            % (
                number,
                number + 1,
                root,
                info,
                identity.hex().encode(),
                mark,
                _parameters(_ROW),
                len(deflated),
                deflated,
                place,
            )
        )

    def _pack(self, width: int, objects: list[tuple[int, bytes]]) -> None:
        """Write objects into one stream, those of a kind below each other."""
        number = self.number()
        objects = sorted(objects, key=lambda one: (one[1][:_STEP], one[0]))
        rows = width <= _WIDEST
        heads, bodies, offset = [], [], 0
        for index, (one, body) in enumerate(objects):
            heads.append((b"%7d %8d" % (one, offset)).ljust(width - 1 if rows else 0))
            bodies.append(body.ljust(width - 1) if rows else body)
            offset += len(bodies[-1]) + 1
            self._row(one, 2, number, index)
        head = b"\n".join(heads) + b"\n"
        content = head + b"\n".join(bodies) + b"\n"
        entries = b"/Type/ObjStm/N %d/First %d" % (len(objects), len(head))
        if not rows:
            self.stream(number, entries, zlib.compress(content, 9))
            return
        differences = _differences(content, width, bytes(width))
        self.stream(number, entries + b"/DecodeParms" + _parameters(width), zlib.compress(differences, 6))

    def _row(self, number: int, kind: int, place: int, index: int) -> None:
        self._rows[number] = bytes((kind,)) + place.to_bytes(5, "big") + index.to_bytes(2, "big")
        if len(self._rows) >= _ROWS:
            self._keep_rows()

    def _keep_rows(self) -> None:
        """Write cross-references to disk, those of neighbours together."""
        run: list[bytes] = []
        following = 0
        for number in sorted(self._rows):
            if number != following and run:
                self._scratch.write(b"".join(run))
                run = []
            if not run:
                self._scratch.seek(number * _ROW)
            run.append(self._rows[number])
            following = number + 1
        self._scratch.write(b"".join(run))
        self._rows.clear()

    def _references(self) -> Iterator[bytes]:
        """Yield the cross-references; numbers that were never used are free, as zeros on disk say."""
        self._keep_rows()
        self._scratch.seek(0)
        self._scratch.write(b"\0\0\0\0\0\0\xff\xff")
        self._scratch.seek(0)
        above = bytes(_ROW)
        while chunk := self._scratch.read(_ROWS * _ROW):
            yield _differences(chunk, _ROW, above)
            above = chunk[-_ROW:]

    def _put(self, content: bytes) -> None:
        self._hash.update(content)
        self._write(content)
        self.size += len(content)


def _differences(content: bytes, width: int, above: bytes) -> bytes:
    """Return rows as differences from the row above, each with its sign for that in front.

    Args:
        above: The row above the first one.
    """
    size = (width, len(content) // width)
    rows = Image.frombytes("L", size, content)
    upper = Image.frombytes("L", size, above + content[:-width])
    signed = Image.new("L", (width + 1, size[1]), 2)
    signed.paste(ImageChops.subtract_modulo(rows, upper), (1, 0))
    return signed.tobytes()


def _parameters(width: int) -> bytes:
    return b"<</Predictor 12/Columns %d>>" % width


def _deflated(parts: Iterable[bytes]) -> bytes:
    deflate = zlib.compressobj(9)
    return b"".join([*(deflate.compress(part) for part in parts), deflate.flush()])
