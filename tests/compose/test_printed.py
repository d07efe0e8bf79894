"""Promise: a page put together from its pieces is the tree that reading its text gives, whatever stands where."""

from __future__ import annotations

import gc
import random
from typing import Any
from weakref import ref

import pytest
from markupsafe import Markup

from ccm.compose.document.fill.style.styles import StyleBook
from ccm.compose.document.fill.tree.elements import Element, PlainRow, parse
from ccm.compose.document.fill.tree.printed import PrintedRoot, read
from ccm.compose.document.fill.unfillable import Unfillable
from ccm.compose.engine import Engine, OutputKind, render, render_page
from ccm.compose.formats.locale_formats import formats_for
from ccm.compose.printing import _UNPRINTABLE, PrintedPage, Rendering, Voice
from ccm.compose.translations import Texts
from ccm.model.workspace import ContentLibrary

HEAD = '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>For {{ a }} &amp; {{ b }}</title></head>\n<body>\n'
BODIES = {
    "texts": "<h1>{{ a }}</h1><p>Dear {{ a }} {{ b }}, <b>{{ c }}</b>.{{ d }}</p>",
    "attributes": '<p class="x {{ k }}" title="{{ a }}">{{ b }}</p>',
    "a bracket in an attribute": '<p title="a > b {{ a }}">{{ b }}</p>',
    "rows": '<table><thead><tr><th>A</th></tr></thead><tbody>{% for r in rows %}\n<tr><td>{{ r.a }}</td><td class="{{ r.k }}">'
    "No {{ r.b }}: {{ r.c }}</td></tr>{% endfor %}\n<tr><td>{{ a }}</td><td>Sum</td></tr></tbody></table>",
    "rows without a body": "<table>{% for r in rows %}<tr><td>{{ r.a }}</td></tr>{% endfor %}</table><p>{{ a }}</p>",
    "rows with a choice": "<table><tbody>{% for r in rows %}<tr{% if r.k == 'debit' %} class=\"debit\"{% endif %}>"
    "<td>{% if r.b %}+{% endif %}{{ r.a }}</td></tr>{% else %}<tr><td>none</td></tr>{% endfor %}</tbody></table>",
    "rows of elements": "<table>{% for r in rows %}<tr><td><b>{{ r.a }}</b></td></tr>{% endfor %}</table>",
    "rows of rows": "<table>{% for r in rows %}<tr><td>{{ r.a }}</td></tr>{% for s in rows %}<tr><td>{{ s.b }}</td></tr>{% endfor %}"
    "{% endfor %}</table>",
    "a drawing": "<p>{{ a }}</p>{{ drawing }}<svg width=\"10\"><text>{{ b }}</text></svg>",
    "a reference": "<p>&am{{ a }} &{{ b }} &amp; &nbsp;{{ c }};</p><table><tr><th>&am{{ a }}</th></tr></table>",
    "a style": "<p>{{ a }}</p>",
    "a comment": "<!-- {{ a }} --><p>{{ b }}</p><!-- {% for r in rows %}<tr><td>{{ r.a }}</td></tr>{% endfor %} -->",
    "a page that is mended": "<p>{{ a }}<p>{{ b }}</p>",
    "private characters": "<p>\ue0000\ue001{{ a }}</p><table>{% for r in rows %}<tr><td>\ue002{{ r.a }}</td></tr>{% endfor %}</table>",
}  # fmt: skip
VALUES: tuple[object, ...] = (
    "Ada", "", " ", "Tom & Jerry", "<b>bold</b>", "amp;", "lt", "p; x", "&amp", '"quoted"', "it's", "é", "a\nb", "\r", "\x00", ">", "7",
    "\ue0003\ue001", "\ue002", "<tr><td>", "debit", Markup("<br>"), Markup("&am"), Markup("&amp;"), Markup("a\rb"), Markup("<!--"),
)  # fmt: skip


def shown(element: Element) -> object:
    texts = element.texts if isinstance(element, PlainRow) else None
    inside = [child if isinstance(child, str) else shown(child) for child in element.children]
    return (
        element.tag,
        element.attributes,
        type(element) is PlainRow,
        texts,
        inside,
        element.parent and element.parent.tag,
    )


def signed(element: Element) -> object:
    cells = element.signatures if isinstance(element, PlainRow) else None
    return element.signature, cells, [signed(child) for child in element.children if isinstance(child, Element)]


def tree_or_reason(page: str, *, whole: bool) -> object:
    try:
        return shown(parse(str(page)) if whole else read(page))
    except Unfillable as refusal:
        return refusal.reason


def values(draw: random.Random, odd: int) -> dict[str, Any]:
    """Draw what a page prints; one of `odd` is not an ordinary word."""

    def one() -> object:
        return (
            draw.choice(VALUES)
            if not draw.randrange(odd)
            else draw.choice(["Ada", "Grace Hopper", "1,234.50", "12 October"])
        )

    rows = tuple(
        {"a": one(), "b": one(), "c": one(), "k": draw.choice(["debit", "credit"])} for _ in range(draw.randint(0, 5))
    )
    drawing = Markup('<svg width="4"><path d="M0 0"/></svg>')
    return {**{name: one() for name in "abcd"}, "k": draw.choice(["debit", "credit"]), "rows": rows, "drawing": drawing}


