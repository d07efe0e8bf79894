"""Reading documents: the reader of our own says what PDFium says, or leaves the file to it."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from compose.documents import ISSUED, PIECE, STYLE, composer, page
from isal import isal_zlib

from benchmarks.mutations.sample import samples
from benchmarks.oracle.build import build
from ccm.check import check
from ccm.check.document_text import is_read_twice, read_document
from ccm.check.filled_pdf import Unread, read_filled
from ccm.check.filled_pdf.faces import Faces
from ccm.check.filled_pdf.font import Family, FontReading
from ccm.check.pdf_text import read_pdf
from ccm.check.rules import CheckRules
from ccm.check.shape import lines_of
from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Composed, DocumentRendition
from ccm.plan import plan
from ccm.run.prepare import prepare
from tests.check.conftest import changed

WORDS = [
    "invoice", "Łódź", "O’Brien", "&amp;", "Söhne", "&lt;b&gt;", "1,234.50", "£", "naïve", "AVATAR", "Tower", "office", "fjord",
    "№7", "“quoted”", "a-b/c", "€9.99", "first", "Tweet", "-", "–", "-5.00", "x", "1", "T-LIGHT", "ÿ", "12\u00a0345,60\u00a0€",
    "1\u202f234,5", "affluent", "WAVE", "Ty.", "...", "'", "*", "½", "m²", "{{", "%", "50\u00a0%", "ß",
]  # fmt: skip
SHEET = (
    STYLE
    + """
table { width: 100%; border-collapse: collapse } td, th { padding: 4px 8px; border-bottom: 1px solid #ccc; vertical-align: top }
td, th { text-align: start } .amount { text-align: end; white-space: nowrap } h1 { letter-spacing: -0.3px } .small { font-size: 7pt }
"""
)


def statement(draw: random.Random, rows: int) -> str:
    """Return a page with odd words in every place."""

    def words(most: int) -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(1, most)))

    lines = "".join(
        f"<tr><td>{draw.randint(1, 28):02}.10.2026</td><td>{words(14)}</td><td>{words(1)}</td>"
        f'<td class="amount">{draw.randint(-999999, 999999) / 100:,.2f} €</td></tr>\n'
        for _ in range(rows)
    )
    head = '<thead><tr><th>Date</th><th>What</th><th>Kind</th><th class="amount">Amount</th></tr></thead>'
    return page(
        f"<h1>{words(3)}</h1><p>{words(6)} <b>{words(2)}</b></p><p class='small'>{words(40)}</p>"
        f"<table>{head}<tbody>{lines}</tbody></table>"
    )


def hostile(count: int, seed: int) -> Iterator[bytes]:
    """Yield documents that were filled, most of them."""
    draw = random.Random(seed)
    typesetter = composer(SHEET)
    for number in range(count):
        made, _, slow = typesetter.compose(
            statement(draw, draw.choice((1, 3, 12, 40, 70))),
            piece=replace(PIECE, piece_id=f"p-{seed}-{number}"),
            language="en",
            direction="ltr",
            issued_at=ISSUED,
            filename="letter.pdf",
        )
        if made is not None and not slow:
            yield made.content


def compared(documents: Iterator[bytes]) -> tuple[int, int]:
    """Compare both readers; returns how many documents each of them is asked for."""
    own = general = 0
    for content in documents:
        expected = read_pdf(content)
        try:
            found = read_filled(content)
        except Unread:
            general += 1
            continue
        own += 1
        assert len(found.pages) == len(expected.pages)
        assert found.links == expected.links
        for mine, theirs in zip(found.pages, expected.pages, strict=True):
            assert [" ".join(cell.plain for cell in line) for line in mine] == list(lines_of(theirs))
            assert lines_of("\n".join(" ".join(cell.text for cell in line) for line in mine)) == lines_of(theirs)
    return own, general


def test_odd_words_are_read_as_pdfium_reads_them() -> None:
    """Quotes, minus signs, ligatures, no-break blanks, single letters, wrapped cells, words in bold: the same lines."""
    own, general = compared(hostile(30, 11))
    assert own >= 10
    assert general < own


@pytest.mark.data
def test_real_statements_are_read_as_pdfium_reads_them(shared_data: Path, tmp_path: Path) -> None:
    """Eighty statements of a real month, each page line by line; nearly none is left to PDFium."""
    workspace, _ = load_workspace(build(tmp_path / "workspace", shared_data))
    assert workspace is not None
    now = datetime(2012, 1, 2, 9, tzinfo=UTC)
    prepared = prepare(workspace, "statement-of-account", now=now, occurrence="2011-03", ignore_schedule=True)
    composing = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)

    def documents() -> Iterator[bytes]:
        recipients = load_recipients(workspace, prepared.campaign, period=prepared.period)
        for one in plan(recipients, prepared.brief):
            pieces = [piece for piece in getattr(one, "pieces", ()) if piece.channel is Channel.DOCUMENT]
            if isinstance(one, Communication) and pieces:
                composed = composing.compose(replace(one, pieces=tuple(pieces)))
                if not composed.slow_paths:
                    yield from (made.content for made in composed.renditions if isinstance(made, DocumentRendition))

    own, general = compared(content for content, _ in zip(documents(), range(80), strict=False))
    assert own + general == 80
    assert general <= 2


def test_languages_are_read_as_pdfium_reads_them() -> None:
    """A letter of the sample in each language; one that runs from right to left is left to PDFium, Japanese is not."""
    (sample,) = samples(documents_each=1, only="payment-reminder")
    found = {
        composed.communication.language.partition("-")[0]: compared(iter([made.content]))
        for composed in sample.composed
        for made in composed.renditions
        if isinstance(made, DocumentRendition)
    }
    assert found.pop("ar") == (0, 1)
    assert found["ja"] == (1, 0)
    assert set(found.values()) == {(1, 0)}


@pytest.fixture(scope="module")
def filled() -> bytes:
    """One filled document."""
    return next(hostile(3, 1))


def rewritten(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a file whose first page was changed and deflated again to the same length."""
    for begin in re.finditer(rb"/Length (\d+)[^\n]*>>stream\n", content):
        start, size = begin.end(), int(begin[1])
        stream = isal_zlib.decompress(content[start : start + size])
        if b"BT\n" in stream:
            break
    deflated = zlib.compress(change(stream), 9)
    assert len(deflated) <= size
    return content[:start] + deflated + b"\0" * (size - len(deflated)) + content[start + size :]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"EMC", b"BI "),
        (b"1 0 0 -1", b"1 0 1 -1"),
        (b"BT\n", b"BX\n"),
        (b"/Span<</MCID 0>>BDC", b"/Span<</ActualText(X)>>BDC"),
        (b"ET\n", b"ET\n3 Tr\n"),
        (b"/F0", b"/F7"),
        (b"\nQ", b"\n"),
    ],
)
def test_what_is_not_known_is_left_to_pdfium(filled: bytes, before: bytes, after: bytes) -> None:
    """Operators, marks, fonts and matrices that filling never writes: the reader of our own says nothing about the file."""
    broken = rewritten(filled, lambda stream: stream.replace(before, after, 1))
    with pytest.raises(Unread):
        read_filled(broken)


