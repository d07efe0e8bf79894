"""Whether a filled document is what the layout engine made of the same page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ccm.compose.document.fill.display import Display, Page, Picture, Text

TOLERANCE_PX = 0.02  # a seventieth of a point


def differs(display: Display, document: Any) -> str:
    """Return what differs first; empty if nothing does. No text is quoted.

    Args:
        document: The engine's, laid out.
    """
    if len(display.pages) != len(document.pages):
        return f"{len(display.pages)} pages instead of {len(document.pages)}"
    for number, (ours, theirs) in enumerate(zip(display.pages, document.pages, strict=True), 1):
        mine, its = sorted(_own(ours), key=_place), sorted(_engines(theirs._page_box), key=_place)
        if len(mine) != len(its):
            return f"page {number} has {len(mine)} texts instead of {len(its)}"
        for one, other in zip(mine, its, strict=True):
            if one[2] != other[2]:
                return f"a text of page {number} differs"
            if abs(one[0] - other[0]) > TOLERANCE_PX or abs(one[1] - other[1]) > TOLERANCE_PX:
                return f"a text of page {number} stands elsewhere"
    return ""


def _place(text: tuple[float, float, str]) -> tuple[int, int, str]:
    return (round(text[1] * 2), round(text[0] * 2), text[2])


def _own(page: Page) -> Iterator[tuple[float, float, str]]:
    for item in (*page.marked, *page.beside):
        if not isinstance(item, Picture) and item.run.text.strip():
            assert isinstance(item, Text)
            yield item.x, item.y, item.run.text.rstrip(" ")


def _engines(box: Any) -> Iterator[tuple[float, float, str]]:
    from weasyprint.formatting_structure import boxes
    from weasyprint.layout.absolute import AbsolutePlaceholder

    if isinstance(box, AbsolutePlaceholder):
        box = box._box
    if isinstance(box, boxes.TextBox):
        if box.text.strip():
            yield box.position_x, box.position_y + box.baseline, box.text.rstrip(" ")
        return
    for child in getattr(box, "children", None) or ():
        if not isinstance(child, str):
            yield from _engines(child)
