"""Bar charts: bars as SVG, labels as real text, so that every script is shaped and every word can be searched.

Why: The layout engine draws SVG text letter by letter, which tears Arabic apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import islice
from typing import TypeAlias

from markupsafe import Markup

from ccm.compose.figures.codes import FigureError, plain
from ccm.model.values import Money
from ccm.model.workspace import Brand

Amount: TypeAlias = int | Decimal | Money
Write: TypeAlias = Callable[[Amount], str]

MAX_BARS = 60
_SHOWN_LABELS = 16
_STEPS_TALL, _STEPS_LOW = 4, 3
_STEPS = tuple(Decimal(step) for step in ("1", "2", "2.5", "5", "10"))
_AXIS_SHARE = 0.13  # of the width, for the scale's labels
_HEAD, _FOOT = 8.0, 22.0  # above the highest line, below the lowest

# Part of every page's stylesheet; a template may override each class.
CHART_STYLE = """
.ccm-chart { position: relative; break-inside: avoid }
.ccm-chart svg { display: block; width: 100%; height: auto }
.ccm-chart-tick, .ccm-chart-label, .ccm-chart-value { position: absolute; white-space: nowrap; line-height: 1;
  font-size: 0.78em; color: var(--color-text-muted, #555) }
.ccm-chart-label, .ccm-chart-value { text-align: center }
.ccm-chart-value { color: var(--color-text-default, #222); font-weight: 600 }
.ccm-chart-keys { font-size: 0.8em; margin-bottom: 0.6em }
.ccm-chart-key { margin-inline-end: 1.4em }
.ccm-chart-key i { display: inline-block; width: 0.75em; height: 0.75em; border-radius: 0.2em; margin-inline-end: 0.4em }
"""


@dataclass(frozen=True)
class ChartPalette:
    """CSS colours of a chart.

    series: One for each row of bars; the first alone when there is only one.
    """

    series: tuple[str, ...] = ("#1f5a8f", "#e0992b", "#9cc3dd")
    negative: str = "#b23a2a"
    grid: str = "#d8dde2"
    axis: str = "#52657a"

    @classmethod
    def of(cls, brand: Brand) -> ChartPalette:
        """Take the brand's tokens, the nearest one where a role is missing."""
        plain = cls()

        def token(fallback: str, *paths: str) -> str:
            return next((brand.tokens[path].value for path in paths if path in brand.tokens), fallback)

        first, second, third = plain.series
        return cls(
            series=(
                token(first, "color.chart.in", "color.chart.primary", "color.brand.primary"),
                token(second, "color.chart.out", "color.chart.secondary", "color.brand.accent"),
                token(third, "color.chart.rest", "color.brand.tint"),
            ),
            negative=token(plain.negative, "color.chart.negative", "color.chart.out", "color.status.negative"),
            grid=token(plain.grid, "color.chart.grid", "color.line.default"),
            axis=token(plain.axis, "color.text.muted", "color.text.default"),
        )


@dataclass(frozen=True)
class Point:
    """One place on the chart's base line."""

    label: str
    values: tuple[Amount, ...]


def bar_chart(
    points: Iterable[object],
    *,
    title: str,
    series: Sequence[str] = (),
    label: str = "label",
    value: str | Sequence[str] = "value",
    write: Write = str,
    write_tick: Callable[[Decimal], str] = str,
    direction: str = "ltr",
    palette: ChartPalette | None = None,
    width: int = 560,
    height: int = 190,
    values: bool = False,
) -> Markup:
    """Return a bar chart; negative bars hang below the zero line, right-to-left pages are mirrored.

    Args:
        points: Pairs (label, value), pairs (label, (value, value, …)), or records.
        title: What a screen reader says first; the values follow.
        series: Names of the bars of each point, shown as a key when there are several.
        label: Field of a record that is the label.
        value: Field or fields of a record that are the values.
        write: Prints an amount in the recipient's locale, over bars and for the screen reader.
        write_tick: Prints a round number of the scale; without a currency, which the title tells.
        direction: ltr or rtl.
        width: Units of the drawing; on paper it takes the width of its place.
        height: In the same units.
        values: Print the value over each bar; a scale would then say the same again, so there is none.
    Raises:
        FigureError: If there is nothing to draw, too much, or values that are not numbers.
    """
    fields = (value,) if isinstance(value, str) else tuple(value)
    given = [_point(item, label, fields) for item in islice(points, MAX_BARS + 1)]
    if not given or sum(len(point.values) for point in given) > MAX_BARS:
        raise FigureError(f"a bar chart shows 1 to {MAX_BARS} bars", "group the values, or leave the chart out")
    drawing = _Drawing(given, write, write_tick, direction == "rtl", palette or ChartPalette(), width, height, values)
    said = [f"{point.label} {', '.join(map(write, point.values))}" for point in given]
    return Markup(
        '<div class="ccm-chart">{}<div style="position: relative"><svg xmlns="http://www.w3.org/2000/svg" role="img" '
        'viewBox="0 0 {} {}"><title>{}</title>{}</svg>{}</div></div>'
    ).format(
        _keys(series, drawing.palette) if len(series) > 1 else "",
        width,
        height,
        f"{plain(title)}: {'; '.join(said)}",
        drawing.grid() + drawing.bars(),
        drawing.labels() + (drawing.values() if values else drawing.ticks()),
    )


def _point(item: object, label: str, fields: tuple[str, ...]) -> Point:
    if isinstance(item, Mapping):
        given: object = tuple(item[name] for name in fields)
        name = item[label]
    elif isinstance(item, Sequence) and len(item) == 2 and not isinstance(item, str):
        name, given = item
    else:
        raise FigureError("a point of a bar chart is a pair or a record", "give pairs of label and value")
    amounts = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if not amounts or not all(isinstance(amount, (int, Decimal, Money)) for amount in amounts):
        raise FigureError("a bar chart draws whole numbers, decimals and money", "check the values' types")
    return Point(plain(name), amounts)


def _number(amount: Amount) -> Decimal:
    return amount.amount if isinstance(amount, Money) else Decimal(amount)


def _keys(series: Sequence[str], palette: ChartPalette) -> Markup:
    keys = (
        Markup('<span class="ccm-chart-key"><i style="background: {}"></i>{}</span>').format(color, plain(name))
        for name, color in zip(series, _cycled(palette.series, len(series)), strict=True)
    )
    return Markup('<div class="ccm-chart-keys">{}</div>').format(Markup("").join(keys))


def _cycled(colors: Sequence[str], count: int) -> list[str]:
    return [colors[index % len(colors)] for index in range(count)]


def nice_scale(lowest: Decimal, highest: Decimal, steps: int = 4) -> tuple[Decimal, ...]:
    """Return round, even scale values that enclose zero and every bar; about `steps` of them above the first."""
    low, high = min(lowest, Decimal(0)), max(highest, Decimal(0))
    rough = (high - low) / steps if high > low else Decimal(1) / steps
    base = Decimal(1).scaleb(rough.adjusted())
    step = next(base * factor for factor in _STEPS if base * factor >= rough)
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = max((high / step).to_integral_value(ROUND_CEILING), first + 1)
    return tuple((step * count).normalize() + 0 for count in range(int(first), int(last) + 1))


class _Drawing:
    """Places bars and labels; x runs from the text's start, so mirroring is one subtraction."""

    def __init__(
        self,
        points: Sequence[Point],
        write: Write,
        write_tick: Callable[[Decimal], str],
        mirrored: bool,
        palette: ChartPalette,
        width: int,
        height: int,
        valued: bool = False,
    ) -> None:
        self.palette = palette
        self._points = points
        self._write = write
        self._write_tick = write_tick
        self._mirrored = mirrored
        self._valued = valued
        self._width, self._height = float(width), float(height)
        self._rows = max(len(point.values) for point in points)
        amounts = [_number(amount) for point in points for amount in point.values]
        self._scale = nice_scale(min(amounts), max(amounts), _STEPS_TALL if height >= 160 else _STEPS_LOW)
        self._left = 0.0 if valued else self._width * _AXIS_SHARE
        self._slot = (self._width - self._left) / len(points)

    def grid(self) -> Markup:
        """Return the lines of the scale, zero the strongest; the base line alone where values are printed."""
        start, end = self._span(self._left, self._width - self._left)
        lines = (
            Markup('<path stroke="{}" stroke-width="{}" d="M{:.2f} {:.2f}H{:.2f}"/>').format(
                self.palette.grid if tick else self.palette.axis, 0.7 if tick else 1.1, start, self._y(tick), end
            )
            for tick in self._scale
            if not (self._valued and tick)
        )
        return Markup("").join(lines)

    def bars(self) -> Markup:
        """Return the bars with their rounded ends."""
        colors = _cycled(self.palette.series, self._rows)
        parts = []
        for place, point in enumerate(self._points):
            for row, amount in enumerate(point.values):
                color = colors[row] if self._rows > 1 or _number(amount) >= 0 else self.palette.negative
                parts.append(Markup('<path fill="{}" d="{}"/>').format(color, self._bar(place, row, _number(amount))))
        return Markup("").join(parts)

    def ticks(self) -> Markup:
        """Return the scale's labels as text beside the lines."""
        side, align = ("right", "left") if self._mirrored else ("left", "right")
        return Markup("").join(
            Markup(
                '<span class="ccm-chart-tick" style="{}: 0; width: {:.2f}%; text-align: {}; top: {:.2f}%; '
                'margin-top: -0.5em">{}</span>'
            ).format(side, 100 * _AXIS_SHARE - 2, align, self._percent_down(self._y(tick)), self._write_tick(tick))
            for tick in self._scale
        )

    def labels(self) -> Markup:
        """Return the points' labels under the base line; every second, third, … where they are many."""
        every = -(-len(self._points) // _SHOWN_LABELS)
        return Markup("").join(
            self._centred("ccm-chart-label", place, self._height - _FOOT + 8, 0, point.label)
            for place, point in enumerate(self._points)
            if place % every == 0
        )

    def values(self) -> Markup:
        """Return the first value of each point, over its bar."""
        return Markup("").join(
            self._centred(
                "ccm-chart-value",
                place,
                self._y(max(Decimal(0), *map(_number, point.values))),
                1.25,
                self._write(point.values[0]),
            )
            for place, point in enumerate(self._points)
        )

    def _centred(self, name: str, place: int, y: float, raised_em: float, text: str) -> Markup:
        start, _ = self._span(self._left + place * self._slot, self._slot)
        return Markup('<span class="{}" style="left: {:.2f}%; width: {:.2f}%; top: {:.2f}%{}">{}</span>').format(
            name,
            100 * start / self._width,
            100 * self._slot / self._width,
            self._percent_down(y),
            f"; margin-top: -{raised_em}em" if raised_em else "",
            text,
        )

    def _bar(self, place: int, row: int, amount: Decimal) -> str:
        gap = self._slot * (0.34 if self._rows == 1 else 0.24)
        thick = min((self._slot - gap) / self._rows, 46.0)
        indent = (self._slot - thick * self._rows) / 2
        inner = thick * (0.94 if self._rows > 1 else 1)
        left, right = self._span(self._left + place * self._slot + indent + row * thick, inner)
        base, end = self._y(Decimal(0)), self._y(amount)
        round_by = min(3.5, inner / 2, abs(end - base))
        inward = round_by if end <= base else -round_by
        return (
            f"M{left:.2f} {base:.2f}V{end + inward:.2f}Q{left:.2f} {end:.2f} {left + round_by:.2f} {end:.2f}"
            f"H{right - round_by:.2f}Q{right:.2f} {end:.2f} {right:.2f} {end + inward:.2f}V{base:.2f}z"
        )

    def _span(self, start: float, length: float) -> tuple[float, float]:
        """Return left and right edge of something that starts so far from the text's start."""
        left = self._width - start - length if self._mirrored else start
        return left, left + length

    def _y(self, amount: Decimal) -> float:
        low, high = self._scale[0], self._scale[-1]
        share = float((amount - low) / (high - low))
        return self._height - _FOOT - share * (self._height - _FOOT - _HEAD)

    def _percent_down(self, y: float) -> float:
        return 100 * y / self._height
