"""Texts set piece by piece, and lines broken without asking the layout engine, are what shaping and the engine give."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import uharfbuzz as hb
from documents import ISSUED, PIECE, composer, font_files, page

from ccm.compose.document.fill import breaking as breaking_module
from ccm.compose.document.fill.apart import signs_apart
from ccm.compose.document.fill.text import Run, TextStyle

WORDS = [
    "payment,",
    "Café",
    "Łódź",
    "AVATAR",
    "Tower",
    "O’Brien",
    "5",
    "(17)",
    "a-b/c",
    "first",
    "Ta",
    "To.",
    "fjord",
    "1,234.50",
    "£",
    "−3",
    "office",
    "Yes!",
    "x,y",
    "12:30",
    "№7",
    "&",
    "T",
]
LATIN = [name for name in font_files() if "Sans-" in name]


@cache
def style() -> TextStyle:
    """Return the style of a paragraph that was filled."""
    one = composer()
    html = page("<p>Hello</p>")
    rendition, _, _ = one.compose(
        html, piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="letter.pdf"
    )
    assert rendition is not None
    (setting,) = one._filling._engine._settings.values()
    styles = [computed for computed, _, _ in setting.book.styles if computed["display"] == ("block", "flow")]
    found: TextStyle = setting.fonts.style(styles[-1])
    return found


def texts(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices([*WORDS, str(draw.randint(0, 99_999))], k=draw.randint(1, 12))) for _ in range(count)]


@pytest.mark.parametrize("name", sorted(LATIN))
def test_signs_apart_are_set_alike_beside_any_other(name: str) -> None:
    """Between any two signs of the font, a sign that stands apart changes neither them nor itself."""
    content = font_files()[name]
    signs = signs_apart(content, frozenset())
    assert set(" 0123456789") <= set(signs)
    font = hb.Font(hb.Face(content))

    def glyphs(text: str) -> list[tuple[int, int]]:
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.script, buffer.direction = "Latn", "ltr"
        hb.shape(font, buffer, {})
        pairs = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        return [(info.codepoint, position.x_advance) for info, position in pairs]

    letters = [chr(point) for point in range(0x20, 0x180) if chr(point).isprintable()]
    for sign in signs:
        for before, behind in pairwise([*letters, *reversed(letters)]):
            assert glyphs(before + sign + behind) == glyphs(before) + glyphs(sign) + glyphs(behind), sign


def test_signs_that_a_font_looks_at_are_not_apart() -> None:
    """A comma is kerned, and signs of a font with rules for everything are never cut at."""
    content = font_files()[LATIN[0]]
    assert not set(",.") & set(signs_apart(content, frozenset()))


def test_texts_of_pieces_are_the_texts_as_a_whole() -> None:
    """Put together from pieces, a text has the width and the glyphs that it has when it is shaped at once."""
    one = style()
    joined = 0
    for text in texts(2000, 3):
        made, whole = one._joined(text), one._by_harfbuzz(text, "")
        if made is None:
            continue
        joined += 1
        assert (made.width, made.units) == (whole.width, whole.units), text
        assert [glyph for piece in made.pieces for glyph in piece.glyphs] == list(whole.glyphs), text
    assert joined > 1000


def test_lines_are_those_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is broken between words is broken where the engine breaks it, in any width; in doubt the engine is asked."""
    one: Any = style()
    asked: list[str] = []
    engine = breaking_module._broken

    def noted(text: str, *rest: Any) -> Any:
        asked.append(text)
        return engine(text, *rest)

    monkeypatch.setattr(breaking_module, "_broken", noted)
    draw = random.Random(5)
    made = 0
    for text in texts(400, 4):
        width = draw.uniform(60, 400)
        least = draw.random() < 0.3
        if not least and one.shape(text).width <= width:
            continue
        asked.clear()
        own = breaking_module.Breaker().first_line(text, one, one.computed, 0 if least else width, least=least)
        if asked:
            continue
        made += 1
        theirs = engine(text, one, one.computed, 0 if least else width, True, least)
        assert isinstance(own.run, Run)
        assert theirs.run is not None
        assert (own.run.text, own.length, own.resume) == (theirs.run.text, theirs.length, theirs.resume), (text, width)
    assert made > 100
