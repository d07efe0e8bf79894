"""Charts: right bars, labels as text in every script, the same drawing every time."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal

import pypdfium2
import pytest
from documents import brand, compose, composer, page
from hypothesis import given
from hypothesis import strategies as st

from ccm.check.pdf_text import pdf_text
from ccm.compose.figures.charts import ChartPalette, bar_chart, nice_scale
from ccm.compose.figures.codes import FigureError
from ccm.model.values import Money

MONTHS = [("May", Decimal(1200)), ("Jun", Decimal(900)), ("Jul", Decimal(-350)), ("Aug", Decimal(2310))]


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [
        (0, 10, [0, 2.5, 5, 7.5, 10]),
        (0, 2310, [0, 1000, 2000, 3000]),  # 2310 / 4 = 577.5 → 1000
        (-350, 2310, [-1000, 0, 1000, 2000, 3000]),
        (-8, -3, [-8, -6, -4, -2, 0]),
        (0, 0, [0, 0.25]),
        (7, 7, [0, 2, 4, 6, 8]),
    ],
)
def test_scales_are_round(low: int, high: int, scale: list[float]) -> None:
    """The scale has round steps and encloses zero and every bar."""
    assert [float(tick) for tick in nice_scale(Decimal(low), Decimal(high))] == scale


@given(
    st.decimals(-(10**9), 10**9, places=2),
    st.decimals(-(10**9), 10**9, places=2),
)
def test_scales_enclose_everything(one: Decimal, other: Decimal) -> None:
    """For any amounts: even steps, zero is one of them, at most seven."""
    low, high = sorted((one, other))
    scale = nice_scale(low, high)
    steps = {later - sooner for sooner, later in itertools.pairwise(scale)}
    assert scale[0] <= low
    assert scale[-1] >= high
    assert Decimal(0) in scale
    assert len(steps) == 1
    assert 2 <= len(scale) <= 7


def bars(chart: str) -> list[tuple[float, float, float]]:
    """Left edge, base and end of each bar."""
    paths = re.findall(r'<path fill="[^"]+" d="M([\d.]+) ([\d.]+)V[\d.]+Q[\d.]+ ([\d.]+)', chart)
    return [(float(left), float(base), float(end)) for left, base, end in paths]


def test_bars_are_as_high_as_their_values() -> None:
    """Heights stand to each other as the values do; a negative one hangs below the line."""
    drawn = bars(bar_chart(MONTHS, title="Balance"))
    heights = [base - end for _, base, end in drawn]
    assert len({base for _, base, _ in drawn}) == 1
    assert [round(height / heights[0] * 1200) for height in heights] == pytest.approx([1200, 900, -350, 2310], abs=2)


def test_right_to_left_charts_are_mirrored() -> None:
    """The first month stands at the right, and the scale too."""
    plain, mirrored = bar_chart(MONTHS, title="x"), bar_chart(MONTHS, title="x", direction="rtl")
    assert [left for left, _, _ in bars(plain)] == sorted(left for left, _, _ in bars(plain))
    assert [left for left, _, _ in bars(mirrored)] == sorted((left for left, _, _ in bars(mirrored)), reverse=True)
    assert "right: 0" in mirrored
    assert "right: 0" not in plain


def test_labels_are_text_of_the_page() -> None:
    """Labels can be searched, and Arabic is shaped as everywhere else on the page."""
    months = [("مايو", Money(Decimal(12), "EUR")), ("يونيو", Money(Decimal(7), "EUR"))]
    chart = bar_chart(months, title="x", direction="rtl", write=lambda amount: f"{amount} !", values=True)
    made, findings = compose(composer(), page(chart), "ar", "rtl")
    assert findings == ()
    assert made is not None
    text = "".join(pdf_text(made.content))
    assert "مايو" in text
    assert "EUR 12" in text


def test_printed_values_need_no_scale() -> None:
    """Where every bar says its value there is no second scale, and nothing crosses the figures."""
    chart = str(bar_chart(MONTHS, title="x", values=True))
    assert "ccm-chart-tick" not in chart
    assert chart.count("stroke=") == 1  # the base line
    assert "ccm-chart-tick" in str(bar_chart(MONTHS, title="x"))


def test_hostile_labels_stay_text() -> None:
    """Values of data are escaped wherever they stand."""
    chart = bar_chart([("<script>", Decimal(1)), ('"&', Decimal(2))], title="<i>", series=["<u>", "x"])
    assert "<script>" not in chart
    assert "<i>" not in chart.replace("<i style", "")
    assert "<u>" not in chart
    assert "&lt;script&gt;" in chart


def test_screen_readers_get_every_value() -> None:
    """The picture's text says the title and each point."""
    chart = bar_chart(MONTHS, title="Balance", write=lambda amount: f"€{amount}")
    assert "<title>Balance: May €1200; Jun €900; Jul €-350; Aug €2310</title>" in chart


def test_grouped_bars_have_a_key_and_brand_colours() -> None:
    """Two values a point: two colours, named above the chart."""
    palette = ChartPalette.of(brand())
    chart = bar_chart([("a", (1, 2)), ("b", [3, 4])], title="x", series=["In", "Out"], palette=palette)
    assert palette.series[0] == "#0b5cad"  # color.brand.primary of the test brand
    assert len(bars(chart)) == 4
    assert chart.count("ccm-chart-key") == 3
    assert chart.count(palette.series[1]) == 3


def test_records_are_points_too() -> None:
    """Rows of data need no reshaping in the template."""
    rows = [{"month": "May", "spent": Decimal(3)}, {"month": "Jun", "spent": Decimal(4)}]
    assert bar_chart(rows, title="x", label="month", value="spent") == bar_chart(
        [("May", Decimal(3)), ("Jun", Decimal(4))], title="x"
    )


@pytest.mark.parametrize(
    "points", [[], [("a", "12")], [("a", 1.5)], ["ab"], [("a", ())], [(str(n), n) for n in range(61)], iter([1, 2])]
)
def test_what_cannot_be_drawn_is_refused(points: object) -> None:
    """Nothing, too much, texts and floats: an error with a remedy, not an empty picture."""
    with pytest.raises(FigureError):
        bar_chart(points, title="x")  # type: ignore[arg-type]


def test_a_chart_is_on_the_page() -> None:
    """The bar's colour is where the bar should be."""
    chart = bar_chart(MONTHS, title="x", palette=ChartPalette(series=("#ff0000",), negative="#0000ff"))
    made, _ = compose(composer(), page(chart))
    assert made is not None
    with pypdfium2.PdfDocument(made.content) as document:
        picture = document[0].render(scale=4).to_pil().convert("RGB")
    counts = {color: count for count, color in picture.getcolors(1 << 20)}
    # The positive values sum up to 4410, the negative one is 350: the ink stands in that proportion.
    assert counts[255, 0, 0] / counts[0, 0, 255] == pytest.approx(4410 / 350, rel=0.1)
