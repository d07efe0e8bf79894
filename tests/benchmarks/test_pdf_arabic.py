"""Arabic letters are compared by glyph where the engine says wrongly what they stand for, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from benchmarks.pdf.arabic import by_glyph, unknown_words
from benchmarks.pdf.comparing import differences

FONTS = Path(__file__).resolve().parents[2] / "brands/juniper-energy/fonts"
STYLE = f"""
@font-face {{ font-family: Letters; src: url("{(FONTS / "Inter-Regular.ttf").as_uri()}") }}
@font-face {{ font-family: Signs; src: url("{(FONTS / "NotoSansArabic-Regular.ttf").as_uri()}") }}
@page {{ size: 90mm 60mm; margin: 5mm }} body {{ font: 12pt Letters, Signs }}
"""
NAME = "Layla ليلى عبد نهار تعريفة"


def pdf(body: str, more: str = "") -> bytes:
    fonts = FontConfiguration()
    sheet = CSS(string=STYLE + more, font_config=fonts)
    page = HTML(string=f'<html lang="ar"><title>t</title><body><p>{body}</p></body></html>')
    return page.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")  # type: ignore[no-any-return]


def test_the_known_fault_is_seen() -> None:
    """Letters of body and dots: the engine's file says words that the page has not."""
    assert by_glyph(pdf(NAME), pdf(NAME)) is not None
    assert unknown_words(pdf(NAME), lambda: NAME) > 0
    assert differences(pdf(NAME), pdf(NAME)) == ""


@pytest.mark.parametrize("body", ["Layla", "دار", "Łódź ſ €5 – naïve"])
def test_without_it_words_are_compared_as_ever(body: str) -> None:
    """Other scripts, and Arabic letters that the engine says rightly."""
    assert by_glyph(pdf(body), pdf(body)) is None
    assert unknown_words(pdf(body), lambda: body) == 0


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (NAME.replace("ليلى", "ليلا"), ""),
        (NAME.replace("عبد", "عيد"), ""),
        (NAME.replace("Layla", "Laila"), ""),
        (f"{NAME} 1", ""),
        (NAME, "p { padding-left: 0.1pt }"),
    ],
)
def test_what_differs_is_found_by_glyph(body: str, more: str) -> None:
    """Another letter, other dots under the same body, another place."""
    assert differences(pdf(body, more), pdf(NAME)).startswith("page 1: ")
