"""Texts set piece by piece, and lines broken without asking the layout engine, are what shaping and the engine give."""

from __future__ import annotations

import random
import string
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import uharfbuzz as hb
from documents import ISSUED, PIECE, composer, font_files, page

from ccm.compose.document.fill.run import Run, operator
from ccm.compose.document.fill.text import breaking as breaking_module
from ccm.compose.document.fill.text.apart import signs_apart
from ccm.compose.document.fill.text.shaping import TextStyle, is_plain
from ccm.compose.document.fill.text.showing import glyphs_shown

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


AMOUNTS = [
    f"{sign}£{whole:,}.{cents:02}"
    for sign in ("", "-", "−")
    for whole in (0, 7, 1234, 987_654_321)
    for cents in range(100)
]


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


def test_texts_of_parts_are_the_texts_as_a_whole() -> None:
    """Put together from parts, a text has the width and is shown by the operator that it has when it is shaped at once."""
    one = style()
    while one._joining() is None:
        pass
    joiner = one._joining()
    assert joiner is not None
    joined = 0
    for text in [*texts(2000, 3), *AMOUNTS]:
        made, whole = joiner.run(text), one._by_harfbuzz(text, "")
        if made is None:
            continue
        joined += 1
        shown, rare = glyphs_shown(whole, one._file)
        assert (made.width, made.shown, made.rare) == (whole.width, operator(shown), rare), text
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


def test_lines_of_usual_words_are_those_of_the_engine() -> None:
    """A text that is much too long is broken as the engine breaks it, also where a blank stands at its end."""
    one: Any = style()
    draw = random.Random(6)
    breaker = breaking_module.Breaker()
    made = 0
    for text in texts(1500, 7):
        text += draw.choice(["", " "])
        width = draw.uniform(30, 250)
        own = breaker._usual_line(text, one, one.computed, width)
        if own is None:
            continue
        made += 1
        theirs = breaking_module._broken(text, one, one.computed, width, True, False)
        assert own.run is not None
        assert theirs.run is not None
        assert (own.run.text, own.length, own.resume) == (theirs.run.text, theirs.length, theirs.resume), (text, width)
    assert made > 100


def test_a_line_feed_ends_a_line_of_any_width() -> None:
    """The engine finds the same in a line feed, however much room there is."""
    one: Any = style()
    computed = one.computed.copy()
    computed["white_space"] = "pre-line"
    for width in (None, 0, 0.01, 7.5, 60, 10_000):
        for start in (True, False):
            own = breaking_module.Breaker().first_line("\n", one, computed, width, start=start)
            theirs = breaking_module._broken("\n", one, computed, width, start, False)
            assert (own.run, own.length, own.resume) == (theirs.run, theirs.length, theirs.resume)


@pytest.mark.parametrize("language", ["en", "de", "fr", "nl", "pl", "ca", ""])
def test_lines_break_at_any_blank_between_usual_words(language: str) -> None:
    """Signs that usual words begin and end with hold nothing that stands beyond a blank."""
    latin = [chr(point) for point in range(0xA0, 0x250) if is_plain(chr(point)) and chr(point).isalpha()]
    letters = [*string.ascii_letters, *latin]
    for last in [*breaking_module._LAST, *letters]:
        for first in [*breaking_module._FIRST, *draw_some(letters, last)]:
            assert breaking_module.may_break(f"{last} ", first, language), (last, first)


def draw_some(signs: list[str], seed: str) -> list[str]:
    return random.Random(seed).sample(signs, 20)


def test_the_narrowest_width_is_that_of_the_widest_word() -> None:
    """Words that were met before are not measured again, and give what the engine gives where it breaks every line."""
    one: Any = style()
    breaker = breaking_module.Breaker()
    for text in [*texts(200, 8), *texts(200, 8)]:
        lines = breaking_module.Breaker().lines(text, one, one.computed, 0, least=True)
        assert breaker.narrowest(text, one, one.computed) == max(run.width for run in lines), text
