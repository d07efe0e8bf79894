"""Drawing rows and lines of text, with their tags."""

from __future__ import annotations

from typing import cast

from ccm.compose.document.fill.display import Area, Page, Stripe, StripeKind, Tag, Text
from ccm.compose.document.fill.parts import LinePart
from ccm.compose.document.fill.table_borders import border_lines
from ccm.compose.document.fill.table_parts import Row, Table
from ccm.compose.document.fill.tags import Said, kind_of, name_headers
from ccm.compose.document.fill.text import Run
from ccm.compose.document.fill.tree import Element
from ccm.compose.document.fill.unfillable import Unfillable

_MOST_STRIPES = 1000  # of one kind of row, remembered
_MOST_NAMED = 50  # rows with header cells, whose tags have names with numbers in them, drawn as one


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
        y += row.height
        tops.append(y)
    _backgrounds(table, rows, tops, page)
    _texts(table, rows, tops, page, tag, number)
    border_lines(table, across, along, tops, lines)
    lines.sort(key=lambda one: one[0])
    page.areas += [area for _, area in lines]
    return tops[-1]


def _backgrounds(table: Table, rows: list[Row], tops: list[float], page: Page) -> None:
    for row, top in zip(rows, tops, strict=False):
        kind = row.kind
        if not kind.painted:
            continue
        if kind.background[3]:
            page.areas.append(Area(table.columns[0], top, table.width, row.height, kind.background))
        for cell in kind.cells:
            if cell.kind.background[3]:
                left, right = table.columns[cell.x], table.columns[cell.x + cell.span]
                page.areas.append(Area(left, top, right - left, row.height, cell.kind.background))


def _texts(table: Table, rows: list[Row], tops: list[float], page: Page, tag: Tag, number: int) -> None:
    """Draw the texts of rows, and tag them."""
    said = name_headers(number, [row.kind for row in rows])
    group: Element | None = None
    group_tag = tag
    at = 0
    while at < len(rows):
        row, says = rows[at], said[at]
        if row.element.parent is not group:
            group = row.element.parent
            assert group is not None
            group_tag = Tag(kind_of(group.tag))
            tag.children.append(group_tag)
        end = at + 1
        places = table.places.get(row.form) or _places(table, row)
        stripe = None
        if row.kind.data or at < _MOST_NAMED:
            if row.lines is None:
                while end < len(rows) and _alike(row, rows[end]):
                    end += 1
                stripe = _stripe(rows[at:end], tops[at:end], places, says)
                end = end if stripe is not None else at + 1
            else:
                stripe = _broken_stripe(row, tops[at], places, says)
        if stripe is not None:
            group_tag.children.append(stripe)
            if stripe.runs:
                page.marked.append(stripe)
        else:
            group_tag.children.append(_row(row, tops[at], places, says, page))
        at = end


def _alike(row: Row, other: Row) -> bool:
    """Tell whether two rows, the first without broken lines, are drawn and tagged alike."""
    return (
        other.form is row.form
        and other.lines is None
        and other.counts == row.counts
        and row.kind.data
        and other.element.parent is row.element.parent
    )


def _row(row: Row, top: float, places: list[tuple[float, float, float]], says: Said, page: Page) -> Tag:
    """Draw a row cell by cell; returns its tag."""
    row_tag = Tag("TR")
    lines = row.lines or [(content,) if type(content) is Run else () for content in row.contents]
    for cell, first, (left, width, shift), own, inside in zip(
        row.kind.cells, row.baselines, places, says.cells, lines, strict=True
    ):
        kind = cell.kind
        tag = Tag(kind.tag, cell=own)
        row_tag.children.append(tag)
        y = top + first - kind.strut.baseline
        for line in inside:
            if isinstance(line, LinePart):
                _line(line, left, y, page, tag)
                y += line.height
            else:
                text = Text(left + (width - line.width) * shift, y + kind.strut.baseline, line, kind.ink)
                tag.children.append(text)
                page.marked.append(text)
                y += kind.strut.height
    return row_tag


def _line(line: LinePart, x: float, y: float, page: Page, tag: Tag) -> None:
    """Draw a line of several styles; what is positioned or pictured in it is refused."""
    from ccm.compose.document.fill.sheets import Sheet  # draws tables in boxes, and so knows this module

    scratch = Page(page.width, page.height)
    sheet = Sheet(scratch, 0, 0, [])
    sheet.part(line, x, y - line.y, tag)
    if sheet.raises:
        raise Unfillable("a picture or a positioned box in a cell")
    page.areas += scratch.areas
    page.marked += scratch.marked


def _places(table: Table, row: Row) -> list[tuple[float, float, float]]:
    """Return left edge, width and alignment of the content of each cell."""
    form = row.form
    assert form is not None
    known = table.places[form] = []
    for cell, border in zip(form.kind.cells, form.borders, strict=True):
        left = table.columns[cell.x] + border.left + cell.kind.padding.left
        right = table.columns[cell.x + cell.span] - border.right - cell.kind.padding.right
        known.append((left, right - left, cell.kind.shift))
    return known


def _stripe(rows: list[Row], tops: list[float], places: list[tuple[float, float, float]], said: Said) -> Stripe | None:
    """Return rows that are alike as one, None if they hold anything but texts in the fonts of their cells."""
    first = rows[0]
    across: list[float | list[float]] = []
    down: list[list[float]] = []
    columns: list[list[Run]] = []
    baselines: dict[float, list[float]] = {}
    contents = zip(*[row.contents for row in rows], strict=True)
    for base, (left, width, shift), column in zip(first.baselines, places, contents, strict=True):
        if column[0] is None:
            continue
        runs = cast("list[Run]", list(column))  # rows without lines hold runs
        if any([run.parts for run in runs]):  # noqa: C419  # a list is faster
            return None
        across.append([left + (width - run.width) * shift for run in runs] if shift else left)
        heights = baselines.get(base)
        if heights is None:
            heights = baselines[base] = [top + base for top in tops]
        down.append(heights)
        columns.append(runs)
    return Stripe(_stripe_kind(first, said), len(rows), across, down, columns)


def _broken_stripe(row: Row, top: float, places: list[tuple[float, float, float]], said: Said) -> Stripe | None:
    """Return a row with texts of several lines, None if it holds anything but lines of text in the fonts of its cells."""
    assert row.lines is not None
    across: list[float | list[float]] = []
    down: list[list[float]] = []
    columns: list[list[Run]] = []
    for cell, first, (left, width, shift), runs in zip(row.kind.cells, row.baselines, places, row.lines, strict=True):
        y = top + first
        for one in runs:
            if type(one) is not Run or one.parts:
                return None
            across.append(left + (width - one.width) * shift if shift else left)
            down.append([y])
            columns.append([one])
            y += cell.kind.strut.height
    return Stripe(_stripe_kind(row, said), 1, across, down, columns)


def _stripe_kind(row: Row, said: Said) -> StripeKind:
    kind = row.kind
    counts = cast("tuple[int, ...]", row.counts)  # of rows of runs
    known = kind.stripes.get((counts, said))
    if known is None:
        if len(kind.stripes) > _MOST_STRIPES:
            kind.stripes.clear()
        faces = tuple(
            (cell.kind.strut.face, cell.kind.strut.size, cell.kind.ink)
            for cell, count in zip(kind.cells, counts, strict=True)
            for _ in range(count)
        )
        tags = tuple(cell.kind.tag for cell in kind.cells)
        known = kind.stripes[counts, said] = StripeKind(faces, counts, tags, said.cells)
    return known
