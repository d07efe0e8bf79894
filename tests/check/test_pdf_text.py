"""The text of a PDF, as checks read it."""

from __future__ import annotations

import pytest
from compose.documents import compose, composer, page

from ccm.check.pdf_text import pdf_text


def test_text_comes_page_by_page() -> None:
    """One text per page, in order; Latin, Arabic and Japanese as written."""
    made, _ = compose(composer(), page("<p>Łódź 1 234,50 €<p style='break-before: page' dir=rtl>مرحبا بكم<p>東京都"))
    assert made is not None
    first, second = pdf_text(made.content)
    assert "Łódź 1 234,50 €" in first
    assert "مرحبا بكم" in second
    assert "東京都" in second


def test_what_is_no_pdf_is_refused() -> None:
    """A clear error, not a crash of the reader."""
    for content in (b"", b"%PDF-1.7\n", b"hello"):
        with pytest.raises(ValueError, match="not a readable PDF"):
            pdf_text(content)
