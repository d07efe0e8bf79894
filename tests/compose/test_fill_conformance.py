"""Filled documents are PDF/UA-1 and PDF/A-3a at once, by the real veraPDF, and readers find their text."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdfium2
from documents import composer, page
from test_fill import SHEET, made, statement
from tools.verapdf import VeraPdf, verapdf

__all__ = ["verapdf"]

PLAIN = "<h1>Ligatures: office, first</h1><p>Ångström €5 · naïve <b>bold <i>both</i></b></p><section><h1>Two</h1><p>a<br>b</p></section>"
PALE = (
    '<div style="position: fixed; top: 40%; left: 0; right: 0; z-index: 9"><svg viewBox="0 0 9 9" width="90" height="90">'
    '<title>Pale</title><path d="M0 0C3 9 6 0 9 9" fill="none" stroke="#c00" stroke-opacity=".4"/></svg></div>'
)


def test_filled_documents_pass_verapdf(verapdf: VeraPdf, tmp_path: Path) -> None:
    """Short, long and plain, and with a pale drawing on every page: no rule of either standard broken."""
    one = composer(SHEET)
    draw = random.Random(5)
    pages = [statement(draw, rows) for rows in (1, 30, 120)] + [page(PLAIN, "Plain (paren) ü"), page(PALE + PLAIN * 20)]
    written = []
    for number, html in enumerate(pages):
        rendition, slow = made(one, html)
        assert slow == ""
        assert rendition is not None
        written.append(tmp_path / f"{number}.pdf")
        written[-1].write_bytes(rendition.content)
    for flavour in ("ua1", "3a"):
        verdicts = verapdf.check(flavour, written)
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


def test_tags_are_whole_and_the_same_whatever_was_written_before() -> None:
    """Of tables over many pages and object streams: each tag names its parent, each mark its tag, and no file changes another."""
    one = composer(SHEET)
    draw = random.Random(6)
    pages = [statement(draw, rows) for rows in (1, 40, 400, 7)]
    kept = []
    for again in range(2):
        for number, html in enumerate(pages):
            rendition, slow = made(one, html)
            assert (slow, rendition is not None) == ("", True)
            assert rendition is not None
            if again:
                assert rendition.content == kept[number]
            kept.append(rendition.content)
    assert made(composer(SHEET), pages[2])[0] == made(one, pages[2])[0]
    with pikepdf.open(io.BytesIO(kept[2])) as file:
        assert file.check_pdf_syntax() == []
        assert _tags(file.Root.StructTreeRoot.K[0]) > 2500
        owners = dict(_entries(file.Root.StructTreeRoot.ParentTree.Nums))
        assert len(owners) == len(file.pages) > 3
        for key, page_object in enumerate(file.pages):
            for mark, owner in enumerate(owners[key]):
                assert (owner.K[0], owner.Pg.objgen) == (mark, page_object.objgen)


def _tags(tag: pikepdf.Dictionary) -> int:
    """Return how many tags there are from one down."""
    below = [one for one in tag.K if isinstance(one, pikepdf.Dictionary)]
    assert all(one.P.objgen == tag.objgen for one in below)
    return 1 + sum(map(_tags, below))


def _entries(nums: pikepdf.Array) -> Iterator[tuple[int, pikepdf.Array]]:
    """Return the entries of a number tree."""
    for at in range(0, len(nums), 2):
        yield int(nums[at]), nums[at + 1]
