"""Short lessons: what a page is taught without being laid out whole, and that it is then what the layout engine makes."""

from __future__ import annotations

from typing import Any

import pytest
from documents import STYLE, composer, page
from test_fill import SHEET, made

from benchmarks.pdf.comparing import differences
from ccm.compose.document.composer import DocumentComposer
from ccm.compose.document.fill.display import Area
from ccm.compose.document.fill.style import looks as looks_module
from ccm.compose.document.fill.style.painting import Look
from ccm.compose.document.typesetting import StyledDocument

SIMPLE = (
    STYLE
    + "tr { break-inside: avoid } tr:last-child td { font-weight: 600 } .red td { color: #c00; background: #fee; border: 2px solid #c00 }"
)
FOOTED = SIMPLE + "@page { @bottom-left { content: element(foot); width: 100%; vertical-align: top } @bottom-right { content: none } } .foot { position: running(foot) } .foot p { margin: 0 } .of::after { content: counter(page) ' of ' counter(pages) }"  # fmt: skip


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of every page that the engine lays out."""
    found: list[int] = []
    whole = StyledDocument.of.__func__  # type: ignore[attr-defined]  # a class method

    def of(cls: type, one: Any, *rest: Any) -> Any:
        found.append(len(list(one.etree_element.iter("tr"))))
        return whole(cls, one, *rest)

    monkeypatch.setattr(StyledDocument, "of", classmethod(of))
    return found


def table(rows: int, kind: str = "", words: str = "some words") -> str:
    lines = "".join(f"<tr{kind}><td>{number}</td><td>{words}</td></tr>" for number in range(rows))
    return f"<table><thead><tr><th>No</th><th>What</th></tr></thead><tbody>{lines}</tbody></table>"


def equal(one: DocumentComposer, style: str, html: str) -> None:
    """Fill a page and compare it with the engine's."""
    mine, slow = made(one, html)
    its, _ = made(composer(style, fill=False), html)
    assert slow == ""
    assert mine is not None
    assert its is not None
    assert differences(mine.content, its.content, pictures=False) == ""


def test_places_that_look_alike_need_the_cascade_alone(layouts: list[int]) -> None:
    """A class that no rule asks for, and rows first, last or in between whose styles were met."""
    one = composer(SHEET)
    made(one, page(table(5)))
    layouts.clear()
    others = [page(table(rows, kind)) for rows in (1, 2, 7) for kind in ("", ' class="nobody"', ' class="a b"')]
    filled = [made(one, html) for html in others]
    assert [slow for _, slow in filled] == [""] * 9
    assert [rows for rows in layouts if rows > 1] == []  # heads and feet of other roots at most
    for (mine, _), html in zip(filled, others, strict=True):
        its, _ = made(composer(SHEET, fill=False), html)
        assert mine is not None
        assert its is not None
        assert differences(mine.content, its.content, pictures=False) == ""


def test_a_new_look_is_compared_in_a_short_page(layouts: list[int]) -> None:
    """Red rows among many others, and another language: a few rows of them are laid out by both, and no more."""
    one = composer(SIMPLE)
    made(one, page(table(70)))
    layouts.clear()
    red = page(table(30) + table(30, ' class="red"'))
    german = page(table(60)).replace("<html", '<html lang="de"')
    for html in (red, german):
        _, slow = made(one, html)
        assert slow == ""
        assert one.taught
    assert len(layouts) >= 2
    assert max(layouts) < 30
    layouts.clear()
    equal(one, SIMPLE, red)
    equal(one, SIMPLE, german)
    assert layouts == [62, 61]  # the other composer's


def test_a_new_look_that_we_paint_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short page differs, then the whole one does, and the piece is held."""
    one = composer(SIMPLE)
    made(one, page(table(4)))
    made(one, page('<div style="background: #fee; border-radius: 2px">a</div>'))
    black = (0.0, 0.0, 0.0, 1.0)
    monkeypatch.setattr(
        Look, "_paint_round", lambda _, onto, x, y, width, height: onto.append(Area(x, y, width, height, black))
    )
    with pytest.raises(AssertionError, match="fill-differs"):
        made(one, page('<div style="background: #cff; border-radius: 2px; padding: 3px">a</div>'))


def test_the_first_document_of_several_pages_is_laid_out_whole(layouts: list[int]) -> None:
    """How a table goes over to the next page is compared once for each set of style sheets."""
    one = composer(SIMPLE)
    made(one, page(table(6)))
    layouts.clear()
    made(one, page(table(80)))
    assert 81 in layouts
    layouts.clear()
    made(one, page(table(200)))
    assert max(layouts, default=0) == 0


@pytest.mark.parametrize("style", [SIMPLE, FOOTED])
@pytest.mark.parametrize("rows", [90, 150, 210])
def test_heads_and_feet_are_those_of_empty_pages(style: str, rows: int, layouts: list[int]) -> None:
    """Page numbers of so many pages, and a foot that runs over them, without the rows between them."""
    foot = '<div class="foot"><p>Your letter, <b class="of"></b></p></div>' if style is FOOTED else ""
    one = composer(style)
    made(one, page(foot + table(5)))
    made(one, page(foot + table(60)))
    layouts.clear()
    html = page(foot + table(rows))
    mine, slow = made(one, html)
    assert slow == ""
    assert mine is not None
    assert mine.pages > 2
    assert max(layouts, default=0) == 0
    equal(one, style, html)


def test_pages_that_are_chosen_by_their_number_are_the_engines() -> None:
    """A style sheet that gives the fifth page another margin is not filled."""
    _, slow = made(composer(STYLE + "@page :nth(5) { margin: 50mm }"), page(table(3)))
    assert slow == "a rule for pages by their number"


def test_a_style_that_the_engine_complains_about_is_told(layouts: list[int]) -> None:
    """Whatever a short lesson finds goes to the whole page, with all findings."""
    one = composer(SHEET)
    html = page('<p style="colour: red">a</p>')
    made(one, page("<p>a</p>"))
    mine, slow = made(one, html)
    its, _ = made(composer(SHEET, fill=False), html)
    assert slow
    assert mine == its


def test_too_many_looks_are_proved_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template with a new look on each page fills no memory, and its pages stay the engine's."""
    monkeypatch.setattr(looks_module, "_MOST_LOOKS", 12)
    one = composer(SHEET)
    for number in range(8):
        html = page(f'<p>{number}</p><p style="margin-top: {number}px">b</p>')
        mine, slow = made(one, html)
        assert slow == ""
        assert mine is not None
        its, _ = made(composer(SHEET, fill=False), html)
        assert its is not None
        assert differences(mine.content, its.content, pictures=False) == ""
    (setting,) = one._filling._engine._settings.values()
    assert setting.book._looks._remembered <= 12
