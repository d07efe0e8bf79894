"""Flex containers that are one row.

Source: WeasyPrint 70, layout/flex.py, for `flex-direction: row` and `flex-wrap: nowrap`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill.layout.parts import Box, TablePart, first_baseline
from ccm.compose.document.fill.style.measures import Percent, Sides, used
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.layout.blocks import Blocks

_ROUNDING = 1e-6  # px
_JUSTIFY = {"normal", "flex-start", "start", "left", "center", "space-between", "flex-end", "end", "right"}
_ALIGN = {"normal", "stretch", "flex-start", "start", "self-start", "center", "baseline", "flex-end", "end", "self-end"}


@dataclass(slots=True, eq=False)
class _Item:
    """A flex item while widths are found. extra: Margins, borders and paddings beside the content."""

    element: Element
    traits: Traits
    base: float
    extra: float
    smallest: float
    hypothetical: float
    width: float = 0
    frozen: bool = False
    box: Any = None
    baseline: float = 0


def lay_out_flex(blocks: Blocks, box: Box) -> None:
    """Lay out the content of a flex container whose width is known; sets its height."""
    style = box.traits.style
    gap = _checked(blocks, box)
    items = [_item(blocks, box, kid) for kid in blocks.kids(box.element)]
    if not items:
        raise Unfillable("an empty flex container")
    _flexed(items, box.width, gap)
    for item in items:
        _laid(blocks, box, item)
    align_items = _first(style["align_items"])
    definite = box.height >= 0
    line = box.height if definite else _line_height(items)
    if not definite:
        box.height = max(0.0, line)
    _placed_across(box, items, gap, _first(style["justify_content"]))
    _placed_down(box, items, line, align_items)
    box.children += [item.box for item in items]


def _checked(blocks: Blocks, box: Box) -> float:
    style = box.traits.style
    if style["flex_direction"] != "row" or style["flex_wrap"] != "nowrap":
        raise Unfillable("a flex container that is not one row")
    if blocks.generates(box.element) or any(type(one) is str and one.strip() for one in box.element.children):
        raise Unfillable("text directly in a flex container")
    if box.traits.min_height or _first(style["justify_content"]) not in _JUSTIFY:
        raise Unfillable("min-height or justify-content of a flex container")
    if _first(style["align_content"]) not in ("normal", "stretch"):
        raise Unfillable("align-content")
    gap = style["column_gap"]
    if gap == "normal":
        return 0.0
    found = used(Percent(gap.value) if gap.unit == "%" else float(gap.value), box.width)
    assert found is not None
    return found


def _first(value: Any) -> str:
    if isinstance(value, str):
        return value
    if tuple(value) == ("first", "baseline"):
        return "baseline"
    if len(value) != 1:
        raise Unfillable("an alignment of several words")
    return str(value[0])


# ── widths ───────────────────────────────────────────────────────────────────


def _item(blocks: Blocks, box: Box, element: Element) -> _Item:
    traits = blocks.book.traits(element)
    style = traits.style
    picture = element.tag in ("img", "svg")
    if traits.position not in ("static", "relative") or any(one is not None for one in traits.inset):
        raise Unfillable("a positioned flex item")
    if not picture and traits.display not in (("block", "flow"), ("block", "flex"), ("block", "table")):
        raise Unfillable(f"display: {' '.join(traits.display)} in a flex container")
    if style["order"]:
        raise Unfillable("order")
    widths = blocks.content_widths
    available = box.width
    across = _across(traits, available)
    extra = across + sum((used(traits.margin[side], available) or 0.0) for side in (1, 3))
    said = used(traits.width, available)
    if said is not None and traits.bordered:
        said = max(0.0, said - across)
    if picture or traits.display == ("block", "table"):
        smallest = 0.0 if picture else widths.least(element, outer=False)
        if picture and said is None and traits.min_width is None:
            smallest = blocks.pictures.content_width(element, traits, least=True)
    elif traits.min_width is None:
        smallest = widths.least_of_content(element)
        if said is not None:
            smallest = min(said, smallest)
    else:
        smallest = used(traits.min_width, available) or 0.0
    basis = style["flex_basis"]
    base: float | None
    if basis == "content":
        base = None
    elif basis == "auto":
        base = said
    else:
        base = used(Percent(basis.value) if basis.unit == "%" else float(basis.value), available)
    if base is None:
        base = widths.most(element, outer=False)
    if type(traits.min_width) is float and traits.min_width > base:
        raise Unfillable("min-width of a flex item")
    return _Item(element, traits, base, extra, smallest, max(smallest, base))


def _across(traits: Traits, width: float) -> float:
    padding = sum((used(traits.padding[side], width) or 0.0) for side in (1, 3))
    return padding + traits.border.left + traits.border.right


def _flexed(items: list[_Item], available: float, gap: float) -> None:
    """Resolve flexible lengths (section 9.7 of the specification)."""
    grows = sum(item.hypothetical + item.extra for item in items) < available
    for item in items:
        factor = item.traits.style["flex_grow" if grows else "flex_shrink"]
        fixed = item.base > item.hypothetical if grows else item.base < item.hypothetical
        item.frozen = factor == 0 or fixed
        item.width = item.hypothetical
    gaps = gap * (len(items) - 1)
    initial = available - gaps - sum((i.width if i.frozen else i.base) + i.extra for i in items)
    while not all(item.frozen for item in items):
        free = available - gaps - sum((i.width if i.frozen else i.base) + i.extra for i in items)
        loose = [item for item in items if not item.frozen]
        factors = sum(item.traits.style["flex_grow" if grows else "flex_shrink"] for item in loose)
        if factors < 1:
            initial *= factors
        if _magnitude(initial) < _magnitude(free):
            free = initial
        _distributed(loose, free, grows=grows)
        adjustments = 0.0
        raised = []
        for item in loose:
            if item.width < item.smallest:
                adjustments += item.smallest - item.width
                item.width = item.smallest
                raised.append(item)
        for item in raised if adjustments > 0 else items:
            item.frozen = True


def _distributed(loose: list[_Item], free: float, *, grows: bool) -> None:
    if free == 0:
        for item in loose:
            item.width = item.base
        return
    if grows:
        total = sum(item.traits.style["flex_grow"] for item in loose)
    else:
        total = sum(item.base * item.traits.style["flex_shrink"] for item in loose)
    for item in loose:
        style = item.traits.style
        share = style["flex_grow"] if grows else item.base * style["flex_shrink"]
        item.width = item.base + (free * (share / total) if total else 0.0)
        if type(item.traits.min_width) is float:
            item.width = max(item.width, item.traits.min_width)


def _magnitude(space: float) -> float:
    return int(math.log10(space)) if space > 0 else -math.inf


# ── heights and places ───────────────────────────────────────────────────────


def _laid(blocks: Blocks, box: Box, item: _Item) -> None:
    """Lay out an item at the width that was found, at the corner of the container's content."""
    traits, width = item.traits, box.width
    margins = tuple(used(one, width) for one in traits.margin)
    if None in margins:
        raise Unfillable("an automatic margin of a flex item")
    margin = Sides(*(one or 0.0 for one in margins))
    x, y = box.content_x, box.content_y
    if traits.display == ("block", "table"):
        raise Unfillable("a table as a flex item")
    made = Box(item.element, traits, x, y, item.width, -1.0, margin, traits.border, _paddings(traits, width))
    if item.element.tag in ("img", "svg"):
        blocks.pictures.size_for(made, item.width)
        blocks.pictures.draw(made)
        item.baseline = 0.0
    else:
        height = used(traits.height, box.height if box.height >= 0 else None)
        if height is not None:
            across = made.border.top + made.border.bottom + made.padding.top + made.padding.bottom
            made.height = max(0.0, height - across) if traits.bordered else height
        _fill(blocks, made)
        least = _least_height(blocks, item, made)
        if traits.display == ("block", "flex") and least > made.height + _ROUNDING:
            raise Unfillable("a flex container that is higher than its content")
        made.height = max(made.height, least)
        item.baseline = first_baseline(made) or 0.0
    item.box = made


