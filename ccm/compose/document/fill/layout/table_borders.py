"""Collapsed borders: who wins where two meet, and the lines that are drawn.

Source: CSS 2.1 section 17.6.2 as WeasyPrint 70 reads it (layout/table.py, draw/__init__.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.layout.table_parts import Border, Row, RowForm, RowKind, Table
from ccm.compose.document.fill.style.measures import Sides, color
from ccm.compose.document.fill.unfillable import Unfillable

_NONE: Border = ((0, 0.0, 0), 0.0, (0.0, 0.0, 0.0, 0.0))
_STRONG_NONE: Border = ((1, 0.0, 9), 0.0, (0.0, 0.0, 0.0, 0.0))
_SCORES = {"none": 0, "solid": 7}


class Borders:
    """Resolves the borders of tables; rows of one kind meet the same way everywhere, so that is remembered."""

    def __init__(self) -> None:
        self._row_borders: dict[object, Any] = {}
        self._same: dict[tuple[Border, ...], tuple[Border, ...]] = {}  # equal ones are one, so that forms are few

    def collapsed(
        self, table: int, computed: Any, rows: list[Row], count: int
    ) -> tuple[list[tuple[Border, ...]], list[tuple[Border, ...]]]:
        """Resolve border conflicts; gives every row the used widths of its cells."""
        known = self._row_borders
        vertical, horizontal = [], []
        above: RowKind | None = None
        for row, below in zip(rows, [*[row.kind for row in rows[1:]], None], strict=True):
            kind = row.kind
            key = (table, above, kind, below, count)
            met = known.get(key)
            if met is None:
                met = known[key] = self._met(table, computed, above, kind, below, count)
            row.form, beside, upper, lower = met
            vertical.append(beside)
            horizontal.append(upper)
            above = kind
        horizontal.append(lower)
        return vertical, horizontal

    def _met(
        self, table: int, computed: Any, above: RowKind | None, kind: RowKind, below: RowKind | None, count: int
    ) -> tuple[RowForm, tuple[Border, ...], tuple[Border, ...], tuple[Border, ...]]:
        """Return the form of a row between two others, and the borders beside, above and below it."""
        known = self._row_borders
        beside = known.get((table, kind, count))
        if beside is None:
            made = _beside(computed, kind, count)
            beside = known[table, kind, count] = self._same.setdefault(made, made)
        upper = self._between(table, computed, above, kind, count)
        lower = self._between(table, computed, kind, below, count)
        key = (id(upper), id(beside), id(lower), kind)
        form = known.get(key)
        if form is None:
            form = known[key] = _form(kind, upper, beside, lower)
        return form, beside, upper, lower

    def _between(
        self, table: int, computed: Any, above: RowKind | None, below: RowKind | None, count: int
    ) -> tuple[Border, ...]:
        """Return the borders between two rows, or of the table's edge."""
        key = (table, above, below, count)
        known: tuple[Border, ...] | None = self._row_borders.get(key)
        if known is None:
            grid = [_NONE] * count
            for kind, side in ((above, "bottom"), (below, "top")):
                for cell in kind.cells if kind else ():
                    for x in range(cell.x, cell.x + cell.span):
                        _contend(grid, x, cell.kind.computed, side)
            if above is None or below is None:
                for x in range(count):
                    _contend(grid, x, computed, "top" if above is None else "bottom")
            made = tuple(grid)
            known = self._row_borders[key] = self._same.setdefault(made, made)
        return known


def _form(kind: RowKind, above: tuple[Border, ...], beside: tuple[Border, ...], below: tuple[Border, ...]) -> RowForm:
    sides = tuple(
        Sides(
            max(one[1] for one in above[cell.x : cell.x + cell.span]) / 2,
            beside[cell.x + cell.span][1] / 2,
            max(one[1] for one in below[cell.x : cell.x + cell.span]) / 2,
            beside[cell.x][1] / 2,
        )
        for cell in kind.cells
    )
    paddings = [cell.kind.padding for cell in kind.cells]
    return RowForm(
        kind,
        sides,
        tuple(one.left + one.right + side.left + side.right for one, side in zip(paddings, sides, strict=True)),
    )


def _beside(computed: Any, kind: RowKind, count: int) -> tuple[Border, ...]:
    """Return the borders left and right of a row's cells."""
    grid = [_NONE] * (count + 1)
    for cell in kind.cells:
        for x in range(cell.x + 1, cell.x + cell.span):
            grid[x] = _STRONG_NONE
        _contend(grid, cell.x, cell.kind.computed, "left")
        _contend(grid, cell.x + cell.span, cell.kind.computed, "right")
    _contend(grid, 0, computed, "left")
    _contend(grid, count, computed, "right")
    return tuple(grid)


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


Line: TypeAlias = tuple[tuple[int, float, int], tuple[Color, float, float, float, float]]


def border_lines(table: Table, beside: list[int], below: list[int], tops: list[float]) -> list[Line]:
    """Return the border segments around some rows: strength, and colour, x, y, width and height.

    Args:
        beside, below: Places in the border grid of what stands beside each row, and above and below it.
    """
    lines: list[Line] = []
    count = len(table.columns) - 1
    height = len(tops) - 1
    if all(not width for row in {id(one): one for one in table.vertical}.values() for _, width, _ in row):
        columns = table.columns
        known: dict[int, list[tuple[tuple[int, float, int], float, Color, float, float]]] = {}
        for top, at in zip(tops, below, strict=True):
            borders = table.horizontal[at]
            spans = known.get(id(borders))
            if spans is None:
                spans = known[id(borders)] = [
                    (score, width, ink, columns[start], columns[end] - columns[start])
                    for start, end, (score, width, ink) in _runs(borders)
                ]
            for score, width, ink, left, length in spans:
                lines.append((score, (ink, left, top - width / 2, length, width)))
        return lines

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
                lines.append((score, (ink, left, tops[y] - width / 2, right - left, width)))
    for y in range(height):
        for x in range(count + 1):
            score, width, ink = table.vertical[beside[y]][x]
            if width and ink[3]:
                above = max(along(y, x - 1), along(y, x)) / 2
                under = max(along(y + 1, x - 1), along(y + 1, x)) / 2
                top, bottom = tops[y] - above, tops[y + 1] + under
                lines.append((score, (ink, table.columns[x] - width / 2, top, width, bottom - top)))
    return lines


@lru_cache(maxsize=4096)
def _runs(borders: tuple[Border, ...]) -> tuple[tuple[int, int, Border], ...]:
    """Return the visible borders of a line, equal neighbours as one: first column, column after the last, border."""
    found: list[tuple[int, int, Border]] = []
    for x, border in enumerate(borders):
        if not border[1] or not border[2][3]:
            continue
        if found and found[-1][1] == x and found[-1][2] == border:
            found[-1] = (found[-1][0], x + 1, border)
        else:
            found.append((x, x + 1, border))
    return tuple(found)
