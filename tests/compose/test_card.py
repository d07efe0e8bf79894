"""Cards of social posts: a picture of the right size, whole, the same every time."""

from __future__ import annotations

import io

import pytest
from documents import brand, font_files, page, template
from PIL import Image

from ccm.compose.document.card import CardRenderer
from ccm.model.workspace import ContentLibrary

CARD = page(
    '<div style="background: #0b5cad; color: #fff; height: 630px"><h1 style="font-size: 80px">Ten percent</h1></div>'
)


@pytest.fixture(scope="module")
def cards() -> CardRenderer:
    return CardRenderer(template(), brand(), ContentLibrary(font_files()))


def test_a_card_is_a_picture_of_its_size(cards: CardRenderer) -> None:
    """1200 × 630 unless asked otherwise, filled by its background."""
    content, problems = cards.render_card(CARD, language="en", direction="ltr")
    assert problems == ()
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (1200, 630)
    assert picture.getpixel((1199, 629)) == (11, 92, 173)
    assert len(picture.getcolors(1 << 20) or ()) > 10  # the letters' smooth edges
    square, _ = cards.render_card(page("<p>x</p>"), language="en", direction="ltr", width_px=600, height_px=600)
    assert Image.open(io.BytesIO(square)).size == (600, 600)


def test_the_same_card_has_the_same_bytes(cards: CardRenderer) -> None:
    """A post's picture does not change between runs."""
    again = CardRenderer(template(), brand(), ContentLibrary(font_files()))
    assert cards.render_card(CARD, language="en", direction="ltr") == again.render_card(
        CARD, language="en", direction="ltr"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<p style='font-size: 90px'>" + "much too long " * 40, "clipped-content"),
        ("<p>\U0001f600</p>", "missing-glyph"),
        ("<img src='nope.png' alt='x'>", "missing-file"),
        ("<p style='position: absolute; left: 1190px; font-size: 80px'>wide</p>", "clipped-content"),
    ],
)
def test_a_card_is_whole_or_not_made(cards: CardRenderer, body: str, code: str) -> None:
    """The guards of documents hold for cards."""
    content, problems = cards.render_card(page(body), language="en", direction="ltr")
    assert content == b""
    assert code in {problem.code for problem in problems}
