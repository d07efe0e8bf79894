"""Documents: whole, faithful, the same bytes every time, or held with a reason."""

from __future__ import annotations

import contextlib
import html
import io
import json
import re
import subprocess
import sys
import threading
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from documents import ISSUED, PIECE, STYLE, codes, compose, composer, page
from PIL import Image

from ccm.check.pdf_text import pdf_text
from ccm.compose.document.composer import DocumentComposer
from ccm.diagnostics import Severity


def png(width: int = 40, height: int = 30) -> bytes:
    written = io.BytesIO()
    image = Image.effect_noise((width, height), 60)
    image.save(written, "PNG")
    return written.getvalue()


def inflated(content: bytes) -> bytes:
    """Every stream of a PDF, unpacked."""
    unpacked = []
    for packed in re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL):
        with contextlib.suppress(zlib.error):
            unpacked.append(zlib.decompress(packed))
    assert unpacked
    return b"\n".join(unpacked)


@pytest.fixture(scope="module")
def plain() -> DocumentComposer:
    return composer()


def test_a_page_becomes_a_document_with_title_pages_and_text(plain: DocumentComposer) -> None:
    """What the template says is what the reader gets."""
    made, findings = compose(plain, page("<h1>Kontoauszug für Łódź</h1><p>1.234,56 €</p>", "Statement"))
    assert findings == ()
    assert made is not None
    assert (made.title, made.pages, made.filename) == ("Statement", 1, "letter.pdf")
    assert pdf_text(made.content)[0].startswith("Kontoauszug für Łódź\n1.234,56 €")


def test_the_same_arguments_give_the_same_bytes(plain: DocumentComposer) -> None:
    """A later render, in another composer, equals the first one byte for byte."""
    text = page("<h1>Hello</h1><p>مرحبا</p><table><tr><th>A<td>1</table>")
    first, _ = compose(plain, text)
    compose(plain, page("<p>something else in between</p>"))
    again, _ = compose(plain, text)
    other, _ = compose(composer(), text)
    assert first is not None
    assert first == again == other


