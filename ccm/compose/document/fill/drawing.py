"""Drawing rows and lines of text, with their tags."""

from __future__ import annotations

from typing import Any

from ccm.compose.document.fill.display import Area, Page, Tag, Text
from ccm.compose.document.fill.inline import Line
from ccm.compose.document.fill.table_borders import border_lines
from ccm.compose.document.fill.table_parts import Row, Table
from ccm.compose.document.fill.tags import InlineTags, kind_of, name_headers
from ccm.compose.document.fill.tree import Element
from ccm.compose.document.fill.unfillable import Unfillable


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
            if cell.kind.background[3]:
                left, right = table.columns[cell.x], table.columns[cell.x + cell.span]
                areas.append(Area(left, top, right - left, row.height, cell.kind.background))
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
        for cell, start, border in zip(row.cells, row.tops, row.borders, strict=True):
            kind = cell.kind
            cell_tag = Tag(kind.tag)
            row_tag.children.append(cell_tag)
            cells.append((cell_tag, cell.element, cell.span))
            left = table.columns[cell.x] + border.left + kind.padding.left
            width = table.columns[cell.x + cell.span] - border.right - kind.padding.right - left
            draw_lines(cell.lines, cell.element, kind.computed, left, width, top + start, page, cell_tag)
        named.append(cells)
    name_headers(number, named)
    border_lines(table, across, along, tops, lines)
    lines.sort(key=lambda one: one[0])
    areas += [area for _, area in lines]
    return tops[-1]


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
