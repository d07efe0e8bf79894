"""Comparing two PDFs: each kind of difference is found when it is the only one."""

from __future__ import annotations

from typing import Any

import pytest
from weasyprint import HTML

from benchmarks.pdf import comparing
from benchmarks.pdf.comparing import differences

PAGE = """<html lang="en"><title>t</title><style>@page {{ size: 90mm 120mm; margin: 5mm }} {style}</style><body>{body}</body></html>"""
BODY = '<h1 id="a">One</h1><p>Some words</p><table><tr><th>A</th><td>1</td></tr></table><p><a href="https://a.example">link</a></p>'


def pdf(body: str = BODY, style: str = "") -> bytes:
    return HTML(string=PAGE.format(body=body, style=style)).write_pdf(pdf_variant="pdf/ua-1")  # type: ignore[no-any-return]


def test_the_same_page_is_the_same() -> None:
    """Written twice."""
    assert differences(pdf(), pdf()) == ""


@pytest.mark.parametrize(
    ("body", "style", "found"),
    [
        (BODY.replace("words", "swords"), "", "page 1: other words, or in another order"),
        (BODY, "p { padding-left: 0.1pt }", "page 1: a sign 0.10 pt away"),
        (BODY, "p { padding-left: 0.02pt }", ""),
        (BODY, "h1 { border-bottom: 0.5pt solid #888; margin-bottom: calc(0.67em - 0.5pt) }", "page 1: another picture at"),
        (BODY, "td { background: #f4f7f4 }", "page 1: another picture at"),
        (BODY, "h1 { color: #700 }", "page 1: another picture at"),
        (BODY.replace("a.example", "b.example"), "", "other links"),
        (BODY, "h1 { bookmark-level: none }", "another outline"),
        (BODY.replace("<th>A</th>", "<td><b>A</b></td>"), "th, td { padding: 1px; text-align: left }", "tag"),
        (BODY.replace("words", "w\u00f6rds"), "", "page 1: other words, or in another order"),
        (BODY + '<p style="break-before: page">x</p>', "", "2 pages instead of 1"),
        (BODY, "@page { size: 91mm 120mm }", "page 1: another size"),
    ],
)  # fmt: skip
def test_what_differs_is_found(body: str, style: str, found: str) -> None:
    """By what it is, and where."""
    base = style if found == "tag" else ""
    result = differences(pdf(body, style), pdf(style=base))
    assert result.startswith(found) if found else result == ""


def test_an_accent_is_the_same_however_it_is_written() -> None:
    """As one sign, or as a letter and a sign that the font draws as one."""
    assert differences(pdf("<p>caf\u00e9</p>"), pdf("<p>cafe\u0301</p>")) == ""


# ── two sizes ────────────────────────────────────────────────────────────────

FIRST, SECOND, BOTH = (2.0,), (3.0,), (2.0, 3.0)
NOTICED = "page 1: another picture at"
RULED = (
    '<p>Words</p><div style="position: absolute; left: 0; top: {line:.2f}pt; width: 100pt; height: 0.25pt; background: {grey}"></div>'
    '<div style="position: absolute; left: 0; top: {pale:.2f}pt; width: 100pt; height: 20pt; background: rgba(204, 0, 25, {alpha})"></div>'
)


def hairline(at: float, *, under: float = 0.0, grey: str = "#888", alpha: float = 0.4) -> bytes:
    """Return a page with a hairline and something pale that ends on it.

    Args:
        at: Upper edge of the hairline, a quarter of a point high, in points from the top of the page's area.
        under: How far the pale box reaches below that edge, in points.
    """
    return pdf(RULED.format(line=at, pale=at + under - 20, grey=grey, alpha=alpha))


def seen(scales: tuple[float, ...], ours: bytes, theirs: bytes, patch: pytest.MonkeyPatch) -> str:
    """Return what is found in pictures of these sizes, in pixels for each point."""
    with patch.context() as within:
        within.setattr(comparing, "_SCALES", scales)
        return differences(ours, theirs)


@pytest.mark.parametrize(("at", "under", "alarmed"), [(40.28, 0.0, FIRST), (40.38, -0.25, SECOND)])
def test_what_one_size_alone_sees_is_no_difference(
    at: float, under: float, alarmed: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hairline and a pale edge a fiftieth of a point lower are the same page, though the pixels of one size begin between them."""
    ours, theirs = hairline(at, under=under), hairline(at + 0.02, under=under)
    for size in (FIRST, SECOND):
        found = seen(size, ours, theirs, monkeypatch)
        assert found.startswith(NOTICED) if size == alarmed else found == ""
    assert differences(ours, theirs) == ""
    assert differences(theirs, ours) == ""


@pytest.mark.parametrize(
    "changed", [{"grey": "#000"}, {"grey": "none"}, {"alpha": 0.36}, {"alpha": 0.0}, {"under": -0.5}, {"under": 1.0}]
)
def test_what_differs_at_a_hairline_is_seen_in_both_sizes(
    changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look takes nothing away: another colour, a line that is missing, an edge that is elsewhere."""
    ours, theirs = hairline(40.28, **changed), hairline(40.28)
    for sizes in (FIRST, SECOND, BOTH):
        assert seen(sizes, ours, theirs, monkeypatch).startswith(NOTICED), sizes
    assert differences(ours, theirs).startswith(NOTICED)
