"""Whether a filled document is what the layout engine made of the same page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ccm.compose.document.fill.audit_tags import areas_differ, tags_differ
from ccm.compose.document.fill.display import Display, Page, Stripe, Text

TOLERANCE_PX = 0.02  # a seventieth of a point


def differs(display: Display, document: Any) -> str:
    """Return what differs first; empty if nothing does. No text is quoted.

    Args:
        document: The engine's, laid out.
    """
    if len(display.pages) != len(document.pages):
        return f"{len(display.pages)} pages instead of {len(document.pages)}"
    for number, (ours, theirs) in enumerate(zip(display.pages, document.pages, strict=True), 1):
        waiting: dict[str, list[tuple[float, float]]] = {}
        for x, y, text in _engines(theirs._page_box):
            waiting.setdefault(text, []).append((x, y))
        for x, y, text in _own(ours):
            places = waiting.get(text)
            if not places:
                return f"a text of page {number} differs"
            near = min(places, key=lambda place: abs(place[0] - x) + abs(place[1] - y))
            if abs(near[0] - x) > TOLERANCE_PX or abs(near[1] - y) > TOLERANCE_PX:
                return f"a text of page {number} stands elsewhere"
            places.remove(near)
        if any(waiting.values()):
            return f"a text of page {number} is missing"
        if tags_differ(ours, theirs._page_box):
            return f"the tags of page {number} differ"
        if areas_differ(ours, theirs._page_box, TOLERANCE_PX):
            return f"a painted box of page {number} differs"
    return ""


def _own(page: Page) -> Iterator[tuple[float, float, str]]:
    for item in (*page.marked, *page.beside):
        for text in item.drawn() if isinstance(item, Stripe) else (item,):
            if isinstance(text, Text) and text.run.text.strip():
                yield text.x, text.y, text.run.text.rstrip(" ")


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