def _fill(blocks: Blocks, box: Box) -> None:
    if box.traits.display == ("block", "flex"):
        lay_out_flex(blocks, box)
    else:
        blocks.flow(box, [], own=True)


def _least_height(blocks: Blocks, item: _Item, box: Box) -> float:
    """Return the height of an item's content at the width that the engine thinks it would like.

    Why: No item is lower than that, and the engine counts no gaps there, so that containers inside may be too narrow.
    """
    traits = item.traits
    if traits.min_height is not None or traits.height is not None or not _nests(blocks, item.element):
        return 0.0
    width = item.traits.width
    if width is None:
        width = blocks.content_widths.most(item.element)
    if type(width) is Percent:
        raise Unfillable("a flex item of a width in percent with containers inside")
    if traits.bordered:
        width = max(0.0, width - (box.border_width - box.width))
    trial = Box(item.element, traits, 0, 0, width, -1.0, box.margin, box.border, box.padding)
    _fill(blocks, trial)
    return trial.height


def _nests(blocks: Blocks, element: Element) -> bool:
    """Tell whether there is a flex container or a table inside a block."""
    if blocks.is_text(element):
        return False
    for kid in blocks.kids(element):
        display = blocks.book.styles[kid.signature][0]["display"]
        if display[-1] in ("flex", "table") or _nests(blocks, kid):
            return True
    return "flex" in blocks.book.styles[element.signature][0]["display"]


