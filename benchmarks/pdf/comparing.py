"""Whether two PDFs are the same to whoever sees, searches or hears them."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pypdfium2

TOLERANCE = 0.05  # points
_PIXELS = 0.004  # share of a page's pixels that may differ, for edges of letters and lines
_DEEP = 96  # of 255: what counts as another pixel


def differences(ours: bytes, theirs: bytes) -> str:
    """Return the first difference: pages, signs and their places, tags, pictures of the pages."""
    with pypdfium2.PdfDocument(ours) as one, pypdfium2.PdfDocument(theirs) as other:
        if len(one) != len(other):
            return f"{len(one)} pages instead of {len(other)}"
        for number in range(len(one)):
            found = _signs_differ(one[number], other[number]) or _pictures_differ(one[number], other[number])
            if found:
                return f"page {number + 1}: {found}"
    mine, its = _tags(ours), _tags(theirs)
    for at, (a, b) in enumerate(zip(mine, its, strict=False)):
        if a != b:
            return f"tag {at} is {a} instead of {b}"
    return "" if len(mine) == len(its) else f"{len(mine)} tags instead of {len(its)}"


def _signs(page: Any) -> list[tuple[str, float, float]]:
    text = page.get_textpage()
    signs = [(text.get_text_range(at, 1), *text.get_charbox(at, loose=True)[:2]) for at in range(text.count_chars())]
    return sorted((one for one in signs if one[0].strip()), key=lambda one: (one[0], one[2], one[1]))


def _signs_differ(ours: Any, theirs: Any) -> str:
    mine, its = _signs(ours), _signs(theirs)
    if [one[0] for one in mine] != [one[0] for one in its]:
        return "other signs"
    waiting: dict[str, list[tuple[float, float]]] = {}
    for sign, x, y in its:
        waiting.setdefault(sign, []).append((x, y))
    for sign, x, y in mine:
        places = waiting[sign]
        at = min(range(len(places)), key=lambda at: abs(places[at][0] - x) + abs(places[at][1] - y))
        if max(abs(places[at][0] - x), abs(places[at][1] - y)) > TOLERANCE:
            return "a sign stands elsewhere"
        del places[at]
    return ""


def _pictures_differ(ours: Any, theirs: Any) -> str:
    from PIL import ImageChops

    one, other = (page.render(scale=1.5).to_pil().convert("L") for page in (ours, theirs))
    if one.size != other.size:
        return "another size"
    histogram = ImageChops.difference(one, other).histogram()
    share = sum(histogram[_DEEP:]) / (one.size[0] * one.size[1])
    return f"{share:.2%} of the pixels differ" if share > _PIXELS else ""


def _tags(content: bytes) -> list[str]:
    found: list[str] = []

    def walk(element: Any, depth: int) -> None:
        layout = element.get("/A")
        more = ""
        if layout is not None:
            more = f" {layout.get('/ColSpan', '')} {len(layout.get('/Headers', []))}"
        alternative = element.get("/Alt", "")
        found.append(f"{depth} {element.S}{more} {alternative}")
        for kid in element.get("/K", []):
            if isinstance(kid, pikepdf.Dictionary):
                walk(kid, depth + 1)
            else:
                found.append(f"{depth + 1} content")

    with pikepdf.open(io.BytesIO(content)) as pdf:
        walk(pdf.Root.StructTreeRoot.K[0], 0)
    return found
