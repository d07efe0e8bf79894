"""Where texts stand."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ccm.check.filled_pdf.shown import Shown

Matrix: TypeAlias = tuple[float, float, float, float, float, float]
UNMOVED: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Form(NamedTuple):
    """How a form is set on its page: points in one of its units, the page's way up (1 or -1), place of its origin."""

    scale: float
    upwards: int
    left: float
    bottom: float


class Frame(NamedTuple):
    """How texts are set: points in one of their units, the place of the origin, and which way lengths run.

    down: Points upwards in one unit of height; negative where pages run downwards.
    form: The form that the points belong to; none for those of the page itself.
    """

    scale: float
    left: float
    down: float
    top: float
    form: Form | None


Item: TypeAlias = tuple[Shown, float, "bytes | float", Frame]  # a text, its place in its frame, and the frame


class Placed(NamedTuple):
    """A text on its page.

    x, y: Its beginning, in points of the page or form that it stands in. scale: Points in one of its own units.
    form: How that form is set on the page; none for a text of the page itself.
    on_page: Where it begins on the page, in points. whole_scale: Points of the page in one of its own units.
    """

    shown: Shown
    x: float
    y: float
    scale: float
    form: Form | None
    on_page: tuple[float, float]
    whole_scale: float

    @classmethod
    def of(cls, item: Item) -> Placed:
        """Return where an item stands."""
        shown, x, y, (scale, left, down, top, form) = item
        x, y = left + scale * x, top + down * float(y)
        if form is None:
            return cls(shown, x, y, scale, None, (x, y), scale)
        on_page = form.scale * x + form.left, form.upwards * form.scale * y + form.bottom
        return cls(shown, x, y, scale, form, on_page, scale * form.scale)


def product(one: tuple[float, ...], other: tuple[float, ...]) -> Matrix:
    """Return the matrix that does one and then the other."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip
