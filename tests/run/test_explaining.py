"""Promise: the author is told which line sends documents and emails down the full path, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from e2e.print_workspace import letters, print_workspace
from run.small_workspace import AS_OF, EMAIL, people, small_workspace

from ccm.model.definitions import Channel
from ccm.run.speed_places import Sources, remedy_for

DOCUMENT = """\
<!doctype html><html lang="{{ locale.tag }}"><head><title>Notice</title><style>
p.aside { color: #333;
  columns: 2 }
</style></head><body><h1>Notice</h1>
<p{% if customer.name == "Person 3" %} class="aside"{% endif %}>{{ customer.name }}</p>
</body></html>
"""


@pytest.fixture(scope="module")
def ccm() -> Iterator[ForkedCcm]:
    """The command."""
    with ForkedCcm() as forked:
        yield forked


def letter(root: Path, html: str = DOCUMENT, css: str = "@page { size: A4; margin: 25mm }\n") -> Path:
    """A workspace whose letter is like this."""
    return print_workspace(
        root,
        letters(6),
        "folder: print",
        templates__notice__document_dot_html=html,
        templates__notice__document_dot_css=css,
    )


def test_the_declaration_is_found_in_a_style_sheet(ccm: ForkedCcm, tmp_path: Path) -> None:
    """With file and line, proved by taking it out; only for the customers that have it."""
    root = letter(tmp_path / "w", css="@page { size: A4; margin: 25mm }\nh1 {\n  color: #123;\n  columns: 2;\n}\n")
    ended = ccm("explain-speed", "notice", "--json", cwd=root)
    assert ended.code == 1, ended.stderr
    assert ended.json["counts"]["document"]["full"] == 6
    found = ended.json["reasons"][0]
    assert found["places"] == [{"path": "templates/notice/document.css", "line": 4, "text": "columns: 2"}]
    assert found["proved"]
    assert found["remedy"]


def test_it_is_found_in_the_page_itself(ccm: ForkedCcm, tmp_path: Path) -> None:
    """In a style element, over line ends; one customer of six."""
    ended = ccm("explain-speed", "notice", cwd=letter(tmp_path / "w"))
    assert ended.code == 1, ended.stderr
    assert "in full, 1 of 6" in ended.stdout
    assert "templates/notice/document.html:3: columns: 2" in ended.stdout
    assert "fix: " in ended.stdout


def test_a_fast_template_has_nothing_to_tell(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Exit code 0, and how many were compiled and filled."""
    ended = ccm("explain-speed", "notice", "--json", cwd=letter(tmp_path / "w", DOCUMENT.replace("columns: 2", "")))
    assert (ended.code, ended.json["reasons"]) == (0, [])
    counts = ended.json["counts"]["document"]
    assert counts["filled"] + counts["compiled"] == 6
    assert counts["filled"] > 0


def test_emails_are_explained_too(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A filter over a block, with its line."""
    block = "<mj-text>\n{% filter upper %}{{ customer.name }}{% endfilter %}"
    slow = EMAIL.replace("<mj-text>", block)
    root = small_workspace(tmp_path / "w", people(3), templates__notice__email_dot_mjml=slow)
    ended = ccm("explain-speed", "notice", "--json", cwd=root)
    assert ended.code == 1, ended.stderr
    found = ended.json["reasons"][0]
    assert (found["channel"], found["count"]) == ("email", 3)
    assert (found["places"][0]["path"], found["places"][0]["line"]) == ("templates/notice/email.mjml", 6)


def test_what_is_unknown_is_named(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A template, a brand or a campaign that is not there."""
    root = letter(tmp_path / "w")
    for args in (("notce",), ("notice", "--brand", "other"), ("notice", "--campaign", "other")):
        ended = ccm("explain-speed", *args, cwd=root)
        assert ended.code == 3
        assert "fix: " in ended.stderr


def test_the_run_report_counts_how_documents_were_made(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Filled, compiled, in full with reasons: in the terminal, in JSON and on the page; they add up to what was made."""
    root = letter(tmp_path / "w")
    ended = ccm("run", "news", "--as-of", AS_OF, "--workers", "1", "--json", cwd=root)
    assert ended.code == 0, ended.stderr
    made = ended.json["documents"]
    assert made["made"] == 6 == made["filled"] + sum(made["compiled"].values()) + sum(made["full"].values())
    assert sum(made["full"].values()) == 1
    assert made["compiled"]
    shown = ccm("report", cwd=root).stdout
    assert f"documents: {made['filled']} filled" in shown
    assert "1 full (" in shown
    page = (root / ".ccm" / "reports" / "news.once.html").read_text()
    assert "How documents were made" in page


def test_the_smallest_cause_is_found_whatever_the_reason_says() -> None:
    """Words of a reason are a hint and no more; two declarations that cause it together are both named."""
    css = "a { color: red; margin: 1px }\n/* float: left */\nb { float: left;\n  width: 3px }\n"
    sources = Sources({"a.css": css})

    def needs(*texts: str) -> Callable[[Sources], bool]:
        return lambda changed: all(text in changed.texts["a.css"].replace("/* float: left */", "") for text in texts)

    places, proved = sources.culprits("something odd", needs("width: 3px"))
    assert ([str(one.location) for one in places], proved) == (["a.css:4"], True)
    places, proved = sources.culprits("position or float", needs("float: left"))
    assert ([(str(one.location), one.text) for one in places], proved) == ([("a.css:3", "float: left")], True)
    assert sources.culprits("something odd", lambda changed: True) == ((), False)
    assert all(remedy_for(Channel.DOCUMENT, reason) for reason in ("<dl>", "a very long page", "what nobody foresaw"))
