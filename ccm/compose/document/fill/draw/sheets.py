"""Drawing laid-out boxes onto pages, with their tags and bookmarks.

Source: WeasyPrint 70, stacking.py (what is positioned comes after what is not), pdf/tags.py, anchors.py.
"""

from __future__ import annotations

from operator import itemgetter

from ccm.compose.document.fill.display import Area, Bookmark, Page, Picture, Shape, Stripe, Tag, Text
from ccm.compose.document.fill.draw.drawing import draw_rows
from ccm.compose.document.fill.layout.parts import Box, InlinePart, LinePart, Part, SpanPart, TablePart, TextPart
from ccm.compose.document.fill.layout.tags import kind_of
from ccm.compose.document.fill.tree.elements import Element, trimmed
from ccm.compose.document.fill.unfillable import Unfillable

# How far ink may leave its box, and where it is above the baseline: nearer than what checking pages reports.
_OVER = 1.4  # px
_ABOVE, _BELOW = 0.6, 0.1  # of the size
_LISTS = frozenset(("dl", "ul", "ol"))
_ITEMS = frozenset(("dt", "dd", "li"))


class Sheet:
    """One page while it is drawn on.

    tables: How many tables the file has so far.
    """

    def __init__(self, page: Page, index: int, tables: int, bookmarks: list[Bookmark]) -> None:
        self.page = page
        self.tables = tables
        self._index = index
        self._bookmarks = bookmarks
        self._flat = page
        self._raised = Page(page.width, page.height)
        self._layers: list[tuple[int, Page]] = []  # in front of what is raised, each with its z-index
        self._above: dict[int, Tag] = {}  # tags of containers on this page, by element
        self._limits = (0.0, 0.0, page.width, page.height)  # left, top, right and bottom that text must stay within

    @property
    def raises(self) -> bool:
        """Whether anything was drawn that is positioned or a picture."""
        return bool(self._raised.marked or self._raised.areas or self._layers)

    def tag_above(self, element: Element) -> Tag | None:
        """Return the tag of what an element stands in on this page; None for the body."""
        above = element.parent
        if above is None or above.tag in ("html", "body"):
            return None
        known = self._above.get(id(above))
        if known is None:
            known = self._above[id(above)] = self.opened(above, self.tag_above(above))
        return known

    def opened(self, element: Element, above: Tag | None) -> Tag:
        """Add the tag of an element to what it stands in; returns where its content goes."""
        children = self.page.tags if above is None else above.children
        if element.tag in _ITEMS:
            if above is not None and above.kind in ("LI", "LBody"):
                raise Unfillable("a list in a list")
            body = Tag("LBody")
            children.append(Tag("LI", [body]))
            return body
        made = Tag("L" if element.tag in _LISTS else kind_of(element.tag))
        children.append(made)
        return made

    def box(self, box: Box, dx: float, dy: float, above: Tag | None) -> Tag:
        """Draw a box and everything in it, moved; returns its tag."""
        return self._raise(box, dx, dy, above) if box.traits.raised else self._box(box, dx, dy, above)

    def _raise(self, box: Box, dx: float, dy: float, above: Tag | None) -> Tag:
        """Draw a positioned box: itself, then what is raised in it; with a z-index, the layers in it as well.

        Raises:
            Unfillable: As `_put` does.
        """
        flat, raised, layers = self._flat, self._raised, self._layers
        own = self._flat = Page(self.page.width, self.page.height)
        self._raised = Page(self.page.width, self.page.height)
        z = box.traits.z
        if z is not None:
            self._layers = []
        tag = self._box(box, dx, dy, above)
        _put(own, self._raised)
        if z is not None:
            _put_layers(own, self._layers)
        self._flat, self._raised, self._layers = flat, raised, layers
        if z:
            layers.append((z, own))
        else:
            _put(raised, own)
        return tag

    def _box(self, box: Box, dx: float, dy: float, above: Tag | None) -> Tag:
        x, y = box.border_x + dx, box.border_y + dy
        look = box.traits.look
        if not look.nothing:
            look.paint(self._flat.areas, x, y, box.border_width, box.border_height)
        if box.element.tag in ("img", "svg"):
            return self._picture(box, dx, dy, above)
        tag = self.opened(box.element, above)
        if box.traits.level != "none":
            self._bookmark(box.element, box.traits.level, x, y)
        around = self._limits
        if not look.nothing:
            self._limits = (x, y, x + box.border_width, y + box.border_height)
        elif box.traits.out:
            self._limits = (0.0, 0.0, self.page.width, self.page.height)
        for child in box.children:
            self.part(child, dx, dy, tag)
        self._limits = around
        return tag

    def part(self, part: Part, dx: float, dy: float, tag: Tag) -> None:
        """Draw what stands in a box."""
        if isinstance(part, Box):
            self.box(part, dx, dy, tag)
        elif isinstance(part, LinePart):
            for child in part.children:
                self._inline(child, dx, dy, tag)
        else:
            self._table(part, dx, dy, tag)

    def _inline(self, part: InlinePart, dx: float, dy: float, tag: Tag) -> None:
        if isinstance(part, Box):
            self.box(part, dx, dy, tag)
        elif isinstance(part, SpanPart):
            own = Tag("NonStruct" if part.mark else kind_of(part.element.tag))
            tag.children.append(own)
            if part.element.tag == "br" and not part.mark and not part.children:
                own.children.append(Tag("NonStruct"))
            for child in part.children:
                self._inline(child, dx, dy, own)
        else:
            self._text(part, dx, dy, tag)

    def _text(self, part: TextPart, dx: float, dy: float, tag: Tag) -> None:
        text = Text(part.x + dx, part.y + part.rise + dy, part.run, part.ink)
        left, top, right, bottom = self._limits
        size = part.run.size
        if part.run.text.strip() and (
            text.x + _OVER < left or text.x + part.width - _OVER > right
            or text.y - size * _ABOVE < top or text.y - size * _BELOW > bottom
        ):  # fmt: skip
            raise Unfillable("text that leaves its box or the page")
        tag.children.append(text)
        self._flat.marked.append(text)

    def _picture(self, box: Box, dx: float, dy: float, above: Tag | None) -> Tag:
        if not box.words:
            raise Unfillable("a picture without words")
        x, y = box.content_x + dx, box.content_y + dy
        picture = Picture(box.drawing, x, y, box.width, box.height)
        self._raised.marked.append(picture)  # the engine hides what runs over a picture, which raises it
        tag = Tag("Figure", [picture], box.words, (x, y, x + box.width, y + box.height))
        (self.page.tags if above is None else above.children).append(tag)
        return tag

    def _table(self, part: TablePart, dx: float, dy: float, above: Tag) -> None:
        table = part.table
        if table.background[3]:
            raise Unfillable("a table with a background inside a block")
        moved = table.moved(dx + part.x - table.x)
        tag = Tag("Table")
        above.children.append(tag)
        self.tables += 1
        draw_rows(moved, 0, table.rows, part.y + dy + table.border_top, self._flat, tag, self.tables)

    def _bookmark(self, element: Element, level: object, x: float, y: float) -> None:
        if not isinstance(level, int):
            raise Unfillable("bookmark-level")
        title = trimmed(_content(element)).strip()
        if title:
            self._bookmarks.append(Bookmark(level, title, self._index, x, y))

    def finished(self) -> Page:
        """Return the page with everything on it.

        Raises:
            Unfillable: As `_put` does.
        """
        _put(self.page, self._raised)
        _put_layers(self.page, self._layers)
        return self.page


