"""Two texts, one shown after the other: do they stand in one line, and does a blank part them?

As PDFium decides it; a decision that rounding could turn is refused.
"""

from __future__ import annotations

from ccm.check.filled_pdf.placed import Placed
from ccm.check.filled_pdf.unread import Unread

NEWLINE, BLANK, JOINED = "\n", " ", ""

_FLAT = 4.5  # points; lower boxes do not tell where a line ends
ROOMY = 1.6  # sizes; lines so far apart never touch
_NEAR = 0.003  # share of a limit
_CLOSE = 0.01  # points


def stands_well_below(before: Placed, one: Placed) -> bool:
    """Tell whether a usual text stands on another line below a usual one, out of its reach."""
    shown, above = one.shown, before.shown
    size = shown.size if shown.size > above.size else above.size
    return (
        before.y - one.y > ROOMY * size * one.scale
        and shown.usual == shown.size
        and above.usual == above.size
        and one.form is None
        and before.form is None
        and one.scale == before.scale
    )


def stands_well_beside(before: Placed, one: Placed) -> bool:
    """Tell whether a usual text stands on the line of a usual one, well to its right."""
    return stands_level(before, one) and one.x - before.x > before.scale * (before.shown.end + before.shown.room)


def stands_level(before: Placed, one: Placed) -> bool:
    """Tell whether a usual text stands at the height of a usual one of its size: their solid glyphs overlap in height."""
    return (
        one.shown.usual == before.shown.usual
        and one.y == before.y
        and one.scale == before.scale
        and one.form is None
        and before.form is None
    )


def parts_lines(before: Placed, one: Placed, page_height: float) -> bool:
    """Tell whether two texts are too far apart in height to be put in order from left to right."""
    first, second = before.shown, one.shown
    widths = (
        first.last_width * first.size * before.whole_scale,
        second.first_width * second.size * one.whole_scale,
    )
    return _above(
        abs(before.on_page[1] - one.on_page[1]) * int(page_height) / page_height, max(widths) / 1000 / 2, _CLOSE
    )


def between(before: Placed, one: Placed, said: str) -> str:
    """Return what stands between two texts: nothing, a blank, or the end of a line.

    Args:
        said: The text before, with all that is joined to it.
    """
    measured = max(_widths(before, one)) > 0
    if not (measured and stands_level(before, one)) and _ends_line(before, one):
        end = said.rstrip(" ")
        if end[-1:] == "-" and end[-2:-1].isalpha() and one.shown.text[:1].isalnum():
            raise Unread("a word that goes on in the next line")
        return NEWLINE
    if one.shown.plain == "-" and said.rstrip(" ").endswith("-"):
        raise Unread("two hyphens")
    if one.shown.text.startswith(" ") or before.shown.text.endswith(" "):
        return JOINED
    return BLANK if _parted(before, one) else JOINED


def _ends_line(before: Placed, one: Placed) -> bool:
    low, high = _heights(before)
    own_low, own_high = _heights(one)
    apart = max(low, own_low) - min(high, own_high)
    if apart > -_CLOSE:
        if abs(apart) < _CLOSE or min(abs(high - low - _FLAT), abs(own_high - own_low - _FLAT)) < _CLOSE:
            raise Unread("lines that just touch")
        if high - low > _FLAT and own_high - own_low > _FLAT:
            return True
    x, y = _seen_from(before, one)
    last, own = _widths(before, one)
    limit = max(last, own) / 4
    if last < own:
        limit /= before.whole_scale
    if not (_above(y, limit * 2) or _above(-y, limit * 3)):
        return False
    if abs(abs(y) - 1) < _CLOSE or abs(abs(y) - abs(x)) < _CLOSE:
        raise Unread("a text that is hardly raised")
    if not (abs(y) > 1 or abs(y) > abs(x)):
        return False
    if len(before.shown.letters) > 1:
        return not (_holds(low, high, one) or _holds(own_low, own_high, before))
    return True


def _holds(low: float, high: float, other: Placed) -> bool:
    """Tell whether a text begins in a band that runs across the page."""
    if min(abs(other.y - low), abs(other.y - high), abs(other.x), abs(other.x - 1000)) < _CLOSE:
        raise Unread("lines that just touch")
    return low < other.y < high and 0 < other.x < 1000


def _parted(before: Placed, one: Placed) -> bool:
    """Tell whether the gap between two texts of one line is read as a blank."""
    last, own = _widths(before, one)
    x, _ = _seen_from(before, one)
    ours, theirs = one.shown.first_width, before.shown.last_width
    width = max(ours, theirs)
    limit = width / (2 if width < 400 else 4 if width < 700 else 5 if width < 800 else 6) / 1000
    limit *= before.shown.size if theirs >= ours else one.shown.size * one.whole_scale / before.whole_scale
    if any(abs(limit - odd) < 0.001 for odd in (1.488, 1.39)):
        raise Unread("a blank of a width that PDFium knows by itself")
    gap = x - before.shown.last - last
    if not _above(abs(gap), limit):
        return False
    moved = x - before.shown.last
    if _above(abs(moved), limit + last):
        return True
    return _above(moved, own + last)


def is_again(one: Placed, other: Placed) -> bool:
    """Tell whether a text may be one that was printed before, over itself."""
    shown = one.shown
    if shown.letters != other.shown.letters:
        return False
    width = min(one.x + one.scale * shown.box.right, other.x + other.scale * other.shown.box.right) - max(
        one.x + one.scale * shown.box.left, other.x + other.scale * other.shown.box.left
    )
    low, high = _heights(one)
    other_low, other_high = _heights(other)
    height = min(high, other_high) - max(low, other_low)
    if width < -_CLOSE or height < -_CLOSE:
        return False
    reach = max(width, height, shown.size) / 8 + _CLOSE
    return abs(one.x - other.x) <= shown.last_width * shown.size / 1000 and abs(one.y - other.y) <= reach


def _heights(one: Placed) -> tuple[float, float]:
    low, high = one.shown.band
    scale = one.scale
    if one.form is not None and one.form.upwards < 0:
        return one.y - scale * high, one.y - scale * low
    return one.y + scale * low, one.y + scale * high


def _widths(before: Placed, one: Placed) -> tuple[float, float]:
    return before.shown.last_width * before.shown.size / 1000, one.shown.first_width * one.shown.size / 1000


def _seen_from(before: Placed, one: Placed) -> tuple[float, float]:
    """Return where a text begins, in units of the one before and from its beginning."""
    (x, y), (from_x, from_y) = one.on_page, before.on_page
    return (x - from_x) / before.whole_scale, (y - from_y) / before.whole_scale


def _above(value: float, limit: float, close: float = 0.0) -> bool:
    if abs(value - limit) <= max(abs(limit) * _NEAR, close):
        raise Unread("a measure near its limit")
    return value > limit
