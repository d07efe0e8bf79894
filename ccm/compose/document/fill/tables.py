"""Tables: column widths and rows, as the engine lays them out.

Source: CSS 2.1 section 17 and CSS Tables 3 as WeasyPrint 70 reads them (layout/table.py, layout/preferred.py).
"""

from __future__ import annotations

from typing import Any

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.inline import Inlines, Line
from ccm.compose.document.fill.measures import Sides, borders, color, length, paddings
from ccm.compose.document.fill.styles import StyleBook
from ccm.compose.document.fill.table_borders import Borders
from ccm.compose.document.fill.table_parts import Cell, CellKind, Row, Table
from ccm.compose.document.fill.tags import kind_of
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.tree import Element
from ccm.compose.document.fill.unfillable import Unfillable

_ALIGNS = {"top", "middle", "bottom", "baseline"}
_GROUPS = {"table-header-group": 0, "table-row-group": 1, "table-footer-group": 2}


class Tables:
    """Lays tables out."""

    def __init__(self, book: StyleBook, fonts: Fonts, inlines: Inlines) -> None:
        self._book = book
        self._fonts = fonts
        self._inlines = inlines
        self._cell_kinds: dict[tuple[int, float], CellKind] = {}
        self._row_kinds: dict[tuple[object, ...], int] = {}
        self._borders = Borders()
        self._heights: dict[object, tuple[float, tuple[float, ...]]] = {}
        self._plain_rows: dict[int, Color] = {}

    def layout(self, element: Element, x: float, available: float) -> Table:
        """Lay out a table.

        Args:
            x: Left margin edge.
            available: Width of the containing block, in px.
        """
        computed = self._book.known(element)[0]
        self._refuse(computed)
        header, rows = self._rows(element, available)
        everything = header + rows
        count = max((row.cells[-1].x + row.cells[-1].span for row in everything if row.cells), default=0)
        if not count or any(not row.cells for row in everything):
            raise Unfillable("an empty table or row")
        vertical, horizontal = self._borders.collapsed(element.signature, computed, everything, count)
        edges = Sides(
            max([one[1] for one in horizontal[0]]) / 2,
            vertical[0][count][1] / 2,
            max([one[1] for one in horizontal[-1]]) / 2,
            vertical[0][0][1] / 2,
        )
        widths = self._widths(computed, everything, count, available - edges.left - edges.right, available)
        columns = [x + edges.left]
        for width in widths:
            columns.append(columns[-1] + width)
        for row in everything:
            self._set(row, widths)
        return Table(
            element, computed, header, rows, x, columns[-1] - columns[0], columns, vertical, horizontal,
            edges.top, edges.bottom, color(computed["background_color"], computed["color"]),
        )  # fmt: skip

    def _refuse(self, computed: Any) -> None:
        if computed["border_collapse"] != "collapse":
            raise Unfillable("a table with separate borders")
        if computed["direction"] != "ltr":
            raise Unfillable("a table from right to left")
        if computed["height"] != "auto" or computed["caption_side"] not in ("top",):
            raise Unfillable("a table with a height")

    def _rows(self, element: Element, available: float) -> tuple[list[Row], list[Row]]:
        parts: tuple[list[Row], list[Row], list[Row]] = ([], [], [])
        for group in element.children:
            if type(group) is str:
                continue
            assert isinstance(group, Element)
            style = self._book.known(group)[0]
            kind = _GROUPS.get(style["display"][0])
            if kind is None or kind == 2:
                raise Unfillable(f"<{group.tag}> in a table")
            if kind == 0 and (parts[0] or parts[1]):
                raise Unfillable("a second table head")
            self._plain_group(style)
            for row in group.children:
                if type(row) is not str:
                    assert isinstance(row, Element)
                    parts[kind].append(self._row(row, available))
        return parts[0], parts[1]

    def _plain_group(self, style: Any) -> None:
        if style["background_color"].alpha or any(borders(style)) or style["break_inside"] != "auto":
            raise Unfillable("a row group with borders, background or break-inside")
        if style["break_before"] != "auto" or style["break_after"] != "auto":
            raise Unfillable("a row group with breaks")

    def _row(self, element: Element, available: float) -> Row:
        style = self._book.styles[element.signature][0]
        background = self._plain_rows.get(element.signature)
        if background is None:
            self._book.known(element)
            if style["display"] != ("table-row",) or style["height"] != "auto" or any(borders(style)):
                raise Unfillable("a row that is no plain row")
            background = self._plain_rows[element.signature] = color(style["background_color"], style["color"])
        cells = []
        key: list[object] = [element.signature]
        x = 0
        for child in element.children:
            if type(child) is not str:
                assert isinstance(child, Element)
                cell = self._cell(child, x, available)
                cells.append(cell)
                key.append(cell.kind)
                key.append(cell.span)
                x += cell.span
        kind = self._row_kinds.setdefault(tuple(key), len(self._row_kinds))
        return Row(element, style, cells, kind, background)

    def _cell(self, element: Element, x: int, available: float) -> Cell:
        kind = self._cell_kinds.get((element.signature, available))
        if kind is None:
            kind = self._cell_kinds[element.signature, available] = self._cell_kind(element, available)
        span = 1
        if element.attributes:
            for name, value in element.attributes:
                if name == "colspan":
                    span = int(value)
        paragraphs = self._inlines.plain(element, kind.computed, kind.strut, kind.ink) if kind.plain else None
        if paragraphs is None:
            paragraphs = self._inlines.paragraphs(element)
        return Cell(element, kind, x, span, paragraphs)

    def _cell_kind(self, element: Element, available: float) -> CellKind:
        style, before, after = self._book.known(element)
        if before is not None or after is not None or "rowspan" in dict(element.attributes):
            raise Unfillable("a cell over several rows or with generated content")
        least = style["min_height"]
        if style["display"] != ("table-cell",) or style["height"] != "auto" or getattr(least, "value", 0):
            raise Unfillable("a cell with a height")
        if (
            style["position"] != "static"
            or style["overflow"] != "visible"
            or style["background_image"] != (("none", None),)
        ):
            raise Unfillable("a cell with position, overflow or a picture")
        return CellKind(
            style,
            paddings(style, available),
            style["vertical_align"] if style["vertical_align"] in _ALIGNS else "baseline",
            color(style["background_color"], style["color"]),
            self._fonts.style(style),
            color(style["color"]),
            style["white_space"] in ("normal", "nowrap"),
            kind_of(element.tag),
        )

    # ── columns ──────────────────────────────────────────────────────────────

    def _widths(self, computed: Any, rows: list[Row], count: int, inner: float, available: float) -> list[float]:
        """Return the width of each column."""
        if computed["table_layout"] == "fixed" and computed["width"] != "auto":
            raise Unfillable("a table of fixed layout")
        width = computed["width"]
        if width == "auto":
            table = None
        elif getattr(width, "unit", "") == "%" and computed["box_sizing"] == "border-box":
            table = length(width, available) - (available - inner)
        else:
            raise Unfillable("a table with a width in other units than percent")
        if any(kind.computed["width"] != "auto" for kind in {cell.kind for row in rows for cell in row.cells}):
            raise Unfillable("columns with a width")
        if any(cell.span != 1 for row in rows for cell in row.cells):
            raise Unfillable("cells over several columns")
        most = [0.0] * count
        inlines = self._inlines
        for row in rows:
            for cell, border in zip(row.cells, row.borders, strict=True):
                paragraphs = cell.paragraphs
                if len(paragraphs) == 1 and len(paragraphs[0]) == 1:
                    segment = paragraphs[0][0]
                    outer = segment.style.shape(segment.text).width
                else:
                    outer = inlines.widest(paragraphs)
                padding = cell.kind.padding
                outer += padding.left + padding.right + border.left + border.right
                if outer > most[cell.x]:
                    most[cell.x] = outer
        total = sum(most)
        if table is None:
            table = min(total, inner) if total > inner else total
        if table * (1 + 1e-9) >= total:
            excess = table - total
            ratio = excess / total
            return [one + one * ratio for one in most] if excess else most
        least = [0.0] * count
        for row in rows:
            for cell, border in zip(row.cells, row.borders, strict=True):
                padding = cell.kind.padding
                outer = inlines.narrowest(cell.paragraphs) + padding.left + padding.right + border.left + border.right
                if outer > least[cell.x]:
                    least[cell.x] = outer
        smallest = sum(least)
        if table < smallest:
            table = smallest
        if table * (1 + 1e-9) >= total:
            raise Unfillable("a table wider than its place")
        added = [upper - lower for upper, lower in zip(most, least, strict=True)]
        share = (table - smallest) / sum(added)
        return [lower + more * share for lower, more in zip(least, added, strict=True)]

    # ── rows ─────────────────────────────────────────────────────────────────

    def _set(self, row: Row, widths: list[float]) -> None:
        """Set the lines of a row's cells, and find its height."""
        counts = []
        for cell, border in zip(row.cells, row.borders, strict=True):
            kind = cell.kind
            outer = widths[cell.x] if cell.span == 1 else sum(widths[cell.x : cell.x + cell.span])
            inner = outer - kind.padding.left - kind.padding.right - border.left - border.right
            paragraphs = cell.paragraphs
            if len(paragraphs) == 1 and len(paragraphs[0]) == 1:
                segment = paragraphs[0][0]
                run = segment.style.shape(segment.text)
                if run.width <= inner:
                    cell.lines = [Line([(run, segment)], run.width, kind.strut.height, kind.strut.baseline)]
                    counts.append(1)
                    continue
            cell.lines = self._inlines.lines(paragraphs, inner, kind.strut)
            counts.append(len(cell.lines))
        key = (row.kind, row.borders, *counts)
        known = self._heights.get(key)
        if known is None:
            known = self._heights[key] = _heights(row)
        row.height, row.tops = known


def _heights(row: Row) -> tuple[float, tuple[float, ...]]:
    """Return a row's height, and where the lines of each cell begin."""
    heights, baselines = [], []
    for cell, border in zip(row.cells, row.borders, strict=True):
        above = border.top + cell.kind.padding.top
        content = sum(line.height for line in cell.lines)
        heights.append(above + content + cell.kind.padding.bottom + border.bottom)
        baselines.append(above + (cell.lines[0].baseline if cell.lines else content))
    aligned = [one for one, cell in zip(baselines, row.cells, strict=True) if cell.kind.align == "baseline"]
    shared = max(aligned, default=0.0)
    down = [
        shared - one if cell.kind.align == "baseline" else 0.0 for one, cell in zip(baselines, row.cells, strict=True)
    ]
    height = max(one + extra for one, extra in zip(heights, down, strict=True))
    tops = []
    for cell, border, own, extra in zip(row.cells, row.borders, heights, down, strict=True):
        left = height - own - extra
        shift = {"bottom": left, "middle": left / 2}.get(cell.kind.align, 0.0)
        tops.append(border.top + cell.kind.padding.top + extra + shift)
    return height, tuple(tops)
