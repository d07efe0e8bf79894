"""Whether the texts of a page run across it, as PDFium finds out; it reads single letters by that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ccm.check.filled_pdf.placed import Item, Placed
from ccm.check.filled_pdf.unread import Unread

_WIDE = 0.8  # of all that is printed; texts that cover more of it run across
_MANY = 24  # texts that mostly cover that much
_NEAR = 0.02


def check_direction(items: Sequence[Item], left: float, right: float, width: float, height: float) -> None:
    """Refuse pages whose texts may be read downwards.

    Args:
        items: All texts. left, right: Where they begin and end, in points.
        width, height: Of the page, in points.
    """
    first = Placed.of(items[0])
    across = right - left
    low, high = first.shown.band
    tall = first.scale * (high - low)
    if (
        first.form is None
        and across > 2 * tall + 2
        and _covered((*items[:_MANY], *items[-_MANY:])) > (_WIDE + _NEAR) * across + 2
    ):
        return
    if not _run_across(items, int(width), int(height)) and any(len(one[0].letters) == 1 for one in items):
        raise Unread("a page that may be read downwards")


def _covered(items: Iterable[Item]) -> float:
    """Return how much of the width texts cover at least, in points."""
    covered = reached = 0.0
    bands = [
        (frame.left + frame.scale * x, frame.left + frame.scale * (x + shown.last))
        for shown, x, _, frame in items
        if frame.form is None
    ]
    for left, right in sorted(bands):
        if right > reached:
            covered += right - max(left, reached)
            reached = right
    return covered


def _run_across(items: Iterable[Item], wide: int, high: int) -> bool:
    """Tell whether texts cover more of the width than of the height of a page, or most of the width."""
    columns: list[tuple[int, int]] = []
    rows: list[tuple[int, int]] = []
    line = 0.0
    for item in items:
        shown, x, y, scale, form, _, _ = Placed.of(item)
        box = shown.box
        left, right = (int(min(max(x + scale * edge, 0), wide)) for edge in (box.left, box.right))
        low, top = (int(min(max(y + scale * edge, 0), high)) for edge in (box.low, box.high))
        if form is None and left < right and low < top:
            columns.append((left, right))
            rows.append((low, top))
            line = line or scale * (box.high - box.low)
    if not columns:
        return False
    (across, width), (along, height) = _share(columns), _share(rows)
    if min(abs(width - 2 * line), abs(height - 2 * line)) < 2:
        raise Unread("a page that may be read downwards")
    if height < 2 * line:
        return True
    if width < 2 * line:
        return False
    if min(abs(across - _WIDE), abs(across - along)) < _NEAR:
        raise Unread("a page that may be read downwards")
    return across > _WIDE or across > along


def _share(bands: list[tuple[int, int]]) -> tuple[float, int]:
    """Return how much of the way from the first to the last band they cover, and how long that way is."""
    first = reached = min(bands)[0]
    covered = 0
    for start, end in sorted(bands):
        if end > reached:
            covered += end - max(start, reached)
            reached = end
    return covered / (reached - first), reached - first
