"""Reads a page fast that differs from others in a few values only.

Composing tells which pieces many pages share. That is a hint and is not believed: the page must really be those pieces, in
order, with something between them that opens no tag and ends no attribute. Then it reads as the shared pieces read, with the
values in their places; otherwise it is read from the start.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ccm.check.comparable import comparable, comparable_line
from ccm.check.markup import hidden_text, link_targets, visible_text

FIRST_LETTER = 0xF0000  # a private letter stands for each value while the shared pieces are read
VALUE_LETTER = re.compile("[\U000f0000-\U000ffffd]")
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>")
_MOST = 8000
OPEN_ENTITY = re.compile(r"&#?\w*$")
TEXT_ENDS = re.compile('[<>"\x7f\U000f0000-\U000ffffd]')


@dataclass(frozen=True)
class Pattern:
    """Text with places for values."""

    pieces: tuple[str, ...]
    slots: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Split text at its private letters."""
        return cls(
            tuple(VALUE_LETTER.split(text)), tuple(ord(letter) - FIRST_LETTER for letter in VALUE_LETTER.findall(text))
        )

    def filled(self, values: Sequence[str]) -> str:
        """Put values in."""
        if not self.slots:
            return self.pieces[0]
        parts = [self.pieces[0]]
        for piece, slot in zip(self.pieces[1:], self.slots, strict=True):
            parts += (values[slot], piece)
        return "".join(parts)


@dataclass(frozen=True)
class Shape:
    """What many pages have in common, read once.

    visible, unseen: Texts as a page shows them, or tells them without showing.
    lines: Lines of both; without a place for values they are comparable already.
    telling: Lines that may tell an amount, a date, a code or a link; all those with values.
    targets: Where links lead.
    attributes: Values that stand in attributes: one with a quote in it could end the attribute.
    """

    visible: Pattern
    unseen: Pattern
    visible_lines: tuple[Pattern, ...]
    unseen_lines: tuple[Pattern, ...]
    telling: tuple[Pattern, ...]
    targets: tuple[Pattern, ...]
    attributes: frozenset[int]


@dataclass(frozen=True)
class PageReading:
    """One page, read.

    visible, unseen: Texts.
    visible_lines, unseen_lines: Lines that hold anything, comparable each.
    telling: Those of both that may tell an amount, a date, a code or a link.
    targets: Where links lead.
    """

    visible: str
    unseen: str
    visible_lines: tuple[str, ...]
    unseen_lines: tuple[str, ...]
    telling: tuple[str, ...]
    targets: tuple[str, ...]


def read_page(source: str, outline: tuple[str, ...]) -> PageReading:
    """Read a page of HTML.

    Args:
        outline: Pieces that it is said to share with others; empty if none are known.
    """
    values = values_between(source, outline) if 1 < len(outline) < _MOST else None
    shape = shape_of(outline) if values is not None else None
    if values is None or shape is None or any(_quoted(values[slot]) for slot in shape.attributes):
        visible, unseen = visible_text(source), hidden_text(source)
        shown, told = lines_of(visible), lines_of(unseen)
        return PageReading(visible, unseen, shown, told, tuple(filter(tells, (*shown, *told))), link_targets(source))
    return PageReading(
        shape.visible.filled(values),
        shape.unseen.filled(values),
        _filled(shape.visible_lines, values),
        _filled(shape.unseen_lines, values),
        _filled(shape.telling, values),
        tuple(target.filled(values).strip() for target in shape.targets),
    )


def tells(line: str) -> bool:
    """Tell whether a comparable line may hold an amount, a date, a code or a link."""
    return "//" in line or "@" in line or "www." in line or any(map(str.isdecimal, line))


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines that hold anything, comparable each."""
    return tuple(line for line in map(comparable_line, text.split("\n")) if line)


def _quoted(value: str) -> bool:
    return '"' in value or "'" in value


def _filled(patterns: tuple[Pattern, ...], values: Sequence[str]) -> tuple[str, ...]:
    lines: list[str] = []
    for pattern in patterns:
        if not pattern.slots:
            lines.append(pattern.pieces[0])
        else:
            lines += (line for line in map(comparable_line, pattern.filled(values).split("\n")) if line)
    return tuple(lines)


def values_between(source: str, outline: tuple[str, ...]) -> list[str] | None:
    """Return what stands between the shared pieces, unescaped; None if the page is not made of them."""
    if not source.startswith(outline[0]):
        return None
    at = len(outline[0])
    values: list[str] = []
    last = len(outline) - 1
    for number in range(1, last + 1):
        piece = outline[number]
        end = _next(source, piece, at) if number < last else len(source) - len(piece)
        if end < at or not source.startswith(piece, end):
            return None
        value = source[at:end]
        values.append(value)
        at = end + len(piece)
    if TEXT_ENDS.search("".join(values)):
        return None
    return [html.unescape(value) if "&" in value else value for value in values]


def _next(source: str, piece: str, at: int) -> int:
    """Return where a piece most likely begins: no value holds what ends a text or an attribute.

    Why: Looking for a long text takes longer than looking for one sign and comparing there.
    """
    if piece[:1] in ("<", '"'):
        return source.find(piece[0], at)
    return source.find(piece[:12], at) if piece else at


@lru_cache(maxsize=256)
def shape_of(outline: tuple[str, ...]) -> Shape | None:
    """Read the shared pieces, private letters standing between them; None where values cannot be put in safely."""
    if any(VALUE_LETTER.search(piece) for piece in outline) or any(OPEN_ENTITY.search(piece) for piece in outline[:-1]):
        return None
    page = outline[0] + "".join(chr(FIRST_LETTER + number) + piece for number, piece in enumerate(outline[1:]))
    visible, unseen = visible_text(page), hidden_text(page)
    targets = tuple(map(Pattern.of, link_targets(page)))
    inside = {ord(letter) - FIRST_LETTER for tag in _TAG.findall(page) for letter in VALUE_LETTER.findall(tag)}
    shown, told = pattern_lines(visible), pattern_lines(unseen)
    return Shape(
        Pattern.of(visible),
        Pattern.of(unseen),
        shown,
        told,
        tuple(line for line in (*shown, *told) if line.slots or tells(line.pieces[0])),
        targets,
        frozenset(inside),
    )


def pattern_lines(text: str) -> tuple[Pattern, ...]:
    """Return lines as patterns; those without values comparable, empty ones left out."""
    found = []
    for line in text.split("\n"):
        if VALUE_LETTER.search(line):
            found.append(Pattern.of(line))
        elif line.strip():
            found.append(Pattern((comparable(line),), ()))
    return tuple(found)