def engine(*, marks_loops: bool) -> Engine:
    library = ContentLibrary({})
    return Engine(OutputKind.HTML, forms=(), fragments={}, library=library, functions={}, marks_loops=marks_loops)


@pytest.mark.parametrize("name", BODIES)
def test_a_page_of_pieces_is_the_page_that_its_text_is(name: str) -> None:
    """Same tree, same refusals, same signatures; and the text is what rendering without marks gives."""
    draw = random.Random(name)
    style = "<style>p { color: {{ k }} }</style></head>" if name == "a style" else "</head>"
    source = HEAD.replace("</head>", style) + BODIES[name] + "\n</body></html>"
    marked, plain = (engine(marks_loops=marks).compile(source, "page") for marks in (True, False))
    formats = formats_for("en-GB", "en-GB", "UTC")
    rendering = Rendering(Voice("en-GB", "ltr", formats, Texts(None, {})), "<br/>")
    book = StyleBook("tr:nth-child(even) td { color: red } p + p, td:last-child { margin: 0 }")
    for odd in (4, 8, 40, 40, 400) * 8:
        seen = values(draw, odd)
        page = render_page(marked, seen, rendering)
        assert page == render(plain, seen, rendering)
        expected = tree_or_reason(page, whole=True)
        assert tree_or_reason(page, whole=False) == expected
        if not isinstance(expected, str):
            one, other = read(page), parse(str(page))
            book.sign(other, learning=True)
            book.sign(one)
            assert signed(one) == signed(other)


@pytest.mark.parametrize("name", ["texts", "attributes", "rows", "rows without a body", "rows with a choice"])
def test_ordinary_pages_are_copied(name: str) -> None:
    """Were every page read from its text, nothing would be wrong, and nothing gained."""
    template = engine(marks_loops=True).compile(HEAD + BODIES[name] + "</body></html>", "page")
    rendering = Rendering(Voice("en-GB", "ltr", formats_for("en-GB", "en-GB", "UTC"), Texts(None, {})))
    pages = []
    for number in range(12):
        row = {"a": f"Row {number}", "b": "", "c": "1.00", "k": "debit" if number % 2 else "credit"}
        seen = {**dict.fromkeys("abcd", f"Name {number}"), "k": "debit", "rows": (row,) * (number + 1)}
        if name == "attributes":
            seen["a"] = "Ada"
        pages.append(read(render_page(template, seen, rendering)))
    assert [type(page) for page in pages[2:]] == [PrintedRoot] * 10


@pytest.mark.parametrize("name", ["texts", "rows"])
def test_a_tree_is_freed_when_nobody_has_it(name: str) -> None:
    """Trees that wait for the collector fill the memory between its turns, and it must look at all that is remembered."""
    template = engine(marks_loops=True).compile(HEAD + BODIES[name] + "</body></html>", "page")
    rendering = Rendering(Voice("en-GB", "ltr", formats_for("en-GB", "en-GB", "UTC"), Texts(None, {})))
    rows = ({"a": "Ada", "b": "", "c": "1.00", "k": "debit"},) * 3
    seen = {**dict.fromkeys("abcd", "Ada"), "k": "debit", "rows": rows}
    book = StyleBook("")
    book.sign(parse(render_page(template, seen, rendering)), learning=True)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            page = read(render_page(template, seen, rendering))
            book.sign(page)
            freed = ref(page)
            del page
            assert freed() is None
    finally:
        if collecting:
            gc.enable()


def test_pages_of_ever_new_tags_are_left_alone() -> None:
    """An address with a customer's number in every link would make a pattern for each customer."""
    template = engine(marks_loops=True).compile(
        HEAD + '<p><a href="https://a.example/{{ a }}">x</a></p></body></html>', "page"
    )
    rendering = Rendering(Voice("en-GB", "ltr", formats_for("en-GB", "en-GB", "UTC"), Texts(None, {})))
    pages = [read(render_page(template, {"a": f"{number}", "b": "b"}, rendering)) for number in range(100)]
    assert sum(type(page) is PrintedRoot for page in pages) < 20


def test_pieces_are_the_page() -> None:
    """Nothing is printed that is not among the pieces."""
    template = engine(marks_loops=True).compile("{% for r in rows %}<tr><td>{{ r }}</td></tr>{% endfor %}", "page")
    rendering = Rendering(Voice("en-GB", "ltr", formats_for("en-GB", "en-GB", "UTC"), Texts(None, {})))
    page = render_page(template, {"rows": ("a", "<")}, rendering)
    assert isinstance(page, PrintedPage)
    assert "".join(page.pieces) == page == "<tr><td>a</td></tr><tr><td>&lt;</td></tr>"


def test_nothing_printable_has_to_go() -> None:
    """Texts of printable characters are not searched for others; of all characters there are, none is both."""
    assert not [number for number in range(0x110000) if chr(number).isprintable() and _UNPRINTABLE.match(chr(number))]
    assert not "\r".isprintable()
