"""What documents of one stream share: each font once, with every glyph of all of them; each picture once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.stream.filled_file import FilledFile, NotFilled, reference
from ccm.compose.document.stream.numbered import NumberedObjects

_FONT = re.compile(rb"/F(\d+) (\d+) 0 R")
_REFERENCE = re.compile(rb"(\d+) 0 R")
_BASE = re.compile(rb"/BaseFont/([A-Z]{6})\+([^/\[<(\s]+)")
_WIDTHS = re.compile(rb"/W\[(.*?)\]/", re.DOTALL)
_ENTRY = re.compile(rb"/(DescendantFonts|ToUnicode|FontDescriptor|FontFile2)(?:\[\d+ 0 R\]| \d+ 0 R)")
_NAME = re.compile(rb"/[A-Z]{6}\+")
_GLYPH = re.compile(rb"(\d+) ?\[")
_MOST_REMEMBERED = 4096  # subsets that were read before


class SharedParts:
    """Gives documents the numbers of what they share, and writes it once.

    Args:
        fonts: Of the brand, in the order of faces.
    """

    def __init__(self, objects: NumberedObjects, fonts: Sequence[FontFile]) -> None:
        self._objects = objects
        self._fonts = fonts
        # By face: the number of the font in the stream, and its dictionaries as the first document has them.
        self._models: dict[int, tuple[int, tuple[bytes, bytes, bytes]]] = {}
        self._glyphs: dict[int, set[int]] = {}
        self._read: set[tuple[int, bytes]] = set()
        self._written: dict[bytes, int] = {}

    def resources(self, file: FilledFile, number: int) -> tuple[int, set[int]]:
        """Return the number of a document's resources in the stream, and the document's own objects that they replace."""
        body = file.plain[number]
        gone = {number}

        def font(match: re.Match[bytes]) -> bytes:
            face, old = int(match[1]), int(match[2])
            gone.update(_reached(file, old))
            return b"/F%d %d 0 R" % (face, self._font(file, face, old))

        fonts, rest = _divided(body)
        kept = self._copied(file, rest, gone)
        return self._once(_FONT.sub(font, fonts) + kept), gone

    def profile(self, file: FilledFile, number: int) -> int:
        """Return the number of the colour profile."""
        return self._stream(file, number, set())

    def finish(self) -> None:
        """Write the fonts with every glyph that was used."""
        for face in self._models:
            self._write_font(face)

    # ── fonts ────────────────────────────────────────────────────────────

    def _font(self, file: FilledFile, face: int, number: int) -> int:
        body = file.plain[number]
        base = _BASE.search(body)
        if base is None or face >= len(self._fonts) or base[2] != self._fonts[face].name.encode("ascii"):
            raise NotFilled("it has a font that is not the brand's")
        if (face, base[1]) not in self._read:
            cid = file.plain[reference(body.replace(b"[", b" "), b"DescendantFonts")]
            self._glyphs.setdefault(face, set()).update(map(int, _GLYPH.findall(_WIDTHS.findall(cid)[0])))
            if face not in self._models:
                descriptor = file.plain[reference(cid, b"FontDescriptor")]
                self._models[face] = (self._objects.number(5), (body, cid, descriptor))
            if len(self._read) < _MOST_REMEMBERED:
                self._read.add((face, base[1]))
        return self._models[face][0]

    def _write_font(self, face: int) -> None:
        """Write a font as the first document described it, with the glyphs of all."""
        number, bodies = self._models[face]
        cid, descriptor, program, unicode = (number + more for more in range(1, 5))
        subset = self._fonts[face].subset(self._glyphs[face])
        self._objects.stream(program, b"/Length1 %d" % subset.length, subset.program)
        self._objects.stream(unicode, b"", subset.to_unicode)
        entries = {
            b"DescendantFonts": b"[%d 0 R]" % cid,
            b"ToUnicode": b" %d 0 R" % unicode,
            b"FontDescriptor": b" %d 0 R" % descriptor,
            b"FontFile2": b" %d 0 R" % program,
        }
        for one, body in zip((number, cid, descriptor), bodies, strict=True):
            moved = _ENTRY.sub(lambda match: b"/" + match[1] + entries[match[1]], body)
            moved = _NAME.sub(b"/" + subset.mark.encode("ascii") + b"+", moved)
            self._objects.plain([(one, _WIDTHS.sub(lambda _: b"/W[" + subset.widths + b"]/", moved))])

    # ── everything else ──────────────────────────────────────────────────

    def _copied(self, file: FilledFile, body: bytes, gone: set[int]) -> bytes:
        def one(match: re.Match[bytes]) -> bytes:
            old = int(match[1])
            gone.add(old)
            if old in file.streams:
                return b"%d 0 R" % self._stream(file, old, gone)
            return b"%d 0 R" % self._once(self._copied(file, file.plain[old], gone))

        return _REFERENCE.sub(one, body)

    def _stream(self, file: FilledFile, number: int, gone: set[int]) -> int:
        stream = file.streams[number]
        entries = self._copied(file, stream.entries, gone)
        key = hashlib.sha256(entries + b"\0" + stream.deflated).digest()
        if key not in self._written:
            self._written[key] = self._objects.number()
            self._objects.stream(self._written[key], entries, stream.deflated)
        return self._written[key]

    def _once(self, body: bytes) -> int:
        key = hashlib.sha256(body).digest()
        if key not in self._written:
            self._written[key] = self._objects.number()
            self._objects.plain([(self._written[key], body)])
        return self._written[key]


def _divided(body: bytes) -> tuple[bytes, bytes]:
    """Return the fonts of a dictionary of resources, and the rest of it."""
    start = body.find(b"/Font<<")
    if start < 0:
        return b"", body
    end = body.index(b">>", start) + 2
    return body[:end], body[end:]


def _reached(file: FilledFile, number: int) -> set[int]:
    """Return an object and all that it leads to."""
    found: set[int] = set()
    waiting = [number]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            body = file.plain.get(one) or file.streams[one].entries
            waiting += [int(other) for other in _REFERENCE.findall(body)]
    return found
