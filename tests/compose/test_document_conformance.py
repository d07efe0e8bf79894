"""Every document is PDF/UA-1 and PDF/A-3a at once, by the real veraPDF."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from documents import compose, composer, page
from tools.verapdf import VeraPdf, verapdf

from ccm.compose.figures.charts import bar_chart
from ccm.compose.figures.codes import barcode, epc_qr, qr
from ccm.model.values import Money

__all__ = ["verapdf"]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="#0b5cad"/></svg>'
POINTS = [("May", Decimal(120)), ("Jun", Decimal(-30)), ("Jul", Decimal(88))]
TABLE = (
    "<table><caption>Rows</caption><thead><tr><th scope=col>Day<th scope=col>Sum</thead><tbody>"
    + "".join(f"<tr><td>{day}<td>{day * 3}.00" for day in range(90))
    + "</table>"
)
DOCUMENTS = {
    "latin": (
        "en",
        "ltr",
        f"<h1>Letter</h1><p>Dear <a href='https://example.org/'>you</a></p><ul><li>a<li>b</ul>{TABLE}",
    ),
    "arabic": ("ar", "rtl", f"<h1>كشف حساب</h1><p>الرصيد <b>١٢٣</b></p>{TABLE}"),
    "japanese": ("ja", "ltr", f"<h1>ご利用明細書</h1><h2>お支払い</h2><p>お客様各位</p>{TABLE}"),
    "figures": (
        "en",
        "ltr",
        "<h1>Figures</h1><img src=mark.svg alt='A disc'><img src=mark.svg alt=''>"
        + qr("https://example.org/", "Link to your account")
        + epc_qr("Test", "DE89370400440532013000", Money(Decimal("12.30"), "EUR"), text="Invoice 7")
        + barcode("A-1234")
        + bar_chart(POINTS, title="Spending", values=True),
    ),
}


def test_documents_pass_verapdf(verapdf: VeraPdf, tmp_path: Path) -> None:
    """Latin, Arabic, Japanese, and pages with codes, charts and attachments: no rule of either standard broken."""
    files = {"templates/letter/mark.svg": SVG, "templates/letter/terms.csv": b"a,b\n1,2\n"}
    maker = composer(files=files, attachments=("terms.csv",))
    written = []
    for name, (language, direction, body) in DOCUMENTS.items():
        made, findings = compose(maker, page(body, name), language, direction)
        assert made is not None, findings
        written.append(tmp_path / f"{name}.pdf")
        written[-1].write_bytes(made.content)
    verdicts = verapdf.check("ua1,3a", written)
    assert {path.stem: verdict.failed for path, verdict in verdicts.items() if not verdict.compliant} == {}
    assert all(verdict.assertions > 100 for verdict in verdicts.values())


def test_opacity_breaks_what_an_alpha_keeps(verapdf: VeraPdf, tmp_path: Path) -> None:
    """Why the CSS of documents is warned about `opacity` and told to take rgba(); a failure here says that the warning can go."""
    maker = composer(files={"templates/letter/mark.svg": SVG})
    broken = {
        "block": "<p style='opacity: .5'>words</p>",
        "words": "<p>some <b style='opacity: .5'>words</b></p>",
        "picture": "<p><img style='opacity: .5' src=mark.svg alt='A disc'></p>",
    }
    drawing = "<svg role=img viewBox='0 0 9 9' width=90><title>Line</title><path d='M0 0L9 9' stroke='#c00' {}/></svg>"
    sound = {
        "alpha": "<p style='color: rgba(0, 0, 0, .5); background: #ff000033'>words</p>",
        "stroke": drawing.format("stroke-opacity='.5'"),
        "in-a-drawing": drawing.format("opacity='.5'"),
    }
    for name, body in (broken | sound).items():
        made, findings = compose(maker, page(f"<h1>Letter</h1>{body}", name), "en", "ltr")
        assert made is not None, findings
        (tmp_path / f"{name}.pdf").write_bytes(made.content)
    verdicts = verapdf.check("ua1", [tmp_path / f"{name}.pdf" for name in broken | sound])
    assert {path.stem for path, verdict in verdicts.items() if not verdict.compliant} == set(broken)


def test_verapdf_can_fail(verapdf: VeraPdf, tmp_path: Path) -> None:
    """A file without tags is refused, so a pass means something."""
    weasyprint = pytest.importorskip("weasyprint")
    plain = tmp_path / "plain.pdf"
    plain.write_bytes(weasyprint.HTML(string="<p>x").write_pdf())
    assert not verapdf.check("ua1", [plain])[plain].compliant
