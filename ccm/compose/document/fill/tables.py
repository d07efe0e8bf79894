"""Tables: column widths, rows and collapsed borders, as the engine lays them out.

Source: CSS 2.1 section 17 and CSS Tables 3 as WeasyPrint 70 reads them (layout/table.py, layout/preferred.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ccm.compose.document.fill.display import Area, Color, Page, Tag, Text
from ccm.compose.document.fill.inline import Inlines, Line, Segment
from ccm.compose.document.fill.measures import Sides, borders, color, length, paddings
from ccm.compose.document.fill.styles import StyleBook
from ccm.compose.document.fill.tags import InlineTags, kind_of, name_headers
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.tree import Element
from ccm.compose.document.fill.unfillable import Unfillable

_ALIGNS = {"top", "middle", "bottom", "baseline"}
_GROUPS = {"table-header-group": 0, "table-row-group": 1, "table-footer-group": 2}
_NONE = ((0, 0.0, 0), 0.0, (0.0, 0.0, 0.0, 0.0))
_STRONG_NONE = ((1, 0.0, 9), 0.0, (0.0, 0.0, 0.0, 0.0))
_SCORES = {"none": 0, "solid": 7}

Border = tuple[tuple[int, float, int], float, Color]


@dataclass(slots=True)
class Cell:
    """One cell.

    x: First column. border: Used widths, half of what the cell shares with its neighbours.
    """

    element: Element
    computed: Any
    x: int
    span: int
    padding: Sides
    paragraphs: list[list[Segment]]
    border: Sides = Sides(0, 0, 0, 0)
    lines: list[Line] = field(default_factory=list)
    align: str = "baseline"
    background: Color = (0, 0, 0, 0)


@dataclass(slots=True)
class Row:
    """One row; lines of its cells are set once the columns are known."""

    element: Element
    computed: Any
    cells: list[Cell]
    height: float = 0
    tops: list[float] = field(default_factory=list)  # where the lines of each cell begin, from the row's top
    background: Color = (0, 0, 0, 0)


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
    vertical: list[list[Border]]
    horizontal: list[list[Border]]
    border_top: float
    border_bottom: float
    background: Color


class Tables:
    """Lays tables out."""

    def __init__(self, book: StyleBook, fonts: Fonts, inlines: Inlines) -> None:
        self._book = book
        self._fonts = fonts
        self._inlines = inlines

    def layout(self, element: Element, x: float, available: float) -> Table:
        """Lay out a table.

        Args:
            x: Left margin edge.
            available: Width of the containing block, in px.
        """
        computed = self._book.styles[element.signature][0]
        self._refuse(computed)
        header, rows = self._rows(element, available)
        everything = header + rows
        count = max((cell.x + cell.span for row in everything for cell in row.cells), default=0)
        if not count:
            raise Unfillable("an empty table")
        vertical, horizontal = self._collapsed(computed, everything, count)
        edges = Sides(
            max(one[1] for one in horizontal[0]) / 2,
            vertical[0][count][1] / 2,
            max(one[1] for one in horizontal[len(everything)]) / 2,
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
            style = self._book.styles[group.signature][0]
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
        if style["display"] != ("table-row",) or style["height"] != "auto" or any(borders(style)):
            raise Unfillable("a row that is no plain row")
        cells = []
        x = 0
        for child in element.children:
            if type(child) is str:
                continue
            assert isinstance(child, Element)
            cells.append(self._cell(child, x, available))
            x += cells[-1].span
        row = Row(element, style, cells)
        row.background = color(style["background_color"], style["color"])
        return row

    def _cell(self, element: Element, x: int, available: float) -> Cell:
        style, before, after = self._book.styles[element.signature]
        attributes = dict(element.attributes)
        if before is not None or after is not None or "rowspan" in attributes:
            raise Unfillable("a cell over several rows or with generated content")
        if style["display"] != ("table-cell",) or style["height"] != "auto" or style["min_height"] not in ("auto", 0) and getattr(style["min_height"], "value", 1):
            raise Unfillable("a cell with a height")
        if style["position"] != "static" or style["overflow"] != "visible" or style["background_image"] != (("none", None),):
            raise Unfillable("a cell with position, overflow or a picture")
        cell = Cell(
            element,
            style,
            x,
            int(attributes.get("colspan", "1")),
            paddings(style, available),
            self._inlines.paragraphs(element),
        )
        cell.align = style["vertical_align"] if style["vertical_align"] in _ALIGNS else "baseline"
        cell.background = color(style["background_color"], style["color"])
        return cell

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
        if any(cell.computed["width"] != "auto" for row in rows for cell in row.cells):
            raise Unfillable("columns with a width")
        if any(cell.span != 1 for row in rows for cell in row.cells):
            raise Unfillable("cells over several columns")
        most = [0.0] * count
        inlines = self._inlines
        for row in rows:
            for cell in row.cells:
                outer = inlines.widest(cell.paragraphs) + cell.padding.left + cell.padding.right + cell.border.left + cell.border.right  # fmt: skip
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
            for cell in row.cells:
                outer = inlines.narrowest(cell.paragraphs) + cell.padding.left + cell.padding.right + cell.border.left + cell.border.right  # fmt: skip
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
        heights = []
        baselines = []
        for cell in row.cells:
            outer = widths[cell.x] if cell.span == 1 else sum(widths[cell.x : cell.x + cell.span])
            inner = outer - cell.padding.left - cell.padding.right - cell.border.left - cell.border.right
            strut = self._fonts.style(cell.computed)
            cell.lines = self._inlines.lines(cell.paragraphs, inner, strut)
            above = cell.border.top + cell.padding.top
            content = sum(line.height for line in cell.lines)
            heights.append(above + content + cell.padding.bottom + cell.border.bottom)
            baselines.append(above + (cell.lines[0].baseline if cell.lines else content))
        shared = max((one for one, cell in zip(baselines, row.cells, strict=True) if cell.align == "baseline"), default=0.0)
        down = [
            shared - baseline if cell.align == "baseline" else 0.0
            for baseline, cell in zip(baselines, row.cells, strict=True)
        ]
        row.height = max(height + extra for height, extra in zip(heights, down, strict=True))
        row.tops = []
        for cell, height, extra in zip(row.cells, heights, down, strict=True):
            left = row.height - height - extra
            shift = {"bottom": left, "middle": left / 2}.get(cell.align, 0.0)
            row.tops.append(cell.border.top + cell.padding.top + extra + shift)

    # ── borders ──────────────────────────────────────────────────────────────

    def _collapsed(self, computed: Any, rows: list[Row], count: int) -> tuple[list[list[Border]], list[list[Border]]]:
        """Resolve border conflicts; gives every cell its used widths."""
        vertical: list[list[Border]] = [[_NONE] * (count + 1) for _ in rows]
        horizontal: list[list[Border]] = [[_NONE] * count for _ in range(len(rows) + 1)]
        for y, row in enumerate(rows):
            for cell in row.cells:
                for x in range(cell.x + 1, cell.x + cell.span):
                    vertical[y][x] = _STRONG_NONE
                _contend(vertical[y], cell.x, cell.computed, "left")
                _contend(vertical[y], cell.x + cell.span, cell.computed, "right")
                for x in range(cell.x, cell.x + cell.span):
                    _contend(horizontal[y], x, cell.computed, "top")
                    _contend(horizontal[y + 1], x, cell.computed, "bottom")
        for y in range(len(rows)):
            _contend(vertical[y], 0, computed, "left")
            _contend(vertical[y], count, computed, "right")
        for x in range(count):
            _contend(horizontal[0], x, computed, "top")
            _contend(horizontal[len(rows)], x, computed, "bottom")
        for y, row in enumerate(rows):
            for cell in row.cells:
                end = cell.x + cell.span
                cell.border = Sides(
                    max(one[1] for one in horizontal[y][cell.x : end]) / 2,
                    vertical[y][end][1] / 2,
                    max(one[1] for one in horizontal[y + 1][cell.x : end]) / 2,
                    vertical[y][cell.x][1] / 2,
                )
        return vertical, horizontal


def _contend(grid: list[Border], at: int, computed: Any, side: str) -> None:
    """Put a border into the grid where it is stronger than what is there."""
    width = float(computed[f"border_{side}_width"])
    style = computed[f"border_{side}_style"]
    if not width:
        if style == "hidden":
            raise Unfillable("a hidden border")
        return
    rank = _SCORES.get(style)
    if rank is None:
        raise Unfillable(f"a {style} border")
    score = (0, width, rank)
    if grid[at][0] < score:
        grid[at] = (score, width, color(computed[f"border_{side}_color"], computed["color"]))


def draw_rows(table: Table, skipped: int, rows: list[Row], y: float, page: Page, tag: Tag, number: int) -> float:
    """Draw the head and some rows below each other; returns where they end.

    Args:
        skipped: How many body rows earlier pages took.
        y: Top of the first row.
        tag: Of the table on this page.
        number: Of the table within the file.
    """
    head = len(table.header)
    across = [*range(head), *range(head + skipped, head + skipped + len(rows))]
    along = [*range(head + 1), *range(head + skipped + 1, head + skipped + len(rows) + 1)]
    rows = table.header + rows
    lines: list[tuple[tuple[int, float, int], Area]] = []
    tops = [y]
    for row in rows:
        tops.append(tops[-1] + row.height)
    areas = page.areas
    for row, top in zip(rows, tops, strict=False):
        if row.background[3]:
            areas.append(Area(table.columns[0], top, table.width, row.height, row.background))
        for cell in row.cells:
            if cell.background[3]:
                left, right = table.columns[cell.x], table.columns[cell.x + cell.span]
                areas.append(Area(left, top, right - left, row.height, cell.background))
    group: Element | None = None
    named: list[list[tuple[Tag, Element, int]]] = []
    for row, top in zip(rows, tops, strict=False):
        if row.element.parent is not group:
            group = row.element.parent
            assert group is not None
            group_tag = Tag(kind_of(group.tag))
            tag.children.append(group_tag)
        row_tag = Tag("TR")
        group_tag.children.append(row_tag)
        cells: list[tuple[Tag, Element, int]] = []
        for cell, start in zip(row.cells, row.tops, strict=True):
            cell_tag = Tag(kind_of(cell.element.tag))
            row_tag.children.append(cell_tag)
            cells.append((cell_tag, cell.element, cell.span))
            _draw_cell(table, cell, top + start, page, cell_tag)
        named.append(cells)
    name_headers(number, named)
    _lines_of(table, across, along, tops, lines)
    lines.sort(key=lambda one: one[0])
    areas += [area for _, area in lines]
    return tops[-1]


def _draw_cell(table: Table, cell: Cell, y: float, page: Page, tag: Tag) -> None:
    left = table.columns[cell.x] + cell.border.left + cell.padding.left
    right = table.columns[cell.x + cell.span] - cell.border.right - cell.padding.right
    draw_lines(cell.lines, cell.element, cell.computed, left, right - left, y, page, tag)


def draw_lines(
    lines: list[Line], block: Element, computed: Any, x: float, width: float, y: float, page: Page, tag: Tag
) -> None:
    """Draw the lines of a block, aligned as its style says."""
    align = computed["text_align_all"]
    for line in lines:
        at = x
        if align in ("end", "right"):
            at = x + width - line.width
        elif align == "center":
            at = x + (width - line.width) / 2
        elif align not in ("start", "left"):
            raise Unfillable(f"text-align: {align}")
        base = y + line.baseline
        if len(line.runs) == 1 and line.runs[0][1].element is block:
            run, segment = line.runs[0]
            text = Text(at, base, run, segment.color)
            tag.children.append(text)
            page.marked.append(text)
        else:
            inline = InlineTags(block, tag)
            for run, segment in line.runs:
                text = Text(at, base, run, segment.color)
                inline.of(segment.element).children.append(text)
                page.marked.append(text)
                at += run.width
        y += line.height


def _lines_of(
    table: Table,
    beside: list[int],
    below: list[int],
    tops: list[float],
    lines: list[tuple[tuple[int, float, int], Area]],
) -> None:
    """Collect the border segments around some rows.

    Args:
        beside, below: Places in the border grid of what stands beside each row, and above and below it.
    """
    count = len(table.columns) - 1
    height = len(tops) - 1

    def across(y: int, x: int) -> float:
        inside = 0 <= y < height and 0 <= x <= count
        return table.vertical[beside[y]][x][1] if inside else 0.0

    def along(y: int, x: int) -> float:
        inside = 0 <= y <= height and 0 <= x < count
        return table.horizontal[below[y]][x][1] if inside else 0.0

    for y in range(height + 1):
        for x in range(count):
            score, width, ink = table.horizontal[below[y]][x]
            if width and ink[3]:
                before = max(across(y - 1, x), across(y, x)) / 2
                after = max(across(y - 1, x + 1), across(y, x + 1)) / 2
                left, right = table.columns[x] - before, table.columns[x + 1] + after
                lines.append((score, Area(left, tops[y] - width / 2, right - left, width, ink)))
    for y in range(height):
        for x in range(count + 1):
            score, width, ink = table.vertical[beside[y]][x]
            if width and ink[3]:
                above = max(along(y, x - 1), along(y, x)) / 2
                below = max(along(y + 1, x - 1), along(y + 1, x)) / 2
                top, bottom = tops[y] - above, tops[y + 1] + below
                lines.append((score, Area(table.columns[x] - width / 2, top, width, bottom - top, ink)))
