"""Promise: thousands of filled documents in one PDF are the same pages with the same tags, and share what is the same."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import uharfbuzz as hb
from documents import ISSUED, PIECE, composer, font_files, page
from test_fill import SHEET, statement
from tools.verapdf import VeraPdf, verapdf

from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.stream import NotFilled, Placed, PrintStream, StreamAbout
from ccm.compose.document.stream.moving import Mover
from ccm.compose.document.stream.numbered import NumberedObjects

__all__ = ["verapdf"]

ABOUT = StreamAbout("news.once.s001", "News (all) ü", "Plain Ltd", "en", ISSUED)


@cache
def filled(count: int, seed: int = 3) -> tuple[tuple[str, bytes], ...]:
    """Return filled documents of one to many pages, with hostile words; piece ids in front."""
    one, draw, found = composer(SHEET), random.Random(seed), []
    for number in range(count):
        rows = draw.choice([1, 3, 30, 60, 90])
        html = (
            statement(draw, rows)
            if number % 5
            else page(f"<h1>Łódź 5 0 R ({number})</h1><p>§ {number} 7 0 R</p>", "A (b")
        )
        piece = replace(PIECE, piece_id=f"p-{number:026}")
        rendition, _, slow = one.compose(
            html, piece=piece, language="en", direction="ltr", issued_at=ISSUED, filename="a.pdf"
        )
        assert rendition is not None
        if not slow:
            found.append((piece.piece_id, rendition.content))
    assert len(found) > count * 0.7
    return tuple(found)


def fonts() -> list[FontFile]:
    """Return the brand's faces."""
    return [FontFile(content, hb.Face(content)) for content in font_files().values()]


def joined(documents: Sequence[tuple[str, bytes]], *, whole_sheets: bool = False) -> tuple[bytes, list[Placed]]:
    """Return the stream of documents, and where each stands."""
    parts: list[bytes] = []
    with tempfile.TemporaryFile() as scratch:
        stream = PrintStream(parts.append, scratch, fonts(), ABOUT)
        placed = [stream.add(content, piece, whole_sheets=whole_sheets) for piece, content in documents]
        stream.end()
    return b"".join(parts), placed


def texts(document: pypdfium2.PdfDocument, number: int) -> list[tuple[str, float, float]]:
    """Return the signs of a page with their places."""
    text = document[number].get_textpage()
    return [(text.get_text_range(at, 1), *text.get_charbox(at)[:2]) for at in range(text.count_chars())]


def tree(element: pikepdf.Object, pages: dict[tuple[int, int], int], first: int, names: str) -> object:
    """Return an element of the structure tree with all that is below it; pages as numbers from the document's first."""
    kids = element.get("/K", [])
    kids = kids if isinstance(kids, pikepdf.Array) else [kids]
    below = [kid if isinstance(kid, int) else tree(kid, pages, first, names) for kid in kids]
    on = element.get("/Pg")
    told = element.get("/A", {})
    headers = [str(one).removeprefix(names) for one in told.get("/Headers", [])]
    said = (
        headers,
        told.get("/ColSpan"),
        str(element.get("/ID", "")).removeprefix(names),
        str(element.get("/Alt", "")),
    )
    return (str(element.S), pages[on.objgen] - first if on is not None else None, said, below)


def test_pages_and_tags_are_those_of_the_documents() -> None:
    """Every sign stands where it stood, every tag is there with the same content, and nothing else is."""
    documents = filled(25)
    content, placed = joined(documents, whole_sheets=True)
    with pypdfium2.PdfDocument(content) as stream, pikepdf.open(BytesIO(content)) as opened:
        numbers = {sheet.obj.objgen: index for index, sheet in enumerate(opened.pages)}
        parts = opened.Root.StructTreeRoot.K[0].K
        assert len(parts) == len(documents)
        for index, ((piece, single), place, part) in enumerate(zip(documents, placed, parts, strict=True)):
            with pypdfium2.PdfDocument(single) as own:
                assert place.pages == len(own)
                for number in range(len(own)):
                    assert texts(stream, place.first_page - 1 + number) == texts(own, number)
            with pikepdf.open(BytesIO(single)) as alone:
                ours = {sheet.obj.objgen: number for number, sheet in enumerate(alone.pages)}
                root = alone.Root.StructTreeRoot.K[0]
                names = f"{index:06}/"
                assert tree(part, numbers, place.first_page - 1, names)[3] == tree(root, ours, 0, "")[3]  # type: ignore[index]
                assert str(part.T) == piece
                assert str(part.Lang) == str(alone.Root.Lang)
        assert [str(item.title) for item in opened.open_outline().root] == [piece for piece, _ in documents]
        starts = [place.first_page for place in placed]
        assert all(first % 2 for first in starts)
        assert len(opened.pages) == sum(place.pages + place.blanks for place in placed)


