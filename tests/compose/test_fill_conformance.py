"""Filled documents are PDF/UA-1 and PDF/A-3a at once, by the real veraPDF, and readers find their text."""

from __future__ import annotations

import random
from pathlib import Path

import pypdfium2
from documents import composer, page
from test_fill import SHEET, made, statement
from tools.verapdf import VeraPdf, verapdf

__all__ = ["verapdf"]

PLAIN = "<h1>Ligatures: office, first</h1><p>Ångström €5 · naïve <b>bold <i>both</i></b></p><section><h1>Two</h1><p>a<br>b</p></section>"


def test_filled_documents_pass_verapdf(verapdf: VeraPdf, tmp_path: Path) -> None:
    """Short, long and plain: no rule of either standard broken."""
    one = composer(SHEET)
    draw = random.Random(5)
    pages = [statement(draw, rows) for rows in (1, 30, 120)] + [page(PLAIN, "Plain (paren) ü")]
    written = []
    for number, html in enumerate(pages):
        rendition, slow = made(one, html)
        assert slow == ""
        assert rendition is not None
        written.append(tmp_path / f"{number}.pdf")
        written[-1].write_bytes(rendition.content)
    verdicts = verapdf.check("ua1,3a", written)
    assert {path.stem: verdict.failed for path, verdict in verdicts.items() if not verdict.compliant} == {}
    assert all(verdict.assertions > 100 for verdict in verdicts.values())


def test_the_text_of_a_filled_document_is_found() -> None:
    """In the order it is read, ligatures as their letters."""
    rendition, slow = made(composer(SHEET), page(PLAIN))
    assert (slow, rendition is not None) == ("", True)
    assert rendition is not None
    with pypdfium2.PdfDocument(rendition.content) as document:
        text = document[0].get_textpage().get_text_range()
    assert [line.strip() for line in text.splitlines()][:2] == [
        "Ligatures: office, first",
        "Ångström €5 · naïve bold both",
    ]
