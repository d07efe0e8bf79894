"""Whether something on a page is cut off or runs over its neighbour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ccm.compose.document.layout_problem import LayoutProblem

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

    def lies_in(self, other: Area) -> bool:
        """Tell whether nothing of this is outside the other."""
        return (
            self.left >= other.left
            and self.top >= other.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


def overflow_problems(pages: Iterable[Any]) -> tuple[LayoutProblem, ...]:
    """Walk the boxes of laid-out pages and report what a reader would not see whole.

    Args:
        pages: WeasyPrint's `Document.pages`.
    Returns:
        `clipped-content` for text or a meaningful image that sticks out of its page or of a box that hides
        its overflow; `overflowing-cell` for text wider than its table cell; `overflowing-box` for text that
        leaves the coloured box it stands in. At most five, each place once.
    Why: The engine says nothing about any of them, and white text beside its dark box is gone.
    """
    found: dict[LayoutProblem, None] = {}
    for number, page in enumerate(pages, start=1):
        box = page._page_box
        area = Area(0.0, 0.0, box.margin_width(), box.margin_height())
        for problem in _cut(box, _Frame(area), number):
            found[problem] = None
            if len(found) == MAX_REPORTED:
                return tuple(found)
    return tuple(found)


class _Frame(NamedTuple):
    """What bounds a box: the part of the page that shows it, its table cell, its coloured box."""

    visible: Area
    cell: Area | None = None
    painted: Area | None = None


def _cut(box: Any, frame: _Frame, page: int) -> Iterator[LayoutProblem]:
    """Yield the faults below a box; deep trees are no danger, the engine itself recurses."""
    from weasyprint.formatting_structure import boxes

    for child in box.children if hasattr(box, "children") else ():
        if hasattr(child, "_box"):  # absolutely positioned, behind a placeholder; may leave its box on purpose
            child, inherited = child._box, frame._replace(cell=None, painted=None)
        else:
            inherited = frame
        if child.style["transform"]:
            continue  # turned text has no upright rectangle; pages with it are looked at in previews
        if isinstance(child, boxes.TextBox):
            yield from _text_fault(child, inherited, page)
        elif isinstance(child, boxes.ReplacedBox):
            yield from _image_fault(child, inherited.visible, page)
        else:
            yield from _cut(child, _frame_inside(child, inherited, boxes), page)


def _frame_inside(box: Any, frame: _Frame, boxes: Any) -> _Frame:
    if isinstance(box, (boxes.InlineBox, boxes.LineBox)):
        return frame
    if _hides_overflow(box, boxes):
        frame = frame._replace(visible=frame.visible.within(_padding_area(box)))
    if isinstance(box, boxes.TableCellBox):
        frame = frame._replace(cell=_border_area(box))
    # Set by the engine only where something is painted; the whole page's own background is not a box's.
    if getattr(box, "background", None) is not None and not isinstance(box, boxes.TableRowGroupBox):
        frame = frame._replace(painted=_border_area(box))
    return frame


def _text_fault(box: Any, frame: _Frame, page: int) -> Iterator[LayoutProblem]:
    if not box.text.strip() or box.style["visibility"] != "visible":
        return
    slack = box.height * HIDDEN_HEIGHT_SHARE
    spacing = box.style["letter_spacing"]
    over = TOLERANCE_PX + (spacing if isinstance(spacing, (int, float)) else 0)
    ink = Area(
        box.position_x + over,
        box.position_y + slack,
        box.position_x + box.width - over,
        box.position_y + box.height - slack,
    )
    if not ink.lies_in(frame.visible):
        yield LayoutProblem(
            "clipped-content",
            f"text of {_name(box)} is cut off on page {page}",
            "give it more room, let it wrap, or shorten the data",
        )
    elif frame.cell and (ink.left < frame.cell.left or ink.right > frame.cell.right):
        yield LayoutProblem(
            "overflowing-cell",
            f"text of {_name(box)} is wider than its table cell on page {page}",
            "widen the column or let the text wrap (overflow-wrap: anywhere)",
        )
    elif frame.painted and not ink.lies_in(frame.painted):
        yield LayoutProblem(
            "overflowing-box",
            f"text of {_name(box)} leaves its coloured box on page {page}",
            "give the box more room or let its text wrap",
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
