"""Tables: column widths and rows, as the engine lays them out.

Source: CSS 2.1 section 17 and CSS Tables 3 as WeasyPrint 70 reads them (layout/table.py, layout/preferred.py).
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from ccm.compose.document.fill.layout.columns import Asked, fixed, gathered, shared
from ccm.compose.document.fill.layout.inline import Inlines, of_text
from ccm.compose.document.fill.layout.row_groups import RowGroup, groups_of
from ccm.compose.document.fill.layout.table_borders import Borders
from ccm.compose.document.fill.layout.table_parts import Cell, CellKind, Content, Row, RowForm, RowKind, Table
from ccm.compose.document.fill.layout.tags import kind_of
from ccm.compose.document.fill.style.measures import (
    Percent,
    Sides,
    borders,
    color,
    length,
    paddings,
    shift_of,
    size,
    used,
)
from ccm.compose.document.fill.style.styles import StyleBook
from ccm.compose.document.fill.text.shaping import Fonts
from ccm.compose.document.fill.tree.elements import WHITE, Element, PlainRow, trimmed
from ccm.compose.document.fill.unfillable import Unfillable

_SLACK = 1 + 1e-9  # for rounding
_MOST = (1_200, 500)  # texts of one kind of cell that are remembered: met twice, and met once, lately
_ALIGNS = {"top", "middle", "bottom", "baseline"}
_GROUPS = {"table-header-group": 0, "table-row-group": 1, "table-footer-group": 2}


class Tables:
    """Lays tables out."""

    def __init__(self, book: StyleBook, fonts: Fonts, inlines: Inlines) -> None:
        self._book = book
        self._fonts = fonts
        self._inlines = inlines
        self._cell_kinds: dict[tuple[int, float], CellKind] = {}
        self._row_kinds: dict[tuple[int, tuple[int, ...], float], RowKind] = {}
        self._mirrors: dict[tuple[RowKind, int], RowKind] = {}
        self._borders = Borders()

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
        kinds = {row.kind for row in everything}
        if not kinds or any(not kind.cells for kind in kinds):
            raise Unfillable("an empty table or row")
        count = max(kind.cells[-1].x + kind.cells[-1].span for kind in kinds)
        if computed["direction"] == "rtl":
            for row in everything:
                row.kind = self._mirrored(row.kind, count)
        vertical, horizontal = self._borders.collapsed(element.signature, computed, everything, count)
        edges = Sides(
            max([one[1] for one in horizontal[0]]) / 2,
            vertical[0][count][1] / 2,
            max([one[1] for one in horizontal[-1]]) / 2,
            vertical[0][0][1] / 2,
        )
        groups = groups_of(everything, self._inlines)
        widths = self._widths(computed, groups, count, available - edges.left - edges.right, available)
        if sum(widths) > (available - edges.left - edges.right) * _SLACK:
            raise Unfillable("a table wider than its place")
        columns = [x + edges.left]
        for width in widths:
            columns.append(columns[-1] + width)
        for group in groups:
            group.set(widths)
        return Table(
            element, computed, header, rows, x, columns[-1] - columns[0], columns, vertical, horizontal,
            edges.top, edges.bottom, color(computed["background_color"], computed["color"]),
        )  # fmt: skip

    def _mirrored(self, kind: RowKind, count: int) -> RowKind:
        """Return a kind of row with its columns counted from the left, in a table that is read from the right."""
        known = self._mirrors.get((kind, count))
        if known is None:
            cells = tuple(replace(cell, x=count - cell.x - cell.span) for cell in kind.cells)
            known = self._mirrors[kind, count] = replace(kind, cells=cells, stripes={})
        return known

    def _refuse(self, computed: Any) -> None:
        if computed["border_collapse"] != "collapse":
            raise Unfillable("a table with separate borders")
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
            rows = self._rows_of(group, available)
            if not rows:
                raise Unfillable(f"<{group.tag}> without rows")  # it has a tag, and no place
            parts[kind].extend(rows)
        if not parts[1]:
            raise Unfillable("a table without rows")
        return parts[0], parts[1]

    def _plain_group(self, style: Any) -> None:
        if style["background_color"].alpha or any(borders(style)) or style["break_inside"] != "auto":
            raise Unfillable("a row group with borders, background or break-inside")
        if style["break_before"] != "auto" or style["break_after"] != "auto":
            raise Unfillable("a row group with breaks")

    def _rows_of(self, group: Element, available: float) -> list[Row]:
        """Return the rows of a group."""
        rows: list[Row] = []
        plain: dict[RowKind, list[Row]] = {}
        kinds = self._row_kinds
        for element in group.children:
            if type(element) is PlainRow:
                kind = kinds.get((element.signature, element.signatures, available))
                if kind is not None and kind.plain:
                    row = Row(element, kind)
                    rows.append(row)
                    same = plain.get(kind)
                    if same is None:
                        plain[kind] = [row]
                    else:
                        same.append(row)
                    continue
            if type(element) is not str:
                assert isinstance(element, Element)
                rows.append(self._row(element, available))
        for kind, same in plain.items():
            _fill(kind, same)
        return rows

    def _row(self, element: Element, available: float) -> Row:
        cells = [child for child in element.children if isinstance(child, Element)]
        key = (element.signature, tuple([cell.signature for cell in cells]), available)
        kind = self._row_kinds.get(key)
        if kind is None:
            kind = self._row_kinds[key] = self._row_kind(element, cells, available)
        contents = [self._content(cell.kind, one) for cell, one in zip(kind.cells, cells, strict=True)]
        return Row(element, kind, tuple(contents))

    def _row_kind(self, element: Element, children: list[Element], available: float) -> RowKind:
        style = self._book.known(element)[0]
        if style["display"] != ("table-row",) or style["height"] != "auto" or any(borders(style)):
            raise Unfillable("a row that is no plain row")
        cells = []
        x = 0
        for child in children:
            kind = self._cell_kinds.get((child.signature, available))
            if kind is None:
                kind = self._cell_kinds[child.signature, available] = self._cell_kind(child, available)
            span = int(dict(child.attributes).get("colspan", 1))
            cells.append(Cell(kind, x, span))
            x += span
        background = color(style["background_color"], style["color"])
        plain, data = all(cell.kind.plain for cell in cells), all(cell.kind.tag == "TD" for cell in cells)
        painted = background[3] > 0 or any(cell.kind.background[3] for cell in cells)
        return RowKind(style, background, tuple(cells), plain, data, painted)

    def _content(self, kind: CellKind, element: Element) -> Content:
        children = element.children
        if kind.plain and all(type(child) is str for child in children):
            return _content(kind, "".join(children))  # type: ignore[arg-type]  # all of them are texts
        return self._inlines.paragraph(element)

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
            ("scope", "row") in element.attributes,
            shift_of(style),
        )

    # ── columns ──────────────────────────────────────────────────────────────

    def _widths(self, computed: Any, groups: list[RowGroup], count: int, inner: float, available: float) -> list[float]:
        """Return the width of each column."""
        width = computed["width"]
        if width == "auto":
            table = None
        elif computed["box_sizing"] == "border-box":
            table = length(width, available) - (available - inner)
        else:
            raise Unfillable("a table whose width is that of its content")
        if table is not None and computed["table_layout"] == "fixed":
            return fixed(count, table, _first_row(groups[0].form, table))
        kinds = {group.form.kind for group in groups}
        if any(cell.span != 1 or cell.kind.computed["width"] != "auto" for kind in kinds for cell in kind.cells):
            columns = gathered(count, list(_asked(groups)))
            if table is None:
                table = min(max(columns.table_least, inner), columns.table_most)
            return shared(columns, max(table, columns.table_least))
        most = _extremes(groups, count, least=False)
        total = sum(most)
        if table is None:
            table = min(total, inner) if total > inner else total
        if table * (1 + 1e-9) >= total:
            excess = table - total
            ratio = excess / total
            return [one + one * ratio for one in most] if excess else most
        least = _extremes(groups, count, least=True)
        smallest = sum(least)
        if table < smallest:
            table = smallest
        if table * (1 + 1e-9) >= total:
            raise Unfillable("a table wider than its place")
        added = [upper - lower for upper, lower in zip(most, least, strict=True)]
        share = (table - smallest) / sum(added)
        return [lower + more * share for lower, more in zip(least, added, strict=True)]

    def content_width(self, element: Element, *, least: bool) -> float:
        """Return the least or the greatest width of a table, its borders included."""
        computed = self._book.known(element)[0]
        self._refuse(computed)
        if getattr(computed["width"], "unit", "%") != "%":
            raise Unfillable("a table with a width in a box that is as wide as its content")
        header, rows = self._rows(element, 0.0)
        everything = header + rows
        kinds = {row.kind for row in everything}
        sides = ("padding_left", "padding_right")
        if not kinds or any(
            cell.kind.computed[side].unit == "%" for one in kinds for cell in one.cells for side in sides
        ):
            raise Unfillable("a table with paddings in percent in a box that is as wide as its content")
        count = max(one.cells[-1].x + one.cells[-1].span for one in kinds)
        vertical, _ = self._borders.collapsed(element.signature, computed, everything, count)
        columns = gathered(count, list(_asked(groups_of(everything, self._inlines))))
        width = columns.table_least if least else columns.table_most
        return width + vertical[0][0][1] / 2 + vertical[0][count][1] / 2


def _asked(groups: list[RowGroup]) -> Iterator[Asked]:
    """Return what the cells ask for."""
    for group in groups:
        for at, (cell, beside) in enumerate(zip(group.form.kind.cells, group.form.beside, strict=True)):
            computed = cell.kind.computed
            said = size(computed["width"])
            least, most = group.least(at) + beside, group.most[at] + beside
            if said is not None and type(said) is not Percent:
                most = max(said, beside) if computed["box_sizing"] == "border-box" else said + beside
            yield Asked(cell.x, cell.span, least, most, said)


def _extremes(groups: list[RowGroup], count: int, *, least: bool) -> list[float]:
    """Return what each column asks for: the largest width of its cells with their paddings and borders."""
    found = [0.0] * count
    for group in groups:
        for at, (cell, beside) in enumerate(zip(group.form.kind.cells, group.form.beside, strict=True)):
            outer = (group.least(at) if least else group.most[at]) + beside
            if outer > found[cell.x]:
                found[cell.x] = outer
    return found


def _fill(kind: RowKind, rows: list[Row]) -> None:
    """Give rows of plain cells their contents, column by column."""
    sources = zip(*[row.element.texts for row in rows], strict=True)  # type: ignore[attr-defined]  # these are plain rows
    columns = [
        cell.kind.strut.contents(column, cell.kind.texts, cell.kind.young, partial(_read, cell.kind), _MOST)
        for cell, column in zip(kind.cells, sources, strict=True)
    ]
    for row, contents in zip(rows, zip(*columns, strict=True), strict=True):
        row.contents = contents


def _read(kind: CellKind, source: str) -> Content:
    """Return a text in the source of a page as the content of a cell."""
    return _content(kind, html.unescape(source) if "&" in source else source)


def _content(kind: CellKind, source: str) -> Content:
    """Return a text as the content of a cell: as a run where all of it stands on the cell's own baseline.

    Why a blank at its end makes a difference: The engine breaks lines with the blank, and takes it away afterwards.
    """
    text = trimmed(source)
    if not text:
        return None
    if source[-1] in WHITE and kind.computed["white_space"] != "nowrap":
        return of_text(text + " ", kind.strut, kind.computed, kind.ink)
    run = kind.strut.fresh(text)
    return run if run.rise is None else of_text(text, kind.strut, kind.computed, kind.ink)


def _first_row(form: RowForm, table: float) -> list[tuple[int, int, float | None]]:
    """Return what the cells of the first row say of their widths."""
    found = []
    for cell, beside in zip(form.kind.cells, form.beside, strict=True):
        computed = cell.kind.computed
        said = used(size(computed["width"]), table)
        if said is not None:
            said = max(said, beside) if computed["box_sizing"] == "border-box" else said + beside
        found.append((cell.x, cell.span, said))
    return found