def test_marked_content_belongs_to_its_tag() -> None:
    """What the parent tree says of every page leads to the tag that holds the mark, in the very document."""
    documents = filled(25)
    content, _ = joined(documents)
    with pikepdf.open(BytesIO(content)) as opened:
        tree_of = pikepdf.NumberTree(opened.Root.StructTreeRoot.ParentTree)
        assert len(tree_of) == len(opened.pages)
        for sheet in opened.pages:
            owners = tree_of[int(sheet.obj.StructParents)]
            for mark, owner in enumerate(owners):
                assert owner.Pg.objgen == sheet.obj.objgen
                assert mark in [int(kid) for kid in owner.K]
        names = [str(one) for one in _names(opened.Root.StructTreeRoot.K[0])]
        assert names
        assert len(names) == len(set(names))


def _names(element: pikepdf.Object) -> list[pikepdf.Object]:
    found = [element.ID] if "/ID" in element else []
    for kid in element.get("/K", []):
        if isinstance(kid, pikepdf.Dictionary):
            found += _names(kid)
    return found


def test_it_takes_a_quarter_of_the_room() -> None:
    """Fonts and profile are there once; tags are nearly nothing. Reading it takes a plain reader of PDFs."""
    documents = filled(25)
    content, _ = joined(documents * 8)
    assert len(content) < 0.27 * 8 * sum(len(single) for _, single in documents)
    assert content.count(b"/Length1 ") == len(_faces(content))


def _faces(content: bytes) -> set[str]:
    with pikepdf.open(BytesIO(content)) as opened:
        return {str(font.BaseFont) for sheet in opened.pages for font in sheet.obj.Resources.get("/Font", {}).values()}


def test_the_same_documents_give_the_same_bytes() -> None:
    """Made again after a kill, a stream is the same to the last byte."""
    assert joined(filled(25))[0] == joined(filled(25))[0]


