"""Steps put on pages, broken as the engine breaks them.

Source: WeasyPrint 70, layout/block.py (`_linebox_layout`, `_break_line`, `find_earlier_page_break`), layout/table.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ccm.compose.document.fill.display import Area, Bookmark, Page, Tag
from ccm.compose.document.fill.draw.drawing import draw_rows
from ccm.compose.document.fill.draw.sheets import Sheet
from ccm.compose.document.fill.layout.parts import Box, LinePart, TablePart
from ccm.compose.document.fill.layout.steps import Block, Margin, Positioned, Step, TableStep
from ccm.compose.document.fill.layout.table_parts import Row, Table
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

_SLACK = 1 + 1e-9  # the engine's own, for rounding
_AVOID = ("avoid", "avoid-page")
_MOST_PAGES = 2000


@dataclass(slots=True)
class Start:
    """Where a page begins: a step, and how many of its lines or rows earlier pages took."""

    step: int = 0
    at: int = 0


@dataclass(slots=True)
class Placed:
    """A step on a page: lines or rows of it from one to before another."""

    step: int
    y: float
    first: int = 0
    end: int = 0


class Paginator:
    """Puts steps on pages.

    Args:
        fresh: Makes an empty page.
        top, bottom: Of the page's content, in px.
        positioned: Lays out what is positioned in the area of the page.
    """

    def __init__(
        self, fresh: Callable[[], Page], top: float, bottom: float, positioned: Callable[[Element], Box]
    ) -> None:
        self._fresh = fresh
        self._top = top
        self._bottom = bottom
        self._positioned = positioned
        self._steps: list[Step] = []
        self._tables = 0
        self._fixed: list[tuple[Element, Box]] = []
        self.pages: list[Page] = []
        self.bookmarks: list[Bookmark] = []

    def place(self, steps: list[Step]) -> list[Page]:
        """Place everything."""
        self._steps = steps
        start: Start | None = Start()
        while start is not None:
            if len(self.pages) > _MOST_PAGES:
                raise Unfillable("too many pages")
            placed, following = _PageFill(self, steps, start, first=not self.pages).filled()
            if following is not None and placed and isinstance(steps[placed[-1].step], Positioned):
                raise Unfillable("a positioned box where a page ends")
            self._draw(placed)
            start = following
        return self.pages

    @property
    def top(self) -> float:
        """Of the page's content."""
        return self._top

    def overflows(self, y: float) -> bool:
        """Tell whether something runs over the page's end."""
        return y > self._bottom * _SLACK

    # ── drawing ──────────────────────────────────────────────────────────────

    def _draw(self, placed: list[Placed]) -> None:
        sheet = Sheet(self._fresh(), len(self.pages), self._tables, self.bookmarks)
        for element, box in self._fixed:
            sheet.box(box, 0, 0, sheet.tag_above(element))
        for one in placed:
            step = self._steps[one.step]
            if isinstance(step, Positioned):
                box = self._positioned(step.element)
                if step.fixed:
                    self._fix(step.element, box)
                sheet.box(box, 0, 0, sheet.tag_above(step.element))
            elif isinstance(step, Block):
                self._block(sheet, step, one)
            else:
                assert isinstance(step, TableStep)
                self._table(sheet, step.table, one)
        self._tables = sheet.tables
        self.pages.append(sheet.finished())

    def _fix(self, element: Element, box: Box) -> None:
        """Note a box that stands on all pages from here on."""
        if self.pages or element.parent is None or element.parent.tag != "body":
            raise Unfillable("a fixed box that is not in the body of the first page")
        self._fixed.append((element, box))

    def _block(self, sheet: Sheet, step: Block, one: Placed) -> None:
        box = step.box
        above = sheet.tag_above(step.element)
        if step.lines is None or (one.first == 0 and one.end == len(step.lines)):
            sheet.box(box, 0, one.y, above)
            return
        if not box.traits.look.nothing or box.traits.level != "none":
            raise Unfillable("a painted block or a heading over several pages")
        tag = sheet.opened(box.element, above)
        dy = one.y if one.first == 0 else one.y - step.lines[one.first].y
        for line in step.lines[one.first : one.end]:
            sheet.part(line, 0, dy, tag)

    def _table(self, sheet: Sheet, table: Table, one: Placed) -> None:
        above = sheet.tag_above(table.element)
        tag = Tag("Table")
        (sheet.page.tags if above is None else above.children).append(tag)
        sheet.tables += 1
        page = sheet.page
        behind = len(page.areas)
        rows = table.rows[one.first : one.end]
        end = draw_rows(table, one.first, rows, one.y + table.border_top, page, tag, sheet.tables)
        if table.background[3]:
            if len(rows) != len(table.rows):
                raise Unfillable("a table with a background over several pages")
            left = table.columns[0] - table.vertical[0][0][1] / 2
            right = table.columns[-1] + table.vertical[0][-1][1] / 2
            area = Area(left, one.y, right - left, end + table.border_bottom - one.y, table.background)
            page.areas.insert(behind, area)


