"""Letters are filled as the layout engine lays them out: flexible and positioned boxes, charts, codes, running heads."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from documents import ISSUED, PIECE, STYLE, composer, page
from test_fill import made

from benchmarks.pdf.comparing import differences
from ccm.compose import Composer
from ccm.compose.document.fill.display import Area
from ccm.compose.document.fill.draw import sheets as sheets_module
from ccm.compose.document.fill.style.painting import Look
from ccm.compose.figures.charts import bar_chart
from ccm.compose.figures.codes import qr
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, DocumentRendition
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare

ROOT = Path(__file__).resolve().parents[2]
SHEET = (
    STYLE
    + """
p { margin: 0 0 8px; orphans: 2; widows: 2 } h2 { font-size: 15px; break-after: avoid; margin: 10px 0 4px }
.row { display: flex; justify-content: space-between; align-items: baseline; border-bottom: 1px solid #ccc; padding: 3px 0 }
.wide { display: flex; gap: 12px; align-items: center; background: #013; color: #fff; border-radius: 5px; padding: 9px 12px; margin: 6px 0; break-inside: avoid }
.wide > .most { flex: 1 } .box { border: 1px solid #333; border-radius: 4px; padding: 6px 10px; break-inside: avoid; margin: 5px 0 }
.tag { display: inline-block; padding: 1px 6px; background: #def; border-radius: 3px; margin-right: 4px }
.at { position: absolute; right: 4px; top: 2px; width: 30% } .around { position: relative; height: 40px }
.narrow { width: 45mm } .end { text-align: end } .middle { text-align: center } .keep { break-inside: avoid }
table { width: 100%; border-collapse: collapse } td, th { border-bottom: 1px solid #999; text-align: start } tr { break-inside: avoid }
td:first-child { width: 30mm } tr.last > * { break-before: avoid } tr:nth-last-child(-n+2) { break-before: avoid }
figure { margin: 4px 0 } figure svg { width: 24mm; height: 24mm; display: block; margin: 0 auto }
.after::after { content: " (end)" }
"""
)
WORDS = [
    "invoice",
    "Łódź",
    "O’Brien",
    "Söhne",
    "1,234.50",
    "naïve",
    "AVATAR",
    "Tower",
    "office",
    "a-b/c",
    "€9.99",
    "first",
    "Tweet",
    "東京",
    "料金",
    "حساب",
    "Ελλάδα",
]


def words(draw: random.Random, most: int) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(1, most)))


def inline(draw: random.Random) -> str:
    parts = [words(draw, 8)]
    for _ in range(draw.randint(0, 3)):
        parts.append(
            draw.choice(("<b>{}</b>", "<span class=after>{}</span>", "<span class=tag>{}</span>", "<i>{}</i>, {}", "<br>{}"))
            .replace("{}", words(draw, 4))
        )  # fmt: skip
    return draw.choice((" ", "")).join(parts)


def block(draw: random.Random, depth: int) -> str:
    """A block of any kind, with others in it."""

    def inside() -> str:
        return "".join(block(draw, depth + 1) for _ in range(draw.randint(1, 3)))

    kind = draw.choice(("p", "p", "p", "row", "wide", "box", "around", "table", "qr", "chart", "dl", "div", "mixed"))
    if depth > 1 or kind == "p":
        name = draw.choice(("", "end", "middle", "narrow", "keep"))
        return f'<p class="{name}">{inline(draw)}</p>'
    if kind == "row":
        return f'<div class="row"><p>{inline(draw)}</p><p>{words(draw, 3)}</p></div>'
    if kind == "wide":
        return f'<div class="wide"><div class="most">{inside()}</div><div>{words(draw, 3)}</div></div>'
    if kind == "box":
        return f'<section class="box"><h2>{words(draw, 3)}</h2>{inside()}</section>'
    if kind == "around":
        return f'<div class="around"><p>{words(draw, 2)}</p><div class="at">{words(draw, 2)}</div></div>'
    if kind == "table":
        rows = "".join(
            f"<tr><td>{words(draw, 2)}</td><td>{inline(draw)}</td><td class=end>{draw.randint(1, 999)}</td></tr>"
            for _ in range(draw.randint(1, 9))
        )
        last = f'<tr><th colspan="2" scope="row">{words(draw, 4)}</th><td>1</td></tr>'
        return f"<table><thead><tr><th>A</th><th>B</th><th>C</th></tr></thead><tbody>{rows}{last}</tbody></table>"
    if kind == "qr":
        return f"<figure>{qr(words(draw, 2), 'Scan')}<figcaption>{words(draw, 2)}</figcaption></figure>"
    if kind == "chart":
        return str(bar_chart([(words(draw, 1), draw.randint(-50, 900)) for _ in range(5)], title="Chart", values=True))
    if kind == "dl":
        return f"<dl><div><dt>{words(draw, 1)}</dt><dd>{inline(draw)}</dd></div></dl>"
    if kind == "mixed":
        return f'<div class="box">{inline(draw)}<p>{words(draw, 5)}</p>{words(draw, 2)}</div>'
    return f"<div><h2>{words(draw, 4)}</h2>{inside()}</div>"


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_whatever_is_put_together_is_as_the_engine_makes_it(direction: str) -> None:
    """Blocks of any kind in any order: texts, tags, painted boxes and pages equal the engine's, or the engine makes them."""
    draw = random.Random(direction)
    one = composer(SHEET)
    reasons: Counter[str] = Counter()
    for number in range(25):
        body = "".join(block(draw, 0) for _ in range(draw.randint(2, 14)))
        html = page(body).replace("<html", f'<html dir="{direction}"')
        _, slow = made(one, html, f"p-{number}")
        reasons[slow] += 1
    assert reasons[""] >= 15, reasons


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize(
    "text",
    ["حساب ", "حساب\n", "<b>حساب</b> رصيد ", "رصيد <b>Account </b>", "Account ", "<b>Account</b> حساب ", "١٢ ", "حساب <i> </i>"],
)  # fmt: skip
def test_a_blank_at_the_end_of_a_line_moves_nothing(text: str, direction: str) -> None:
    """Also where the text is read from right to left: every sign stands where the engine draws it."""
    html = page(f'<p>{text}</p><p class="end">{text}</p>').replace("<html", f'<html lang="ar" dir="{direction}"')
    mine, slow = made(composer(SHEET), html)
    its, _ = made(composer(SHEET, fill=False), html)
    assert slow == ""
    assert mine is not None
    assert its is not None
    assert differences(mine.content, its.content, pictures=False) == ""


@pytest.mark.parametrize(
    ("sheet", "taught"),
    [
        ("* + p { padding-left: 9px }", 3),
        (".a + p { padding-left: 9px }", 4),
        ("p.a + .b, div + p { padding-left: 9px }", 4),
        ("p:first-child + p { padding-left: 9px }", 12),
        ("[class=a] + p { padding-left: 9px }", 6),
    ],
)
def test_what_stands_before_counts_where_a_style_sheet_asks_for_it(sheet: str, taught: int) -> None:
    """And nowhere else: pages of known elements in another order are filled, and are the engine's."""
    names = ("a", "b", "c")
    one, engine = composer(STYLE + sheet), composer(STYLE + sheet, fill=False)
    first = "".join(f'<p class="{name}">{name}</p>' for name in ("c", "a", "b", "c", "b", "a", "a"))
    made(one, page(first))
    seen = 1
    for number, order in enumerate(product(names, repeat=3)):
        html = page("".join(f'<p class="{name}">{name}</p>' for name in order))
        mine, slow = made(one, html, f"p-{number}")
        seen += bool(one.taught)
        assert slow == ""
        assert mine is not None
        if number % 5 == 0:
            its, _ = made(engine, html, f"p-{number}")
            assert its is not None
            assert differences(mine.content, its.content, pictures=False) == ""
    assert seen == taught


HEADED = SHEET + """
@page { margin: 30mm 20mm; @top-left { content: element(head); width: 100%; vertical-align: top } @bottom-right { content: none } @bottom-left { content: element(foot); width: 100%; vertical-align: top } }
@page :first { @top-left { content: none } } .head { position: running(head) } .foot { position: running(foot) }
.of::after { content: counter(page) " / " counter(pages) } .band { position: fixed; top: -30mm; left: -20mm; width: 210mm; height: 3mm; background: #039 }
"""  # fmt: skip


def test_heads_and_feet_of_each_customer_are_filled() -> None:
    """A head with the customer's own number runs over the pages without the engine, page numbers and all."""
    one = composer(HEADED)
    for number in range(6):
        body = "".join(f"<p>{words(random.Random(1), 60)}</p>" for _ in range(60))
        html = page(
            f'<div class="band"></div><div class="head"><div class="row"><p>Letter</p><p>No. {number}</p></div></div>'
            f'<div class="foot"><p>Page <span class="of"></span></p></div>{body}'
        )
        rendition, slow = made(one, html, f"p-{number}")
        assert slow == ""
        assert rendition is not None
        assert rendition.pages > 1
    assert one._filling._engine._learned <= 2


def test_the_audit_sees_tags_and_painted_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing background and a wrong tag hold the piece that taught."""
    html = page('<div class="wide"><p>a</p><p>b</p></div><p>c</p>')

    def codes() -> list[str]:
        _, findings, _ = composer(SHEET).compose(
            html, piece=PIECE, language="en", direction="ltr", issued_at=ISSUED, filename="a.pdf"
        )
        return [finding.code for finding in findings]

    assert codes() == []
    with monkeypatch.context() as patch:
        patch.setattr(Look, "_paint_round", lambda self, onto, *area: onto.append(Area(*area, (0.0, 0.0, 0.0, 1.0))))
        assert codes() == ["fill-differs"]
    with monkeypatch.context() as patch:
        patch.setattr(sheets_module, "kind_of", lambda tag: "Div")
        assert codes() == ["fill-differs"]


# ── the sample templates ─────────────────────────────────────────────────────


@cache
def campaign(name: str) -> tuple[Prepared, tuple[Communication, ...]]:
    workspace, _ = load_workspace(ROOT)
    assert workspace is not None
    prepared = prepare(workspace, name, now=datetime(2026, 11, 2, 11, 30, tzinfo=UTC), ignore_schedule=True)
    found = []
    for item in plan(load_recipients(workspace, prepared.campaign, period=prepared.period), prepared.brief):
        if isinstance(item, Communication):
            pieces = tuple(piece for piece in item.pieces if piece.channel is Channel.DOCUMENT)
            if pieces:
                found.append(replace(item, pieces=pieces))
    return prepared, tuple(found)


@pytest.mark.parametrize("brand", ["northwind-bank", "juniper-energy"])
@pytest.mark.parametrize("name", ["october-statement", "october-invoices", "payment-reminder"])
def test_sample_letters_are_filled_and_equal(name: str, brand: str) -> None:
    """Every language of every sample template in both brands: never the full path, and equal what it makes."""
    prepared, items = campaign(name)
    workspace = prepared.workspace
    rules = prepared.template.definition.document.model_copy(update={"fill": False})
    whole = replace(prepared.template, definition=prepared.template.definition.model_copy(update={"document": rules}))
    ours, full = (
        Composer(template, workspace.brands[brand], workspace.fragments, workspace.library)
        for template in (prepared.template, whole)
    )
    seen: set[str] = set()
    for item in items:
        if item.language in seen:
            continue
        seen.add(item.language)
        composed = ours.compose(item)
        assert not composed.slow_paths, item.language
        (mine,), (its,) = composed.renditions, full.compose(item).renditions
        assert isinstance(mine, DocumentRendition)
        assert isinstance(its, DocumentRendition)
        assert differences(mine.content, its.content, pictures=False) == "", item.language
    assert len(seen) >= 4
