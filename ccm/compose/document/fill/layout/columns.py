"""Widths of the columns of tables: what cells ask for, over one column or several, shared out.

Source: CSS Tables 3 as WeasyPrint 70 reads it (layout/preferred.py `table_and_columns_preferred_widths`, layout/table.py
`auto_table_layout`, `fixed_table_layout`, `distribute_excess_width`); without separate borders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ccm.compose.document.fill.style.measures import Percent, Size
from ccm.compose.document.fill.unfillable import Unfillable

_SLACK = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Asked:
    """What the cells of one kind ask for, paddings and borders included.

    x, span: Columns. said: Width by their style, of the content.
    """

    x: int
    span: int
    least: float
    most: float
    said: Size


@dataclass(slots=True)
class Columns:
    """What the columns of a table ask for together."""

    least: list[float]
    most: list[float]
    shares: list[float]  # in percent
    constrained: list[bool]

    @property
    def table_least(self) -> float:
        """The least width of the table."""
        return sum(self.least)

    @property
    def table_most(self) -> float:
        """The width of the table without breaks."""
        small = [most / (share / 100) for most, share in zip(self.most, self.shares, strict=True) if share]
        others = sum(most for most, share in zip(self.most, self.shares, strict=True) if not share)
        left = (100 - sum(self.shares)) / 100
        if left:
            large = others / left
        elif others:
            raise Unfillable("columns of all of a table's width beside others")
        else:
            large = 0.0
        return max([sum(self.most), large, *small])


def gathered(count: int, asked: Sequence[Asked]) -> Columns:
    """Put together what cells ask for."""
    columns = Columns([0.0] * count, [0.0] * count, [0.0] * count, [False] * count)
    for one in asked:
        if one.span != 1:
            if type(one.said) is Percent:
                raise Unfillable("a cell over several columns with a width in percent")
            continue
        columns.least[one.x] = max(columns.least[one.x], one.least)
        columns.most[one.x] = max(columns.most[one.x], one.most, one.least)
        if type(one.said) is Percent:
            columns.shares[one.x] = max(columns.shares[one.x], float(one.said))
        elif one.said is not None:
            columns.constrained[one.x] = True
    columns.shares = [min(share, 100 - sum(columns.shares[:at])) for at, share in enumerate(columns.shares)]
    for one in asked:
        if one.span != 1:
            where = range(one.x, one.x + one.span)
            for wanted, widths in ((one.least, columns.least), (max(one.most, one.least), columns.most)):
                excess = wanted - sum(widths[at] for at in where)
                if excess > 0:
                    _spread(excess, widths, columns, where)
    return columns


def shared(columns: Columns, table: float) -> list[float]:
    """Return the width of each column of a table that is so wide."""
    count = len(columns.least)
    percent, specified, most = list(columns.least), list(columns.least), list(columns.most)
    for at in range(count):
        if columns.shares[at]:
            percent[at] = max(columns.shares[at] / 100 * table, columns.least[at])
            specified[at] = most[at] = percent[at]
        elif columns.constrained[at]:
            specified[at] = columns.most[at]
    guesses = (columns.least, percent, specified, most)
    if table * _SLACK >= sum(most):
        excess = table - sum(most)
        if excess:
            _spread(excess, most, columns, range(count))
        return most
    lower, upper = columns.least, most
    for guess in guesses:
        if sum(guess) > table * _SLACK:
            break
        lower = guess
    for guess in reversed(guesses):
        if sum(guess) < table * (1 - 1e-9):
            break
        upper = guess
    if upper == lower:
        return list(upper)
    added = [high - low for high, low in zip(upper, lower, strict=True)]
    ratio = (table - sum(lower)) / sum(added)
    return [low + more * ratio for low, more in zip(lower, added, strict=True)]


def fixed(count: int, table: float, first_row: Sequence[tuple[int, int, float | None]]) -> list[float]:
    """Return the width of each column of a table of fixed layout.

    Args:
        first_row: Column, span and outer width of its cells; no width where it is automatic.
    """
    widths: list[float | None] = [None] * count
    for x, span, said in first_row:
        if said is not None:
            free = [at for at in range(x, x + span) if widths[at] is None]
            left = said - sum(widths[at] or 0.0 for at in range(x, x + span) if widths[at] is not None)
            for at in free:
                widths[at] = left / len(free)
    known = sum(one for one in widths if one is not None)
    open_ = [at for at, one in enumerate(widths) if one is None]
    for at in open_:
        widths[at] = (table - known) / len(open_) if table >= known else 0.0
    made = [one or 0.0 for one in widths]
    extra = table - sum(made)
    if extra < -1e-6:
        raise Unfillable("columns that are wider than their table")
    return [one + extra / count for one in made] if extra > 0 else made


def _spread(excess: float, widths: list[float], columns: Columns, where: range) -> None:
    """Share out width that columns did not ask for."""
    loose = [at for at in where if not columns.constrained[at] and not columns.shares[at]]
    asking = [at for at in loose if columns.most[at] > 0]
    if not asking and loose:
        for at in loose:
            widths[at] += excess / len(loose)
        return
    if asking or (
        asking := [at for at in where if columns.constrained[at] and not columns.shares[at] and columns.most[at] > 0]
    ):
        by = columns.most
    elif asking := [at for at in where if columns.shares[at] > 0 and columns.most[at] > 0]:
        by = columns.shares
    else:
        raise Unfillable("columns that ask for nothing")
    ratio = excess / sum(by[at] for at in asking)
    for at, share in [(at, by[at] * ratio) for at in asking]:
        widths[at] += share
