"""One shown text: what it says, and where its glyphs stand from its own beginning."""

from __future__ import annotations

import re
from typing import NamedTuple

from ccm.check.comparable import comparable_line
from ccm.check.filled_pdf import font as fonts
from ccm.check.filled_pdf.font import CLOSE, Family
from ccm.check.filled_pdf.objects import literal
from ccm.check.filled_pdf.unread import Unread
from ccm.check.once import once

_PIECE = re.compile(rb"<([0-9A-Fa-f]*)>|\(((?:[^()\\]|\\.)*)\)|([+-]?[\d.]+)|(\S)", re.DOTALL)
_PLAIN = re.compile(rb"<[0-9a-f]+>(?:-?[\d.]+<[0-9a-f]+>)*")
OVERHANG = fonts.OVERHANG / 1000  # sizes; how far usual ink reaches over the place of its glyph
_ROOM = 1.0  # sizes; a gap that is wider parts words, whatever usual glyphs stand beside it
_ODD = float("nan")  # equals nothing, not even itself


class Cell(NamedTuple):
    """What stands in a line between two gaps.

    text: As the file tells it. plain: In comparable form.
    """

    text: str
    plain: str


class Box(NamedTuple):
    """Where the ink of a text is, from its beginning on its line; `low` is negative below the line."""

    left: float
    right: float
    low: float
    high: float


class Shown:
    """A text as one operator shows it. Lengths are in units of its own matrix, from its beginning on its line.

    text: As the file tells it. plain: In comparable form. cell: Both.
    letters: One for each glyph.
    size: Of the font.
    first_width, last_width: Of those glyphs, in thousandths of the size.
    start: Where the first glyph begins, from the place that operators set; all else is measured from there.
    last: Where the last glyph begins. end: Where it ends.
    advance: Where a text begins that is shown right after, from the place that operators set.
    usual: The size, if nothing about the text is odd; otherwise a number that equals none.
    room: A gap to the next usual text of this size that is wider than this parts words for sure.
    """

    def __init__(self, operand: bytes, font: Family, size: float) -> None:
        if size <= 0:
            raise Unread("a font of no size")
        self._font = font
        self.size = size
        codes, self._moves = _read(operand)
        if not codes:
            raise Unread("a text of nothing")
        try:
            self.letters = letters = codes.decode("utf-16-be")
            widths = list(map(font.widths.__getitem__, letters))
        except (KeyError, UnicodeDecodeError):
            raise Unread("a glyph of another kind") from None
        self.first_width, self.last_width = widths[0], widths[-1]
        after, first = self._moves.pop(len(letters), 0.0), self._moves.pop(0, 0.0)
        moved = 0.0
        text = letters.translate(font.texts)
        if self._moves:
            numbers = self._moves.values()
            moved = sum(numbers)
            if any(widths[number - 1] - move < CLOSE for number, move in self._moves.items()):
                raise Unread("glyphs over each other")
            if -min(numbers) > font.least_gap - 1:
                text = self._parted(widths)
        self.text = text
        simple = text.isascii() and text[0] != " " and text[-1] != " " and "  " not in text
        self.plain = text if simple else comparable_line(text)
        self.cell = Cell(text, self.plain)
        self.end = (sum(widths) - moved) * size / 1000
        self.start = -first * size / 1000
        self.advance = self.start + self.end - after * size / 1000
        self.last = self.end - self.last_width * size / 1000
        self.room = _ROOM * size
        usual = font.odd.isdisjoint(letters) and not font.solid.isdisjoint(letters) and self.plain[-1:] != "-"
        self.usual = size if usual else _ODD

    def _parted(self, widths: list[int]) -> str:
        """Return the text with blanks in wide gaps."""
        texts = []
        for number, (letter, width) in enumerate(zip(self.letters, widths, strict=True)):
            if number in self._moves and _parts_words(-self._moves[number], width, self._font):
                texts.append(" ")
            texts.append(self._font.texts[ord(letter)])
        return "".join(texts)

    @once
    def box(self) -> Box:
        """Where the ink is."""
        boxes = [self._font.box(ord(letter)) for letter in self.letters]
        at, left, right = 0.0, 10_000.0, -10_000.0
        for number, (letter, box) in enumerate(zip(self.letters, boxes, strict=True)):
            at -= self._moves.get(number, 0)
            left, right = min(left, at + box[0]), max(right, at + box[2])
            at += self._font.widths[letter]
        unit = self.size / 1000
        low, high = min(box[1] for box in boxes), max(box[3] for box in boxes)
        return Box(left * unit, right * unit, low * unit, high * unit)

    @once
    def band(self) -> tuple[float, float]:
        """How far the ink reaches from its line: lowest and highest place, as in `box`."""
        unit = self.size / 1000
        bounds = self._font.bounds
        boxes = [bounds[letter] for letter in set(self.letters)]
        return min([low for low, _ in boxes]) * unit, max([high for _, high in boxes]) * unit

    @property
    def ink_left(self) -> float:
        """Where the ink begins; of usual texts, where it can begin at most, for which no glyph need be looked at."""
        return -OVERHANG * self.size if self.usual == self.size else self.box.left

    @property
    def ink_right(self) -> float:
        """Where the ink ends, or can end at most."""
        return self.end + OVERHANG * self.size if self.usual == self.size else self.box.right

    @property
    def inked(self) -> bool:
        """There is any ink; a text of one blank is none."""
        return self.usual == self.size or self.box.right > self.box.left


def _read(operand: bytes) -> tuple[bytes, dict[int, float]]:
    """Return the codes of glyphs, and how far those are moved to the left that are, by their number."""
    if operand.count(b"<") == 1 and operand[:1] == b"<" and operand[-1:] == b">" and len(operand) % 4 == 2:
        try:
            return bytes.fromhex(operand[1:-1].decode("ascii")), {}
        except ValueError:
            raise Unread("an operand of another kind") from None
    if _PLAIN.fullmatch(operand):
        parts = operand[1:-1].split(b">")
        codes, moves = parts[0], {}
        for part in parts[1:]:
            move, _, more = part.partition(b"<")
            moves[len(codes) // 4] = float(move)
            codes += more
        if len(codes) % 4:
            raise Unread("half a glyph")
        return bytes.fromhex(codes.decode("ascii")), moves
    return _read_any(operand)


def _read_any(operand: bytes) -> tuple[bytes, dict[int, float]]:
    codes = b""
    moves: dict[int, float] = {}
    for hexadecimal, string, number, other in _PIECE.findall(operand):
        if number:
            glyph = len(codes) // 2
            moves[glyph] = moves.get(glyph, 0) + float(number)
        elif other:
            raise Unread("an operand of another kind")
        else:
            codes += literal(string) if string else bytes.fromhex(hexadecimal.decode("ascii"))
            if len(codes) % 2:
                raise Unread("half a glyph")
    return codes, moves


def _parts_words(moved: float, width: int, font: Family) -> bool:
    """Tell whether a gap before a glyph is read as a blank."""
    threshold = font.gap_at(width)
    if abs(moved - threshold) < 0.5:
        raise Unread("a gap that may part words or not")
    return moved > threshold
