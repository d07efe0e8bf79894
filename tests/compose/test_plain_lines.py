"""Blocks of one text in one style are set as the general way sets them, to the last bit; in doubt they are left to it."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from documents import ISSUED, PIECE, STYLE, composer, page

from ccm.compose.document.fill.layout.parts import LinePart, SpanPart, TextPart
from ccm.compose.document.fill.layout.plain_lines import PlainLines
from ccm.compose.document.fill.layout.steps import Setting
from ccm.compose.document.fill.text.breaking import Breaker
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

SHEET = """
p { margin: 0 } .middle { text-align: center } .end { text-align: right; font-size: 7pt }
.tall { line-height: 2.1; font-weight: 600 } .kept { white-space: nowrap } .lines { white-space: pre-line }
.marked::before { content: "– " } .turned { direction: rtl } .wide { letter-spacing: 0.5pt } .small br { font-size: 4pt }
.high br { font-size: 25pt; line-height: 3 }
"""
PLAIN = ("", "middle", "end", "tall", "wide", "small", "high")
OTHERS = ("kept", "lines", "marked", "turned")
WORDS = [
    "Ada", "Kowalska", "of", "the", "period.", "Please", "check", "every", "entry", "–", "£", "1,234.50", "&", "(17)", "Café",
    "a-b/c", "4471-90,", "12\u00a0kg", "O’Brien", "AVATAR", "To.", "第", "سلام", "soft\u00adhyphen", "line\u2028end", "\n", "", " ",
]  # fmt: skip


@cache
def known() -> tuple[Setting, dict[str, Element]]:
    """Return what lays out a page with a block of every kind, and these blocks."""
    one = composer(STYLE + SHEET)
    body = "".join(f'<p class="{name}">Hello<br>you <b>there</b></p>' for name in (*PLAIN, *OTHERS))
    html = page(body)
    one.compose(html, piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="letter.pdf")
    engine = one._filling._engine
    (setting,) = engine._settings.values()
    from ccm.compose.document.fill.tree.elements import parse

    root = parse(html)
    root.attributes = tuple({"lang": "en", "dir": "ltr", **dict(root.attributes)}.items())
    setting.book.sign(root)
    blocks = {}
    for element in _walk(root):
        if element.tag == "p":
            blocks[dict(element.attributes)["class"]] = element
    return setting, blocks


def _walk(element: Element) -> list[Element]:
    found = [element]
    for child in element.children:
        if isinstance(child, Element):
            found += _walk(child)
    return found


def block(name: str, parts: list[str | None]) -> Element:
    """Return a block of some texts, with line breaks for None."""
    like = known()[1][name]
    line_break = next(one for one in like.children if isinstance(one, Element) and one.tag == "br")
    made = Element("p", like.attributes, None)
    made.signature = like.signature
    for part in parts:
        if part is None:
            own = Element("br", (), made)
            own.signature = line_break.signature
            made.children.append(own)
        elif part:
            made.children.append(part)
    return made


def drawn(draw: random.Random) -> list[str | None]:
    parts: list[str | None] = []
    for _ in range(draw.randint(1, 4)):
        words = draw.choices(WORDS[:20] if draw.random() < 0.7 else WORDS, k=draw.randint(0, 14))
        parts.append(draw.choice(["", "", " ", "\n  "]) + " ".join(words) + draw.choice(["", "", " ", "\n"]))
        if draw.random() < 0.6:
            parts.append(None)
        else:
            break
    return parts


def told(part: Any) -> object:
    """Return everything about a line or what stands on it."""
    place = (part.x, part.y, part.width)
    if isinstance(part, TextPart):
        run = part.run
        return ("text", *place, part.height, part.rise, part.element, run.text, run.width, part.ink, id(part.style))
    own: tuple[object, ...]
    if isinstance(part, SpanPart):
        own = ("span", part.height, part.rise, part.left, part.right, part.mark, part.element)
    else:
        assert isinstance(part, LinePart)
        own = ("line", part.height, part.baseline)
    return (*own, *place, [told(one) for one in part.children])


def general(element: Element, x: float, y: float, width: float) -> list[LinePart] | str:
    blocks = known()[0].blocks
    try:
        return blocks.setter.lines(blocks.reader.paragraph(element), x, y, width)
    except Unfillable as refusal:
        return refusal.reason


def taught() -> PlainLines:
    """Return what learned from one block of every kind."""
    setting, blocks = known()
    plain = PlainLines(Breaker())
    for element in blocks.values():
        plain.learn(setting.blocks.reader.paragraph(element))
    return plain


@pytest.mark.parametrize("name", PLAIN)
def test_lines_are_those_of_the_general_way(name: str) -> None:
    """Every line has the same texts at the same places, with the same heights; what cannot be set so is left alone."""
    plain, draw = taught(), random.Random(name)
    made = wrapped = 0
    for _ in range(400):
        element = block(name, drawn(draw))
        place = (
            draw.uniform(0, 99),
            draw.uniform(0, 99),
            draw.choice([3.0, 40.0, 90.0, 180.0, 300.0, draw.uniform(9, 640)]),
        )
        own: list[LinePart] | str | None
        try:
            own = plain.lines(element, *place)
        except Unfillable as refusal:
            own = refusal.reason
        if own is None:
            continue
        if isinstance(own, str):
            assert general(element, *place) == own
            continue
        made += 1
        wrapped += len(own) > 1
        theirs = general(element, *place)
        assert not isinstance(theirs, str), theirs
        assert [told(line) for line in own] == [told(line) for line in theirs]
    assert made > 100
    assert wrapped > 40


@pytest.mark.parametrize("name", OTHERS)
def test_other_blocks_are_left_to_the_general_way(name: str) -> None:
    """White space that stays, generated content and text from right to left are not plain."""
    assert taught().lines(block(name, ["Hello"]), 0, 0, 100) is None


@pytest.mark.parametrize("parts", [[None], ["Hello", None, None, "you"], [" "], [None, "you"]])
def test_what_is_in_doubt_is_left_to_the_general_way(parts: list[str | None]) -> None:
    """Empty lines are not set here."""
    assert taught().lines(block("", parts), 0, 0, 200) is None


def test_an_element_inside_a_text_is_no_line_break() -> None:
    """A block with anything but line breaks in it is set the general way."""
    assert taught().lines(known()[1][""], 0, 0, 200) is None


def test_nothing_is_known_before_the_first_block() -> None:
    """The general way sets the first block of a structure, and refuses what is not known."""
    assert PlainLines(Breaker()).lines(block("", ["Hello"]), 0, 0, 200) is None