def reach(box: Box) -> float:
    """Return how far down a block asks for room, from where it stands as 0.

    Why: The engine counts what any block has below its content twice: its border box must end so much above the page's
    end, or the block is laid out again with so much less room. So does what stands in it.

    Source: WeasyPrint 70, layout/block.py (`_in_flow_layout`, `border_page_overflow`).
    """
    below = box.border.bottom + box.padding.bottom
    found = box.border_y + box.border_height + below
    for child in box.children:
        if isinstance(child, Box):
            if not child.traits.out:
                found = max(found, reach(child) + (max(0.0, child.margin.bottom) if below else 0.0))
        elif isinstance(child, TablePart):
            found = max(found, child.y + child.height + child.table.border_bottom)
    return found


def _is_lines(box: Box) -> bool:
    """Tell whether a block is as high as its lines, which stand directly in it."""
    traits = box.traits
    return traits.height is None and not traits.min_height and all(isinstance(one, LinePart) for one in box.children)


class _PageFill:
    """Fills one page from a place on."""

    def __init__(self, pages: Paginator, steps: list[Step], start: Start, *, first: bool) -> None:
        self._pages = pages
        self._steps = steps
        self._start = start
        self._first = first
        self._y = pages.top
        self._empty = True
        self._margins: list[float] = []
        self._placed: list[Placed] = []

    def filled(self) -> tuple[list[Placed], Start | None]:
        """Return what stands on the page, and where the next one begins."""
        at = self._start.at
        for index in range(self._start.step, len(self._steps)):
            step = self._steps[index]
            following: Start | None = None
            if isinstance(step, Margin):
                if not (step.top and self._empty and not self._first):
                    self._margins.append(step.value)
            elif isinstance(step, Positioned):
                self._placed.append(Placed(index, 0))
            elif isinstance(step, TableStep):
                following = self._table(index, step.table, at)
            elif step.lines is not None:
                following = self._text(index, step, step.lines, at)
            else:
                following = self._block(index, step)
            if following is not None:
                return self._placed, following
            at = 0
        margins = [step.value for step in self._steps[-2:] if isinstance(step, Margin)]  # of the body and above it
        if not self._empty and margins and self._pages.overflows(self._y + max(margins)):
            raise Unfillable("a margin of the body that ends where a page ends")
        return self._placed, None

    def _next_y(self) -> float:
        margins = self._margins
        return self._y + max(0.0, max(margins, default=0.0)) + min(0.0, min(margins, default=0.0))

    def _after(self, placed: Placed, y: float) -> None:
        self._placed.append(placed)
        self._y = y
        self._empty = False
        self._margins = []

    def _block(self, index: int, step: Block) -> Start | None:
        if step.loose and self._empty and not self._first:
            raise Unfillable("a flexible box where a page begins")
        y = self._next_y()
        height = step.box.border_height
        if self._pages.overflows(y + height):
            if self._empty:
                raise Unfillable("a block that is higher than a page")
            if not step.whole:
                raise Unfillable("a block that may be broken inside")
            return self._broken_before(index)
        # What a block has below its content is no more than its height: so mostly nothing is looked for.
        if not self._empty and self._pages.overflows(y + 2 * height) and self._pages.overflows(y + reach(step.box)):
            if not (step.whole and _is_lines(step.box)):
                raise Unfillable("a block whose padding or border ends where a page ends")
            return self._broken_before(index)
        self._after(Placed(index, y), y + height)
        return None

    def _text(self, index: int, step: Block, lines: list[LinePart], at: int) -> Start | None:
        """Put lines of a block on the page, as orphans and widows allow."""
        y = self._next_y()
        box = step.box
        shift = y if at == 0 else y - lines[at].y
        below = box.border.bottom + box.padding.bottom
        end = shift + lines[-1].y + lines[-1].height + below
        less = 0.0  # room
        if not self._empty and not self._pages.overflows(end) and self._pages.overflows(end + below):
            less = below  # see `reach`
        for number in range(at, len(lines)):
            line = lines[number]
            line_end = line.y + line.height + shift + (below if number == len(lines) - 1 else 0.0)
            if self._pages.overflows(line_end + less) and not (self._empty and number == at):
                return self._text_broken(index, step, at, number, y)
        if self._pages.overflows(end):
            raise Unfillable("a line that is higher than a page")
        self._after(Placed(index, y, at, len(lines)), end)
        return None

    def _text_broken(self, index: int, step: Block, at: int, number: int, y: float) -> Start:
        assert step.lines is not None
        style = step.box.traits.style
        here = number - at
        needed = max(0, style["widows"] - 1 - (len(step.lines) - number - 1))
        over = here - style["orphans"]
        if not self._empty and (over < 0 or needed > over):
            return self._broken_before(index)
        if needed and needed <= over:
            here -= needed
        self._placed.append(Placed(index, y, at, at + here))
        return Start(index, at + here)

    # ── tables ───────────────────────────────────────────────────────────────

    def _table(self, index: int, table: Table, at: int) -> Start | None:
        y = self._next_y()
        rows = table.rows[at:]
        top = y + table.border_top
        end = top + sum(row.height for row in table.header)
        fitting = self._fitting(table, rows, end)
        if fitting == len(rows):
            end += sum(row.height for row in rows) + table.border_bottom
            self._after(Placed(index, y, at, len(table.rows)), end)
            return None
        if table.computed["break_inside"] != "auto":
            raise Unfillable("a table that is not to be broken")
        if rows[fitting].computed["break_inside"] not in _AVOID:
            raise Unfillable("rows that may be broken")
        kept = self._row_break(rows, fitting)
        if not kept:
            if self._empty:
                raise Unfillable("a row that is higher than a page")
            return self._broken_before(index)
        if not table.header:
            raise Unfillable("a table without a head over several pages")
        self._placed.append(Placed(index, y, at, at + kept))
        return Start(index, at + kept)

    def _fitting(self, table: Table, rows: list[Row], y: float) -> int:
        """Return how many rows fit from here.

        Why the border below the last one may leave the page: The engine looks at it after the rows, and a table that a page
        begins with goes nowhere else then.
        """
        below = 0.0 if self._empty else table.border_bottom
        for index, row in enumerate(rows):
            y += row.height
            last = below if index == len(rows) - 1 else 0.0
            if self._pages.overflows(y + last):
                return index
        return len(rows)

    def _row_break(self, rows: list[Row], most: int) -> int:
        """Return before which row a page may end, at most before this one; 0 if before none."""
        for at in range(most, 0, -1):
            said = (rows[at - 1].computed["break_after"], rows[at].computed["break_before"])
            if not any(one in _AVOID for one in said):
                return at
        return 0

    # ── breaking earlier ─────────────────────────────────────────────────────

    def _broken_before(self, index: int) -> Start:
        """Break before a step, or earlier where that is to be avoided."""
        behind: int | None = None
        follows, at = index, 0
        for position in range(len(self._placed) - 1, -1, -1):
            one = self._placed[position]
            step = self._steps[one.step]
            if isinstance(step, Positioned):
                raise Unfillable("a positioned box where a page ends")
            assert isinstance(step, (Block, TableStep))
            next_step = self._steps[follows]
            assert isinstance(next_step, (Block, TableStep))
            if not (step.breaks.behind or next_step.breaks.before):
                del self._placed[position + 1 :]
                return Start(follows, at)
            inside = self._inside(one, step)
            if inside is not None:
                del self._placed[position + 1 :]
                one.end = inside
                return Start(one.step, inside)
            follows, at = one.step, one.first
            behind = position
        raise Unfillable("no place to break" if behind is not None else "a block that is higher than a page")

    def _inside(self, one: Placed, step: Block | TableStep) -> int | None:
        """Return where lines or rows on this page may be broken."""
        if isinstance(step, TableStep):
            if step.table.computed["break_inside"] != "auto":
                return None
            kept = self._row_break(step.table.rows[one.first : one.end], one.end - one.first - 1)
            return one.first + kept if kept else None
        if step.lines is None:
            if not step.box.traits.avoids and not step.whole:
                raise Unfillable("a block that may be broken inside")
            return None
        style = step.box.traits.style
        kept = one.end - one.first - style["widows"]
        return one.first + kept if kept >= style["orphans"] else None
