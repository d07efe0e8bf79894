"""Drawings of authors, and what lies over or under what, are filled as the layout engine draws them, or left to it."""

from __future__ import annotations

import io
import random
import re

import pikepdf
import pypdfium2
import pytest
from documents import STYLE, composer, page
from PIL import ImageChops, ImageStat
from test_fill import made

from benchmarks.pdf.comparing import differences
from ccm.check.pdf_text import read_pdf
from ccm.compose.document.composer import DocumentComposer

COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}
STROKES = (
    "",
    'stroke="#d0021b"',
    'stroke="#0a0" stroke-width="3.5"',
    'stroke="#048" stroke-opacity=".4" stroke-width="5"',
)
FILLS = ("", 'fill="none"', 'fill="#fc0"', 'fill="#fc0" fill-rule="evenodd"', 'fill="#a0c" fill-opacity="0.25"')
CORNERS = ("", 'stroke-linejoin="round" stroke-linecap="square"', 'stroke-linejoin="bevel"', 'stroke-miterlimit="1.5"')
DRAWING = '<div><svg viewBox="0 0 100 100" width="300" height="300"{}><title>A drawing</title>{}</svg></div>'
MARK = DRAWING.format("", '<path d="M0 0L100 100" stroke="#c00" stroke-width="9" stroke-opacity=".4"/>')


@pytest.fixture(scope="module")
def both() -> tuple[DocumentComposer, DocumentComposer]:
    return composer(STYLE), composer(STYLE, fill=False)


def filled(both: tuple[DocumentComposer, DocumentComposer], body: str) -> bytes:
    """Fill a page; it must be what the engine makes of it."""
    ours, slow = made(both[0], page(body))
    theirs, _ = made(both[1], page(body))
    assert slow == ""
    assert ours is not None
    assert theirs is not None
    assert differences(ours.content, theirs.content) == ""
    assert strokes_differ(ours.content, theirs.content) < 0.02
    return ours.content


def strokes_differ(ours: bytes, theirs: bytes) -> float:
    """Mean difference of all points of the first pages, from 0 to 255: without the leave that other comparisons give edges."""
    pictures = []
    for content in (ours, theirs):
        with pypdfium2.PdfDocument(content) as document:
            pictures.append(document[0].render(scale=2).to_pil().convert("RGB"))
    return max(ImageStat.Stat(ImageChops.difference(*pictures)).mean)


def path_data(draw: random.Random) -> str:
    """Return commands of every kind, with numbers in every form."""

    def numbers(count: int, least: int) -> str:
        text = ""
        for _ in range(count):
            number = draw.choice(
                (f"{draw.randint(least, 90)}", f"{draw.uniform(least, 90):.2f}", f"{draw.random():.1f}"[1:])
            )
            text += draw.choice((" ", ",", " , ", "\n")) * (bool(text) and number[0] != "-") + number
        return text

    data = draw.choice("Mm") + numbers(2 * draw.choice((1, 1, 1, 3)), 0)
    drawn = False
    for _ in range(draw.randint(1, 7)):
        name = draw.choice("LLHVCSQTZM")
        if name == "Z" and not drawn:
            continue
        small = draw.random() < 0.5
        times = draw.choice((1, 1, 2)) if COUNTS[name] else 1
        data += (name.lower() if small else name) + draw.choice(("", " "))
        data += numbers(COUNTS[name] * times, -40 if small else 0)
        drawn = name not in "ZM" or (name == "M" and times > 1)
    return data


def test_paths_are_the_engines(both: tuple[DocumentComposer, DocumentComposer]) -> None:
    """Lines and curves of every kind, filled and stroked in every way: the same picture, point for point."""
    draw = random.Random(11)
    for _ in range(60):
        paths = "".join(
            f'<path d="{path_data(draw)}" {draw.choice(FILLS)} {draw.choice(STROKES)} {draw.choice(CORNERS)}/>'.replace(
                " " * 2, " "
            )
            for _ in range(draw.randint(1, 3))
        )
        filled(both, "<p>Before</p>" + DRAWING.format("", paths) + "<p>After</p>")


@pytest.mark.parametrize(
    "path",
    [
        'd="M0 0A5 5 0 0 1 9 9"',
        'd="M0 0L1e1 5"',
        'd="L5 5"',
        'd="M0 0L5"',
        'd="M0 0z"',
        'd="M0 0L5 5zz"',
        'd="M0 0H5" stroke="red"',
        'd="M0 0H5" stroke="#000" stroke-width="2%"',
        'd="M0 0H5" stroke="#000" stroke-dasharray="2"',
        'd="M0 0H5" d="M0 0V9"',
        'd="M0 0H5" opacity=".5"',
        'd="M0 0H5V5" fill-rule="odd"',
        'd="M0 0H5V5" stroke="#000" stroke-linecap="flat"',
        'd="M0 0H5V5" transform="rotate(3)"',
    ],
)
def test_other_paths_are_left_to_the_engine(path: str) -> None:
    """Arcs, dashes, groups and what an author misspelt."""
    _, slow = made(composer(STYLE), page(DRAWING.format("", f"<path {path}/>")))
    assert re.search(r"path|SVG|stroke|fill-rule", slow)


