"""What is drawn on the pages: the one form in which our layout and the engine's are compared and written.

All measures are CSS pixels from the page's top left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ccm.compose.document.fill.text import Run

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
class StripeKind:
    """What rows of a table share that are drawn and tagged alike, whatever their texts.

    faces: Face, size and colour of each text, in order of reading.
    counts: Texts of each cell, one for each line. tags: TD or TH.
    cells: What the tags of the cells say beside their content.
    """

    faces: tuple[tuple[int, float, Color], ...]
    counts: tuple[int, ...]
    tags: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class Stripe:
    """Rows of a table that hold nothing but lines of text and are all alike; drawing and tags in one.

    Why by columns: what is done for a whole column at a time costs a fraction of what it costs for each cell.

    rows: How many.
    across, down, runs: For each text of a row: where its baseline begins, and what is set there, in each row.
    """

    kind: StripeKind
    rows: int
    across: list[float | list[float]]  # a number where all rows have the same
    down: list[list[float]]
    runs: list[list[Run]]
    mark: int = 0

    @property
    def marks(self) -> int:
        """How many texts there are."""
        return self.rows * len(self.runs)

    def drawn(self) -> list[Text]:
        """Return the texts one by one, row after row."""
        columns = list(zip(self.across, self.down, self.runs, self.kind.faces, strict=True))
        return [
            Text(x if isinstance(x, float) else x[row], y[row], runs[row], face[2])
            for row in range(self.rows)
            for x, y, runs, face in columns
        ]


@dataclass(slots=True)
class Picture:
    """A drawing of the engine's, moved from where the engine drew it."""

    operators: bytes
    dx: float
    dy: float
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
    areas: list[Area | Shape] = field(default_factory=list)
    marked: list[Text | Picture | Stripe] = field(default_factory=list)
    beside: list[Text | Picture] = field(default_factory=list)  # heads and feet, which are no part of what is read
    tags: list[Tag] = field(default_factory=list)


@dataclass(slots=True)
class Display:
    """A whole document."""

    title: str
    language: str
    pages: list[Page]
    bookmarks: list[Bookmark] = field(default_factory=list)
