"""What is drawn on the pages: the one form in which our layout and the engine's are compared and written.

All measures are CSS pixels from the page's top left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ccm.compose.document.fill.run import Run

Color = tuple[float, float, float, float]  # red, green, blue, alpha; each from 0 to 1


@dataclass(slots=True)
class Tag:
    """An element of the structure tree.

    kind: Its PDF name, such as TD.
    table: Place of a cell's table, row and column; its headers' places.
    """

    kind: str
    children: list[Tag | Text | Picture | Stripe] = field(default_factory=list)
    alternative: str = ""
    area: tuple[float, float, float, float] | None = None
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell's tag says beside its content.

    name: Of a header cell. headers: Names of the header cells it belongs to.
    """

    name: str = ""
    headers: tuple[str, ...] = ()
    span: int = 1


@dataclass(slots=True)
class Text:
    """Shaped text; y is the baseline."""

    x: float
    y: float
    run: Run
    color: Color
    mark: int = 0


@dataclass(eq=False, slots=True)
class RowTags:
    """What rows of a table share that are tagged alike; equal ones are the same one.

    counts: Texts of each cell, one for each line. tags: TD or TH.
    cells: What the tags of the cells say beside their content.
    """

    counts: tuple[int, ...]
    tags: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(eq=False, slots=True)
class StripeKind:
    """What rows of a table share that are drawn and tagged alike, whatever their texts.

    faces: Face, size and colour of each text, in order of reading.
    """

    faces: tuple[tuple[int, float, Color], ...]
    tags: RowTags


@dataclass(slots=True)
class Stripe:
    """Rows of a table below each other that hold nothing but lines of text; drawing and tags in one.

    Why: what is done for all texts of a page at a time costs a fraction of what it costs for each text.

    kinds: Of each row.
    across, down, runs: Of each text, row after row: where its baseline begins, and what is set there.
    """

    kinds: list[StripeKind] = field(default_factory=list)
    across: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    mark: int = 0

    def drawn(self) -> list[Text]:
        """Return the texts one by one."""
        inks = [ink for kind in self.kinds for _, _, ink in kind.faces]
        return [Text(*one) for one in zip(self.across, self.down, self.runs, inks, strict=True)]


class Drawing(NamedTuple):
    """Operators of a picture, from the upper left corner of its content.

    states: Names of the graphics states that they set, such as a0.4: fill (a) or stroke (A) at that opacity.
    """

    operators: bytes = b""
    states: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Picture:
    """A drawing, moved from where it was drawn."""

    drawing: Drawing
    dx: float
    dy: float
    width: float
    height: float
    mark: int = 0


@dataclass(slots=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: Color


@dataclass(slots=True)
class Areas:
    """Filled rectangles of one colour; x, y, width and height of each, one behind the other."""

    color: Color
    places: list[float]

    def single(self) -> list[Area]:
        """Return the rectangles one by one."""
        sides = [self.places[side::4] for side in range(4)]
        return [Area(x, y, width, height, self.color) for x, y, width, height in zip(*sides, strict=True)]


@dataclass(slots=True)
class Shape:
    """A filled outline, drawn by operators from the upper left corner of its box; moved there by x and y."""

    x: float
    y: float
    width: float
    height: float
    color: Color
    operators: bytes


@dataclass(slots=True)
class Bookmark:
    """A heading in the file's outline."""

    level: int
    title: str
    page: int
    x: float
    y: float


@dataclass(slots=True)
class Page:
    """One page, in painting order: areas and lines below all text."""

    width: float
    height: float
    areas: list[Area | Areas | Shape] = field(default_factory=list)
    marked: list[Text | Picture | Stripe] = field(default_factory=list)
    beside: list[Text | Picture] = field(default_factory=list)  # heads and feet, which are no part of what is read
    tags: list[Tag] = field(default_factory=list)

    def fill(self, rectangles: list[tuple[Color, float, float, float, float]]) -> None:
        """Paint rectangles: colour, x, y, width and height of each; those of one colour become one."""
        ink: Color | None = None
        places: list[float] = []
        for color, x, y, width, height in rectangles:
            if color != ink:
                ink, places = color, []
                self.areas.append(Areas(color, places))
            places += (x, y, width, height)

    def single_areas(self) -> list[Area | Shape]:
        """Return what is painted one by one."""
        return [one for area in self.areas for one in (area.single() if isinstance(area, Areas) else (area,))]


@dataclass(slots=True)
class Display:
    """A whole document."""

    title: str
    language: str
    pages: list[Page]
    bookmarks: list[Bookmark] = field(default_factory=list)
