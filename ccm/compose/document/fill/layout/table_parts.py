"""What tables are made of while they are laid out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from ccm.compose.document.fill.display import Color, StripeKind
from ccm.compose.document.fill.layout.nodes import Paragraph
from ccm.compose.document.fill.layout.parts import LinePart
from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.style.measures import Sides
from ccm.compose.document.fill.text.shaping import TextStyle
from ccm.compose.document.fill.tree.elements import Element

Border = tuple[tuple[int, float, int], float, Color]  # strength, width in px, colour


Content: TypeAlias = "Run | Paragraph | None"  # a text in one style; anything in lines; nothing


class Tall(NamedTuple):
    """Lines of a cell that are higher than its usual ones: their height, and the first one's baseline."""

    height: float
    baseline: float


@dataclass(eq=False, slots=True)
class CellKind:
    """What all cells of one structure share.

    plain: Whether a text in it is read without looking at white space rules.
    row_header: Whether it is the header of a row.
    shift: Which part of the free width of a line stands before its text.
    texts: What the texts of such cells became that were met twice; `young`: that were met once, lately.
    least: How wide each must be at least.
    """

    computed: Any
    padding: Sides
    align: str
    background: Color
    strut: TextStyle
    ink: Color
    plain: bool
    tag: str
    row_header: bool
    shift: float
    texts: dict[str, Content] = field(default_factory=dict)
    young: dict[str, Content] = field(default_factory=dict)
    least: dict[Run, float] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Cell:
    """One cell of a row kind.

    x: First column.
    """

    kind: CellKind
    x: int
    span: int


@dataclass(eq=False, slots=True)
class RowKind:
    """What all rows of one structure share.

    plain: Whether the texts of all its cells are read without looking at white space rules.
    data: Whether it has no header cells. painted: Whether it or a cell has a background.
    stripes: How such rows are drawn and tagged, by lines and headers of their cells. heights: Of a line of each cell.
    """

    computed: Any
    background: Color
    cells: tuple[Cell, ...]
    plain: bool
    data: bool
    painted: bool
    stripes: dict[object, StripeKind] = field(default_factory=dict)
    heights: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Note how high a line of each cell is."""
        self.heights = tuple(cell.kind.strut.height for cell in self.cells)


@dataclass(eq=False, slots=True)
class RowForm:
    """What rows of one kind share that meet the same neighbours.

    borders: Used widths of each cell's borders, half of what it shares with its neighbours.
    beside: Of each cell, what stands left and right of its content together.
    heights: By lines of the cells: the row's height, and where each cell's first baseline is from its top.
    """

    kind: RowKind
    borders: tuple[Sides, ...]
    beside: tuple[float, ...]
    heights: dict[tuple[int | Tall, ...], tuple[float, tuple[float, ...]]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Row:
    """One row; lines of its cells are set once the columns are known.

    contents: Of each cell.
    form: Known once the rows beside it are.
    lines: Of each cell: runs where each is a line, else lines; None where every content is a run that fits, or nothing.
    counts: Lines of each cell. baselines: The first of each cell, from the row's top.
    """

    element: Element
    kind: RowKind
    contents: tuple[Content, ...] = ()
    form: RowForm | None = None
    lines: list[tuple[Run, ...] | list[LinePart]] | None = None
    height: float = 0
    counts: tuple[int | Tall, ...] = ()
    baselines: tuple[float, ...] = ()

    @property
    def computed(self) -> Any:
        """Style of the row."""
        return self.kind.computed


@dataclass(slots=True)
class Table:
    """A table that is ready to be put on pages.

    x, width: Of the grid. places: Left edge, width and alignment of the contents of a row. columns: Left edge of each column, and the right edge of the last.
    """

    element: Element
    computed: Any
    header: list[Row]
    rows: list[Row]
    x: float
    width: float
    columns: list[float]
    vertical: list[tuple[Border, ...]]
    horizontal: list[tuple[Border, ...]]
    border_top: float
    border_bottom: float
    background: Color
    places: dict[RowForm | None, list[tuple[float, float, float]]] = field(default_factory=dict)

    @property
    def outer_width(self) -> float:
        """From border to border, as far as the borders are the table's."""
        return self.width + (self.vertical[0][0][1] + self.vertical[0][-1][1]) / 2

    def moved(self, dx: float) -> Table:
        """Return the table at another place."""
        return replace(self, x=self.x + dx, columns=[one + dx for one in self.columns], places={}) if dx else self
