"""Whether something on a page is cut off or runs over its neighbour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ccm.compose.layout_problem import LayoutProblem

# Half a CSS pixel is rounding; side bearings of a glyph make the rest.
TOLERANCE_PX = 1.5
# Tight line heights let a text's box stick out a little above and below without any ink there.
HIDDEN_HEIGHT_SHARE = 0.35
MAX_REPORTED = 5


class Area(NamedTuple):
    """A rectangle in CSS pixels from the page's top left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def within(self, other: Area) -> Area:
        """Return what both have in common."""
        return Area(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )


def overflow_problems(pages: Iterable[Any]) -> tuple[LayoutProblem, ...]:
    """Walk the boxes of laid-out pages and report what a reader would not see whole.

    Args:
        pages: WeasyPrint's `Document.pages`.
    Returns:
        `clipped-content` for text or a meaningful image that sticks out of its page or of a box that hides
        its overflow; `overflowing-cell` for text wider than its table cell. At most five, each place once.
    Why: The engine says nothing about either.
    """
    found: dict[LayoutProblem, None] = {}
    for number, page in enumerate(pages, start=1):
        box = page._page_box
        area = Area(0.0, 0.0, box.margin_width(), box.margin_height())
        for problem in _cut(box, area, None, number):
            found[problem] = None
            if len(found) == MAX_REPORTED:
                return tuple(found)
    return tuple(found)


def _cut(box: Any, visible: Area, cell: Area | None, page: int) -> Iterator[LayoutProblem]:
    """Yield the faults below a box; deep trees are no danger, the engine itself recurses."""
    from weasyprint.formatting_structure import boxes

    for child in box.children if hasattr(box, "children") else ():
        child = getattr(child, "_box", child)  # an absolutely positioned box stands behind a placeholder
        if child.style["transform"]:
            continue  # turned text has no upright rectangle; pages with it are looked at in previews
        if isinstance(child, boxes.TextBox):
            yield from _text_fault(child, visible, cell, page)
        elif isinstance(child, boxes.ReplacedBox):
            yield from _image_fault(child, visible, page)
        else:
            inside = visible.within(_padding_area(child)) if _hides_overflow(child, boxes) else visible
            own_cell = _border_area(child) if isinstance(child, boxes.TableCellBox) else cell
            yield from _cut(child, inside, own_cell, page)


def _text_fault(box: Any, visible: Area, cell: Area | None, page: int) -> Iterator[LayoutProblem]:
    if not box.text.strip() or box.style["visibility"] != "visible":
        return
    left, right = box.position_x, box.position_x + box.width
    slack = box.height * HIDDEN_HEIGHT_SHARE
    top, bottom = box.position_y + slack, box.position_y + box.height - slack
    spacing = box.style["letter_spacing"]
    over = TOLERANCE_PX + (spacing if isinstance(spacing, (int, float)) else 0)
    if left < visible.left - over or right > visible.right + over or top < visible.top or bottom > visible.bottom:
        yield LayoutProblem(
            "clipped-content",
            f"text of {_name(box)} is cut off on page {page}",
            "give it more room, let it wrap, or shorten the data",
        )
    elif cell and (left < cell.left - over or right > cell.right + over):
        yield LayoutProblem(
            "overflowing-cell",
            f"text of {_name(box)} is wider than its table cell on page {page}",
            "widen the column or let the text wrap (overflow-wrap: anywhere)",
        )


def _image_fault(box: Any, visible: Area, page: int) -> Iterator[LayoutProblem]:
    element = box.element
    if element is not None and (element.get("alt") == "" or element.get("aria-hidden") == "true"):
        return  # decoration may run off the page
    area = Area(box.content_box_x(), box.content_box_y(), 0, 0)
    right, bottom = area.left + box.width, area.top + box.height
    if (
        area.left < visible.left - TOLERANCE_PX
        or area.top < visible.top - TOLERANCE_PX
        or right > visible.right + TOLERANCE_PX
        or bottom > visible.bottom + TOLERANCE_PX
    ):
        yield LayoutProblem(
            "clipped-content",
            f"the image {_name(box)} is cut off on page {page}",
            'make it smaller, or give it alt="" if it is only decoration',
        )


def _hides_overflow(box: Any, boxes: Any) -> bool:
    return box.style["overflow"] != "visible" and isinstance(
        box, (boxes.BlockBox, boxes.InlineBlockBox, boxes.TableCellBox)
    )


def _padding_area(box: Any) -> Area:
    left, top = box.padding_box_x(), box.padding_box_y()
    return Area(left, top, left + box.padding_width(), top + box.padding_height())


def _border_area(box: Any) -> Area:
    left, top = box.border_box_x(), box.border_box_y()
    return Area(left, top, left + box.border_width(), top + box.border_height())


def _name(box: Any) -> str:
    """Return the template's name for a box: its element and class, never its text."""
    tag = str(box.element_tag).rpartition("}")[2]
    classes = box.element.get("class", "") if box.element is not None else ""
    return f"<{tag}>" if not classes else f"<{tag} class={'.'.join(classes.split()[:2])}>"
