"""Codes are read back by a scanner from the finished page, and refuse what no scanner would take."""

from __future__ import annotations

from decimal import Decimal

import pypdfium2
import pytest
import zxingcpp
from documents import compose, composer, page
from markupsafe import Markup

from ccm.compose.figures.codes import BARCODE_KINDS, FigureError, barcode, epc_qr, qr
from ccm.model.values import Money

IBAN = "DE89 3704 0044 0532 0130 00"


def scanned(body: str) -> list[str]:
    """What a scanner reads on the first page of the PDF."""
    made, findings = compose(composer(), page(body))
    assert made is not None, findings
    with pypdfium2.PdfDocument(made.content) as document:
        picture = document[0].render(scale=4).to_pil()
    return sorted(found.text for found in zxingcpp.read_barcodes(picture))


@pytest.mark.parametrize(
    "text", ["https://example.org/?a=1&b=<2>", "Grüße aus Łódź", "x" * 900, "'\";--", "0123456789", "東京"]
)
def test_qr_codes_read_back(text: str) -> None:
    """Any text comes back unchanged from the printed page."""
    assert scanned(qr(text, size_mm=60)) == [text]


def test_markup_is_encoded_as_people_read_it() -> None:
    """A text that a template already escaped is not encoded with its escapes."""
    assert scanned(qr(Markup("a &amp; b"))) == ["a & b"]


def test_payment_codes_hold_what_banking_apps_read() -> None:
    """Lines of EPC069-12: service, version, coding, SCT, BIC, name, IBAN, amount, purpose, reference."""
    code = epc_qr("Northwind Bank", IBAN, Money(Decimal("12.345"), "EUR"), "RF18539007547034")
    lines = scanned(code)[0].split("\n")
    assert lines[:8] == ["BCD", "002", "1", "SCT", "", "Northwind Bank", "DE89370400440532013000", "EUR12.35"]
    assert lines[9] == "RF18539007547034"


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"iban": "DE89370400440532013001"}, "IBAN"),
        ({"iban": "DE89"}, "IBAN"),
        ({"amount": Money(Decimal("5"), "USD")}, "euros"),
        ({"amount": Money(Decimal("0"), "EUR")}, "above zero"),
        ({"amount": Money(Decimal("-5"), "EUR")}, "above zero"),
        ({"amount": Decimal("5")}, "euros"),
        ({"text": "Invoice"}, "not both"),
        ({"reference": ""}, "not both"),
        ({"name": "x" * 90}, "cannot hold"),
    ],
)
def test_payment_codes_refuse_what_a_bank_would(changed: dict[str, object], word: str) -> None:
    """A code that fails at the till is worse than none."""
    given: dict[str, object] = {
        "name": "Bank",
        "iban": IBAN,
        "amount": Money(Decimal("5"), "EUR"),
        "reference": "RF18539007547034",
    }
    with pytest.raises(FigureError, match=word) as caught:
        epc_qr(**{**given, **changed})  # type: ignore[arg-type]
    assert "DE89" not in str(caught.value)


TEXTS = {"ean13": "4006381333931", "ean8": "96385074", "itf": "12345678", "code39": "INV 26"}


@pytest.mark.parametrize("kind", sorted(BARCODE_KINDS))
def test_barcodes_read_back(kind: str) -> None:
    """Every kind comes back from the printed page."""
    text = TEXTS.get(kind, "INV-2026-10/a")
    read = scanned(barcode(text, kind, width_mm=80, height_mm=30))
    assert read == [text]


def test_barcodes_refuse_what_they_cannot_hold() -> None:
    """An EAN with a wrong length, an unknown kind, an empty text."""
    for text, kind in (("12", "ean13"), ("x", "qrcode"), ("", "code128"), ("ä", "ean8")):
        with pytest.raises(FigureError):
            barcode(text, kind)


def test_codes_carry_a_spoken_label_and_no_doctype() -> None:
    """Screen readers say the label; nothing in it becomes markup."""
    for code in (qr("x", "<b>&"), barcode("x", label="<b>&")):
        assert "<title>&lt;b&gt;&amp;</title>" in code
        assert "DOCTYPE" not in code


def test_codes_are_the_same_every_time() -> None:
    """Same text, same drawing."""
    assert qr("x") == qr("x")
    assert barcode("x") == barcode("x")
