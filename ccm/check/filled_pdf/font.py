"""Fonts of a filled document, as the file itself carries them: text, width and box of each glyph."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ccm.check.filled_pdf.objects import Name, PdfFile, Ref, Value, inflated, parsed
from ccm.check.filled_pdf.unread import Unread

if TYPE_CHECKING:
    from ccm.check.filled_pdf.shown import Shown

Box: TypeAlias = tuple[int, int, int, int]
Glyph: TypeAlias = tuple[str, int, Box]  # text, width, box

CLOSE = 80  # thousandths; glyphs nearer to each other may be taken for one that is printed twice
_PAIRS = re.compile(rb"<([0-9a-f]{4})> <((?:[0-9a-f]{4})+)>\n", re.IGNORECASE)
_BLOCK = re.compile(rb"\d+ beginbfchar\n((?:<[0-9a-f]{4}> <(?:[0-9a-f]{4})+>\n)*)endbfchar", re.IGNORECASE)
_CODES = b"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange"
# Signs whose order in a line is the order of their glyphs, whatever stands beside them.
_SURE = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u058f\u1e00-\u200a\u2010-\u2027\u202f-\u205e\u2070-\u20cf\u2100-\u2bff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufad9\ufb00-\ufb06\uff01-\uff60\uffe0-\uffe6]+"
)
_WIDTH = re.compile(rb"(\d+) \[([\d ]+)\]")
_WIDTHS = re.compile(rb"/W ?\[((?:\d+ \[[\d ]+\] ?)+)\]")
_MOST_FONTS = 512  # remembered
_NO_BOX: Box = (0, 0, 0, 0)
_WIDEST = 2000  # no usual glyph is wider, or
OVERHANG = 250  # reaches further over its own width
_LOWEST, _HIGHEST = -400, 1100  # or below or above its line
_FLOOR, _CEILING = 100, 300  # a solid glyph reaches from the one to the other, so that solid ones overlap


class Family:
    """One font, known by all subsets of it that were met and agree on every glyph. Lengths are in thousandths of the size.

    texts: Text of a glyph, by its number; a glyph that may come out in another order has none.
    widths: By the letter that has the glyph's number. bounds: Likewise, lowest and highest place of its ink.
    space: Width of a blank, if it is usual; otherwise 0.
    least_gap: A smaller gap parts no words.
    odd: Letters of glyphs that are not usual in their size. solid: Letters of those that fill the middle of a line.
    shown: What was shown lately, by size and operand. shown_before: What was shown before that.
    """

    def __init__(self) -> None:
        self.shown: dict[tuple[float, bytes], Shown] = {}
        self.shown_before: dict[tuple[float, bytes], Shown] = {}
        self.texts: dict[int, str] = {}
        self.widths: dict[str, int] = {}
        self.bounds: dict[str, tuple[int, int]] = {}
        self.space = 0
        self.least_gap = 0.0
        self.odd: set[str] = set()
        self.solid: set[str] = set()
        self._glyphs: dict[int, Glyph] = {}

    def agrees(self, glyphs: Mapping[int, Glyph]) -> bool:
        """Tell whether glyphs are the same here wherever both have them."""
        known = self._glyphs
        return all(known[number] == glyph for number, glyph in glyphs.items() if number in known)

    def take(self, glyphs: Mapping[int, Glyph]) -> None:
        """Take up glyphs that agree."""
        for number, (text, width, box) in sorted(glyphs.items() - self._glyphs.items()):
            letter = chr(number)
            self.texts[number], self.widths[letter], self.bounds[letter] = text, width, (box[1], box[3])
            if not _is_usual(box, width):
                self.odd.add(letter)
            if _is_solid(box):
                self.solid.add(letter)
            if text == " " and not self.space and width <= 1000 / 3:
                self.space = width
        self._glyphs.update(glyphs)
        self.least_gap = min(map(self.gap_at, self.widths.values()), default=0)

    def gap_at(self, width: int) -> float:
        """Return how wide a gap before a glyph must be to be read as a blank, as PDFium decides it."""
        if self.space:
            return self.space / 2
        return width / (2 if width < 300 else 4 if width < 500 else 5 if width < 700 else 6)

    def box(self, number: int) -> Box:
        """Return left, bottom, right and top; naughts for a glyph without outline."""
        return self._glyphs[number][2]


class FontReading(NamedTuple):
    """One font as a file carries it: what is known of it, and the letters that have the numbers of the glyphs it has."""

    family: Family
    letters: frozenset[str]


def _is_usual(box: Box, width: int) -> bool:
    left, bottom, right, top = box
    return (
        width <= _WIDEST and left >= -OVERHANG and right <= width + OVERHANG and bottom >= _LOWEST and top <= _HIGHEST
    )


def _is_solid(box: Box) -> bool:
    return box[1] <= _FLOOR and box[3] >= _CEILING and box[2] - box[0] > CLOSE


def font_of(file: PdfFile, reference: Value) -> FontReading:
    """Read a font that pages name.

    Raises:
        Unread: If it is not a TrueType font with glyph numbers for codes.
    """
    font = file.dictionary(reference)
    descendants, unicode = font.get("DescendantFonts"), font.get("ToUnicode")
    if font.get("Subtype") != Name("Type0") or font.get("Encoding") != Name("Identity-H"):
        raise Unread("a font of another kind")
    if not isinstance(descendants, tuple) or len(descendants) != 1 or not isinstance(unicode, Ref):
        raise Unread("a font of another kind")
    (descendant,) = descendants
    if not isinstance(descendant, Ref):
        raise Unread("a font of another kind")
    body = file.body(descendant.number)
    found = _WIDTHS.search(body)
    if found is None:
        raise Unread("widths of another kind")
    name, program = _program(file, body[: found.start()] + body[found.end() :])
    mapping = file.stream(unicode.number).deflated
    key = hashlib.blake2b(b"\0".join((program, mapping, found[0], name)), digest_size=16).digest()
    read = _known.get(key)
    if read is None:
        if len(_known) >= _MOST_FONTS:
            _known.clear()
            _families.clear()
        read = _known[key] = _font(name, mapping, found[1], program)
    return read


_known: dict[bytes, FontReading] = {}  # by all that it is read from; most files have the same ones
_families: dict[bytes, list[Family]] = {}  # by name


def _program(file: PdfFile, body: bytes) -> tuple[bytes, bytes]:
    """Return name and font program of a descendant font."""
    descendant = parsed(body)
    if (
        not isinstance(descendant, dict)
        or descendant.get("Subtype") != Name("CIDFontType2")
        or descendant.get("CIDToGIDMap") != Name("Identity")
        or not descendant.keys().isdisjoint(("W", "DW", "DW2", "W2"))
    ):
        raise Unread("a font of another kind")
    name, embedded = descendant.get("BaseFont"), file.dictionary(descendant.get("FontDescriptor")).get("FontFile2")
    if not isinstance(name, Name) or not isinstance(embedded, Ref):
        raise Unread("a font that is not embedded")
    return name.text.rpartition("+")[2].encode("latin1"), file.stream(embedded.number).deflated


def _font(name: bytes, mapping: bytes, widths: bytes, program: bytes) -> FontReading:
    texts, sizes = _texts(inflated(mapping)), _widths(widths)
    known = [number for number, text in texts.items() if sizes.get(number, 0) >= CLOSE and _SURE.fullmatch(text)]
    boxes = _boxes(inflated(program), known)
    glyphs = {number: (texts[number], sizes[number], boxes.get(number, _NO_BOX)) for number in known}
    families = _families.setdefault(name, [])
    family = next((one for one in families if one.agrees(glyphs)), None)
    if family is None:
        family = Family()
        families.append(family)
    family.take(glyphs)
    return FontReading(family, frozenset(map(chr, known)))


def _texts(table: bytes) -> dict[int, str]:
    """Return the text of each glyph."""
    blocks = _BLOCK.findall(table)
    if _CODES not in table or b"bfrange" in table or table.count(b"beginbfchar") != len(blocks):
        raise Unread("a map to text of another kind")
    pairs = [pair for block in blocks for pair in _PAIRS.findall(block)]
    texts = {int(code, 16): bytes.fromhex(text.decode("ascii")).decode("utf-16-be") for code, text in pairs}
    if len(texts) != len(pairs):
        raise Unread("a glyph with two texts")
    return texts


def _widths(array: bytes) -> dict[int, int]:
    found: dict[int, int] = {}
    for first, widths in _WIDTH.findall(array):
        for number, width in enumerate(widths.split(), int(first)):
            if number in found:
                raise Unread("a glyph with two widths")
            found[number] = int(width)
    return found


def _boxes(program: bytes, numbers: Iterable[int]) -> dict[int, Box]:
    """Return the boxes of glyphs that have an outline.

    Source: the OpenType tables head, maxp, loca and glyf.
    """
    try:
        tables = {
            program[at : at + 4]: struct.unpack_from(">II", program, at + 8)
            for at in range(12, 12 + 16 * struct.unpack_from(">H", program, 4)[0], 16)
        }
        head, outlines = tables[b"head"][0], tables[b"glyf"][0]
        (em,) = struct.unpack_from(">H", program, head + 18)
        (long,) = struct.unpack_from(">h", program, head + 50)
        (count,) = struct.unpack_from(">H", program, tables[b"maxp"][0] + 4)
        starts = struct.unpack_from(f">{count + 1}{'I' if long else 'H'}", program, tables[b"loca"][0])
    except (KeyError, struct.error) as fault:
        raise Unread("a font program of another kind") from fault
    found = {}
    for number in numbers:
        if starts[number] != starts[number + 1]:
            at = outlines + starts[number] * (1 if long else 2)
            left, bottom, right, top = (_thousandths(edge, em) for edge in struct.unpack_from(">4h", program, at + 2))
            found[number] = (left, bottom, right, top + top // 64)  # as PDFium widens it
    return found


def _thousandths(value: int, em: int) -> int:
    return value if em == 1000 else (value * 1000 + em // 2) // em
