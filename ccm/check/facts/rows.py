"""Lines of a document read cell by cell: most lines tell just what their cells tell by themselves.

Whether they do hangs on how the cells are written and not on their digits, so it is found out once for each way of writing;
what a cell tells is read once for each text. Every cell of every document is still asked whether the customer's data explain it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ccm.check.facts.known import Known
from ccm.check.facts.meaning import Amounts, Sort, meanings_for, names_month
from ccm.check.facts.statements import Statement, statements
from ccm.check.facts.writing import writing_of

_MOST = 2_500  # cells, and ways of writing lines, remembered for one language and locale


class _Cell(NamedTuple):
    """What a cell tells.

    form: What two cells share that read alike beside every other; empty where that is not sure.
    """

    form: str
    amounts: Amounts
    statements: tuple[Statement, ...]


class Rows:
    """Cells and lines in one language for one locale."""

    def __init__(self, language: str, locale: str) -> None:
        self._tags = (language, locale)
        self._writing = writing_of(language, locale)
        self._meanings = meanings_for(language, locale)
        self._cells: dict[str, _Cell] = {}
        self._alone: dict[tuple[str, ...], bool] = {}  # by forms: cells of such lines tell nothing together

    def explained(self, row: tuple[str, ...], known: Known) -> bool:
        """Tell whether a line tells just what its cells tell, and all of that follows from what is known."""
        cells = [self._cells.get(text) or self._read(text) for text in row]
        forms = tuple([cell.form for cell in cells])
        alone = self._alone.get(forms)
        if alone is None:
            alone = self._tell_alone(row, forms)
        if not alone:
            return False
        for _, amounts, found in cells:
            if amounts and not known.has_amount(amounts):
                return False
            if found and not all(map(known.explains, found)):
                return False
        return True

    def _tell_alone(self, row: tuple[str, ...], forms: tuple[str, ...]) -> bool:
        """Tell whether the cells of a line tell nothing together that they do not tell by themselves."""
        if not all(forms):
            return False
        together = Counter(map(_said, statements(" ".join(row), *self._tags)))
        alone = together == Counter(_said(one) for text in row for one in statements(text, *self._tags))
        if len(self._alone) >= _MOST:
            self._alone.clear()
        self._alone[forms] = alone
        return alone

    def _read(self, text: str) -> _Cell:
        if len(self._cells) >= _MOST:
            self._cells.clear()
        meaning = self._meanings.of(text)
        asked = meaning.sort is Sort.OPEN and names_month(text, self._writing)  # is the number beside it a day?
        form = "" if asked else meaning.form
        cell = self._cells[text] = _Cell(form, meaning.amounts, meaning.statements)
        return cell


def _said(statement: Statement) -> tuple[object, ...]:
    return statement.said, statement.text, statement.readings


@lru_cache(maxsize=64)
def rows_for(language: str, locale: str) -> Rows:
    """Return what was read of cells so far; it is the same for every customer."""
    return Rows(language, locale)


def unexplained(rows: Iterable[tuple[str, ...]], known: Known) -> list[str]:
    """Return the lines of a document that must be read as a whole."""
    one = known.communication
    reading = rows_for(one.language, one.locale)
    return [" ".join(row) for row in rows if not reading.explained(row, known)]
