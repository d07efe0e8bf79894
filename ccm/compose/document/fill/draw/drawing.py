"""Drawing rows and lines of text, with their tags."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import cast

from ccm.compose.document.fill import kernel
from ccm.compose.document.fill.display import Areas, Cell, Color, Page, RowTags, Stripe, StripeKind, Tag, Text
from ccm.compose.document.fill.layout.parts import LinePart
from ccm.compose.document.fill.layout.table_borders import border_lines
from ccm.compose.document.fill.layout.table_parts import Row, RowForm, RowKind, Table
from ccm.compose.document.fill.layout.tags import Said, kind_of, name_headers
from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.tree.elements import Element
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
    tops = [y]
    for row in rows:
        y += row.height
        tops.append(y)
    _backgrounds(table, rows, tops, page)
    _texts(table, rows, tops, page, tag, number)
    lines = border_lines(table, across, along, tops)
    lines.sort(key=itemgetter(0))
    page.fill([rectangle for _, rectangle in lines])
    return tops[-1]


def _backgrounds(table: Table, rows: list[Row], tops: list[float], page: Page) -> None:
    known: dict[RowKind, list[tuple[Color, float, float]]] = {}
    color: Color | None = None
    places: list[float] = []
    for row, top in zip(rows, tops, strict=False):
        kind = row.kind
        if kind.painted:
            inside = known.get(kind)
            if inside is None:
                inside = known[kind] = _painted(table, kind)
            height = row.height
            for ink, left, width in inside:
                if ink != color:
                    color, places = ink, []
                    page.areas.append(Areas(ink, places))
                places += (left, top, width, height)


def _painted(table: Table, kind: RowKind) -> list[tuple[Color, float, float]]:
    """Return the backgrounds of a row and its cells: colour, left edge and width."""
    found = []
    if kind.background[3]:
        found.append((kind.background, table.columns[0], table.width))
    for cell in kind.cells:
        if cell.kind.background[3]:
            left, right = table.columns[cell.x], table.columns[cell.x + cell.span]
            found.append((cell.kind.background, left, right - left))
    return found


def _texts(table: Table, rows: list[Row], tops: list[float], page: Page, tag: Tag, number: int) -> None:
    """Draw the texts of rows, and tag them."""
    says = name_headers(number, [row.kind for row in rows])
    group: Element | None = None
    group_tag = tag
    stripe: Stripe | None = None
    at = 0
    while at < len(rows):
        row, top, said = rows[at], tops[at], says[at]
        if row.element.parent is not group:
            group = row.element.parent
            assert group is not None
            group_tag = Tag(kind_of(group.tag))
            tag.children.append(group_tag)
            stripe = None
        places = table.places.get(row.form) or _places(table, row)
        at += 1
        if row.kind.data or at <= _MOST_NAMED:
            stripe = stripe or Stripe()
            texts = (stripe.across, stripe.down, stripe.runs)
            if kernel.place_row(row.contents, row.lines, row.baselines, top, places, row.kind.heights, *texts):
                if not stripe.kinds:
                    group_tag.children.append(stripe)
                    page.marked.append(stripe)
                stripe.kinds.append(row.kind.stripes.get((row.counts, said)) or _stripe_kind(row, said))
                at = kernel.place_rows(rows, tops, says, at, _MOST_NAMED, table.places, stripe.kinds, *texts)
                continue
        stripe = None
        group_tag.children.append(_row(row, top, places, said, page))


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
    from ccm.compose.document.fill.draw.sheets import Sheet  # draws tables in boxes, and so knows this module

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
    columns = table.columns
    known = table.places[form] = [
        (left := columns[at] + border + padding, columns[end] - far_border - far_padding - left, shift)
        for at, border, padding, end, far_border, far_padding, shift in _insets(form)
    ]
    return known


@lru_cache(maxsize=1024)
def _insets(form: RowForm) -> list[tuple[int, float, float, int, float, float, float]]:
    """Return what places of contents hang on: of each cell column, border and padding on the left and the right, and alignment."""
    return [
        (
            cell.x, border.left, cell.kind.padding.left,
            cell.x + cell.span, border.right, cell.kind.padding.right, cell.kind.shift,
        )
        for cell, border in zip(form.kind.cells, form.borders, strict=True)
    ]  # fmt: skip


@lru_cache(maxsize=4096)
def _row_tags(counts: tuple[int, ...], tags: tuple[str, ...], cells: tuple[Cell, ...]) -> RowTags:
    return RowTags(counts, tags, cells)


def _stripe_kind(row: Row, said: Said) -> StripeKind:
    """Return how a row is drawn and tagged; its kind remembers it."""
    kind = row.kind
    counts = cast("tuple[int, ...]", row.counts)  # of rows of runs
    if len(kind.stripes) > _MOST_STRIPES:
        kind.stripes.clear()
    faces = tuple(
        (cell.kind.strut.face, cell.kind.strut.size, cell.kind.ink)
        for cell, count in zip(kind.cells, counts, strict=True)
        for _ in range(count)
    )
    tags = _row_tags(counts, tuple(cell.kind.tag for cell in kind.cells), said.cells)
    made = kind.stripes[counts, said] = StripeKind(faces, tags)
    return made
