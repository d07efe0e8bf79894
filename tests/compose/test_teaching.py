"""A page that teaches filling is laid out by the engine and written by filling; where that fails, the engine writes it."""

from __future__ import annotations

import pytest
from compose.documents import ISSUED, PIECE, STYLE, composer
from weasyprint.document import Document

from ccm.compose.document.composer import DocumentComposer

PAGE = "<!doctype html><html lang='en'><head><title>Notice</title></head><body><h1>Notice</h1>{body}</body></html>"
ROWS = (
    "<table><thead><tr><th>No</th><th>What</th></tr></thead>"
    + "".join(f"<tr><td>{number}</td><td>some words</td></tr>" for number in range(60))
    + "</table>"
)


def compose(made_by: DocumentComposer, body: str) -> tuple[bytes, str, str, tuple[str, ...]]:
    """Return the PDF, why it was not filled, why the engine was asked, and the codes of what was found."""
    page = PAGE.format(body=body)
    rendition, findings, slow = made_by.compose(
        page, piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="a.pdf"
    )
    return rendition.content if rendition else b"", slow, made_by.taught, tuple(one.code for one in findings)


def test_what_filling_writes_the_engine_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages that teach, of one and of several sheets, and one that follows."""

    def written(*_: object, **__: object) -> bytes:
        raise AssertionError("the engine wrote a page that was filled")

    style = STYLE + "tr { break-inside: avoid }"
    expected = [compose(composer(style), body)[0] for body in ("<p>Short</p>", ROWS, "<p>Shorter</p>")]
    monkeypatch.setattr(Document, "write_pdf", written)
    one = composer(style)
    found = [compose(one, body) for body in ("<p>Short</p>", ROWS, "<p>Shorter</p>")]
    assert [(slow, codes) for _, slow, _, codes in found] == [("", ())] * 3
    assert [taught for _, _, taught, _ in found] == ["a page of a new kind", "a page of a new kind", ""]
    assert [content for content, *_ in found] == expected


@pytest.mark.parametrize(
    "body", ["<p style='float: right'>x</p>", "<div style='columns: 2'>" + "<p>words</p>" * 9 + "</div>"]
)
def test_a_page_that_taught_in_vain_is_what_the_engine_makes(body: str) -> None:
    """Learning looks at the engine's boxes before they are drawn and changes none of them."""
    content, slow, taught, codes = compose(composer(), body)
    assert slow
    assert not taught
    assert not codes
    assert content == compose(composer(fill=False), body)[0]


@pytest.mark.parametrize("body", ["<p>\u0e01</p>", "<p>ok</p><img alt='x' src='images/none.png'>"])
def test_what_shows_only_when_it_is_drawn_is_found(body: str) -> None:
    """A letter that no font has, a picture that is not there: told on the page that teaches too, as the engine tells it."""
    content, _, _, codes = compose(composer(), body)
    expected = compose(composer(fill=False), body)
    assert codes
    assert (content, codes) == (expected[0], expected[3])


def test_a_picture_that_wants_another_picture_is_refused() -> None:
    """Learning draws it first, and the refusal is not forgotten when the engine draws it again."""
    inner = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9">'
    inner += b'<image href="file:///etc/passwd" width="9" height="9"/></svg>'
    files = {"templates/letter/a.svg": inner}
    body = "<img alt='x' src='a.svg'>"
    content, _, _, codes = compose(composer(files=files), body)
    assert not content
    assert "denied-address" in codes
    assert codes == compose(composer(files=files, fill=False), body)[3]
