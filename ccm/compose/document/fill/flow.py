"""The flow of a page's body: blocks below each other, broken over pages as the engine breaks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ccm.compose.document.fill.display import Area, Bookmark, Color, Page, Tag
from ccm.compose.document.fill.drawing import draw_lines, draw_rows
from ccm.compose.document.fill.inline import Inlines, Line
from ccm.compose.document.fill.measures import Sides, borders, color, margins, paddings
from ccm.compose.document.fill.styles import StyleBook
from ccm.compose.document.fill.table_parts import Row, Table
from ccm.compose.document.fill.tables import Tables
from ccm.compose.document.fill.tags import kind_of
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.tree import Element, serial
from ccm.compose.document.fill.unfillable import Unfillable

_SLACK = 1 + 1e-9  # the engine's own, for rounding
_BLOCK = ("block", "flow")
_LIFTED = (("block", "flex"), ("block", "grid"), ("block", "flow-root"))


@dataclass(slots=True)
class Margin:
    """A vertical margin that collapses with those beside it."""

    value: float
    top: bool


@dataclass(slots=True)
class Lines:
    """A block of text."""

    element: Element
    computed: Any
    x: float
    width: float
    padding: Sides
    border: Sides
    lines: list[Line]
    background: Color

    @property
    def height(self) -> float:
        """Of the border box."""
        return (
            self.padding.top + self.padding.bottom + self.border.top + self.border.bottom
            + sum(line.height for line in self.lines)
        )  # fmt: skip


@dataclass(slots=True)
class Lifted:
    """A block that the engine laid out, the same for everybody."""

    element: Element
    computed: Any
    x: float
    height: float
    draw: Callable[[Page, Tag | None, float, float], None]


Step: TypeAlias = "Margin | Lines | Table | Lifted"
Lifts: TypeAlias = Callable[[Element, float], "Lifted"]


class Setting:
    """What lays out the documents of one set of style sheets, and remembers for all of them."""

    def __init__(self, book: StyleBook, fonts: Fonts) -> None:
        self.book = book
        self.fonts = fonts
        self.inlines = Inlines(book, fonts)
        self.tables = Tables(book, fonts, self.inlines)


class Flow:
    """Turns the body into steps."""

    def __init__(self, setting: Setting, lifts: Lifts) -> None:
        self._book = setting.book
        self._fonts = setting.fonts
        self._inlines = setting.inlines
        self._tables = setting.tables
        self._lifts = lifts
        self.running: dict[str, Element] = {}

    def steps(self, root: Element, x: float, width: float) -> list[Step]:
        """Return the content of the root element in order."""
        found: list[Step] = []
        self.running = {}
        self._block(root, x, width, found)
        return found

    @property
    def ran(self) -> tuple[object, ...]:
        """What ran into heads and feet."""
        return tuple((name, serial(one)) for name, one in sorted(self.running.items()))

    def _children(self, element: Element, x: float, width: float, found: list[Step]) -> None:
        for child in element.children:
            if type(child) is str:
                if child.strip():
                    raise Unfillable("text beside blocks")
                continue
            assert isinstance(child, Element)
            computed, before, after = self._book.styles[child.signature]
            display = computed["display"]
            if display == ("none",):
                continue
            position = computed["position"]
            if not isinstance(position, str):
                self._run(child, position[1], found)
                continue
            if position != "static" or computed["float"] != "none":
                raise Unfillable("position or float")
            self._plain(computed)
            if before is not None or after is not None:
                raise Unfillable("generated content")
            if display == ("block", "table"):
                self._table(child, computed, x, width, found)
            elif display == _BLOCK:
                self._block(child, x, width, found)
            elif display in _LIFTED:
                edges = margins(computed, width)
                found.append(Margin(edges.top, True))
                found.append(self._lifts(child, width))
                found.append(Margin(edges.bottom, False))
            else:
                raise Unfillable("text beside blocks")

    def _run(self, element: Element, name: str, found: list[Step]) -> None:
        """Note a running element; it must be there from the first page on."""
        if name in self.running or any(not isinstance(step, Margin) for step in found):
            raise Unfillable("a running element twice, or behind other content")
        self.running[name] = element

    def _plain(self, computed: Any) -> None:
        for name in ("break_before", "break_after"):
            if computed[name] not in ("auto", "avoid"):
                raise Unfillable("a forced break")
        if computed["overflow"] != "visible" or computed["transform"] or computed["opacity"] != 1:
            raise Unfillable("overflow, transform or opacity")
        if computed["visibility"] != "visible" or computed["clear"] != "none":
            raise Unfillable("visibility or clear")

    def _table(self, element: Element, computed: Any, x: float, width: float, found: list[Step]) -> None:
        edges = margins(computed, width)
        if edges.left or edges.right:
            raise Unfillable("a table with margins beside it")
        found.append(Margin(edges.top, True))
        found.append(self._tables.layout(element, x, width))
        found.append(Margin(edges.bottom, False))

    def _block(self, element: Element, x: float, width: float, found: list[Step]) -> None:
        computed = self._book.known(element)[0]
        edges, padding, border = margins(computed, width), paddings(computed, width), borders(computed)
        if computed["width"] != "auto" or computed["height"] != "auto":
            raise Unfillable("a block with a width or height")
        inner = width - edges.left - edges.right - padding.left - padding.right - border.left - border.right
        left = x + edges.left + border.left + padding.left
        background = color(computed["background_color"], computed["color"])
        decorated = any(padding) or any(border) or background[3] > 0
        if any(border):
            raise Unfillable("a block with borders")
        found.append(Margin(edges.top, True))
        if self._is_text(element):
            lines = self._inlines.lines(self._inlines.paragraphs(element), inner, self._fonts.style(computed))
            if not lines:
                raise Unfillable("an empty block")
            found.append(Lines(element, computed, left, inner, padding, border, lines, background))
        else:
            if decorated:
                raise Unfillable("a block of blocks with padding or background")
            if any(computed[f"break_{where}"] != "auto" for where in ("before", "inside", "after")):
                raise Unfillable("a block of blocks with breaks to avoid")
            self._children(element, left, inner, found)
        found.append(Margin(edges.bottom, False))

    def _is_text(self, element: Element) -> bool:
        for child in element.children:
            if type(child) is str:
                if child.strip():
                    return True
            else:
                assert isinstance(child, Element)
                if self._book.styles[child.signature][0]["display"][0] == "inline":
                    return True
        return False


class Paginator:
    """Puts steps on pages.

    Args:
        fresh: Makes an empty page.
        top, bottom: Of the page's content, in px.
    """

    def __init__(self, fresh: Callable[[], Page], top: float, bottom: float) -> None:
        self._fresh = fresh
        self._top = top
        self._bottom = bottom
        self.pages = [fresh()]
        self._y = top
        self._empty = True
        self._margins: list[float] = []
        self._before: Any = None  # the style of the block above on this page
        self._open: dict[int, Tag] = {}  # tags of the containers on this page, by element
        self._tables = 0
        self.bookmarks: list[Bookmark] = []

    def place(self, steps: list[Step]) -> list[Page]:
        """Place everything."""
        for step in steps:
            if isinstance(step, Margin):
                if not (step.top and self._empty and len(self.pages) > 1):
                    self._margins.append(step.value)
            elif isinstance(step, Table):
                self._table(step)
            else:
                self._block(step)
        return self.pages

    def _gap(self) -> float:
        positive = max((one for one in self._margins if one >= 0), default=0.0)
        negative = min((one for one in self._margins if one <= 0), default=0.0)
        return max(positive, 0) + min(negative, 0)

    def _overflows(self, y: float) -> bool:
        return y > self._bottom * _SLACK

    def _turn(self, computed: Any) -> None:
        """Begin a new page before a block."""
        if self._before is not None and "avoid" in (self._before["break_after"], computed["break_before"]):
            raise Unfillable("a break that is to be avoided")
        self._next_page()

    def _next_page(self) -> None:
        self.pages.append(self._fresh())
        self._open = {}
        self._y = self._top
        self._empty = True
        self._margins = []

    def _tag_above(self, element: Element) -> Tag | None:
        """Return the tag of what an element stands in on this page; None for the body."""
        above = element.parent
        if above is None or above.tag in ("html", "body"):
            return None
        known = self._open.get(id(above))
        if known is None:
            known = self._open[id(above)] = Tag(kind_of(above.tag))
            self._add(self._tag_above(above), known)
        return known

    def _add(self, above: Tag | None, tag: Tag) -> Tag:
        (self.pages[-1].tags if above is None else above.children).append(tag)
        return tag

    def _block(self, step: Lines | Lifted) -> None:
        y = self._y + self._gap()
        if not self._empty and self._overflows(y + step.height):
            if isinstance(step, Lines) and len(step.lines) > 1:
                raise Unfillable("a paragraph at the end of a page")
            self._turn(step.computed)
            y = self._y
        if self._overflows(y + step.height):
            raise Unfillable("a block that is higher than a page")
        page = self.pages[-1]
        above = self._tag_above(step.element)
        if isinstance(step, Lines):
            tag = self._add(above, Tag(kind_of(step.element.tag)))
            self._bookmark(step, y)
            _draw(page, step, y, tag)
        else:
            step.draw(page, above, step.x, y)
        self._after(y + step.height, step.computed)

    def _bookmark(self, step: Lines, y: float) -> None:
        level = step.computed["bookmark_level"]
        if level != "none":
            title = " ".join("".join(run.text for line in step.lines for run, _ in line.runs).split())
            if len(step.lines) != 1:
                raise Unfillable("a heading of several lines")
            self.bookmarks.append(Bookmark(level, title, len(self.pages) - 1, step.x - step.padding.left, y))

    def _after(self, y: float, computed: Any) -> None:
        self._y = y
        self._empty = False
        self._margins = []
        self._before = computed

    def _table(self, table: Table) -> None:
        y = self._y + self._gap()
        head = sum(row.height for row in table.header)
        skipped = 0
        if not table.header and len(table.rows) > self._fitting(table, table.rows, y + table.border_top):
            raise Unfillable("a table without a head over several pages")
        if any(one.computed["break_before"] != "auto" or one.computed["break_after"] != "auto" for one in table.rows):
            raise Unfillable("rows with breaks to avoid")
        while True:
            top = y + table.border_top
            fitting = self._fitting(table, table.rows[skipped:], top + head)
            if not fitting and not self._empty:
                self._breakable(table, table.rows[skipped])
                self._turn(table.computed)
                y = self._y
                continue
            rows = table.rows[skipped : skipped + max(fitting, 1)]
            if not fitting and len(table.rows) > skipped:
                raise Unfillable("a row that is higher than a page")
            if len(rows) < len(table.rows) - skipped:
                self._breakable(table, table.rows[skipped + len(rows)])
            page = self.pages[-1]
            behind = len(page.areas)
            tag = self._add(self._tag_above(table.element), Tag("Table"))
            self._tables += 1
            end = draw_rows(table, skipped, rows, top, page, tag, self._tables)
            if table.background[3]:
                left = table.columns[0] - table.vertical[0][0][1] / 2
                right = table.columns[-1] + table.vertical[0][-1][1] / 2
                area = Area(left, y, right - left, end + table.border_bottom - y, table.background)
                page.areas.insert(behind, area)
            skipped += len(rows)
            if skipped == len(table.rows):
                self._after(end + table.border_bottom, table.computed)
                return
            if table.background[3]:
                raise Unfillable("a table with a background over several pages")
            self._next_page()
            y = self._y

    def _breakable(self, table: Table, row: Row) -> None:
        """Refuse what the engine would not break as we do, before this row."""
        if table.computed["break_inside"] != "auto":
            raise Unfillable("a table that is not to be broken")
        if row.computed["break_inside"] != "avoid":
            raise Unfillable("rows that may be broken")

    def _fitting(self, table: Table, rows: list[Row], y: float) -> int:
        """Return how many rows fit from here."""
        for index, row in enumerate(rows):
            y += row.height
            last = table.border_bottom if index == len(rows) - 1 else 0.0
            if self._overflows(y + last):
                return index
        return len(rows)


def _draw(page: Page, step: Lines, y: float, tag: Tag) -> None:
    if step.background[3]:
        left = step.x - step.padding.left
        width = step.width + step.padding.left + step.padding.right
        page.areas.append(Area(left, y, width, step.height, step.background))
    top = y + step.border.top + step.padding.top
    draw_lines(step.lines, step.element, step.computed, step.x, step.width, top, page, tag)
