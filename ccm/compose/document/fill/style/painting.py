"""Backgrounds and borders of boxes, with round corners.

Source: WeasyPrint 70, draw/__init__.py, draw/border.py, formatting_structure/boxes.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ccm.compose.document.fill.display import Area, Areas, Color, Shape
from ccm.compose.document.fill.style.measures import Sides, Size, borders, color, size, used
from ccm.compose.document.fill.unfillable import Unfillable

_CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
_BEND = 0.45  # the engine's curves for corners
Radii = tuple[tuple[float, float], ...]
_SQUARE: Radii = ((0.0, 0.0),) * 4


class Look:
    """How boxes of one style are painted.

    nothing: Whether there is nothing to paint.
    """

    __slots__ = ("_background", "_corners", "_ink", "_inks", "_widths", "nothing")

    def __init__(self, style: Any) -> None:
        if style["background_image"] != (("none", None),):
            raise Unfillable("a background picture")
        self._background = color(style["background_color"], style["color"])
        self._widths = borders(style)
        self._inks: tuple[Color, ...] = ()
        self._corners: tuple[tuple[Size, Size], ...] = ()
        if any(self._widths):
            self._inks = _inks(style, self._widths)
        self.nothing = not self._background[3] and not any(self._widths)
        corners = tuple(
            (size(one), size(other)) for one, other in (style[f"border_{name}_radius"] for name in _CORNERS)
        )
        if not self.nothing and any(one and other for one, other in corners):
            if self._inks and (0 in self._widths or len(set(self._inks)) != 1):
                raise Unfillable("round corners with different borders")
            self._corners = corners

    def paint(self, onto: list[Area | Areas | Shape], x: float, y: float, width: float, height: float) -> None:
        """Paint a box; the measures are of its border box."""
        if self._corners:
            self._paint_round(onto, x, y, width, height)
            return
        if self._background[3]:
            onto.append(Area(x, y, width, height, self._background))
        if not self._inks:
            return
        if 0 not in self._widths and len(set(self._inks)) == 1:
            if self._inks[0][3]:
                path = _ring(width, height, _SQUARE, self._widths)
                onto.append(Shape(x, y, width, height, self._inks[0], path))
            return
        for side in (2, 3, 1, 0):
            ink = self._inks[side]
            if self._widths[side] and ink[3]:
                onto.append(Shape(x, y, width, height, ink, _side(side, width, height, self._widths)))

    def _paint_round(self, onto: list[Area | Areas | Shape], x: float, y: float, width: float, height: float) -> None:
        radii = tuple((used(one, width) or 0.0, used(other, height) or 0.0) for one, other in self._corners)
        radii = tuple(pair if all(pair) else (0.0, 0.0) for pair in radii)
        if self._background[3]:
            path = _path(0, 0, width, height, _fitted(radii, width, height)) + b"\nf"
            onto.append(Shape(x, y, width, height, self._background, path))
        if self._inks and self._inks[0][3]:
            path = _ring(width, height, radii, self._widths)
            onto.append(Shape(x, y, width, height, self._inks[0], path))


def _inks(style: Any, widths: Sides) -> tuple[Color, ...]:
    inks = []
    for side, width in zip(Sides._fields, widths, strict=True):
        if width and style[f"border_{side}_style"] != "solid":
            raise Unfillable("a border that is not solid")
        inks.append(color(style[f"border_{side}_color"], style["color"]))
    return tuple(inks)


def _fitted(radii: Radii, width: float, height: float) -> Radii:
    """Make radii smaller where they would overlap."""
    (tlx, tly), (trx, try_), (brx, bry), (blx, bly) = radii
    shares = ((width, tlx + trx), (width, blx + brx), (height, tly + bly), (height, try_ + bry))
    ratio = min([1.0, *(extent / both for extent, both in shares if both > 0)])
    return tuple((one * ratio, other * ratio) for one, other in radii)


@lru_cache(maxsize=4096)
def _ring(width: float, height: float, radii: Radii, widths: Sides) -> bytes:
    """Return what fills the border between the outer and the inner edge."""
    top, right, bottom, left = widths
    (tlx, tly), (trx, try_), (brx, bry), (blx, bly) = radii
    inside = tuple(
        (max(0.0, one), max(0.0, other))
        for one, other in (
            (tlx - left, tly - top), (trx - right, try_ - top), (brx - right, bry - bottom), (blx - left, bly - bottom)
        )
    )  # fmt: skip
    wide, high = width - left - right, height - top - bottom
    return (
        _path(left, top, wide, high, _fitted(inside, wide, high))
        + b"\n"
        + _path(0, 0, width, height, _fitted(radii, width, height))
        + b"\nf*"
    )


@lru_cache(maxsize=4096)
def _side(side: int, width: float, height: float, widths: Sides) -> bytes:
    """Return what fills one side of a border, as the engine does: all of the border, seen through that side alone."""
    top, right, bottom, left = widths
    outer = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    inner = ((left, top), (width - right, top), (width - right, height - bottom), (left, height - bottom))
    corners = (outer[(side + 1) % 4], outer[side], inner[side], inner[(side + 1) % 4])
    clip = b"\n".join([b"%.3f %.3f %b" % (*corner, b"l" if at else b"m") for at, corner in enumerate(corners)])
    return clip + b"\nW*\nn\n" + _ring(width, height, _SQUARE, widths)


@lru_cache(maxsize=4096)
def _path(x: float, y: float, w: float, h: float, radii: Radii) -> bytes:
    tl, tr, br, bl = radii
    if all(0 in corner for corner in radii):
        return b"%.3f %.3f %.3f %.3f re" % (x, y, w, h)
    r = _BEND
    return b"\n".join((
        b"%.3f %.3f m" % (x + tl[0], y),
        b"%.3f %.3f l" % (x + w - tr[0], y),
        b"%.3f %.3f %.3f %.3f %.3f %.3f c" % (x + w - tr[0] * r, y, x + w, y + tr[1] * r, x + w, y + tr[1]),
        b"%.3f %.3f l" % (x + w, y + h - br[1]),
        b"%.3f %.3f %.3f %.3f %.3f %.3f c" % (x + w, y + h - br[1] * r, x + w - br[0] * r, y + h, x + w - br[0], y + h),
        b"%.3f %.3f l" % (x + bl[0], y + h),
        b"%.3f %.3f %.3f %.3f %.3f %.3f c" % (x + bl[0] * r, y + h, x, y + h - bl[1] * r, x, y + h - bl[1]),
        b"%.3f %.3f l" % (x, y + tl[1]),
        b"%.3f %.3f %.3f %.3f %.3f %.3f c" % (x, y + tl[1] * r, x + tl[0] * r, y, x + tl[0], y),
    ))  # fmt: skip
