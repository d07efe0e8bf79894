"""What documents and cards may call beside the common functions: codes and charts in the recipient's locale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ccm.compose.figures.charts import ChartPalette, bar_chart
from ccm.compose.figures.codes import barcode, epc_qr, plain, qr
from ccm.compose.printing import RENDERING, as_text
from ccm.model.values import Money
from ccm.model.workspace import Brand


def page_functions(brand: Brand) -> Mapping[str, Callable[..., Any]]:
    """Return `qr`, `epc_qr`, `barcode` and `bar_chart` as templates call them.

    Values are printed as `{{ … }}` would print them, so facts and numbers may be given; charts take the
    brand's colours and the direction of the page's language.
    """
    palette = ChartPalette.of(brand)

    def chart(
        points: Iterable[object],
        *,
        title: str,
        series: Sequence[str] = (),
        label: str = "label",
        value: str | Sequence[str] = "value",
        width: int = 560,
        height: int = 190,
        values: bool = False,
    ) -> Markup:
        formats = RENDERING.get().formats
        return bar_chart(
            points,
            title=title,
            series=series,
            label=label,
            value=value,
            write=lambda amount: _printed(amount) if isinstance(amount, Money) else formats.number(amount),
            write_tick=formats.number,
            direction=formats.text.text_direction,
            palette=palette,
            width=width,
            height=height,
            values=values,
        )

    return {"qr": _qr, "epc_qr": _epc_qr, "barcode": _barcode, "bar_chart": chart}


def _printed(value: object) -> str:
    return plain(as_text(value, RENDERING.get().formats))


def _qr(text: object, label: str = "QR code", *, size_mm: float = 28) -> Markup:
    return qr(_printed(text), label, size_mm=size_mm)


def _epc_qr(
    name: object,
    iban: object,
    amount: Money,
    reference: object = "",
    *,
    text: object = "",
    bic: object = "",
    label: str = "Payment code",
    size_mm: float = 34,
) -> Markup:
    raw = getattr(amount, "value", amount)  # a fact, or the money itself
    return epc_qr(
        _printed(name),
        _printed(iban),
        raw,
        _printed(reference),
        text=_printed(text),
        bic=_printed(bic),
        label=label,
        size_mm=size_mm,
    )


def _barcode(
    text: object, kind: str = "code128", label: str = "Barcode", *, width_mm: float = 60, height_mm: float = 14
) -> Markup:
    return barcode(_printed(text), kind, label, width_mm=width_mm, height_mm=height_mm)
