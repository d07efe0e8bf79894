"""What tables are made of while they are laid out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.inline import Line, Segment
from ccm.compose.document.fill.measures import Sides
from ccm.compose.document.fill.text import TextStyle
from ccm.compose.document.fill.tree import Element

Border = tuple[tuple[int, float, int], float, Color]  # strength, width in px, colour


@dataclass(eq=False, slots=True)
class CellKind:
    """What all cells of one structure share.

    plain: Whether a text in it is read without looking at white space rules.
    """

    computed: Any
    padding: Sides
    align: str
    background: Color
    strut: TextStyle
    ink: Color
    plain: bool
    tag: str


@dataclass(eq=False, slots=True)
class Cell:
    """One cell.

    x: First column.
    """

    element: Element
    kind: CellKind
    x: int
    span: int
    paragraphs: list[list[Segment]]
    lines: list[Line] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Row:
    """One row; lines of its cells are set once the columns are known.

    kind: The same for rows whose cells are of the same kinds and spans.
    borders: Used widths of each cell's borders, half of what it shares with its neighbours.
    tops: Where the lines of each cell begin, from the row's top.
    """

    element: Element
    computed: Any
    cells: list[Cell]
    kind: int
    background: Color
    borders: tuple[Sides, ...] = ()
    height: float = 0
    tops: tuple[float, ...] = ()


@dataclass(slots=True)
class Table:
    """A table that is ready to be put on pages.

    x, width: Of the grid. columns: Left edge of each column, and the right edge of the last.
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
