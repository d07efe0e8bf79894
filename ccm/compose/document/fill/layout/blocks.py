"""Blocks that are not broken over pages: laid out once, as a whole, with everything inside.

Source: WeasyPrint 70, layout/block.py and layout/absolute.py, without floats, columns and page breaks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ccm.compose.document.fill.layout.content_widths import ContentWidths
from ccm.compose.document.fill.layout.figures import Pictures
from ccm.compose.document.fill.layout.flex import lay_out_flex
from ccm.compose.document.fill.layout.lines import LineSetter
from ccm.compose.document.fill.layout.nodes import Atom, NodeReader
from ccm.compose.document.fill.layout.parts import Box, LinePart, TablePart, first_baseline
from ccm.compose.document.fill.layout.plain_lines import PlainLines
from ccm.compose.document.fill.layout.positioned import place_positioned
from ccm.compose.document.fill.layout.tables import Tables
from ccm.compose.document.fill.style.measures import Sides, collapsed, sides, used, within
from ccm.compose.document.fill.style.styles import StyleBook
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.text.breaking import Breaker
from ccm.compose.document.fill.text.shaping import Fonts
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable


class Place(NamedTuple):
    """What a box stands in: its width, its height where that is known, its direction."""

    width: float
    height: float | None
    ltr: bool


class Laid(NamedTuple):
    """A box, the margins under it that are still to collapse, and whether margins collapse through it."""

    box: Any
    below: list[float]
    through: bool


Pending = list[tuple[Box, int, Element]]
Measures = tuple[float, float, float, Sides, Sides, Sides]  # left edge, width, height; margin, border, padding
_MOST_SIZES = 4_000  # of blocks, remembered


class Blocks:
    """Lays blocks out."""

    def __init__(self, book: StyleBook, fonts: Fonts, tables: Tables, pictures: Pictures) -> None:
        self.book = book
        self.reader = NodeReader(book, fonts)
        breaker = Breaker()
        self.setter = LineSetter(breaker, self.atom)
        self._plain = PlainLines(breaker)
        self._sizes: dict[tuple[Traits, Place, float], Measures] = {}
        self.pictures = pictures
        self.tables = tables
        self.content_widths = ContentWidths(self)

    # ── what stands in a block ───────────────────────────────────────────────

    def is_text(self, element: Element) -> bool:
        """Tell whether a block holds lines and nothing else."""
        return self._holds(element) == (True, False)

    def is_mixed(self, element: Element) -> bool:
        """Tell whether a block holds lines beside blocks."""
        return self._holds(element) == (True, True)

    def has_text(self, element: Element) -> bool:
        """Tell whether a block holds lines, beside blocks or alone."""
        return self._holds(element)[0]

    def _holds(self, element: Element) -> tuple[bool, bool]:
        """Tell whether an element holds lines, and whether it holds blocks."""
        block = False
        text = self.generates(element)
        for child in element.children:
            if type(child) is str:
                text = text or bool(child.strip(" \t\n\f"))
                continue
            assert isinstance(child, Element)
            style = self.book.styles[child.signature][0]
            if style["display"] == ("none",):
                continue
            if style["display"][0] == "inline":
                text = True
            else:
                block = True
        return text, block

    def generates(self, element: Element) -> bool:
        """Tell whether the style sheets put anything before or behind the content of an element."""
        _, before, after = self.book.styles[element.signature]
        return any(one is not None and one["content"] not in ("normal", "inhibit", "none") for one in (before, after))

    def kids(self, element: Element) -> list[Element]:
        """Return the children of a block of blocks."""
        found = []
        for child in element.children:
            if isinstance(child, Element) and self.book.styles[child.signature][0]["display"] != ("none",):
                found.append(child)
        return found

    # ── boxes ────────────────────────────────────────────────────────────────

    def child(
        self, element: Element, place: Place, x: float, y: float, above: list[float], pending: Pending | None = None,
        *, running: bool = False,
    ) -> Laid:  # fmt: skip
        """Lay out a child in the flow of a block.

        Args:
            above: Margins above it that collapse with its own; changed.
            pending: Takes positioned descendants whose containing block is further up.
            running: Whether it may be an element that runs into a head or foot.
        """
        traits = self.book.traits(element)
        if traits.position == "running" and not running:
            raise Unfillable("a running element inside a block")
        if traits.position == "relative" and any(one is not None for one in traits.inset):
            raise Unfillable("a box that is moved")
        if traits.display in (("block", "flow"), ("block", "flow-root")):
            if element.tag in ("img", "svg"):
                return self._apart(self._picture(element, traits, place, x, y), above)
            box = self.sized(element, traits, place, x, y)
            return self.flow(box, above, pending, own="flow-root" in traits.display)
        if traits.display == ("block", "flex"):
            box = self.sized(element, traits, place, x, y)
            made = self._apart(box, above)
            lay_out_flex(self, box)
            return made
        if traits.display == ("block", "table"):
            return self._apart(self._table(element, traits, place, x, y), above)
        raise Unfillable(f"display: {' '.join(traits.display)}")

    def _apart(self, box: Any, above: list[float]) -> Laid:
        """Put a box under the margins above it; its own margins do not collapse with what is inside."""
        above.append(box.margin.top)
        box.move(0, collapsed(above) - box.margin.top)
        return Laid(box, [], False)

    def sized(self, element: Element, traits: Traits, place: Place, x: float, y: float) -> Box:
        """Return a block with its margins and width, in the place of its parent's content."""
        key = (traits, place, x)
        known = self._sizes.get(key)
        if known is None:
            if len(self._sizes) > _MOST_SIZES:
                self._sizes.clear()
            known = self._sizes[key] = self._sized(element, traits, place, x)
        left, width, height, margin, border, padding = known
        return Box(element, traits, left, y, width, height, margin, border, padding)

    def _sized(self, element: Element, traits: Traits, place: Place, x: float) -> Measures:
        """Return where a block of these traits stands from left to right, and its measures."""
        box = Box(element, traits, x)
        box.border = traits.border
        box.padding = sides(traits.padding, place.width)
        top, right, bottom, left = (used(one, place.width) for one in traits.margin)
        across = box.border.left + box.border.right + box.padding.left + box.padding.right
        width = within(traits.bordered, used(traits.width, place.width), across)
        if width is None:
            width = place.width - across - (left or 0) - (right or 0)
        least = within(traits.bordered, used(traits.min_width, place.width), across)
        box.width = width = max(least or 0.0, width)
        taken = across + width + (left or 0) + (right or 0)
        if taken > place.width:
            left, right = left or 0.0, right or 0.0
        if not place.ltr:
            box.x += place.width - across - width - (left or 0) - (right or 0)
        free = place.width - across - width
        if left is None and right is None:
            left = right = free / 2
        elif left is None:
            left = free - (right or 0)
        elif right is None:
            right = free - left
        assert right is not None
        box.margin = Sides(top or 0.0, right, bottom or 0.0, left)
        box.height = self.height_of(box, place.height)
        return box.x, box.width, box.height, box.margin, box.border, box.padding

    def height_of(self, box: Box, around: float | None) -> float:
        """Return the height of the content, negative where it is automatic; `around` is that of what it stands in."""
        traits = box.traits
        height = used(traits.height, around)
        across = box.border.top + box.border.bottom + box.padding.top + box.padding.bottom
        height = within(traits.bordered, height, across)
        return -1.0 if height is None else height

    def flow(self, box: Box, above: list[float], pending: Pending | None = None, *, own: bool = False) -> Laid:
        """Lay out the content of a block whose width is known.

        Args:
            above: Margins that collapse with its own; changed.
            pending: Takes positioned descendants whose containing block is further up.
            own: Whether its margins keep apart from those of its children.
        """
        traits = box.traits
        automatic = box.height < 0
        above.append(box.margin.top)
        around = above
        opens = not (box.border.top or box.padding.top or own)
        if opens:
            y = box.y
        else:
            box.y += collapsed(above) - box.margin.top
            above = []
            y = box.content_y
        positioned: Pending = [] if traits.position != "static" or pending is None else pending
        filled, y, above = self._content(box, y, above, positioned)
        if opens:
            box.y += collapsed(around) - box.margin.top
        through = False
        if not filled:
            least = used(traits.min_height, None)
            if (automatic or box.height == 0) and not any(
                (least or 0, box.border.top, box.padding.top, box.border.bottom, box.padding.bottom)
            ):
                through = True
            else:
                y += collapsed(above)
                above = []
        elif not automatic:
            above = []
        if box.border.bottom or box.padding.bottom or own:
            y += collapsed(above)
            above = []
        if automatic:
            box.height = max(0.0, y - box.content_y)
        least_height = traits.min_height
        if least_height:
            box.height = max(box.height, self._least_height(box))
        if positioned is not pending:
            place_positioned(self, positioned, box)
        return Laid(box, above, through)

    def _least_height(self, box: Box) -> float:
        least = used(box.traits.min_height, None)
        across = box.border.top + box.border.bottom + box.padding.top + box.padding.bottom
        return within(box.traits.bordered, least, across) or 0.0

    def _content(self, box: Box, y: float, above: list[float], pending: Pending) -> tuple[bool, float, list[float]]:
        """Lay out lines or blocks; returns whether there was anything, where it ends, margins that are left."""
        below = y + collapsed(above) if above else y
        plain = self._plain.lines(box.element, box.content_x, below, box.width)
        if plain is not None or self.is_text(box.element):
            y = below
            lines = self._lines(box, y) if plain is None else plain
            box.children += lines
            return bool(lines), lines[-1].y + lines[-1].height if lines else y, [] if lines else above
        filled = False
        place = Place(box.width, box.height if box.height >= 0 else None, box.traits.ltr)
        x = box.content_x
        for element in self._parts(box.element) if self.is_mixed(box.element) else self.kids(box.element):
            if not isinstance(element, Element):
                anonymous = self._anonymous(box, element, y, above)
                if anonymous is not None:
                    filled, y, above = True, anonymous.y + anonymous.height, []
                continue
            traits = self.book.traits(element)
            if traits.out:
                pending.append((box, len(box.children), element))
                box.children.append(Box(element, traits))
                continue
            laid = self.child(element, place, x, y, above, pending)
            box.children.append(laid.box)
            filled = True
            if not laid.through:
                y = (
                    laid.box.border_y + laid.box.border_height
                    if isinstance(laid.box, Box)
                    else laid.box.y + laid.box.height
                )
            above = [*laid.below, laid.box.margin.bottom]
        return filled, y, above

    def _lines(self, box: Box, y: float) -> list[LinePart]:
        """Set the lines of a block from a height on."""
        paragraph = self.reader.paragraph(box.element)
        self._plain.learn(paragraph)
        return self.setter.lines(paragraph, box.content_x, y, box.width)

    def _parts(self, element: Element) -> list[Element | list[Element | str]]:
        """Return the children of a block: blocks, and what stands between them in lines."""
        if self.generates(element):
            raise Unfillable("generated content beside blocks")
        found: list[Element | list[Element | str]] = []
        for child in element.children:
            if isinstance(child, Element):
                display = self.book.styles[child.signature][0]["display"]
                if display == ("none",):
                    continue
                if display[0] != "inline":
                    if self.book.traits(child).out:
                        raise Unfillable("a positioned box beside text")
                    found.append(child)
                    continue
            if not found or isinstance(found[-1], Element):
                found.append([])
            found[-1].append(child)  # type: ignore[union-attr]  # a list
        return found

    def _anonymous(self, box: Box, children: list[Element | str], y: float, above: list[float]) -> Box | None:
        """Lay out lines between blocks, in a box that no element has; None where there are only blanks."""
        paragraph = self.reader.paragraph(box.element, children)
        if not paragraph.children:
            return None
        made = Box(box.element, self.book.anonymous(box.element), box.content_x, y, box.width)
        above.append(0.0)
        made.y += collapsed(above)
        lines = self.setter.lines(paragraph, made.x, made.y, box.width)
        if not lines:
            raise Unfillable("lines without content beside blocks")
        made.children += lines
        made.height = lines[-1].y + lines[-1].height - made.y
        box.children.append(made)
        return made

    # ── tables and pictures ──────────────────────────────────────────────────

    def _table(self, element: Element, traits: Traits, place: Place, x: float, y: float) -> TablePart:
        top, right, bottom, left = (used(one, place.width) for one in traits.margin)
        if left or right or traits.ltr != place.ltr:
            raise Unfillable("a table with margins beside it, or of another direction")
        table = self.tables.layout(element, x, place.width)
        if not place.ltr:
            table = table.moved(place.width - table.outer_width)
        rows = [*table.header, *table.rows]
        if any(row.computed["break_before"] not in ("auto", "avoid") for row in rows):
            raise Unfillable("a forced break")
        height = table.border_top + table.border_bottom + sum(row.height for row in rows)
        margin = Sides(top or 0.0, 0, bottom or 0.0, 0)
        return TablePart(element, table, table.x, y, table.width, height, margin)

    def _picture(self, element: Element, traits: Traits, place: Place, x: float, y: float) -> Box:
        """Lay out a picture that is a block."""
        box = Box(element, traits, x, y, border=traits.border, padding=sides(traits.padding, place.width))
        self.pictures.size(box, place)
        free = place.width - box.border_width
        top, right, bottom, left = (used(one, place.width) for one in traits.margin)
        if free - (left or 0) - (right or 0) < 0:
            left, right = left or 0.0, right or 0.0
        if left is None and right is None:
            left = right = free / 2
        elif left is None:
            left = free - (right or 0)
        if not place.ltr:
            box.x += free - (left or 0) - (right or 0)
        box.margin = Sides(top or 0.0, right or 0.0, bottom or 0.0, left or 0.0)
        self.pictures.draw(box)
        return box

    # ── boxes in lines ───────────────────────────────────────────────────────

    def atom(self, atom: Atom, width: float) -> Box:
        """Lay out a box that stands in a line."""
        element = atom.element
        traits = self.book.traits(element)
        if traits.position != "static":
            raise Unfillable("a positioned box inside text")
        margin = Sides(*(used(one, width) or 0.0 for one in traits.margin))
        if min(margin) < 0:
            raise Unfillable("a box with negative margins inside text")
        box = Box(element, traits, margin=margin, border=traits.border, padding=sides(traits.padding, width))
        if element.tag in ("img", "svg"):
            self.pictures.size(box, Place(width, None, True))
            self.pictures.draw(box)
            box.baseline = box.margin_height
            return box
        across = box.border_width
        said = within(traits.bordered, used(traits.width, width), across)
        available = width - across - margin.left - margin.right
        box.width = self.fitted(element, available) if said is None else said
        if used(traits.min_width, width):
            raise Unfillable("min-width inside text")
        box.height = self.height_of(box, None)
        self.flow(box, [], own=True)
        baseline = first_baseline(box, last=True)
        box.baseline = baseline - box.y if baseline else box.margin_height
        return box

    def fitted(self, element: Element, available: float) -> float:
        """Return the width that content takes where it may take less than there is."""
        widest = self.content_widths.most(element, outer=False)
        if available >= widest:
            return widest
        return min(max(self.content_widths.least(element, outer=False), available), widest)
