"""Codes that machines read: QR codes, SEPA payment codes and barcodes, as inline SVG with a spoken label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from ccm.compose.failure import ComposeFailure
from ccm.model.values import Money

# Names that templates use, and zxing's own.
BARCODE_KINDS = {
    "code128": "Code128",
    "code39": "Code39",
    "datamatrix": "DataMatrix",
    "ean13": "EAN13",
    "ean8": "EAN8",
    "itf": "ITF",
    "pdf417": "PDF417",
    "aztec": "Aztec",
    "qr": "QRCode",
}
_QR_QUIET_MODULES = 4  # ISO/IEC 18004
_LINEAR_QUIET_MODULES = 10  # ISO/IEC 15417 and its siblings
_EPC_LARGEST = Decimal("999999999.99")


class FigureError(ComposeFailure):
    """A code or chart cannot be made of these values; free of personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__("impossible-figure", message, remedy)


def plain(text: object) -> str:
    """Return text as people read it: markup that a template already escaped is turned back.

    Why: Text is escaped once, where it is written; a second time would print `&amp;`.
    """
    return text.unescape() if isinstance(text, Markup) else str(text)


def qr(text: str, label: str = "QR code", *, size_mm: float = 28) -> Markup:
    """Return a QR code.

    Args:
        text: What a camera reads, often an https address.
        label: What a screen reader says.
        size_mm: Edge, with the quiet zone.
    Raises:
        FigureError: If the text is empty or too long (about 2,300 bytes).
    """
    import segno

    if not plain(text).strip():
        raise FigureError("a QR code needs a text", "give qr() a value")
    try:
        code = segno.make_qr(plain(text), error="m", boost_error=False)
    except ValueError:
        raise FigureError("the text is too long for a QR code", "shorten it to about 2,000 characters") from None
    return _matrix_svg(code.matrix, label, size_mm, "ccm-qr")


def epc_qr(
    name: str,
    iban: str,
    amount: Money,
    reference: str = "",
    *,
    text: str = "",
    bic: str = "",
    label: str = "Payment code",
    size_mm: float = 34,
) -> Markup:
    """Return the QR code that banking apps in the euro area read a transfer from.

    Args:
        name: Payee, at most 70 characters.
        iban: With or without spaces; its check digits must be right.
        amount: Positive euros.
        reference: Structured creditor reference (RF…), at most 35 characters.
        text: Free remittance text, at most 140 characters; instead of a reference.
        bic: Only needed outside the European Economic Area.
    Raises:
        FigureError: If the bank's app would refuse it; says which part.
    Source: EPC069-12 version 2.1.
    """
    from segno import helpers

    account = "".join(plain(iban).split()).upper()
    if not _iban_is_sound(account):
        raise FigureError(
            "the IBAN of a payment code has wrong check digits", "correct the IBAN in the brand or the data"
        )
    if not isinstance(amount, Money) or amount.currency != "EUR":
        raise FigureError("a payment code holds euros only", "show it only for accounts in EUR")
    euros = amount.rounded().amount
    if not Decimal("0.01") <= euros <= _EPC_LARGEST:
        raise FigureError(
            "the amount of a payment code must be above zero", "show it only when something is to be paid"
        )
    if bool(reference) == bool(text):
        raise FigureError("a payment code needs a reference or a text, not both", "give epc_qr() one of them")
    try:
        code = helpers.make_epc_qr(
            name=plain(name),
            iban=account,
            amount=euros,
            reference=plain(reference) or None,
            text=plain(text) or None,
            bic=plain(bic) or None,
            encoding="utf-8",
        )
    except ValueError as fault:
        raise FigureError("a payment code cannot hold these values", "shorten name and reference") from fault
    return _matrix_svg(code.matrix, label, size_mm, "ccm-qr")


def barcode(
    text: str, kind: str = "code128", label: str = "Barcode", *, width_mm: float = 60, height_mm: float = 14
) -> Markup:
    """Return a barcode; the square kinds (qr, datamatrix, aztec) take the height as their edge.

    Args:
        text: What a scanner reads.
        kind: One of `BARCODE_KINDS`.
    Raises:
        FigureError: If the kind is unknown or cannot hold the text.
    """
    import zxingcpp

    if kind not in BARCODE_KINDS:
        raise FigureError(f'there is no barcode kind "{kind}"', f"use one of: {', '.join(sorted(BARCODE_KINDS))}")
    try:
        made = zxingcpp.create_barcode(plain(text), getattr(zxingcpp.BarcodeFormat, BARCODE_KINDS[kind]))
        # Too short a number is filled up with zeros; only a check digit may be added.
        if not made.text.startswith(plain(text)) or len(made.text) > len(plain(text)) + 1:
            raise ValueError
        image: Any = made.to_image(scale=1, add_quiet_zones=False)
    except (ValueError, RuntimeError):
        raise FigureError(f"a {kind} barcode cannot hold this text", "check its characters and length") from None
    shades: Any = memoryview(image).tolist()  # rows of 0 for dark and 255 for light
    rows = [[0 if shade else 1 for shade in row] for row in shades]
    if kind in ("qr", "datamatrix", "aztec"):
        return _matrix_svg(rows, label, height_mm, "ccm-barcode")
    # A linear code says the same in every row: one is enough, drawn as high as wanted.
    linear = kind != "pdf417"
    return _stretched_svg(rows[:1] if linear else rows, label, width_mm, height_mm)


def _iban_is_sound(account: str) -> bool:
    if not 15 <= len(account) <= 34 or not account.isalnum() or not account.isascii():
        return False
    digits = "".join(str(int(character, 36)) for character in account[4:] + account[:4])
    return int(digits) % 97 == 1


def _matrix_svg(matrix: Iterable[Sequence[int]], label: str, size_mm: float, name: str) -> Markup:
    rows = [list(row) for row in matrix]
    quiet = _QR_QUIET_MODULES
    edge = len(rows[0]) + 2 * quiet
    tall = len(rows) + 2 * quiet
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="{}" role="img" width="{}mm" height="{}mm" '
        'viewBox="0 0 {} {}"><title>{}</title><path fill="#fff" d="M0 0h{}v{}H0z"/><path fill="#000" d="{}"/></svg>'
    ).format(
        name, size_mm, size_mm * tall / edge, edge, tall, plain(label), edge, tall, _modules(rows, quiet, quiet, 1)
    )


def _stretched_svg(rows: Sequence[Sequence[int]], label: str, width_mm: float, height_mm: float) -> Markup:
    quiet = _LINEAR_QUIET_MODULES
    width = len(rows[0]) + 2 * quiet
    height = width * height_mm / width_mm
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="ccm-barcode" role="img" width="{}mm" height="{}mm" '
        'viewBox="0 0 {} {:.3f}"><title>{}</title><path fill="#fff" d="M0 0h{}v{:.3f}H0z"/>'
        '<path fill="#000" d="{}"/></svg>'
    ).format(
        width_mm, height_mm, width, height, plain(label), width, height, _modules(rows, quiet, 0, height / len(rows))
    )


def _modules(rows: Sequence[Sequence[int]], left: int, top: int, step: float) -> str:
    """Return path data of the dark modules, runs joined; each a trifle too high, so that no viewer shows seams."""
    overlap = 0.03 * step
    parts: list[str] = []
    for index, row in enumerate(rows):
        column = 0
        while column < len(row):
            start = column
            while column < len(row) and row[column]:
                column += 1
            if column > start:
                parts.append(
                    f"M{start + left} {index * step + top:g}h{column - start}v{step + overlap:.4g}H{start + left}z"
                )
            column += 1
    return "".join(parts)
