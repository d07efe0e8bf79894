"""Promise: what is built, what is said and how it is coloured are told apart."""

from __future__ import annotations

import pytest

from ccm.release.skeleton import markup, style


@pytest.mark.parametrize(
    ("before", "after", "same_structure", "same_copy"),
    [
        ("<p>Hello</p>", "<p>Good day</p>", True, False),
        ("<p>Hello</p>", "<div>Hello</div>", False, True),
        ("<p>\n  Hello\n</p>", "<p>Hello</p>", True, True),
        ('<p class="a">Hello</p>', '<p class="b">Hello</p>', False, True),
        ('<a href="https://a.example">x</a>', '<a href="https://b.example">x</a>', True, False),
        ('<td bgcolor="x" color="#fff">x</td>', '<td bgcolor="x" color="#000">x</td>', True, True),
        ('<p style="color:#fff;padding:1px">x</p>', '<p style="color:#000;padding:1px">x</p>', True, True),
        ('<p style="padding:1px">x</p>', '<p style="padding:2px">x</p>', False, True),
        ('{{ _("Hello") }}', '{{ _("Good day") }}', True, False),
        ('{{ day|date("long") }}', '{{ day|date("short") }}', False, True),
        ("{% if a %}x{% endif %}", "{% if b %}x{% endif %}", False, True),
        ("{% trans n=name %}Hello {{ n }}{% endtrans %}", "{% trans n=name %}Hi {{ n }}{% endtrans %}", True, False),
        ("{# one #}<p>x</p>", "<!-- two --><p>x</p>", True, True),
        ('<p title="{{ a > b }}">x</p>', '<p title="{{ a > b }}">y</p>', True, False),
        ("<style>p { color: red; margin: 0 }</style>", "<style>p { color: blue; margin: 0 }</style>", True, True),
        ("<style>p { margin: 0 }</style>", "<style>p { margin: 1px }</style>", False, True),
    ],
)
def test_layers_of_markup(before: str, after: str, same_structure: bool, same_copy: bool) -> None:
    """Each row changes one layer."""
    one, two = markup(before), markup(after)
    assert (one.structure == two.structure) is same_structure
    assert (one.copy == two.copy) is same_copy


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("p { color: #fff }", "p { color: #000 }", True),
        ("p { border: 1px solid #fff }", "p { border: 1px solid #000 }", True),
        ("p { border: 1px solid #fff }", "p { border: 2px solid #fff }", False),
        ("p { background: var(--color-a) }", "p { background: var(--color-b) }", True),
        ("p { margin: 0 } /* a */", "p{margin:0}", True),
        ("p { margin: 0 }", "h1 { margin: 0 }", False),
        ("@page { size: A4 }", "@page { size: A5 }", False),
    ],
)
def test_layers_of_css(before: str, after: str, same: bool) -> None:
    """Colours are no layout; lengths and selectors are."""
    assert (style(before).structure == style(after).structure) is same
