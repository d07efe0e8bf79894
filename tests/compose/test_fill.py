"""Filling documents: what it makes is what the layout engine makes, and whatever it does not know goes to the engine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pypdfium2
import pytest
import tinyhtml5
from documents import ISSUED, PIECE, STYLE, composer, font_files, page

from ccm.check.pdf_text import read_pdf
from ccm.compose.document.composer import DocumentComposer
from ccm.compose.document.fill import audit as audit_module
from ccm.compose.document.fill.draw import paginator as paginator_module
from ccm.compose.document.fill.engine import FillEngine
from ccm.compose.document.fill.tree.elements import Element, parse
from ccm.compose.document.fill.unfillable import Unfillable
from ccm.model.records import DocumentRendition

WORDS = [
    "invoice",
    "Łódź",
    "O’Brien",
    "&",
    "Söhne",
    "<b>",
    "1,234.50",
    "£",
    "naïve",
    "AVATAR",
    "Tower",
    "office",
    "fjord",
    "№7",
    "“quoted”",
    "a-b/c",
    "€9.99",
    "first",
    "Tweet",
]
SHEET = (
    STYLE
    + """
table { width: 100%; border-collapse: collapse } td, th { padding: 4px 8px; border-bottom: 1px solid #ccc; text-align: start; vertical-align: top }
tr:nth-child(even) td { background: #eef } .amount { text-align: end; white-space: nowrap } thead th { border-bottom: 2px solid #333 }
h1 { letter-spacing: -0.3px } tr { break-inside: avoid } .wide { border-top: 3px solid #090 }
"""
)


def made(one: DocumentComposer, html: str, piece: str = PIECE.piece_id) -> tuple[DocumentRendition | None, str]:
    from dataclasses import replace

    rendition, findings, slow = one.compose(
        html,
        piece=replace(PIECE, piece_id=piece),
        language="en",
        direction="ltr",
        issued_at=ISSUED,
        filename="letter.pdf",
    )
    assert not [finding for finding in findings if finding.code == "fill-differs"], findings
    return rendition, slow


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def statement(draw: random.Random, rows: int) -> str:
    def words(most: int) -> str:
        return escaped(" ".join(draw.choices(WORDS, k=draw.randint(1, most))))

    lines = "".join(
        f"<tr><td>{draw.randint(1, 28):02}.10.2026</td><td>{words(14)}</td>"
        f'<td class="amount">{draw.randint(-999999, 999999) / 100:,.2f} €</td></tr>\n'
        for _ in range(rows)
    )
    head = '<thead><tr><th>Date</th><th>What</th><th class="amount">Amount</th></tr></thead>'
    sums = f'<table class="wide"><tr><th scope="row">{words(3)}</th><td class="amount">1</td></tr></table>'
    return page(
        f"<h1>{words(3)}</h1><p>{words(6)} <b>{words(2)}</b></p>{sums}<table>{head}<tbody>{lines}</tbody></table>"
    )


def words_of(content: bytes) -> list[list[tuple[str, float, float]]]:
    """Every sign of every page with its place, in points."""
    pages = []
    with pypdfium2.PdfDocument(content) as document:
        for sheet in document:
            text = sheet.get_textpage()
            signs = [
                (text.get_text_range(at, 1), *text.get_charbox(at, loose=True)[:2]) for at in range(text.count_chars())
            ]
            pages.append(
                sorted((one for one in signs if one[0].strip()), key=lambda one: (-round(one[2]), round(one[1])))
            )
    return pages


def test_filled_pages_equal_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements of any length with odd words: the same pages, and every sign within 0.05 points of the engine's."""
    draw = random.Random(7)
    filling, engine = composer(SHEET), composer(SHEET)
    monkeypatch.setattr(engine._filling, "_always", "the test says so")
    lengths = [0, 1, 2, 3, 20, 24, 25, 26, 27, 28, 60, 90]
    for number, rows in enumerate(lengths):
        html = statement(draw, max(rows, 1))
        ours, slow = made(filling, html)
        theirs, full = made(engine, html)
        assert (slow, full) == ("", "the test says so"), number
        assert ours is not None
        assert theirs is not None
        assert ours.pages == theirs.pages, number
        assert read_pdf(ours.content).pages == read_pdf(theirs.content).pages, number
        for mine, its in zip(words_of(ours.content), words_of(theirs.content), strict=True):
            assert [one[0] for one in mine] == [one[0] for one in its]
            far = max(max(abs(a[1] - b[1]), abs(a[2] - b[2])) for a, b in zip(mine, its, strict=True))
            assert far < 0.05, (number, far)


def test_blanks_at_the_end_of_cells_break_lines_as_the_engine_does() -> None:
    """A last line that is full with its blank alone: rows are as high as the engine's, for texts of every length."""
    one = composer(SHEET + "table { table-layout: fixed; width: 60% }")
    one._filling._compared = 1.0  # every page is laid out by both
    for count in range(1, 75):
        html = page(
            f"<table><tbody><tr><td>A b {'i' * count} </td><td> x </td></tr><tr><td>y</td><td>z</td></tr></tbody></table>"
        )
        assert made(one, html, f"p-{count}")[1] == "", count


def test_the_order_of_pages_does_not_show_in_the_bytes() -> None:
    """A document is the same whether it was the first of its kind or the hundredth."""
    draw = random.Random(3)
    pages = [statement(draw, rows) for rows in (2, 40, 5, 27)]
    one, other = composer(SHEET), composer(SHEET)
    there = [made(one, html)[0] for html in pages]
    back = [made(other, html)[0] for html in reversed(pages)]
    assert there == back[::-1]


def test_a_mistake_in_our_layout_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page that taught is compared: a line one pixel too high holds the piece."""
    whole = paginator_module._PageFill._after

    def too_high(self: paginator_module._PageFill, placed: paginator_module.Placed, y: float) -> None:
        whole(self, placed, y - 1)

    monkeypatch.setattr(paginator_module._PageFill, "_after", too_high)
    rendition, findings, _ = composer(SHEET).compose(
        statement(random.Random(1), 3),
        piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="letter.pdf",
    )  # fmt: skip
    assert rendition is None
    assert [finding.code for finding in findings] == ["fill-differs"]


def test_some_filled_pages_are_compared_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a thousand documents, chosen by the piece's id, is laid out by the engine as well."""
    compared = []
    real = audit_module.differs
    monkeypatch.setattr("ccm.compose.document.filling.differs", lambda *both: compared.append(1) or real(*both))
    one = composer(SHEET)
    one._filling._compared = 1 / 3
    html = statement(random.Random(2), 4)
    made(one, html)
    compared.clear()
    for number in range(30):
        assert made(one, html, f"p-{number}")[1] == ""
    assert 3 < len(compared) < 20


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<p>مرحبا</p>", ""),
        ('<div><svg width="9" height="9"></svg></div>', "an SVG without a plain viewBox"),
        ('<p style="float: left">x</p>', "float"),
        ('<p>a</p><p style="position: absolute">x</p>', "a positioned box that stays where it is"),
        (
            '<p>a</p><p style="position: absolute; top: 0; left: 0; padding: 40px; background: #000">x</p>',
            "a positioned box over a text or picture",
        ),
        ('<p style="overflow: hidden">x</p>', "overflow"),
        ('<div style="padding: 1px"><p>a</p>b</div>', ""),
        ('<div style="display: flex; flex-wrap: wrap"><p>a</p></div>', "a flex container that is not one row"),
        ('<div style="display: grid"><p>a</p></div>', "display: block grid"),
        ("<p>a <sup>b</sup></p>", "vertical-align inside text"),
        ("<ul><li>x</li></ul>", "counter-reset"),
        ("<p>ﬁne office</p>", "a glyph that stands for several signs"),
        ('<p style="max-width: 10em">x</p>', "max-width"),
        ('<p style="text-transform: uppercase">x</p>', "text-transform"),
        ('<p style="text-decoration: underline">x</p>', "text-decoration-line"),
        ('<p style="text-indent: 1em">x</p>', "text-indent"),
        ('<section style="break-inside: avoid"><p>x</p></section>', ""),
        ('<p style="string-set: x content()">x</p>', "string-set"),
        ('<p>x</p><div style="position: running(x)">y</div>', "a running element twice, or behind other content"),
        ('<p><a href="https://a.example">x</a></p>', "<a> inside text"),
        ("<p>a<br>b</p>" * 2, ""),
        ('<p style="transform: rotate(3deg)">x</p>', "transform"),
        ("<table><tr><td rowspan=2>a<td>b<tr><td>c</table>", "<td> directly in <td>"),
        ('<p style="text-align: justify">x</p>', "text-align: justify"),
        ("<table><thead><tr><th>a</th></tr></thead></table>", "a table without rows"),
        ("<table><thead><tr><th>a</th></tr></thead><tbody></tbody></table>", "<tbody> without rows"),
        ("<table><tbody></tbody><tbody><tr><td>a</td></tr></tbody></table>", "<tbody> without rows"),
        ('<p style="white-space: nowrap">' + "word " * 200 + "</p>", "the page has problems"),
        ("<p>" + "word " * 2000 + "</p>", ""),
        ("<p>word</p>" + 9 * ("<p>" + "word " * 200 + "</p>"), ""),
    ],
)
def test_what_is_not_known_takes_the_full_path(body: str, reason: str) -> None:
    """With a reason that names markup or style, never a text; and the document is made."""
    one = composer(STYLE)
    for _ in range(2):
        _, slow = made(one, page(body))
        assert slow == reason


def test_a_table_that_leaves_its_place_is_left_to_the_engine() -> None:
    """A number without a place to break it would run over the page's edge; the engine's checks hold such a letter."""
    one = composer(SHEET)
    rows = '<table><tr><td class="amount">{}</td><td class="amount">x</td></tr></table>'
    assert made(one, page(rows.format("1.00")))[0] is not None
    rendition, findings, slow = one.compose(
        page(rows.format("1" * 200)),
        piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="letter.pdf",
    )  # fmt: skip
    assert (rendition, slow) == (None, "a table wider than its place")
    assert {finding.code for finding in findings} == {"clipped-content"}


def test_titles_are_the_pages_own() -> None:
    """Blanks of the source are nothing; those that belong to a number stay."""
    for _ in range(2):
        rendition, slow = made(composer(STYLE), page("<p>x</p>", "Sum\n  1\u202f234\u00a0€ "))
        assert slow == "a page of a new kind" or not slow
        assert rendition is not None
        assert rendition.title == "Sum 1\u202f234\u00a0€"


def test_a_mistake_of_ours_costs_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filling that stumbles is counted; the engine makes the document."""

    def stumble(self: FillEngine, *given: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(FillEngine, "display", stumble)
    rendition, slow = made(composer(SHEET), page("<p>x</p>"))
    assert rendition is not None
    assert slow == "filling stumbled (KeyError)"


# ── reading pages ────────────────────────────────────────────────────────────


def joined(kids: Iterator[object]) -> list[object]:
    """Texts beside each other as one; blanks alone are nothing."""
    found: list[object] = []
    for kid in kids:
        if isinstance(kid, str) and found and isinstance(found[-1], str):
            found[-1] += kid
        elif kid:
            found.append(kid)
    return [one for one in found if not isinstance(one, str) or one.strip()]


def tree_of(element: Element) -> object:
    kids = (one if isinstance(one, str) else tree_of(one) for one in element.children)
    return (element.tag, dict(element.attributes), joined(kids))


def tree_of_parser(element: object) -> object:
    def kids() -> Iterator[object]:
        yield element.text  # type: ignore[attr-defined]
        for child in element:  # type: ignore[attr-defined]
            if isinstance(child.tag, str):
                yield tree_of_parser(child)
            yield child.tail

    return (element.tag, dict(element.attrib), joined(kids()))  # type: ignore[attr-defined]


def test_pages_are_read_as_an_html_parser_reads_them() -> None:
    """Whatever is put together from tags and texts: the same tree as tinyhtml5, or a refusal."""
    draw = random.Random(11)
    parts = ["<p>", "</p>", "<div>", "</div>", "<b class=x>", "</b>", "<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>",
             "<tbody>", "</tbody>", "<br>", "<ul>", "<li>", "</li>", "</ul>", "<h2>", "</h2>", " ", "text", "&amp;", "&#39;", "<!-- c -->",
             '<i title="a>b">', "</i>", "<section id='s'>", "</section>", "<", "<td colspan=2>",
             "<p>a</p>", "<tr><td>b</td></tr>", "<table><tr>", "</tr></table>", "<td>&lt;</td>", "<ul><li>c</li></ul>", "<b><!--x-->y</b>"]  # fmt: skip
    equal = refused = 0
    for _ in range(4000):
        html = page("".join(draw.choices(parts, k=draw.randint(1, 9))))
        try:
            ours = tree_of(parse(html))
        except Unfillable:
            refused += 1
            continue
        assert ours == tree_of_parser(tinyhtml5.parse(html, namespace_html_elements=False)), html
        equal += 1
    assert equal > 100
    assert refused > 500


def test_fonts_are_the_brands() -> None:
    """The test's own files are what is shaped."""
    assert len(composer(SHEET)._filling._engine._fonts.files) == len(
        [one for one in font_files() if one.endswith("ttf")]
    )


def test_fonts_stay_right_when_kept_ones_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rare letters than subsets are kept: every file has the font of its own letters, and no other's."""
    letters = "ąćęłńóśźżčďěňřšťůžőűăâîșțđħŋœþðæøåß"
    pages = [page(f"<p>{first}{second} ok</p>") for first, second in pairwise(letters)]
    roomy, narrow = composer(STYLE), composer(STYLE)
    expected = [made(roomy, html)[0] for html in pages]
    monkeypatch.setattr("ccm.compose.document.fill.text.fonts.MOST_SUBSETS", 2)
    assert [made(narrow, html) for html in pages] == [(one, "") for one in expected]


def test_what_was_learned_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template whose every page is of a new kind does not fill the memory, and its bytes stay what they are."""
    monkeypatch.setattr("ccm.compose.document.fill.engine.MOST_LEARNED", 3)
    one = composer(STYLE)
    pages = [page(f'<p style="margin-left: {number}px">x</p>') for number in range(10)]
    first = [made(one, html)[0] for html in pages]
    engine = one._filling._engine
    assert engine._learned <= 3
    assert sum(len(setting.book.styles) for setting in engine._settings.values()) < 25
    assert [made(one, html)[0] for html in pages] == first
