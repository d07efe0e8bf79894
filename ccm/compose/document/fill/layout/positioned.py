"""Boxes out of the flow: placed by their distances from the edges of what they stand in.

Source: WeasyPrint 70, layout/absolute.py; boxes that would stay where they are in the flow are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccm.compose.document.fill.layout.flex import lay_out_flex
from ccm.compose.document.fill.layout.parts import Box
from ccm.compose.document.fill.style.measures import Sides, sides, used, within
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.layout.blocks import Blocks


def place_positioned(blocks: Blocks, pending: list[tuple[Box, int, Element]], around: Box) -> None:
    """Lay out what is positioned in a box, now that the box is laid out."""
    x, y = around.border_x + around.border.left, around.border_y + around.border.top
    width = around.width + around.padding.left + around.padding.right
    height = around.height + around.padding.top + around.padding.bottom
    for parent, index, element in pending:
        parent.children[index] = positioned(blocks, element, x, y, width, height)


def positioned(blocks: Blocks, element: Element, x: float, y: float, width: float, height: float) -> Box:
    """Lay out a positioned box in its containing block."""
    traits = blocks.book.traits(element)
    top, right, bottom, left = (
        used(inset, base) for inset, base in zip(traits.inset, (height, width, height, width), strict=True)
    )
    margin = tuple(used(one, width) for one in traits.margin)
    if None in margin or (left is None and right is None) or (top is None and bottom is None):
        raise Unfillable("a positioned box that stays where it is")
    if element.tag in ("img", "svg") or traits.display not in (("block", "flow"), ("block", "flex")):
        raise Unfillable("a positioned table or picture")
    box = Box(element, traits, margin=Sides(*(one or 0.0 for one in margin)), border=traits.border)
    box.padding = sides(traits.padding, width)
    across = box.border_width + box.margin.left + box.margin.right
    said = within(traits.bordered, used(traits.width, width), box.border_width)
    if said is None and left is not None and right is not None:
        box.width = width - left - right - across
    elif said is None:
        inset = left if left is not None else right
        assert inset is not None
        box.width = blocks.fitted(element, width - across - inset)
    else:
        box.width = said
    if traits.min_width or traits.min_height:
        raise Unfillable("min-width or min-height of a positioned box")
    box.height = blocks.height_of(box, height)
    if box.height < 0 and top is not None and bottom is not None:
        box.height = height - bottom - top - (box.margin_height + 1)
    if traits.display == ("block", "flex"):
        lay_out_flex(blocks, box)
    else:
        blocks.flow(box, [], own=True)
    at_x = left if left is not None else width - (right or 0) - box.margin_width
    at_y = top if top is not None else height - (bottom or 0) - box.margin_height
    box.move(x + at_x - box.x, y + at_y - box.y)
    return box
