"""Promise: whatever an author types, linting answers with diagnostics and never with an exception."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lint_workspace import FILE_NAMES, small_workspace

from ccm.load.lint import lint_templates
from ccm.load.lint.source import Source, branches, without_jinja

PIECES = (
    "{{ ", " }}", "{% ", " %}", "{#", "#}", "{%- ", " -%}", "if ", "endif", "for x in lines", "endfor", "else", "customer", ".name",
    ".nmae", "|money", "|", "(", ")", "[0]", "'", '"', "<", ">", "</", "/>", "<mj-text", "<mj-section>", "</mj-section>", "<!--",
    "-->", "<style>", "</style>", "color: red;", "var(--x)", "{", "}", "url(", "@page", "@import", "=", " ", "\n", "\r\n", "macro m(a)",
    "endmacro", "m(customer)", "call m(1)", "endcall", "set a = customer", 'include "fragments/loop-a"', "trans", "endtrans",
    "pluralize", "raw", "endraw", "facts.balance", "ü", "\x00", "😀", "style=", "alt", "$", "%", "~", "1 + balance", "with", "import",
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
NAMES = [name for name in FILE_NAMES if name != "template.yaml"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS)
def test_linting_never_raises(name: str, text: str) -> None:
    """Any text in any variant gives diagnostics whose places exist."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for item in lint_templates(small_workspace({name: text})):
        assert item.remedy
        if item.location.path.endswith(name) and item.location.line:
            assert item.location.line <= len(lines)
            assert item.location.column <= len(lines[item.location.line - 1]) + 1


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_blanking_keeps_every_place(text: str) -> None:
    """Text without its Jinja is as long as before and has its line ends where they were."""
    clean = Source.of("a", text).text
    for blanked in [without_jinja(clean), *branches(clean)]:
        assert len(blanked) == len(clean)
        assert [i for i, sign in enumerate(blanked) if sign == "\n"] == [
            i for i, sign in enumerate(clean) if sign == "\n"
        ]


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 3_000,
        '{{ "' * 3_000,
        "<a " * 3_000,
        '<a b="' * 3_000,
        "<!--" * 3_000,
        "<b>" * 3_000,
        "{% if visits %}" + "{% elif visits %}x" * 2_000 + "{% endif %}",
        "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}",
        "{{ visits" + " + 1" * 3_000 + " }}",
        "{% macro a() %}{{ b() }}{% endmacro %}" * 300,
        "<style>" + "a{" * 2_000 + "</style>",
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["email.mjml", "document.html"])
def test_a_bomb_is_answered_in_time(name: str, text: str) -> None:
    """Long repetitions neither hang nor end the process."""
    assert isinstance(lint_templates(small_workspace({name: text})), tuple)
