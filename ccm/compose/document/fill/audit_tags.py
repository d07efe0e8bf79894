"""Whether filled pages have the tags and the painted boxes of the layout engine's.

Source: WeasyPrint 70, pdf/tags.py (`_build_box_tree`), draw/__init__.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ccm.compose.document.fill.display import Area, Page, Picture, Shape, Stripe, Tag
from ccm.compose.document.fill.style.measures import color

Outline = tuple[int, str]  # depth and kind
_ITEMS = frozenset(("dt", "dd", "li"))


def tags_differ(page: Page, theirs: Any) -> bool:
    """Tell whether the tags of a page are others than the engine's."""
    ours = [one for tag in page.tags for one in _own(tag, 0)]
    return ours != list(_engines(theirs, 0, ""))


def _own(tag: Tag, depth: int) -> Iterator[Outline]:
    yield depth, tag.kind
    for child in tag.children:
        if isinstance(child, Tag):
            yield from _own(child, depth + 1)
        elif isinstance(child, Stripe):
            for row in child.kinds:
                yield depth + 1, "TR"
                for kind, count in zip(row.tags.tags, row.tags.counts, strict=True):
                    yield depth + 2, kind
                    yield from [(depth + 3, "Span")] * count
        elif not isinstance(child, Picture):
            yield depth + 1, "Span"


def _engines(box: Any, depth: int, above: str) -> Iterator[Outline]:
    from weasyprint.formatting_structure import boxes
    from weasyprint.layout.absolute import AbsolutePlaceholder
    from weasyprint.pdf.tags import _get_pdf_tag

    if isinstance(box, AbsolutePlaceholder):
        box = box._box
    if isinstance(box, boxes.MarginBox):
        return
    name = None if box.element is None else box.element_tag
    kind: str = _get_pdf_tag(name)
    if name in ("html", "body") or isinstance(box, boxes.PageBox):
        for child in getattr(box, "children", ()):
            yield from _engines(child, depth, above)
        return
    if (kind in ("TD", "TH") and above in ("TD", "TH")) or (kind == "LI" and above in ("LI", "LBody")):
        kind = "NonStruct"
    elif kind == "LI" and name in _ITEMS:
        yield depth, "LI"
        depth, kind = depth + 1, "LBody"
    yield depth, kind
    if kind == "Table" and box.is_table_wrapper and (table := box.get_wrapped_table()):
        children = [one for child in box.children for one in (child.children if child is table else [child])]
    else:
        children = list(getattr(box, "children", None) or ())
    for child in children:
        for part in child.children if isinstance(child, boxes.LineBox) else (child,):
            if isinstance(part, boxes.TextBox):
                yield depth + 1, "Span"
            else:
                yield from _engines(part, depth + 1, kind)


def areas_differ(page: Page, theirs: Any, tolerance: float) -> bool:
    """Tell whether a box that the engine paints, or borders, is not painted where it is."""
    painted: dict[tuple[float, ...], list[Area | Shape]] = {}
    for area in page.single_areas():
        painted.setdefault(_ink(area.color), []).append(area)
    for box in theirs.descendants(placeholders=True):
        place = (box.border_box_x(), box.border_box_y(), box.border_width(), box.border_height())
        for ink in _inks(box):
            if not any(_same(area, place, tolerance) for area in painted.get(_ink(ink), ())):
                return True
    return False


def _ink(ink: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(part, 4) for part in ink)


def _inks(box: Any) -> Iterator[tuple[float, ...]]:
    """Return the colours that the engine paints a box with."""
    from weasyprint.formatting_structure import boxes

    if isinstance(box, (boxes.TextBox, boxes.LineBox, boxes.PageBox, boxes.TableRowGroupBox)):
        return
    style = box.style
    if getattr(box, "background", None) is not None and box.background.color.alpha:
        yield color(style["background_color"], style["color"])
    if style["border_collapse"] == "collapse" and isinstance(
        box, (boxes.TableBox, boxes.TableRowBox, boxes.TableCellBox)
    ):
        return
    for side in ("top", "right", "bottom", "left"):
        if getattr(box, f"border_{side}_width", 0):
            ink = color(style[f"border_{side}_color"], style["color"])
            if ink[3]:
                yield ink


def _same(area: Area | Shape, place: tuple[float, float, float, float], tolerance: float) -> bool:
    own = (area.x, area.y, area.width, area.height)
    return all(abs(one - other) <= tolerance for one, other in zip(own, place, strict=True))