def test_the_same_bytes_in_another_process(plain: DocumentComposer) -> None:
    """Hash seeds and process state do not show in the file."""
    text = page("<h1>Hello</h1><ul><li>one<li>two</ul>")
    program = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1])\n"
        "from documents import compose, composer\n"
        "made, _ = compose(composer(), sys.argv[2])\n"
        "print(hashlib.sha256(made.content).hexdigest())"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parent), text]
    root = Path(__file__).resolve().parents[2]
    seen = {
        subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=root, env={"PYTHONHASHSEED": seed, "PATH": ""}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_another_time_or_piece_gives_other_metadata_only(plain: DocumentComposer) -> None:
    """Dates come from issued_at, never from the clock."""
    made, _ = compose(plain, page("<p>x</p>"))
    later, _, _ = plain.compose(
        page("<p>x</p>"),
        piece=PIECE,
        language="en",
        direction="ltr",
        issued_at=ISSUED + timedelta(days=1),
        filename="letter.pdf",
    )
    assert made is not None
    assert later is not None
    assert b"D:20261102083000Z" in inflated(made.content)
    assert b"D:20261103083000Z" in inflated(later.content)


def test_the_piece_can_be_found_in_the_file(plain: DocumentComposer) -> None:
    """A stray PDF leads back to the ledger: Info and XMP name the piece, author is the brand."""
    import pypdfium2

    made, _ = compose(plain, page("<p>x</p>"))
    assert made is not None
    with pypdfium2.PdfDocument(made.content) as document:
        info = document.get_metadata_dict()
    assert PIECE.piece_id in info["Keywords"]
    assert info["Author"] == "Test & Söhne"
    assert info["CreationDate"] == info["ModDate"] == "D:20261102083000Z"


def test_headings_become_bookmarks(plain: DocumentComposer) -> None:
    """Readers can jump to the parts of a long statement."""
    import pypdfium2

    made, _ = compose(plain, page("<h1>Statement</h1><h2>Summary</h2><h2>Transactions</h2>"))
    assert made is not None
    with pypdfium2.PdfDocument(made.content) as document:
        titles = [entry.get_title() for entry in document.get_toc()]
    assert titles == ["Statement", "Summary", "Transactions"]


@pytest.mark.parametrize("body", ["", "<tbody></tbody>"])
def test_a_table_of_a_head_alone_has_a_body(plain: DocumentComposer, body: str) -> None:
    """Of a customer without entries: PDF/UA-1 wants one (7.2)."""
    import pikepdf

    made, _ = compose(plain, page(f'<table><thead><tr><th scope="col">Day</th></tr></thead>{body}</table>'))
    assert made is not None
    with pikepdf.open(io.BytesIO(made.content)) as pdf:
        (table,) = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/Table"]
        assert [str(kid.S) for kid in table.K] == ["/THead", "/TBody"]
        assert all(kid.P.objgen == table.objgen for kid in table.K)


def test_attachments_of_the_template_travel_inside() -> None:
    """Files named in template.yaml are in the PDF, unchanged."""
    import pypdfium2

    files = {"templates/letter/terms.csv": b"clause,text\n1,Pay\n"}
    made, findings = compose(composer(files=files, attachments=("terms.csv",)), page("<p>x</p>"))
    assert findings == ()
    assert made is not None
    with pypdfium2.PdfDocument(made.content) as document:
        attached = document.get_attachment(0)
        assert attached.get_name() == "terms.csv"
        assert bytes(attached.get_data()) == b"clause,text\n1,Pay\n"
    assert b"/AFRelationship /Data" in inflated(made.content)


def test_a_missing_attachment_holds_the_piece() -> None:
    """A document without its enclosure is not whole."""
    made, findings = compose(composer(attachments=("terms.csv",)), page("<p>x</p>"))
    assert made is None
    assert codes(findings) == {"missing-file"}


def test_right_to_left_pages_start_at_the_right(plain: DocumentComposer) -> None:
    """The page's direction reaches the layout even when the template does not name it."""
    import pypdfium2

    def first_letter(direction: str, language: str) -> float:
        made, _ = compose(plain, page("<p>مرحبا</p>"), language, direction)
        assert made is not None
        with pypdfium2.PdfDocument(made.content) as document:
            left, _, right, _ = document[0].get_textpage().get_charbox(0)
            return float(left + right) / 2 / document[0].get_width()

    assert first_letter("rtl", "ar") > 0.8
    assert first_letter("ltr", "en") < 0.3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<p>नमस्ते</p>", "missing-glyph"),  # Devanagari is in no font of the test brand
        ("<p>\U0001f600</p>", "missing-glyph"),
        ("<p>a\u0007b</p>", "missing-glyph"),  # a control character prints as a box
        ('<p style="font-family: DejaVu Sans">x</p>', "foreign-font"),
        ('<img src="ccm:brands/test/nope.png" alt="x">', "missing-file"),
        ('<img src="nope.png" alt="x">', "missing-file"),
        ('<p style="background: url(nope.png)">x</p>', "missing-file"),
        ('<img src="broken.png" alt="x">', "broken-image"),
        ('<img src="half.png" alt="x">', "broken-image"),
        ('<img src="half.jpg" alt="x">', "broken-image"),
        ('<img src="broken.svg" alt="x">', "broken-image"),
        (
            '<div style="width: 3cm; overflow: hidden; white-space: nowrap">Much too long for this</div>',
            "clipped-content",
        ),
        ('<div style="height: 1cm; overflow: hidden">1<p>2<p>3<p>4<p>5</div>', "clipped-content"),
        ('<p style="position: absolute; top: 40cm">below</p>', "clipped-content"),
        ('<p style="white-space: nowrap">' + "wide " * 60 + "</p>", "clipped-content"),
        ('<img src="ok.png" style="width: 40cm" alt="x">', "clipped-content"),
        (
            '<table style="table-layout: fixed"><tr><td>1<td style="white-space: nowrap">'
            + "wide " * 9
            + "<td>3<td>4</table>",
            "overflowing-cell",
        ),
        (
            '<div style="background: #123; width: 3cm; white-space: nowrap">Much too long for this</div>',
            "overflowing-box",
        ),
        ('<div style="background: #123; height: 1cm">1<p>2<p>3<p>4<p>5</div>', "overflowing-box"),
        (
            '<div style="background: #123; display: flex; width: 4cm">'
            + '<p style="white-space: nowrap">one two three</p>' * 3
            + "</div>",
            "overflowing-box",
        ),
        ('<a href="javascript:alert(1)">x</a>', "unsafe-link"),
    ],
)
def test_nothing_leaves_that_is_missing_or_clipped(body: str, code: str) -> None:
    """Promise G7, one fault each: the piece is held and the finding says why."""
    jpeg = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(jpeg, "JPEG")
    files = {
        "templates/letter/ok.png": png(),
        "templates/letter/broken.png": b"not an image",
        "templates/letter/half.png": png()[:-200],
        "templates/letter/half.jpg": jpeg.getvalue()[:-200],
        "templates/letter/broken.svg": b"<svg",
    }
    made, findings = compose(composer(files=files), page(body))
    assert made is None
    assert code in codes(findings)


