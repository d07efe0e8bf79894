"""Plain numbers out of computed styles; whatever is not plain is refused."""

from __future__ import annotations

from typing import Any, NamedTuple

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.unfillable import Unfillable


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
