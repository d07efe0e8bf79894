"""Rows of a table that have one form, column by column: what their cells ask for, and whether that fits.

Why by columns: what is done for a whole column at a time costs a fraction of what it costs for each cell.
"""

from __future__ import annotations

from typing import cast

from ccm.compose.document.fill import kernel
from ccm.compose.document.fill.layout.inline import Inlines
from ccm.compose.document.fill.layout.nodes import Paragraph
from ccm.compose.document.fill.layout.parts import LinePart
from ccm.compose.document.fill.layout.row_heights import count_of, heights_of
from ccm.compose.document.fill.layout.table_parts import CellKind, Content, Row, RowForm, Tall
from ccm.compose.document.fill.run import Run

_MOST_LEAST = 1_000  # texts of one kind of cell whose least width is remembered


class RowGroup:
    """Rows of one form.

    plain: Of each column, whether all its contents are texts in one style.
    most: Of each column, the greatest width that a content asks for.
    """

    def __init__(self, form: RowForm, rows: list[Row], inlines: Inlines) -> None:
        self.form = form
        self._rows = rows
        self._inlines = inlines
        self._columns = list(zip(*[row.contents for row in rows], strict=True))
        widest = [kernel.widest(column) for column in self._columns]
        self.plain = [most is not None for most in widest]
        self.most = [
            max([self._widest(one) for one in column]) if most is None else most
            for column, most in zip(self._columns, widest, strict=True)
        ]

    def least(self, at: int) -> float:
        """Return the greatest width that the contents of a column ask for when they are broken wherever they may be."""
        kind = self.form.kind.cells[at].kind
        if self.plain[at] and kind.computed["white_space"] == "nowrap":
            return self.most[at]
        if len(kind.least) > _MOST_LEAST:
            kind.least.clear()
        greatest, left = kernel.narrowest(self._columns[at], self._inlines.usual_words(kind.strut, kind.computed))
        for one in left:
            if type(one) is not Run or one.width > greatest:
                greatest = max(greatest, self._narrowest(kind, one))
        return greatest

    def _widest(self, content: Content) -> float:
        """Return a content's width without any break but forced ones."""
        if isinstance(content, Run):
            return content.width
        return 0.0 if content is None else self._inlines.widest(content)

    def _narrowest(self, kind: CellKind, content: Content) -> float:
        """Return the width of what cannot be broken in a content."""
        if isinstance(content, Run):
            least = kind.least.get(content)
            if least is None:
                least = kind.least[content] = self._inlines.narrowest_of(content, kind.strut, kind.computed)
            return least
        return 0.0 if content is None else self._inlines.narrowest(content)

    def set(self, widths: list[float]) -> None:
        """Set the lines of all cells, and find the heights of the rows.

        Args:
            widths: Of the columns of the table.
        """
        form = self.form
        inner = []
        for cell, beside in zip(form.kind.cells, form.beside, strict=True):
            outer = widths[cell.x] if cell.span == 1 else sum(widths[cell.x : cell.x + cell.span])
            inner.append(outer - beside)
        over = [at for at, most in enumerate(self.most) if most > inner[at]]
        mixed = [at for at, plain in enumerate(self.plain) if not plain]
        one_line_each: tuple[int | Tall, ...] = (1,) * len(inner)
        broken = frozenset(range(len(self._rows))) if mixed else self._broken(over, inner)
        heights = form.heights
        for at, row in enumerate(self._rows):
            counts = row.counts = self._counted(row, inner, over, mixed) if at in broken else one_line_each
            known = heights.get(counts)
            if known is None:
                known = heights[counts] = heights_of(form, counts)
            row.height, row.baselines = known

    def _broken(self, over: list[int], inner: list[float]) -> frozenset[int]:
        """Return the rows that have a text wider than its place, all of them being texts in one style."""
        found: list[int] = []
        for at in over:
            width = inner[at]
            column = cast("tuple[Run, ...]", self._columns[at])
            found += [row for row, one in enumerate(column) if one.width > width]
        return frozenset(found)

    def _counted(self, row: Row, inner: list[float], over: list[int], mixed: list[int]) -> tuple[int | Tall, ...]:
        """Set the lines of a row's cells; returns how many each has, or how high they are.

        Args:
            over: Cells whose column has a content that is wider than its place.
            mixed: Those whose column has other contents than texts in one style.
        """
        contents = row.contents
        paragraphs = [at for at in mixed if type(contents[at]) is Paragraph]
        wide = [at for at in over if type(one := contents[at]) is Run and one.width > inner[at]]
        if not paragraphs and not wide:
            return tuple([0 if one is None else 1 for one in contents])
        lines: list[tuple[Run, ...] | list[LinePart]] = [() if one is None else (cast("Run", one),) for one in contents]
        counts: list[int | Tall] = [len(one) for one in lines]
        for at in (*paragraphs, *wide):
            kind = row.kind.cells[at].kind
            lines[at] = self._lines(kind, contents[at], inner[at])
            counts[at] = count_of(kind, lines[at])
        row.lines = lines
        return tuple(counts)

    def _lines(self, kind: CellKind, content: Content, width: float) -> tuple[Run, ...] | list[LinePart]:
        """Break what is wider than its place, or more than a text in one style."""
        if isinstance(content, Run):
            return self._inlines.broken(content, kind.strut, kind.computed, width)
        assert content is not None
        return self._inlines.lines(content, width)


def groups_of(rows: list[Row], inlines: Inlines) -> list[RowGroup]:
    """Return rows by what decides how wide their cells are beside their contents."""
    found: dict[RowForm, list[Row]] = {}
    for row in rows:
        form = row.form
        assert form is not None
        group = found.get(form)
        if group is None:
            found[form] = [row]
        else:
            group.append(row)
    return [RowGroup(form, group, inlines) for form, group in found.items()]