@pytest.mark.parametrize(
    "body",
    [
        '<img src="ok.png" alt="x">',
        '<img src="/templates/letter/ok.png" alt="x">',
        '<img src="ccm:templates/letter/ok.png" alt="x">',
        '<img src="ok.png" style="width: 40cm" alt="">',  # decoration may run off the page
        "<p>" + "Donaudampfschifffahrtsgesellschaft" * 9 + "</p>",  # long words wrap
        "<p dir=rtl>عربي</p>",
        '<a href="https://example.org/">x</a><a href="#top">y</a><p id=top>z</p>',
        '<div style="overflow: hidden">fits</div>',
        '<div style="background: #123; position: relative"><b style="position: absolute; top: 5cm">badge</b>x</div>',
        '<p style="background: #eee; line-height: 1">tight <mark>lines</mark></p>',
        "<table style='background: #eee'><thead style='background: #ccc'><tr><th>a<tbody><tr style='background: #fff'><td>1</table>",
        '<ul style="background: #eee; padding: 0; list-style-position: outside; margin-left: 2cm"><li>x</ul>',
        '<p style="visibility: hidden; position: absolute; top: 99cm">never shown</p>',
    ],
)
def test_sound_pages_pass(body: str) -> None:
    """The guards hold back nothing that is in order."""
    made, findings = compose(composer(files={"templates/letter/ok.png": png()}), page(body))
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    assert made is not None


def test_a_document_needs_a_title(plain: DocumentComposer) -> None:
    """PDF/UA wants one, and so does everybody with forty open tabs."""
    made, findings = compose(plain, "<p>no title</p>")
    assert made is None
    assert codes(findings) == {"missing-title"}


def test_findings_quote_no_text_of_the_page(plain: DocumentComposer) -> None:
    """Findings go into logs: template names, code points and counts only."""
    body = (
        '<p class="name" style="position: absolute; top: 90cm">Erika Mustermann</p>'
        '<img src="ccm:Erika Mustermann.png"><img src="http://Erika.example/Mustermann">'
        '<p style="Erika: Mustermann">x</p>'
    )
    _, findings = compose(plain, page(body))
    assert {"clipped-content", "missing-file", "denied-address"} <= codes(findings)
    said = " ".join(finding.message + finding.remedy for finding in findings)
    assert "Mustermann" not in said


def test_ignored_css_is_a_warning() -> None:
    """A property that the engine does not know is named, and the piece goes out."""
    made, findings = compose(composer(style=STYLE + "p { colour: red }"), page("<p>x</p>"))
    assert made is not None
    assert [(each.code, each.severity) for each in findings] == [("ignored-css", Severity.WARNING)]
    assert "colour" in findings[0].message


