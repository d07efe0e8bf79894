"""Boxes and lines while they are laid out, and how they are drawn.

All places are of margin edges, in px, from the corner of whatever is laid out as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ccm.compose.document.fill.display import Color, Drawing
from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.style.measures import Sides
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.text.shaping import TextStyle
from ccm.compose.document.fill.tree.elements import Element

_NOTHING = Sides(0, 0, 0, 0)
_EMPTY = Drawing()


def _move(self: TextPart | TablePart, dx: float, dy: float) -> None:
    """Move it."""
    self.x += dx
    self.y += dy


def _move_whole(self: Box | SpanPart | LinePart, dx: float, dy: float) -> None:
    """Move it with everything inside."""
    if dx or dy:
        self.x += dx
        self.y += dy
        for child in self.children:
            child.move(dx, dy)


@dataclass(slots=True, eq=False)
class Box:
    """A block, an inline block, a flex container or a picture.

    width, height: Of the content.
    drawing: Of a picture; `words` says what it shows.
    baseline: From the margin's top, of a box in a line.
    """

    element: Element
    traits: Traits
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    margin: Sides = _NOTHING
    border: Sides = _NOTHING
    padding: Sides = _NOTHING
    children: list[Part] = field(default_factory=list)
    baseline: float = 0
    drawing: Drawing = _EMPTY
    words: str = ""

    @property
    def content_x(self) -> float:
        """Left edge of the content."""
        return self.x + self.margin.left + self.border.left + self.padding.left

    @property
    def content_y(self) -> float:
        """Top of the content."""
        return self.y + self.margin.top + self.border.top + self.padding.top

    @property
    def border_x(self) -> float:
        """Left edge of the border."""
        return self.x + self.margin.left

    @property
    def border_y(self) -> float:
        """Top of the border."""
        return self.y + self.margin.top

    @property
    def border_width(self) -> float:
        """From border to border."""
        return self.width + self.border.left + self.border.right + self.padding.left + self.padding.right

    @property
    def border_height(self) -> float:
        """From border to border."""
        return self.height + self.border.top + self.border.bottom + self.padding.top + self.padding.bottom

    @property
    def margin_width(self) -> float:
        """With margins, borders and paddings."""
        return self.border_width + self.margin.left + self.margin.right

    @property
    def margin_height(self) -> float:
        """With margins, borders and paddings."""
        return self.border_height + self.margin.top + self.margin.bottom

    move = _move_whole


@dataclass(slots=True, eq=False)
class TextPart:
    """A text on a line; `rise` is its baseline under the top of its line height."""

    element: Element
    run: Run
    ink: Color
    style: TextStyle
    height: float
    rise: float
    x: float = 0
    y: float = 0

    @property
    def width(self) -> float:
        """Of the text."""
        return self.run.width

    @property
    def margin_width(self) -> float:
        """With margins, borders and paddings."""
        return self.run.width

    @property
    def baseline(self) -> float:
        """Under the top."""
        return self.rise

    @property
    def margin_height(self) -> float:
        """With margins, borders and paddings."""
        return self.height

    move = _move


@dataclass(slots=True, eq=False)
class SpanPart:
    """What stands on a line of an inline element; `mark` names a pseudo-element."""

    element: Element
    height: float
    rise: float
    children: list[InlinePart]
    left: float = 0  # margin, border and padding
    right: float = 0
    x: float = 0
    y: float = 0
    width: float = 0
    mark: str = ""

    @property
    def margin_width(self) -> float:
        """With margins, borders and paddings."""
        return self.left + self.width + self.right

    @property
    def baseline(self) -> float:
        """Under the top."""
        return self.rise

    @property
    def margin_height(self) -> float:
        """With margins, borders and paddings."""
        return self.height

    move = _move_whole


@dataclass(slots=True, eq=False)
class LinePart:
    """One line. baseline: Under its top."""

    children: list[InlinePart]
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    baseline: float = 0

    move = _move_whole


@dataclass(slots=True, eq=False)
class TablePart:
    """A table; `table` is laid out at `x`."""

    element: Element
    table: Any
    x: float
    y: float
    width: float
    height: float
    margin: Sides = _NOTHING

    move = _move


InlinePart: TypeAlias = "TextPart | SpanPart | Box"
Part: TypeAlias = "Box | LinePart | TablePart"


def first_baseline(part: Part | InlinePart, *, last: bool = False) -> float | None:
    """Return where the first or last line in a box has its baseline; None where there is no line."""
    if isinstance(part, LinePart):
        return part.y + part.baseline
    if not isinstance(part, Box):
        return None
    for child in reversed(part.children) if last else part.children:
        if isinstance(child, Box) and child.traits.out:
            continue
        found = first_baseline(child, last=last)
        if found is not None:
            return found
    return None


def texts_of(parts: list[InlinePart]) -> Iterator[TextPart]:
    """Return the texts on a line, in order."""
    for part in parts:
        if isinstance(part, TextPart):
            yield part
        elif isinstance(part, SpanPart):
            yield from texts_of(part.children)