def _paddings(traits: Traits, width: float) -> Sides:
    return Sides(*(used(one, width) or 0.0 for one in traits.padding))


def _line_height(items: list[_Item]) -> float:
    """Return how high the row is."""
    above = below = 0.0
    others = [item for item in items if "baseline" not in _first(item.traits.style["align_self"])]
    for item in items:
        if "baseline" in _first(item.traits.style["align_self"]):
            baseline = item.baseline - item.box.y
            above = max(above, baseline)
            below = max(below, item.box.margin_height - baseline)
    highest = max((item.box.margin_height for item in others), default=0.0)
    return max(above + below, highest)


def _placed_across(box: Box, items: list[_Item], gap: float, justify: str) -> None:
    """Put the items beside each other."""
    sign = 1.0 if box.traits.ltr else -1.0
    free = box.width - sum(item.box.margin_width for item in items) - (len(items) - 1) * gap
    free *= sign
    x = box.content_x if box.traits.ltr else box.content_x + box.width
    if justify in ("end", "flex-end", "right"):
        x += free
    elif justify == "center":
        x += free / 2
    for at, item in enumerate(items):
        if at:
            x += gap * sign
        width = item.box.margin_width
        item.box.move((x if box.traits.ltr else x - width) - item.box.x, 0)
        x += width * sign
        if justify == "space-between" and len(items) > 1:
            x += free / (len(items) - 1)


def _placed_down(box: Box, items: list[_Item], line: float, align_items: str) -> None:
    top = box.content_y
    aligned = []
    for item in items:
        own = _first(item.traits.style["align_self"])
        aligned.append(align_items if own == "auto" else own)
    lower = max(
        (item.baseline - top for item, align in zip(items, aligned, strict=True) if "baseline" in align), default=None
    )
    for item, align in zip(items, aligned, strict=True):
        if align not in _ALIGN:
            raise Unfillable(f"align-items: {align}")
        dy = 0.0
        if align in ("end", "flex-end", "self-end"):
            dy = line - item.box.margin_height
        elif align == "center":
            dy = (line - item.box.margin_height) / 2
        elif align == "baseline":
            dy = (lower or 0.0) - (item.baseline - top)
        elif align in ("normal", "stretch"):
            _stretched(item, line)
        item.box.move(0, dy)


def _stretched(item: _Item, line: float) -> None:
    """Make an item as high as its row."""
    box = item.box
    if item.traits.height is not None or isinstance(box, TablePart):
        return
    if item.element.tag in ("img", "svg"):
        raise Unfillable("a picture that is stretched")
    height = line - (box.margin_height - box.height)
    if item.traits.display == ("block", "flex") and abs(height - box.height) > 1e-6:
        raise Unfillable("a flex container that is stretched")
    box.height = height