def test_tokens_are_variables_in_page_margins_too() -> None:
    """`--color-brand-primary` works in the body and in running headers."""
    style = STYLE + (
        "@page { @top-left { content: 'x'; font-size: 30pt; color: var(--color-brand-primary) } }"
        "p { font-size: 30pt; color: var(--color-brand-primary) }"
    )
    made, findings = compose(composer(style), page("<p>y</p>"))
    assert findings == ()
    assert made is not None
    import pypdfium2

    with pypdfium2.PdfDocument(made.content) as document:
        picture = document[0].render(scale=2).to_pil().convert("RGB")
    colors = {color: count for count, color in picture.getcolors(1 << 20)}
    assert colors.get((11, 92, 173), 0) > 10
    header = picture.crop((0, 0, picture.width, picture.height // 15))
    assert any(color == (11, 92, 173) for _, color in header.getcolors(1 << 20))


def test_a_statement_of_862_rows_is_complete(plain: DocumentComposer) -> None:
    """Every row is printed once, and the table's head stands on each page."""
    rows = "".join(f"<tr><td>R{number:04d}<td>Some item<td>{number}.00" for number in range(862))
    table = f"<table><thead><tr><th scope=col>Head<th scope=col>Item<th scope=col>Sum</thead><tbody>{rows}</table>"
    made, findings = compose(plain, page(table))
    assert findings == ()
    assert made is not None
    pages = pdf_text(made.content)
    assert len(pages) == made.pages > 10
    assert all("Head" in text for text in pages)
    found = [word for text in pages for word in text.split() if word.startswith("R0") and len(word) == 5]
    assert found == [f"R{number:04d}" for number in range(862)]


def test_a_page_without_end_is_refused(plain: DocumentComposer) -> None:
    """Text beyond the limit is refused before it is parsed."""
    made, findings = compose(plain, page("x" * 8_000_001))
    assert made is None
    assert codes(findings) == {"document-too-large"}


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 5_000 + "deep",
        "<p style='transform: rotate(1e999deg); width: calc(1px / 0); font-size: 1e30px'>x</p>",
        "<table>" * 300 + "<tr><td>x",
        '<svg xmlns="http://www.w3.org/2000/svg"><defs><g id="a"><use href="#a"/></g></defs><use href="#a"/></svg>',
    ],
)
def test_hostile_pages_cost_only_themselves(plain: DocumentComposer, body: str) -> None:
    """The engine's own failures become a finding, and the next page is fine."""
    compose(plain, page(body))
    made, findings = compose(plain, page("<p>next</p>"))
    assert made is not None
    assert findings == ()


def test_threads_do_not_hear_each_other() -> None:
    """Each thread's findings are its own, and no log record reaches the application."""
    import logging

    heard: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = heard.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    results: dict[int, set[str]] = {}

    def work(number: int) -> None:
        made = composer()
        body = '<p style="colour: red">x</p>' if number % 2 else "<p>x</p>"
        for _ in range(5):
            results[number] = codes(compose(made, page(body))[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        logging.getLogger().removeHandler(handler)
    assert results == {0: set(), 1: {"ignored-css"}, 2: set(), 3: {"ignored-css"}}
    assert [record for record in heard if record.name.startswith("weasyprint")] == []
    assert logging.getLogger("weasyprint").filters == []


@pytest.mark.data
def test_naughty_strings_are_printed_or_held(plain: DocumentComposer, shared_data: Path) -> None:
    """Promise T18: no crash, and whatever is printed is the text, not markup."""
    strings = json.loads((shared_data / "vectors" / "naughty" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    printed = 0
    for text in strings:
        made, findings = compose(plain, page(f"<p>{html.escape(text)}</p>"))
        if made is None:
            assert codes(findings) <= {"missing-glyph", "clipped-content"}, ascii(text)
            continue
        printed += 1
        if text.isascii() and text.isprintable():
            assert "".join(text.split()) in "".join("".join(pdf_text(made.content)).split()).replace("\ufffe", "-")
    assert printed > 250
