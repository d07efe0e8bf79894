"""How wide content is at most and at least, for boxes that are as wide as their content.

Source: WeasyPrint 70, layout/preferred.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ccm.compose.document.fill.layout.nodes import Paragraph, Span, Word
from ccm.compose.document.fill.style.measures import Percent, Size
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.text.breaking import Breaker, may_break
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.layout.blocks import Blocks

_WRAPPING = ("normal", "pre-wrap", "pre-line")


class ContentWidths:
    """Widths of content."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._breaker = Breaker()

    def most(self, element: Element, *, outer: bool = True) -> float:
        """Return the width without any break but forced ones."""
        return self._of(element, outer, least=False)

    def least(self, element: Element, *, outer: bool = True) -> float:
        """Return the width with a break wherever one may be."""
        return self._of(element, outer, least=True)

    def least_of_content(self, element: Element) -> float:
        """Return the least width of what stands in a box, whatever width the box itself says it has."""
        return self._of(element, False, least=True, said=False)

    def _of(self, element: Element, outer: bool, *, least: bool, said: bool = True) -> float:
        blocks = self._blocks
        traits = blocks.book.traits(element)
        if element.tag in ("img", "svg"):
            return self._adjusted(traits, blocks.pictures.content_width(element, traits, least=least), outer)
        if traits.display == ("block", "table"):
            return blocks.tables.content_width(element, least=least) + _sum(traits.margin)
        if said and type(traits.width) is float and traits.display[1] != "flex":
            width = traits.width
            if traits.bordered:
                width = max(0.0, width - _sum(traits.padding) - traits.border.left - traits.border.right)
            return self._adjusted(traits, width, outer)
        if traits.display[1] != "flex" and blocks.is_text(element):
            return self._adjusted(traits, self.of_lines(blocks.reader.paragraph(element), least=least), outer)
        if blocks.is_mixed(element):
            raise Unfillable("text beside blocks in a box that is as wide as its content")
        widths = []
        for kid in blocks.kids(element):
            of_kid = blocks.book.traits(kid)
            if not of_kid.out:
                widths.append(self._of(kid, True, least=least))
        if traits.display[1] == "flex":
            return self._adjusted(traits, sum(widths), outer)
        return self._adjusted(traits, max(widths, default=0.0), outer)

    def _adjusted(self, traits: Traits, width: float, outer: bool) -> float:
        if type(traits.min_width) is float:
            width = max(traits.min_width, width)
        if not outer:
            return width
        return width + _sum(traits.margin) + _sum(traits.padding) + traits.border.left + traits.border.right

    # ── lines ────────────────────────────────────────────────────────────────

    def of_lines(self, paragraph: Paragraph, *, least: bool) -> float:
        """Return the width of the widest line."""
        widths = list(self._widths(paragraph, least, start=True))
        if not least:
            widths[-1] -= self._last_blank(paragraph)
        return max(widths)

    def _widths(self, node: Paragraph | Span, least: bool, *, start: bool) -> Iterator[float]:
        current = 0.0
        for child in node.children:
            lines: list[float | None]
            if isinstance(child, Span):
                lines = [one or None for one in self._widths(child, least, start=start)]
                if len(lines) == 1:
                    lines[0] = (lines[0] or 0) + child.left + child.right
                else:
                    lines[0] = ((lines[0] or 0) + child.left) or None
                    lines[-1] = ((lines[-1] or 0) + child.right) or None
            elif isinstance(child, Word):
                lines = self._of_word(child, least, start)
            else:
                width = self._of(child.element, True, least=least)
                lines = [None, width, None] if least and node.computed["white_space"] in _WRAPPING else [width]
            current += lines[0] or 0
            if len(lines) > 1:
                yield current
                yield from (line or 0.0 for line in lines[1:-1])
                current = lines[-1] or 0.0
            start = lines[-1] is None
        yield current

    def _of_word(self, word: Word, least: bool, start: bool) -> list[float | None]:
        text = word.text.lstrip(" ") if start else word.text
        lines: list[float | None] = []
        rest = text.encode()
        while True:
            shown = rest.decode()
            if not shown:
                lines.append(None)
                break
            first = self._breaker.first_line(
                shown, word.style, word.computed, 0 if least else None, start=start, least=True
            )
            lines.append((first.run.width if first.run is not None else 0) or None)
            if first.resume is None:
                break
            rest = rest[first.resume :]
        if (
            least
            and word.computed["white_space"] in _WRAPPING
            and may_break(text[-1:], "a", word.computed["lang"] or "")
        ):
            lines.append(None)
        return lines

    def _last_blank(self, node: Paragraph | Span) -> float:
        """Return the width of the blanks at the end."""
        if not node.children:
            return 0.0
        last = node.children[-1]
        if isinstance(last, Span):
            return self._last_blank(last)
        if not isinstance(last, Word) or not last.text.endswith(" "):
            return 0.0
        text = last.text.rpartition("\n")[2]
        if not text.strip(" "):
            raise Unfillable("a blank between inline elements at the end of a text")
        return last.style.shape(text).width - last.style.shape(text.rstrip(" ")).width


def _sum(sides: tuple[Size, ...]) -> float:
    """Return left and right."""
    if any(type(side) is Percent for side in (sides[1], sides[3])):
        raise Unfillable("a margin or padding in percent around what is as wide as its content")
    return (sides[1] or 0.0) + (sides[3] or 0.0)
