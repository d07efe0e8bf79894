"""Tags of the structure tree, as the engine gives them to elements and boxes.

Source: WeasyPrint 70, pdf/tags.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from ccm.compose.document.fill.display import Cell, Tag
from ccm.compose.document.fill.table_parts import Cell as TableCell
from ccm.compose.document.fill.table_parts import RowKind
from ccm.compose.document.fill.tree import Element
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


class InlineTags:
    """Tags of the inline elements within one line."""

    def __init__(self, block: Element, tag: Tag) -> None:
        self._known = {id(block): tag}

    def of(self, element: Element) -> Tag:
        """Return the tag that text directly in an element belongs to."""
        known = self._known.get(id(element))
        if known is None:
            assert element.parent is not None
            above = self.of(element.parent)
            known = self._known[id(element)] = Tag(kind_of(element.tag))
            above.children.append(known)
        return known


def name_headers(number: int, rows: list[RowKind]) -> list[tuple[Cell, ...]]:
    """Return what the tags of all cells of a table say: their own names, and which header cells they belong to.

    Args:
        number: Of the table within the file.
        rows: Its rows on one page.
    """
    of_column: dict[int, list[str]] = defaultdict(list)
    of_row: dict[int, list[str]] = defaultdict(list)
    for row, kind in enumerate(rows):
        if not kind.data:
            for cell in kind.cells:
                if cell.kind.tag == "TH":
                    mine = of_row[row] if cell.kind.row_header else of_column[cell.x]
                    mine.append(f"{number}-{row}-{cell.x}")
    alike: dict[RowKind, tuple[Cell, ...]] = {}
    found = []
    for row, kind in enumerate(rows):
        said = alike.get(kind)
        if said is None:
            said = tuple([_said(number, row, cell, of_row[row], of_column) for cell in kind.cells])
            if kind.data:
                said = alike[kind] = _same(said)
        found.append(said)
    return found


def _said(number: int, row: int, cell: TableCell, of_row: list[str], of_column: Mapping[int, list[str]]) -> Cell:
    name = f"{number}-{row}-{cell.x}" if cell.kind.tag == "TH" else ""
    headers = () if name else (*of_row, *[one for x in range(cell.x, cell.x + cell.span) for one in of_column[x]])
    return Cell(name, headers, cell.span)


@lru_cache(maxsize=4096)
def _same(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return equal cells as the same cells, which are looked up faster."""
    return cells
