"""Promise: a character's place is told from 1 and found again; blanked Jinja leaves the rest where it was."""

from __future__ import annotations

from ccm.diagnostics import Location
from ccm.load.lint.source import PRINTED, Findings, Source, branches, without_jinja


def test_places_count_from_one() -> None:
    """The first character is 1:1; a line end belongs to its line."""
    source = Source.of("a.txt", "ab\r\ncd\n")
    assert [source.at(offset) for offset in (0, 2, 3, 6)] == [
        Location("a.txt", 1, 1),
        Location("a.txt", 1, 3),
        Location("a.txt", 2, 1),
        Location("a.txt", 3, 1),
    ]
    assert source.offset_of(2, 2) == 4


def test_a_mistake_is_told_once() -> None:
    """The same mistake found by two readings is one diagnostic."""
    findings, source = Findings(), Source.of("a.txt", "abc")
    for _ in range(2):
        findings.add(source, 1, "unknown-field", "no x", "write y")
    assert len(findings.all()) == 1


def test_printed_values_and_statements_are_blanked() -> None:
    """A quote inside an expression does not end it; raw text stays."""
    assert without_jinja('<a b="{{ "}}" }}">') == f'<a b="{PRINTED * 10}">'
    assert without_jinja("a{% if x %}b{# c #}d") == "a" + " " * 10 + "b" + " " * 7 + "d"
    assert without_jinja("{% raw %}{{ a }}{% endraw %}") == "{% raw %}{{ a }}{% endraw %}"


def test_branches_never_stand_together() -> None:
    """First branches, then second ones, and so on; text outside is in all of them."""
    found = [
        text.split()
        for text in branches("x{% if a %}1{% elif b %}2{% else %}3{% endif %}y{% if c %}4{% else %}5{% endif %}")
    ]
    assert found == [["x", "1", "y", "4"], ["x", "2", "y", "5"], ["x", "3", "y", "5"]]
    assert [text.split() for text in branches("x{% if a %}1{% endif %}y")] == [["x", "1", "y"]]
