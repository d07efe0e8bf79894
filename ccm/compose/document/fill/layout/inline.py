"""Texts in cells: one style in one or several lines, or anything that stands in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.layout.nodes import Paragraph, Word
from ccm.compose.document.fill.layout.parts import LinePart
from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.text.breaking import Breaker
from ccm.compose.document.fill.text.shaping import TextStyle
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.layout.blocks import Blocks

_OVER = 1e-6  # px by which rounding may make a line wider than its place


class Inlines:
    """Sets the content of cells in lines."""

    def __init__(self) -> None:
        self._breaker = Breaker()
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

    def lines(self, paragraph: Paragraph, width: float) -> list[LinePart]:
        """Set a paragraph in lines of at most this width, from 0 on."""
        assert self.blocks is not None
        made = self.blocks.setter.lines(paragraph, 0, 0, width)
        if any(line.width > width + _OVER for line in made):
            raise Unfillable("text that is wider than its place")
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
        runs = self._breaker.lines(run.text, style, computed, width)
        if any(one.width > width * (1 + 1e-9) for one in runs):
            raise Unfillable("a word that is wider than its place")
        return runs

    def usual_words(self, style: TextStyle, computed: Any) -> dict[str, float]:
        """Return the widths of words between which texts of a style may be broken."""
        return self._breaker.usual(style, computed) or {}

    def narrowest_of(self, run: Run, style: TextStyle, computed: Any) -> float:
        """Return the width of the longest part of a text that cannot be broken."""
        if computed["white_space"] == "nowrap":
            return run.width
        return self._breaker.narrowest(run.text, style, computed)


def of_text(text: str, style: TextStyle, computed: Any, ink: Color) -> Paragraph:
    """Return a text in one style as the content of a cell."""
    cell = Element("td", (), None)
    return Paragraph(cell, computed, style, [Word(cell, text, style, computed, ink)])