def test_what_is_said_of_a_drawing_for_readers_does_not_matter(both: tuple[DocumentComposer, DocumentComposer]) -> None:
    """Roles and labels for screen readers of web pages are no reason for the full path."""
    said = ' xmlns="http://www.w3.org/2000/svg" role="img" aria-label="A &amp; B" focusable="false"'
    filled(both, DRAWING.format(said, '<path d="M0 0H9V9z"/>'))


@pytest.mark.parametrize(
    "said",
    ["width: 40%", "width: 20mm", "height: 30px", "display: block; width: 50%; margin: 3px auto", "padding: 4px"],
)
def test_sizes_in_the_style_of_a_drawing_are_the_engines(
    both: tuple[DocumentComposer, DocumentComposer], said: str
) -> None:
    """The engine reads them where it reads the drawing's attributes."""
    svg = (
        f'<svg viewBox="0 0 10 10" width="100" height="50" style="{said}"><title>t</title><path d="M0 0H10V10z"/></svg>'
    )
    filled(both, f"<p>Before</p><div>{svg}</div><p>After</p>")


# ── over and under ───────────────────────────────────────────────────────────


LAYERS = [
    # A pale drawing over everything, on every page, whatever comes behind it in the source.
    f'<div style="position: fixed; top: 10%; left: 0; right: 0; text-align: center; z-index: 9">{MARK}</div>'
    '<p style="position: relative">Raised</p>' + "<p>Line</p>" * 80,
    # Layers in the order of their numbers, those of one number as they stand in the source.
    "".join(
        f'<div style="position: absolute; z-index: {z}; top: {top}px; left: 0">'
        f'{DRAWING.format("", f"""<path d="M0 {start}H100V100H0z" fill="{ink}"/>""")}</div>'
        for z, top, start, ink in ((3, 0, 0, "#c00"), (1, 50, 0, "#0c0"), (3, 90, 30, "#00c"), (0, 10, 50, "#cc0"))
    )
    + '<p style="margin-top: 500px">Text</p>',
    # A layer holds what is raised in it, however high that is.
    f'<div style="position: relative; z-index: 1"><p>a</p><div style="position: absolute; z-index: 7; top: 0; left: 9px">{MARK}</div></div>'
    f'<div style="position: absolute; z-index: 2; top: 40px; left: 40px">{DRAWING.format("", """<path d="M0 0H90V90z" fill="#048"/>""")}</div>',
    # Texts of a raised block, then the picture in it.
    f'<div style="position: relative"><p>One</p>{MARK}<p style="margin-top: -200px">Two, over or under the picture</p></div>',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(LAYERS)))
def test_layers_are_the_engines(both: tuple[DocumentComposer, DocumentComposer], number: int) -> None:
    """What is positioned, and its `z-index`: the same picture."""
    filled(both, LAYERS[number])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<p>a</p><p style="position: relative; z-index: -1">b</p>', "a negative z-index"),
        (f'<div style="position: relative; opacity: .5">{MARK}</div>', "opacity"),
        (
            f'<div style="position: relative; height: 300px">{MARK}'
            '<p style="position: absolute; top: 0; left: 0; background: #eee">b</p></div>',
            "a positioned box over a text or picture",
        ),
        (
            '<div style="position: relative; z-index: 1">b</div>'
            '<div style="position: absolute; top: 0; left: 0; background: #eee; z-index: 2">cccc</div>',
            "a positioned box over a text or picture",
        ),
    ],
)
def test_what_would_be_painted_in_another_order_is_left_to_the_engine(body: str, reason: str) -> None:
    """Backgrounds are painted before all texts and pictures, so none may lie over them."""
    assert made(composer(STYLE), page(body))[1] == reason


def test_pictures_that_are_not_raised_are_left_to_the_engine() -> None:
    """One that may leave its box is painted among the texts, under those that come later."""
    one = composer(STYLE + "svg { overflow: visible }")
    body = f'<div style="height: 60px">{MARK}</div><div style="margin-top: -60px">Over it</div>'
    assert made(one, page(body))[1] == "overflow of a picture"


# ── opacity in the file ──────────────────────────────────────────────────────


def test_files_name_the_opacities_that_they_use(both: tuple[DocumentComposer, DocumentComposer]) -> None:
    """And no others: a file without any is what it was; all of it can be read back."""
    plain, pale = filled(both, "<p>x</p>"), filled(both, f"<p>x</p>{MARK}")
    states = [dict(pdf.pages[0].Resources.ExtGState) for pdf in map(pikepdf.open, map(io.BytesIO, (plain, pale)))]
    assert sorted(set(states[1]) - set(states[0])) == ["/A0.4"]
    assert float(states[1]["/A0.4"].CA) == 0.4
    assert read_pdf(pale).pages == read_pdf(plain).pages


def test_pictures_of_the_engine_keep_their_opacity(both: tuple[DocumentComposer, DocumentComposer]) -> None:
    """A logo with pale parts is taken over with them."""
    logo = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><circle r="40" cx="45" cy="45" fill="#c00" fill-opacity=".3"/></svg>'
    files = {"brands/test/pale.svg": logo.encode()}
    pair = composer(STYLE, files), composer(STYLE, files, fill=False)
    content = filled(pair, '<p>x</p><div><img src="brands/test/pale.svg" alt="A logo"></div>')
    with pypdfium2.PdfDocument(content) as document:
        picture = document[0].render(scale=1).to_pil().convert("RGB")
    red, green, _ = picture.split()
    assert sum(ImageChops.subtract(red, green).histogram()[40:]) > 1000