def _put_layers(page: Page, layers: list[tuple[int, Page]]) -> None:
    for _, layer in sorted(layers, key=itemgetter(0)):  # those of one z-index stay in their order
        _put(page, layer)


def _put(page: Page, above: Page) -> None:
    """Put what is raised onto what was there before.

    Raises:
        Unfillable: If a background or border would cover a text or picture, which are painted after all of these.
    """
    for area in above.single_areas() if page.marked and above.areas else ():
        for item in page.marked:
            if any(_covers(area, one) for one in (item.drawn() if isinstance(item, Stripe) else (item,))):
                raise Unfillable("a positioned box over a text or picture")
    page.areas += above.areas
    page.marked += above.marked


def _covers(area: Area | Shape, item: Text | Picture) -> bool:
    if isinstance(item, Picture):
        left, top, width, bottom = item.dx, item.dy, item.width, item.dy + item.height
    else:
        size = item.run.size
        left, top, width, bottom = item.x, item.y - size, item.run.width, item.y + size / 2
    return (
        area.x < left + width and left < area.x + area.width and area.y < bottom and top < area.y + area.height
    )  # fmt: skip


def _content(element: Element) -> str:
    """Return the text of an element, as bookmarks show it."""
    found = []
    for child in element.children:
        if isinstance(child, Element):
            if child.tag in ("br", "img", "svg"):
                raise Unfillable("a heading with more than text")
            found.append(_content(child))
        else:
            found.append(child)
    return "".join(found)