def test_what_filling_did_not_make_is_refused() -> None:
    """The layout engine's own files, others' files and cut files leave the stream as it was."""
    documents = filled(25)
    one = composer("p { columns: 2; float: left }")
    rendition, _, slow = one.compose(
        page("<p>a</p>"), piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="a.pdf"
    )
    assert rendition is not None
    assert slow
    good = documents[0][1]
    with tempfile.TemporaryFile() as scratch:
        parts: list[bytes] = []
        stream = PrintStream(parts.append, scratch, fonts(), ABOUT)
        with pytest.raises(NotFilled):
            stream.end()
        for wrong in (rendition.content, b"", good[: len(good) // 2], good.replace(b"/Type/XRef", b"/Type/Xref")):
            with pytest.raises(NotFilled):
                stream.add(wrong, "p-wrong")
        for piece, content in documents:
            stream.add(content, piece)
        stream.end()
    with pikepdf.open(BytesIO(b"".join(parts))) as opened:
        assert len(opened.open_outline().root) == len(documents)


def test_damaged_documents_are_refused_or_whole() -> None:
    """A flipped byte never ends in anything but a refusal or a file that can be read."""
    draw = random.Random(9)
    piece, good = filled(25)[0]
    refused = whole = 0
    for _ in range(150):
        at = draw.randrange(len(good))
        wrong = good[:at] + bytes([good[at] ^ (1 << draw.randrange(8))]) + good[at + 1 :]
        with tempfile.TemporaryFile() as scratch:
            parts: list[bytes] = []
            stream = PrintStream(parts.append, scratch, fonts(), ABOUT)
            try:
                stream.add(wrong, piece)
                stream.end()
            except NotFilled:
                refused += 1
                continue
        with pikepdf.open(BytesIO(b"".join(parts))) as opened:
            assert len(opened.pages) > 0
        whole += 1
    assert min(refused, whole) > 5


def test_words_that_look_like_references_stay_words() -> None:
    """Numbers move, strings do not."""
    mover = Mover({5: 15, 7: 17}, 100, b"000003/")
    assert mover.moved(b"<</Title(5 0 R \\) 7 0 R)/P 5 0 R>>") == b"<</Title(5 0 R \\) 7 0 R)/P      15 0 R>>"
    assert (
        mover.moved(b"/StructParents 3/ID(a)/Headers[(a)(b)]")
        == b"/StructParents 103/ID(000003/a)/Headers[(000003/a)(000003/b)]"
    )
    with pytest.raises(KeyError):
        mover.moved(b"/P 6 0 R")
    assert mover.owners(b"<</Nums[0[5 0 R 7 0 R]1 7 0 R]>>") == (
        [b"100[     15 0 R      17 0 R]", b"101      17 0 R"], 2,
    )  # fmt: skip


def test_objects_of_any_length_are_found_again() -> None:
    """Short, long, in any order and with holes between their numbers; readers undo the differences."""
    draw = random.Random(1)
    parts: list[bytes] = []
    with tempfile.TemporaryFile() as scratch:
        objects = NumberedObjects(parts.append, scratch)
        first = objects.number(8_000)
        wanted = {
            number: b"[" + b"7 " * draw.choice([0, 1, 14, 15, 16, 40, 600, 3000]) + b"]"
            for number in draw.sample(range(first, first + 8_000), 5_000)
        }
        root, info = objects.number(), objects.number()
        objects.plain(wanted.items())
        pages = objects.number()
        objects.plain(
            [
                (root, b"<</Type/Catalog/Pages %d 0 R>>" % pages),
                (info, b"<<>>"),
                (pages, b"<</Type/Pages/Kids[]/Count 0>>"),
            ]
        )
        objects.end(root, info, b"x")
    with pikepdf.open(BytesIO(b"".join(parts))) as opened:
        for number, body in wanted.items():
            assert len(opened.get_object(number, 0)) == body.count(b"7")


def test_it_passes_verapdf(verapdf: VeraPdf, tmp_path: Path) -> None:
    """The stream itself is PDF/UA-1 and PDF/A-3a, empty backs included."""
    written = []
    for whole_sheets in (False, True):
        content, placed = joined(filled(25)[:8], whole_sheets=whole_sheets)
        assert any(one.blanks for one in placed) is whole_sheets
        written.append(tmp_path / f"{whole_sheets}.pdf")
        written[-1].write_bytes(content)
    verdicts = verapdf.check("ua1,3a", written)
    assert {path.stem: verdict.failed for path, verdict in verdicts.items() if not verdict.compliant} == {}
    assert all(verdict.assertions > 1000 for verdict in verdicts.values())


MEMORY = """
import resource, sys, tempfile
sys.path[:0] = {path!r}
from test_print_stream import ABOUT, filled, fonts, PrintStream
documents = filled(12)
with tempfile.TemporaryFile() as scratch, tempfile.TemporaryFile() as file:
    stream = PrintStream(file.write, scratch, fonts(), ABOUT)
    def more(count):
        for number in range(count):
            piece, content = documents[number % len(documents)]
            stream.add(content, piece)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = more(300)
    after = more(1500)
    stream.end()
    print(after - before, stream.documents)
"""


def test_memory_does_not_grow_with_the_stream() -> None:
    """1,500 more documents of several pages each take less than a tenth of their size."""
    program = MEMORY.format(path=[one for one in sys.path if one])
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    grown, documents = map(int, ended.stdout.split())
    assert documents == 1800
    assert grown < 4_000, "kB"
