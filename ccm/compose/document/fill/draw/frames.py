"""Heads and feet of pages, and what else is taken over from a page that the engine laid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ccm.compose.document.fill.display import Page, Stripe
from ccm.compose.document.fill.draw.lift import Lift
from ccm.compose.document.fill.draw.sheets import Sheet
from ccm.compose.document.fill.layout.blocks import Blocks, Place
from ccm.compose.document.fill.layout.figures import Intrinsic, Pictures, drawn_by_the_engine
from ccm.compose.document.fill.layout.nodes import Counters
from ccm.compose.document.fill.layout.parts import Box
from ccm.compose.document.fill.text.shaping import Fonts
from ccm.compose.document.fill.tree.elements import Element, serial
from ccm.compose.document.fill.unfillable import Unfillable

_MOST_DRAWN = 1000  # heads or feet of one place, remembered


class PageArea(NamedTuple):
    """Width and height of a page; left, top, width and bottom of its content."""

    width: float
    height: float
    left: float
    top: float
    inner: float
    bottom: float


def page_area(page: Any) -> PageArea:
    """Return the measures of a page of the engine's."""
    box = page._page_box
    left, top = box.content_box_x(), box.content_box_y()
    return PageArea(box.margin_width(), box.margin_height(), left, top, box.width, top + box.height)


@dataclass(frozen=True)
class RunningPlace:
    """A margin box that shows one running element; the measures are of its content.

    name: Of the running element. drawn: What it was on pages before, by its content and the page's number.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    ltr: bool
    drawn: dict[object, Page] = field(default_factory=dict, compare=False)

    def draw(self, page: Page, blocks: Blocks, element: Element, number: int, count: int) -> None:
        """Draw the element as it is on this page, one of so many."""
        key = (serial(element), number, count)
        drawn = self.drawn.get(key)
        if drawn is None:
            if len(self.drawn) >= _MOST_DRAWN:
                self.drawn.clear()
            drawn = self.drawn[key] = self._drawn(page, blocks, element, number, count)
        page.areas += drawn.areas
        page.beside += drawn.beside

    def _drawn(self, page: Page, blocks: Blocks, element: Element, number: int, count: int) -> Page:
        """Return a page with nothing but the element on it."""
        scratch = Sheet(Page(page.width, page.height), 0, 0, [])
        blocks.reader.counters = _counters(number, count)
        try:
            laid = blocks.child(element, Place(self.width, self.height, self.ltr), self.x, self.y, [], running=True)
        finally:
            blocks.reader.counters = None
        if not isinstance(laid.box, Box):
            raise Unfillable("a table in a head or foot")
        scratch.box(laid.box, 0, 0, None)
        drawn = scratch.finished()
        for item in drawn.marked:
            if isinstance(item, Stripe):
                drawn.beside += item.drawn()
            else:
                drawn.beside.append(item)
        return drawn


Frame: TypeAlias = "tuple[Lift | RunningPlace, ...] | Unfillable"


def frame_of(page: Any, fonts: Fonts) -> Frame:
    """Take the heads and feet of a page of the engine's; or why they cannot be taken."""
    from weasyprint.formatting_structure import boxes

    margin_boxes = [one for one in page._page_box.children if isinstance(one, boxes.MarginBox)]
    sides = [one.at_keyword.split("-")[0] for one in margin_boxes]
    try:
        return tuple(
            _running_place(one, sides.count(one.at_keyword.split("-")[0])) or Lift(one, fonts) for one in margin_boxes
        )
    except Unfillable as refusal:
        return refusal


def _running_place(box: Any, beside: int) -> RunningPlace | None:
    """Return where a margin box shows a running element, None if it does not.

    Args:
        beside: How many margin boxes this side of the page has.
    """
    content = box.style["content"]
    names = [one[1] for one in content if one[0] == "element()"] if not isinstance(content, str) else []
    if not names:
        return None
    if len(content) != 1 or len(box.children) != 1 or beside != 1:
        raise Unfillable("a head or foot with more than one running element")
    if names[0][1] != "first":
        raise Unfillable("an element() that is not the first")
    if box.style["width"] == "auto" or box.style["vertical_align"] in ("middle", "bottom"):
        raise Unfillable("a head or foot whose place hangs on what is in it")
    if box.background is not None or any(
        getattr(box, f"border_{side}_width") for side in ("top", "right", "bottom", "left")
    ):
        raise Unfillable("a head or foot with background or borders of its own")
    ltr = box.style["direction"] == "ltr"
    return RunningPlace(names[0][0], box.content_box_x(), box.content_box_y(), box.width, box.height, ltr)


_DIGITS = {"decimal": None, "arabic-indic": {ord("0") + digit: chr(0x660 + digit) for digit in range(10)}}


def _counters(number: int, count: int) -> Counters:
    """Return the texts of page counters."""

    def text(name: str, style: str) -> str:
        if style not in _DIGITS:
            raise Unfillable("a counter in other digits")
        digits = str(number if name == "page" else count)
        table = _DIGITS[style]
        return digits if table is None else digits.translate(table)

    return text


def learn_pictures(pictures: Pictures, document: Any) -> None:
    """Take the images that the engine drew on its pages."""
    for box in _replaced(document):
        element = box.element
        if element is None or element.tag != "img" or box.element_tag != "img":
            continue
        size = box.replacement.get_intrinsic_size(box.style["image_resolution"], box.style["font_size"])
        try:
            drawing = drawn_by_the_engine(box)
        except Unfillable:
            continue
        pictures.learn(element.get("src", ""), Intrinsic(*size), box.width, box.height, drawing)


def _replaced(document: Any) -> Iterator[Any]:
    from weasyprint.formatting_structure import boxes

    for page in document.pages:
        for box in page._page_box.descendants(placeholders=True):
            if isinstance(box, boxes.ReplacedBox):
                yield box
