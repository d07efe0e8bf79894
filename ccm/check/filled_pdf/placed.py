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
    """

    shown: Shown
    x: float
    y: float
    scale: float
    form: Form | None

    @classmethod
    def of(cls, item: Item) -> Placed:
        """Return where an item stands."""
        shown, x, y, frame = item
        return cls(shown, frame.left + frame.scale * x, frame.top + frame.down * float(y), frame.scale, frame.form)

    @property
    def on_page(self) -> tuple[float, float]:
        """Where it begins on the page, in points."""
        form = self.form
        if form is None:
            return self.x, self.y
        return form.scale * self.x + form.left, form.upwards * form.scale * self.y + form.bottom

    @property
    def whole_scale(self) -> float:
        """Points of the page in one of its own units."""
        return self.scale if self.form is None else self.scale * self.form.scale


def product(one: tuple[float, ...], other: tuple[float, ...]) -> Matrix:
    """Return the matrix that does one and then the other."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip
