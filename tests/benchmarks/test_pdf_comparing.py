"""Comparing two PDFs: each kind of difference is found when it is the only one."""

from __future__ import annotations

import pytest
from weasyprint import HTML

from benchmarks.pdf.comparing import differences

PAGE = """<html lang="en"><title>t</title><style>@page {{ size: 90mm 120mm; margin: 5mm }} {style}</style><body>{body}</body></html>"""
BODY = '<h1 id="a">One</h1><p>Some words</p><table><tr><th>A</th><td>1</td></tr></table><p><a href="https://a.example">link</a></p>'


def pdf(body: str = BODY, style: str = "") -> bytes:
    return HTML(string=PAGE.format(body=body, style=style)).write_pdf(pdf_variant="pdf/ua-1")  # type: ignore[no-any-return]


def test_the_same_page_is_the_same() -> None:
    """Written twice."""
    assert differences(pdf(), pdf()) == ""


@pytest.mark.parametrize(
    ("body", "style", "found"),
    [
        (BODY.replace("words", "swords"), "", "page 1: other words, or in another order"),
        (BODY, "p { padding-left: 0.1pt }", "page 1: a sign 0.10 pt away"),
        (BODY, "p { padding-left: 0.02pt }", ""),
        (BODY, "h1 { border-bottom: 0.5pt solid #888; margin-bottom: calc(0.67em - 0.5pt) }", "page 1: another picture at"),
        (BODY, "td { background: #f4f7f4 }", "page 1: another picture at"),
        (BODY, "h1 { color: #700 }", "page 1: another picture at"),
        (BODY.replace("a.example", "b.example"), "", "other links"),
        (BODY, "h1 { bookmark-level: none }", "another outline"),
        (BODY.replace("<th>A</th>", "<td><b>A</b></td>"), "th, td { padding: 1px; text-align: left }", "tag"),
        (BODY.replace("words", "w\u00f6rds"), "", "page 1: other words, or in another order"),
        (BODY + '<p style="break-before: page">x</p>', "", "2 pages instead of 1"),
        (BODY, "@page { size: 91mm 120mm }", "page 1: another size"),
    ],
)  # fmt: skip
def test_what_differs_is_found(body: str, style: str, found: str) -> None:
    """By what it is, and where."""
    base = style if found == "tag" else ""
    result = differences(pdf(body, style), pdf(style=base))
    assert result.startswith(found) if found else result == ""


def test_an_accent_is_the_same_however_it_is_written() -> None:
    """As one sign, or as a letter and a sign that the font draws as one."""
    assert differences(pdf("<p>caf\u00e9</p>"), pdf("<p>cafe\u0301</p>")) == ""
