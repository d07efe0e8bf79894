"""Texts in cells: one style in one or several lines, or anything that stands in lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.nodes import Paragraph, Word
from ccm.compose.document.fill.parts import LinePart
from ccm.compose.document.fill.text import Run, TextStyle
from ccm.compose.document.fill.tree import Element
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.blocks import Blocks

_BLANKS = re.compile("[ \t\n\r\f]+")
_MOST_BREAKS = 200_000
_OVER = 1e-6  # px by which rounding may make a line wider than its place


@dataclass(slots=True)
class Segment:
    """Text of one style within a line."""

    text: str
    style: TextStyle
    computed: Any
    color: Color
    element: Element


@dataclass(slots=True)
class Line:
    """One line: shaped runs beside each other, or a part with more than that, at 0."""

    runs: list[tuple[Run, Segment]]
    width: float
    height: float
    baseline: float
    part: LinePart | None = None


class Inlines:
    """Sets the content of cells in lines."""

    def __init__(self) -> None:
        self._breaks: dict[object, tuple[str, ...]] = {}
        self.blocks: Blocks | None = None  # known once it was made

    def paragraph(self, block: Element) -> Paragraph | None:
        """Return the content of an element; None where there is none."""
        assert self.blocks is not None
        if not self.blocks.is_text(block):
            if self.blocks.kids(block):
                raise Unfillable("blocks in a cell")
            return None
        made = self.blocks.reader.paragraph(block)
        return made if made.children else None

    def lines(self, paragraph: Paragraph, width: float) -> list[Line]:
        """Set a paragraph in lines of at most this width."""
        assert self.blocks is not None
        made = []
        for part in self.blocks.setter.lines(paragraph, 0, 0, width):
            if part.width > width + _OVER:
                raise Unfillable("text that is wider than its place")
            made.append(Line([], width, part.height, part.baseline, part))
        return made

    def widest(self, paragraph: Paragraph) -> float:
        """Return the width without any break but forced ones."""
        assert self.blocks is not None
        return self.blocks.content_widths.of_lines(paragraph, least=False)

    def narrowest(self, paragraph: Paragraph) -> float:
        """Return the width of the longest part that cannot be broken."""
        assert self.blocks is not None
        return self.blocks.content_widths.of_lines(paragraph, least=True)

    def broken(self, run: Run, style: TextStyle, computed: Any, width: float) -> tuple[Run, ...]:
        """Return the lines of a text in one style that is wider than its place."""
        if computed["white_space"] == "nowrap":
            raise Unfillable("text that is wider than its place")
        runs = tuple([style.shape(text) for text in self._broken(run.text, style, computed, width)])
        if any(one.width > width * (1 + 1e-9) for one in runs):
            raise Unfillable("a word that is wider than its place")
        return runs

    def narrowest_of(self, run: Run, style: TextStyle, computed: Any) -> float:
        """Return the width of the longest part of a text that cannot be broken."""
        if computed["white_space"] == "nowrap":
            return run.width
        parts = self._broken(run.text, style, computed, 0, minimum=True)
        return max([style.shape(text).width for text in parts], default=0.0)

    def _broken(
        self, text: str, style: TextStyle, computed: Any, width: float, *, minimum: bool = False
    ) -> tuple[str, ...]:
        """Return the lines of a text as the engine breaks them; remembered, because texts repeat."""
        key = (text, id(style), width, minimum)
        known = self._breaks.get(key)
        if known is None:
            if len(self._breaks) > _MOST_BREAKS:
                self._breaks.clear()
            known = self._breaks[key] = tuple(_broken_by_the_engine(text, computed, width, minimum))
        return known


def of_text(text: str, style: TextStyle, computed: Any, ink: Color) -> Paragraph:
    """Return a text in one style as the content of a cell."""
    cell = Element("td", (), None)
    return Paragraph(cell, computed, style, [Word(cell, text, style, computed, ink)])


def trimmed(text: str) -> str:
    """Return a text as white-space: normal shows it."""
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        text = _BLANKS.sub(" ", text)
    return text.strip(" ")


def _broken_by_the_engine(text: str, computed: Any, width: float, minimum: bool) -> list[str]:
    from weasyprint.text.line_break import split_first_line

    lines = []
    rest = text.encode()
    while rest:
        _, length, resume_at, *_ = split_first_line(
            rest.decode(), computed, None, width, 0, is_line_start=True, minimum=minimum
        )
        lines.append(rest[:length].decode().strip(" "))
        if resume_at is None:
            break
        rest = rest[resume_at:].lstrip(b" ")
    return lines
