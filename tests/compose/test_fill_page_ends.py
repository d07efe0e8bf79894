"""Blocks that end close to a page's end: they stand on the page where the layout engine puts them, or the engine is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from documents import ISSUED, PIECE, STYLE, composer, page

SHEET = (
    STYLE
    + """
body { margin: 0; orphans: 2; widows: 2; line-height: 16px; font-size: 12px } .space { margin: 0 } p { margin: 0 }
.notice { break-inside: avoid; padding: 11px; border: 1px solid #090; margin: 10px 0 } .open { padding: 6px 0 9px }
.flex { display: flex; padding: 8px; break-inside: avoid } .inner p { padding-bottom: 12px } .inner { break-inside: avoid }
table { width: 100%; border-collapse: collapse } td { padding: 3px; border-bottom: 4px solid #333 } tr { break-inside: avoid }
"""
)
LONG = "Some words that take more than a line of the page, and then some more words. " * 4
ROWS = "<thead><tr><th>Name</th></tr></thead><tbody>" + "<tr><td>One</td></tr>" * 3 + "</tbody>"
BLOCKS = {
    "one padded line": '<aside class="notice">Stay safe.</aside>',
    "padded lines that stay together": f'<aside class="notice">{LONG}</aside>',
    "padded lines that may part": f'<p class="open">{LONG}</p>',
    "flexible boxes": '<div class="flex"><p>One</p><p>Two</p></div>',
    "padding further in": '<div class="inner"><p>One</p><p>Two</p></div>',
    "a table with a thick border": f"<table>{ROWS}</table>",
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("behind", ["", "<p>Questions? Write to us.</p>"], ids=["last", "followed"])
def test_blocks_at_the_end_of_a_page(name: str, behind: str) -> None:
    """Wherever it ends, pages equal the engine's; all but a few of them are filled."""
    one = composer(SHEET)
    one._filling._compared = 1.0  # every page is laid out by both
    filled = 0
    heights = range(0, 200, 4)
    for height in heights:
        space = f'<div class="space" style="height: {780 + height}px">Above</div>'
        rendition, findings, slow = one.compose(
            page(f"<main>{space}{BLOCKS[name]}{behind}</main>"),
            piece=replace(PIECE, piece_id=f"p-{height}"),
            language="en", direction="ltr", issued_at=ISSUED, filename="letter.pdf",
        )  # fmt: skip
        assert not findings, (height, findings)
        assert rendition is not None
        filled += not slow
    assert filled > len(heights) / 2