def test_what_the_file_says_counts(filled: bytes) -> None:
    """One glyph changed in the file is one letter changed in what is read, by both readers."""

    def changing(stream: bytes) -> bytes:
        at = stream.index(b"[<") + 2
        return stream[:at] + b"0021" + stream[at + 4 :]  # another letter first

    other = rewritten(filled, changing)
    assert read_filled(other).pages[0] != read_filled(filled).pages[0]
    assert compared(iter([other])) == (1, 0)


@pytest.mark.parametrize("begin", [b"[-20<", b"[<>-20<", b"[<>-20 30<"])
def test_a_text_may_begin_beside_its_place(filled: bytes, begin: bytes) -> None:
    """Some fonts move their first glyph, as Japanese ones do: the text is read where it stands."""
    other = rewritten(filled, lambda stream: stream.replace(b"[<", begin, 3))
    assert read_filled(other).pages == read_filled(filled).pages
    assert compared(iter([other])) == (1, 0)


@pytest.mark.parametrize("cut", [0, 1, 9, 40, 400, 4000])
def test_damaged_files_are_left_to_pdfium(filled: bytes, cut: int) -> None:
    """Cut off, or with a hole in it: refused, never misread."""
    for content in (filled[: len(filled) - cut - 2], filled[:cut], filled[:cut] + filled[cut + 3 :]):
        with pytest.raises(Unread):
            read_filled(content)


def test_other_writers_are_left_to_pdfium(pdf: bytes) -> None:
    """A file with a link and a mark of its own comes out right whoever reads it."""
    found = read_document(pdf, "p-1")
    assert found.links == read_pdf(pdf).links
    assert found.lines == lines_of("\n".join(read_pdf(pdf).pages))
    assert read_document(b"no file", "p-1").rows == ()


def test_one_of_a_thousand_is_read_twice() -> None:
    """By the piece's id, so that the same piece is always among them."""
    chosen = [number for number in range(20_000) if is_read_twice(f"p-{number}")]
    assert 5 < len(chosen) < 50


def test_a_doubt_holds_the_document(good: Composed, filled: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the readers differ, the piece is held and PDFium is believed."""
    twice = next(f"p-{number}" for number in range(20_000) if is_read_twice(f"p-{number}"))
    assert not read_document(filled, twice).doubt
    monkeypatch.setattr(
        "ccm.check.document_text.read_filled", lambda content: read_filled(content)._replace(links=("https://x",))
    )
    found = read_document(filled, twice)
    assert found.doubt
    assert found.lines == lines_of("\n".join(read_pdf(filled).pages))
    composed = changed(good, Channel.DOCUMENT, content=filled, piece_id=twice)
    codes = {finding.code for finding in check(composed, CheckRules()) if finding.piece_id == twice}
    assert "readers-differ" in codes


def test_texts_that_come_again_are_not_driven_out() -> None:
    """What is shown in every document stays read, however many texts were shown once, and those are forgotten."""
    family = Family()
    family.take(dict.fromkeys(range(1, 200), ("a", 500, (50, 0, 450, 700))))
    faces = Faces({b"F0": FontReading(family, frozenset(family.widths))})
    usual = faces.phrase(b"/F0 10 Tf\n[<00010002>]TJ")
    for number in range(39_000):
        faces.phrase(b"/F0 10 Tf\n[<%04x%04x>]TJ" % (3 + number // 198, 2 + number % 198))
        if number % 100 == 0:
            assert faces.phrase(b"/F0 10 Tf\n[<00010002>]TJ") is usual
    assert len(faces.known) + len(family.shown) + len(family.shown_before) < 8_000
