"""Plain numbers out of computed styles; whatever is not plain is refused."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.unfillable import Unfillable

_SHIFTS = {"start": 0.0, "left": 0.0, "center": 0.5, "end": 1.0, "right": 1.0}


class Sides(NamedTuple):
    """One measure for each side, in px."""

    top: float
    right: float
    bottom: float
    left: float


def length(value: Any, base: float) -> float:
    """Return a length in px; percentages are of the base."""
    if value == "auto":
        raise Unfillable("an automatic margin or padding")
    unit = getattr(value, "unit", None)
    if unit == "px":
        return float(value.value)
    if unit == "%":
        return float(value.value) * base / 100
    if isinstance(value, (int, float)):
        return float(value)
    raise Unfillable("a length that is calculated")


def margins(style: Any, base: float) -> Sides:
    """Return the margins."""
    return Sides(*(length(style[f"margin_{side}"], base) for side in Sides._fields))


def paddings(style: Any, base: float) -> Sides:
    """Return the paddings."""
    return Sides(*(length(style[f"padding_{side}"], base) for side in Sides._fields))


def borders(style: Any) -> Sides:
    """Return the widths of the borders."""
    return Sides(*(float(style[f"border_{side}_width"]) for side in Sides._fields))


def color(value: Any, current: Any = None) -> Color:
    """Return a colour as sRGB."""
    if value == "currentcolor":
        value = current
    if value.space not in ("srgb", "hsl", "hwb"):
        raise Unfillable(f"a colour in {value.space}")
    red, green, blue, *_ = value.to("srgb").coordinates
    return (red, green, blue, value.alpha)


class Percent(float):
    """A share of something that is known later."""


Size: TypeAlias = "float | Percent | None"  # px, a share, or automatic


def size(value: Any) -> Size:
    """Return a length as it was said: automatic is None."""
    if value == "auto":
        return None
    unit = getattr(value, "unit", None)
    if unit == "px":
        return float(value.value)
    if unit == "%":
        return Percent(value.value)
    if isinstance(value, (int, float)):
        return float(value)
    raise Unfillable("a length that is calculated")


def used(value: Size, base: float | None) -> float | None:
    """Return a length in px; None for automatic ones, and for shares of what is automatic."""
    if type(value) is Percent:
        return None if base is None else base * value / 100
    return value


def shift_of(style: Any) -> float:
    """Return which part of the free width of a line stands before its text.

    Raises:
        Unfillable: For justified text.
    """
    align = style["text_align_all"]
    if align not in _SHIFTS:
        raise Unfillable(f"text-align: {align}")
    return _SHIFTS[align]


def collapsed(margins: list[float]) -> float:
    """Return what adjoining margins come to."""
    return max(0.0, max(margins, default=0.0)) + min(0.0, min(margins, default=0.0))


def sides(said: tuple[Size, ...], base: float) -> Sides:
    """Return paddings in px."""
    return Sides(*(used(one, base) or 0.0 for one in said))


def within(bordered: bool, length: float | None, across: float) -> float | None:
    """Return the length of the content; `bordered` says that it was said of the border box."""
    if length is None or not bordered:
        return length
    return max(0.0, length - across)
