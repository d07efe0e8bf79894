"""Tags of the structure tree, as the engine gives them to elements and boxes.

Source: WeasyPrint 70, pdf/tags.py.
"""

from __future__ import annotations

from collections import defaultdict

from ccm.compose.document.fill.display import Cell, Tag
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


def name_headers(number: int, rows: list[list[tuple[Tag, Element, int]]]) -> None:
    """Tell every cell of a table which header cells it belongs to.

    Args:
        number: Of the table within the file.
        rows: Cells of each row: tag, element, columns taken.
    """
    of_column: dict[int, list[str]] = defaultdict(list)
    of_row: dict[int, list[str]] = defaultdict(list)
    for row, cells in enumerate(rows):
        column = 0
        for tag, element, span in cells:
            tag.cell = Cell(span=span)
            if element.tag == "th":
                tag.cell.name = f"{number}-{row}-{column}"
                mine = of_row[row] if ("scope", "row") in element.attributes else of_column[column]
                mine.append(tag.cell.name)
            column += span
    for row, cells in enumerate(rows):
        column = 0
        for tag, element, span in cells:
            if element.tag == "td" and tag.cell is not None:
                headers = list(of_row[row])
                for one in range(column, column + span):
                    headers += of_column[one]
                tag.cell.headers = tuple(headers)
            column += span
