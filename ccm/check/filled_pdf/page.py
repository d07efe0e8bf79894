"""Lines of a page: which texts stand in one line, and where a blank parts them.

The rules are those by which PDFium puts text together (core/fpdftext/cpdf_textpage.cpp), so that both readers say the same.
Where a measure lies so near to its limit that rounding could decide, or a rule asks for more than is kept here, the page is
left to PDFium itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from ccm.check.comparable import comparable_line
from ccm.check.filled_pdf.beside import (
    NEWLINE,
    ROOMY,
    between,
    is_again,
    parts_lines,
    stands_well_below,
    stands_well_beside,
)
from ccm.check.filled_pdf.direction import check_direction
from ccm.check.filled_pdf.faces import Faces
from ccm.check.filled_pdf.operators import SILENT, TOKENS, State
from ccm.check.filled_pdf.placed import UNMOVED, Form, Frame, Item, Matrix, Placed
from ccm.check.filled_pdf.shown import OVERHANG, Cell
from ccm.check.filled_pdf.unread import Unread

Lines: TypeAlias = list[list[Cell]]

_BACK = 5  # texts before one that may be the same, printed once more
_SAME_HEIGHT = 0.01  # points
_LOW, _HIGH = 0.5, 1.2  # sizes; how far usual ink reaches below and above its line
_ODD = float("nan")  # the size of what is not usual; it equals nothing


class Sheet(NamedTuple):
    """A page or form before it is read.

    forms: Finds a form that operators name, how it begins and how it is set; none for a picture.
    """

    content: bytes
    faces: Faces
    forms: Callable[[str, Matrix], tuple[Sheet, Matrix, Form] | None]


class _OutOfOrder(Exception):
    """A text is shown after one that stands to its right in the same line."""


def lines_of(sheet: Sheet, width: float, height: float) -> Lines:
    """Return the lines of a page in the order of reading, each as the cells it is made of.

    Args:
        width, height: In points.
    Raises:
        Unread: Where PDFium might put the texts together in another way.
    """
    try:
        return _Joiner(width, height).lines_of(sheet)
    except _OutOfOrder:
        placed = _Ordered(width, height).placed_on(sheet)
        return _Joiner(width, height).joined(placed)


class _Collector:
    """Takes up the texts of a page in the order in which they are shown; those of forms where these are set."""

    def __init__(self, width: float, height: float) -> None:
        self._width, self._height = width, height
        self._items: list[Item] = []
        self._cells: list[Cell] = []  # of the newest line
        self._wary = 0  # so many of the next texts may be one that was printed before

    def _take(self, item: Item) -> None:
        self._items.append(item)

    def _begin_below(self, item: Item, end: float) -> None:
        """Begin a line with a usual text well below another one of the same size and frame that ends somewhere."""
        raise AssertionError("texts are only collected")

    def _run(self, sheet: Sheet, ctm: Matrix, form: Form | None) -> None:
        """Run the operators of a page or form.

        Why so long: Most texts are cells of a row, of the size of the one before, on the same line and well beside it, or
        on a line well below it. Those are set here without a call; there are hundreds of them on a page.
        """
        state = State(sheet.faces, ctm, form, self._show, lambda name, matrix: self._set(sheet, name, matrix))
        known, phrase_of, add = sheet.faces.known.get, sheet.faces.phrase, self._items.append
        frame: Frame | None = None
        newest = line = b""
        size = end = room = below = edge = 0.0
        for x, y, phrase, operands, operator, other in TOKENS.findall(sheet.content):
            if phrase:
                shown = known(phrase) or phrase_of(phrase)
                at = float(x) + shown.start
                newest = phrase
                if shown.usual == size and frame is not None:
                    if y == line:
                        if at - end > room:
                            add((shown, at, y, frame))
                            self._cells.append(shown.cell)
                            end = at + shown.end
                            continue
                    elif edge > (height := float(y)) > below and at > 0:
                        self._begin_below((shown, at, y, frame), end)
                        line, end, below = y, at + shown.end, height + ROOMY * size
                        continue
                if shown.inked:
                    frame = frame or state.frame()
                    self._take((shown, at, y, frame))
                    size = _ODD if self._wary or form is not None or frame.left < 0 else shown.usual
                    line, end, room = y, at + shown.end, shown.room
                    below = float(y) + ROOMY * size
                    edge = frame.top / frame.scale - _LOW * size
            elif operator:
                if operator not in SILENT:
                    if newest:
                        state.set_font(newest)
                    size, frame, newest = _ODD, None, b""
                    state.operate(operator, operands)
            elif other:
                raise Unread("something that is no operator")
        state.end()

    def _show(self, item: Item) -> None:
        if item[0].inked:
            self._take(item)

    def _set(self, sheet: Sheet, name: str, matrix: Matrix) -> None:
        form = sheet.forms(name, matrix)
        if form is not None:
            self._run(*form)

    def _check_again(self, items: Sequence[Item], one: Placed) -> None:
        """Refuse a text that may be one that was printed before: of the same form, or the page itself."""
        left = _BACK
        for other in reversed(items):
            if other[3].form is one.form:
                if other[0].letters == one.shown.letters and is_again(one, Placed.of(other)):
                    raise Unread("a text that is printed twice")
                left -= 1
                if not left:
                    return


class _Ordered(_Collector):
    """Puts the texts of a page in the order of reading: those of one line from left to right."""

    def placed_on(self, sheet: Sheet) -> list[Placed]:
        """Return the texts."""
        self._wary = 1
        self._run(sheet, UNMOVED, None)
        found: list[Placed] = []
        line: list[Placed] = []
        for number, item in enumerate(self._items):
            one = Placed.of(item)
            self._check_again(self._items[max(0, number - 50) : number], one)
            if line and parts_lines(line[-1], one, self._height):
                found += line
                line = []
            place = len(line)
            while place and one.on_page[0] < line[place - 1].on_page[0]:
                place -= 1
            line.insert(place, one)
        return found + line


class _Joiner(_Collector):
    """Joins the texts of a page to lines."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(width, height)
        self._lines: Lines = []
        self._newest = 0.0  # height of the newest line that another stands before, in points
        self._left, self._right = width, 0.0
        self._is_ordered = False
        self._taken: Item | None = None  # the newest text that was set here, and where it stands
        self._before: Placed | None = None

    def lines_of(self, sheet: Sheet) -> Lines:
        """Return the lines of a page."""
        self._run(sheet, UNMOVED, None)
        return self._checked()

    def joined(self, placed: Sequence[Placed]) -> Lines:
        """Return the lines of texts that are in the order of reading, none of which is printed twice."""
        self._is_ordered = True
        for one in placed:
            self._take((one.shown, 0.0, 0.0, Frame(one.scale, one.x, 0.0, one.y, one.form)))
        return self._checked()

    def _checked(self) -> Lines:
        if self._items:
            self._reach(Placed.of(self._items[-1]))
            if self._right > self._width:
                raise Unread("a text at the edge of the page")
            check_direction(self._items, self._left, self._right, self._width, self._height)
        return self._lines

    def _take(self, item: Item) -> None:
        """Set one text beside or below the one before."""
        newest = self._items[-1] if self._items else None
        before = self._before if newest is self._taken else Placed.of(newest) if newest else None
        self._taken, self._before = item, (one := Placed.of(item))
        self._check_inside(one)
        if before is None:
            self._begin(one, None)
        elif stands_well_below(before, one):
            self._wary = 0
            self._reach(before)
            self._begin(one, before)
        else:
            self._reach(before)
            self._set_beside(one, before)
        self._items.append(item)

    def _begin_below(self, item: Item, end: float) -> None:
        shown, x, y, frame = item
        self._left = min(self._left, frame.left + frame.scale * (x - OVERHANG * shown.size))
        self._right = max(self._right, frame.left + frame.scale * (end + OVERHANG * shown.size))
        self._newest = frame.top + frame.down * float(y)
        self._cells = [shown.cell]
        self._lines.append(self._cells)
        self._items.append(item)

    def _set_beside(self, one: Placed, before: Placed) -> None:
        if not self._is_ordered:
            self._wary = self._wary - 1 if self._wary else _BACK
            if one.on_page[0] < before.on_page[0] and not parts_lines(before, one, self._height):
                raise _OutOfOrder
            self._check_again(self._items, one)
        if stands_well_beside(before, one):
            self._cells.append(one.shown.cell)
            return
        step = between(before, one, self._cells[-1].text)
        if step == NEWLINE:
            self._begin(one, before)
        elif step:
            self._cells.append(one.shown.cell)
        else:
            text = self._cells[-1].text + one.shown.text
            self._cells[-1] = Cell(text, comparable_line(text))

    def _begin(self, one: Placed, before: Placed | None) -> None:
        """Begin a line."""
        height = one.on_page[1]
        if before is not None:
            if abs(height - self._newest) < _SAME_HEIGHT:
                raise Unread("two lines at one height")
            self._newest = height
        self._left = min(self._left, one.x + one.scale * one.shown.ink_left)
        self._cells = [one.shown.cell]
        self._lines.append(self._cells)

    def _reach(self, one: Placed) -> None:
        self._right = max(self._right, one.x + one.scale * one.shown.ink_right)

    def _check_inside(self, one: Placed) -> None:
        """Refuse texts near the edge: PDFium leaves out what is not on the page."""
        (x, y), size = one.on_page, one.shown.size * one.whole_scale
        if x < 0 or y < _LOW * size or y + _HIGH * size > self._height or not one.shown.plain:
            raise Unread("a text at the edge of the page, or of blanks")
