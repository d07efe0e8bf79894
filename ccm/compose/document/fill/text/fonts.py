"""Fonts inside a file: subsets that hang on the text alone, never on what was written before.

Why in steps: the same document must have the same bytes on every machine and every day, and a subset for each document
would cost more than the rest of it. So a font comes in a few sizes, and a document takes the smallest that has its glyphs.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import uharfbuzz as hb

from ccm.compose.document.fill.text.glyph_texts import texts_by_substitution

# What nearly every document has; other signs are added for the documents that have them.
_USUAL = "".join(map(chr, range(0x20, 0x7F))) + "\u00a0\u202f·–—‘’“”−×€£"
_LETTERS = str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP")
_KANA, _YEN = 0x3042, "\uffe5"
_IDEOGRAPHS = 0x2E80  # signs from here on have one glyph each
_JOINED = (0xFB50, 0xFEFC)  # Arabic letters as they are joined; texts are written with the letters themselves
_UNSAID = "\ufffd"  # of glyphs that only stand for a sign together with others; marks around them say which
_BEHIND_RADICALS = 0x2FE0
MOST_SUBSETS = 96  # of one font, kept for the next document
_FEATURES: tuple[dict[str, int], ...] = ({}, {"lnum": 1}, {"tnum": 1}, {"lnum": 1, "tnum": 1})


@dataclass(frozen=True)
class Subset:
    """A font with some of its glyphs, which keep their numbers.

    mark: Six letters that stand before the font's name in a file and tell subsets apart.
    program: The font file, deflated; `length` bytes before that.
    widths: Body of the array of widths. to_unicode: Map from glyphs to text, deflated.
    """

    mark: str
    length: int
    program: bytes
    widths: bytes
    to_unicode: bytes


class FontFile:
    """One face of the brand, as files carry it."""

    def __init__(self, content: bytes, face: hb.Face) -> None:
        self.content = content
        self.face = face
        self._font = hb.Font(face)
        self.upem = face.upem
        self._made: dict[frozenset[int], Subset] = {}

    @cached_property
    def name(self) -> str:
        """The PostScript name."""
        return self.face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME) or "Font"

    @cached_property
    def ascent(self) -> int:
        """In thousandths of the size, like `descent`."""
        rounded: int = round(self._font.get_font_extents("ltr").ascender * 1000 / self.upem)
        return rounded

    @cached_property
    def descent(self) -> int:
        """Below the baseline, negative."""
        rounded: int = round(self._font.get_font_extents("ltr").descender * 1000 / self.upem)
        return rounded

    def width(self, glyph: int) -> int:
        """Return a glyph's own width in thousandths of the size."""
        known = self._widths.get(glyph)
        if known is None:
            known = self._widths[glyph] = round(self._font.get_glyph_h_advance(glyph) * 1000 / self.upem)
        return known

    @cached_property
    def _widths(self) -> dict[int, int]:
        return {}

    def text(self, glyphs: list[int]) -> str:
        """Return the text that a reader of the file finds for glyphs."""
        usual, every = self._usual, self._every
        return "".join([usual.get(glyph) or every.get(glyph, "\0") for glyph in glyphs]).replace("\u00a0", " ")

    def subset(self, glyphs: set[int]) -> Subset:
        """Return the usual glyphs and these."""
        more = frozenset(glyphs - self._usual.keys())
        made = self._made.pop(more, None)
        if made is None:
            made = self._make(more)
            if len(self._made) >= MOST_SUBSETS:
                del self._made[next(iter(self._made))]
        self._made[more] = made  # the last one that was asked for stands last
        return made

    def rare(self, glyphs: Iterable[int]) -> frozenset[int]:
        """Return those of some glyphs that not every subset has."""
        return frozenset([glyph for glyph in glyphs if glyph not in self._usual])

    @cached_property
    def _usual(self) -> dict[int, str]:
        """Text by glyph."""
        return self._texts_of(_USUAL)

    @cached_property
    def _every(self) -> dict[int, str]:
        """Text by glyph, of everything that may be asked for."""
        points = [point for point in sorted(self.face.unicodes) if unicodedata.category(chr(point)) != "Co"]
        texts = {**self._texts_of([chr(point) for point in points if point < _IDEOGRAPHS]), **self._usual}
        for point in sorted(points, key=_rank):
            if point >= _IDEOGRAPHS:
                joined = _JOINED[0] <= point <= _JOINED[1]
                text = unicodedata.normalize("NFKC", chr(point)).strip() if joined else chr(point)
                texts.setdefault(self._font.get_nominal_glyph(point), text or chr(point))
        return {**texts_by_substitution(self.content, texts), **texts, **self._yen()}

    def _yen(self) -> dict[int, str]:
        """Return the narrow form of the Japanese yen, which fonts also draw the Latin one with.

        Why: A font with kana is asked for the Latin sign by texts that are not Japanese, and those have their own font.
        """
        if _KANA not in self.face.unicodes:
            return {}
        buffer = hb.Buffer()
        buffer.add_str(_YEN)
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer, {"pwid": 1})
        return {buffer.glyph_infos[0].codepoint: _YEN}

    def _texts_of(self, repertoire: Iterable[str]) -> dict[int, str]:
        texts: dict[int, str] = {}
        for sign in repertoire:
            for features in _FEATURES:
                buffer = hb.Buffer()
                buffer.add_str(sign)
                buffer.guess_segment_properties()
                hb.shape(self._font, buffer, features)
                if len(buffer.glyph_infos) == 1 and buffer.glyph_infos[0].codepoint:
                    texts.setdefault(buffer.glyph_infos[0].codepoint, sign)
        for ligature in ("ff", "fi", "fl", "ffi", "ffl", "tt", "ft"):
            buffer = hb.Buffer()
            buffer.add_str(ligature)
            buffer.guess_segment_properties()
            hb.shape(self._font, buffer, {})
            if len(buffer.glyph_infos) == 1:
                texts.setdefault(buffer.glyph_infos[0].codepoint, ligature)
        return texts

    def _make(self, more: frozenset[int]) -> Subset:
        texts = {**self._usual, **{glyph: self._every.get(glyph, _UNSAID) for glyph in sorted(more)}}
        program = self._program(texts)
        mark = hashlib.sha256(program).hexdigest()[:6].translate(_LETTERS)
        return Subset(mark, len(program), zlib.compress(program, 9), self._width_array(texts), _to_unicode(texts))

    def _program(self, texts: dict[int, str]) -> bytes:
        wanted = hb.SubsetInput()
        wanted.glyph_set.update({0, *texts})
        wanted.flags = hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.NOTDEF_OUTLINE | hb.SubsetFlags.NO_HINTING
        for tag in ("GSUB", "GPOS", "GDEF", "kern", "name", "DSIG", "meta", "STAT"):
            wanted.drop_table_tag_set.add(int.from_bytes(tag.ljust(4).encode(), "big"))
        return bytes(hb.subset(self.face, wanted).blob.data)

    def _width_array(self, texts: dict[int, str]) -> bytes:
        return b" ".join(b"%d [%d]" % (glyph, self.width(glyph)) for glyph in sorted(texts))


def _rank(point: int) -> tuple[bool, int]:
    """Order signs so that those of everyday come before radicals and old forms, which share their glyphs."""
    radical = _IDEOGRAPHS <= point < _BEHIND_RADICALS
    return (radical or unicodedata.normalize("NFKC", chr(point)) != chr(point), point)


def _to_unicode(texts: dict[int, str]) -> bytes:
    """Return the map from glyphs to text, compressed."""
    rows = [f"<{glyph:04x}> <{text.encode('utf-16-be').hex()}>" for glyph, text in sorted(texts.items())]
    blocks = [
        f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar"
        for part in (rows[at : at + 100] for at in range(0, len(rows), 100))
    ]
    head = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo\n<< /Registry (Adobe)\n"
        "/Ordering (UCS)\n/Supplement 0\n>> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
    )
    tail = "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    return zlib.compress((head + "\n".join(blocks) + tail).encode("ascii"), 9)
