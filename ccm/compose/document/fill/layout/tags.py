"""Tags of the structure tree, as the engine gives them to elements and boxes.

Source: WeasyPrint 70, pdf/tags.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ccm.compose.document.fill.display import Cell
from ccm.compose.document.fill.layout.table_parts import RowKind
from ccm.compose.document.fill.unfillable import Unfillable

_KINDS = {
    "div": "Div", "span": "Span", "main": "Part", "article": "Art", "section": "Sect", "blockquote": "BlockQuote", "p": "P",
    "table": "Table", "tr": "TR", "th": "TH", "td": "TD", "thead": "THead", "tbody": "TBody", "tfoot": "TFoot",
    "caption": "Caption", "figcaption": "Caption", **{f"h{level}": f"H{level}" for level in range(1, 7)},
}  # fmt: skip
_NOT_OURS = frozenset(("a", "dl", "ul", "ol", "li", "dt", "dd", "img", "svg"))


def kind_of(tag: str) -> str:
    """Return the tag of an element.

    Raises:
        Unfillable: For lists, links and pictures, whose tags hang on more than the element.
    """
    if tag in _NOT_OURS:
        raise Unfillable(f"<{tag}>")
    return _KINDS.get(tag, "NonStruct")


@dataclass(eq=False, slots=True)
class Said:
    """What the tags of a row's cells say beside their content; equal ones are the same one."""

    cells: tuple[Cell, ...]


def name_headers(number: int, rows: list[RowKind]) -> list[Said]:
    """Return what the tags of all cells of a table say: their own names, and which header cells they belong to.

    Args:
        number: Of the table within the file.
        rows: Its rows on one page.
    """
    if all(kind.data for kind in rows[1:]):
        said = _under(number, rows[0])
        return [said.head, *[said.below.get(kind) or said.of(kind) for kind in rows[1:]]]
    of_column: dict[int, list[str]] = defaultdict(list)
    of_row: dict[int, list[str]] = defaultdict(list)
    for row, kind in enumerate(rows):
        if not kind.data:
            for cell in kind.cells:
                if cell.kind.tag == "TH":
                    mine = of_row[row] if cell.kind.row_header else of_column[cell.x]
                    mine.append(f"{number}-{row}-{cell.x}")
    return [_same(tuple(_said(number, row, kind, of_row[row], of_column))) for row, kind in enumerate(rows)]


class _Under:
    """What cells say in a table whose first row alone may have header cells."""

    def __init__(self, number: int, first: RowKind) -> None:
        self._number = number
        self._columns: dict[int, list[str]] = defaultdict(list)
        own: list[str] = []
        for cell in first.cells:
            if cell.kind.tag == "TH":
                (own if cell.kind.row_header else self._columns[cell.x]).append(f"{number}-0-{cell.x}")
        self.head = _same(tuple(_said(number, 0, first, own, self._columns)))
        self.below: dict[RowKind, Said] = {}

    def of(self, kind: RowKind) -> Said:
        """Return what the cells of another row say."""
        self.below[kind] = _same(tuple(_said(self._number, 0, kind, [], self._columns)))
        return self.below[kind]


@lru_cache(maxsize=1024)
def _under(number: int, first: RowKind) -> _Under:
    return _Under(number, first)


def _said(
    number: int, row: int, kind: RowKind, of_row: list[str], of_column: Mapping[int, list[str]]
) -> Iterator[Cell]:
    for cell in kind.cells:
        name = f"{number}-{row}-{cell.x}" if cell.kind.tag == "TH" else ""
        headers = () if name else (*of_row, *[one for x in range(cell.x, cell.x + cell.span) for one in of_column[x]])
        yield Cell(name, headers, cell.span)


@lru_cache(maxsize=4096)
def _same(cells: tuple[Cell, ...]) -> Said:
    return Said(cells)
