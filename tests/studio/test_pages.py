"""The pages for people: complete, closed against hostile data, with nothing from the network."""

from __future__ import annotations

import html.parser
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from run.small_workspace import people, person, small_workspace

from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Outcome, OutcomeKind, PieceState, RunReport
from ccm.model.workspace import Workspace
from ccm.run import preview_customer
from ccm.studio.preview import write_preview
from ccm.studio.report import write_report

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    "</p></iframe><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "&lt;b&gt; & Söhne <b>",
    "\u202eevil\u2066",
    "]]><!--",
]


class Elements(html.parser.HTMLParser):
    """Counts the elements of a page and keeps attributes that could load or run something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.names: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.srcdoc: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names[tag] += 1
        for name, value in attrs:
            if name in ("src", "href", "action", "data"):
                self.addresses.append(value or "")
            elif name == "srcdoc":
                self.srcdoc.append(value or "")
            elif name.startswith("on"):
                self.handlers.append(name)


def elements_of(text: str) -> Elements:
    """Parse a page."""
    found = Elements()
    found.feed(text)
    found.close()
    return found


def workspace_of(root: Path, *names: str) -> Workspace:
    """Return the small workspace with customers of these names."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    rows = [person(number, name=name) for number, name in enumerate(quoted, 1)]
    workspace, diagnostics = load_workspace(small_workspace(root, rows))
    assert workspace is not None, diagnostics
    return workspace


def previewed(workspace: Workspace, number: int, folder: Path) -> str:
    """Write the preview page of a customer and return it."""
    shown = preview_customer(workspace, "news", f"P-{number:03}", now=NOW)
    assert shown.made
    return write_preview(shown, folder).read_text(encoding="utf-8")


def test_preview_shows_every_channel(tmp_path: Path) -> None:
    """Subject, sender, text, segments, facts and the ids of the version are on the page; the files lie beside it."""
    page = previewed(workspace_of(tmp_path / "w", "Ann Smith"), 1, tmp_path / "page")
    for text in ("News of the balance", "Your balance", "Plain Ltd", "Ann Smith", "£1.25", "P-001", "notice@1.0.0",
                 "1 segment", "GSM-7", "ready to go"):  # fmt: skip
        assert text in page
    assert {path.name for path in (tmp_path / "page").iterdir()} >= {"index.html", "email.eml", "email.html", "sms.txt"}
    assert len(elements_of(page).srcdoc) == 2


def test_preview_again_leaves_nothing_of_the_last_one(tmp_path: Path) -> None:
    """A channel that is gone is gone from the folder too."""
    workspace = workspace_of(tmp_path / "w", "Ann Smith")
    previewed(workspace, 1, tmp_path / "page")
    only = preview_customer(workspace, "news", "P-001", now=NOW, channels=[Channel.SMS])
    write_preview(only, tmp_path / "page")
    assert {path.name for path in (tmp_path / "page").iterdir()} == {"index.html", "sms.txt"}


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """A name makes no element and no handler, neither on the page nor in the email it shows."""
    workspace = workspace_of(tmp_path / "w", "Ann Smith", *HOSTILE)
    plain = elements_of(previewed(workspace, 1, tmp_path / "0"))
    shown = 0
    for number, _ in enumerate(HOSTILE, 2):
        preview = preview_customer(workspace, "news", f"P-{number:03}", now=NOW)
        found = elements_of(write_preview(preview, tmp_path / str(number)).read_text(encoding="utf-8"))
        assert not found.handlers
        if preview.made is None or not found.srcdoc:
            continue  # such a name is refused: the customer would be held
        shown += 1
        assert found.names - plain.names == Counter(), HOSTILE[number - 2]
        for mine, theirs in zip(plain.srcdoc, found.srcdoc, strict=True):
            assert elements_of(theirs).names == elements_of(mine).names
            assert elements_of(theirs).handlers == []
    assert shown >= 5


def test_preview_needs_no_network(tmp_path: Path) -> None:
    """Every address is a file beside the page or data in it; the email is shown in a frame that may do nothing."""
    page = previewed(workspace_of(tmp_path / "w", "Ann Smith"), 1, tmp_path / "page")
    found = elements_of(page)
    assert found.addresses
    for address in found.addresses:
        assert not re.match(r"[a-z]+:|//", address), address
        assert (tmp_path / "page" / address).is_file()
    assert page.count('sandbox=""') == len(found.srcdoc) == 2
    images = [address for text in found.srcdoc for address in elements_of(text).addresses]
    assert [address for address in images if address.startswith("data:image/png")]
    assert "@import" not in page
    assert "url(" not in page.partition("</style>")[0]


def report(**changes: object) -> RunReport:
    """Return a report with a bit of everything."""
    values: dict[str, object] = {
        "run_id": "news.once", "campaign": "news", "occurrence": "once", "release": "notice@1.0.0+abc",
        "state": "open", "started_at": NOW, "finished_at": None, "read": 12, "outside_segment": 2,
        "outcomes": {OutcomeKind.ACCEPTED: 7, OutcomeKind.HELD: 2, OutcomeKind.UNKNOWN: 1},
        "reasons": {"invalid-data": 2}, "pieces": {Channel.EMAIL: {PieceState.ACCEPTED: 7, PieceState.HELD: 2}},
        "totals": {("balance", Channel.EMAIL, "EUR"): Decimal("1234567.89")},
        "pages": 0, "segments": 1234, "findings": {"<i>code</i>": 1}, "slow_paths": {}, "locales": {"de-DE": 7},
    }  # fmt: skip
    return RunReport(**{**values, **changes})  # type: ignore[arg-type]


def test_report_accounts_for_everybody(tmp_path: Path) -> None:
    """The equation, the totals and those who must be looked after stand on the page."""
    workspace = workspace_of(tmp_path / "w", "Ann Smith")
    held = Outcome("c-1", "P-<b>9", OutcomeKind.HELD, "invalid-data", None, "data/people.csv:10: no balance")
    page = write_report(workspace, report(), [held]).read_text(encoding="utf-8")
    for text in (
        "News of the balance",
        "balanced: nobody lost",
        "1,234,567.89",
        "data/people.csv:10",
        "1,234",
        "invalid-data",
    ):
        assert text in page
    found = elements_of(page)
    assert found.addresses == []
    assert "&lt;i&gt;code" in page
    assert "P-&lt;b&gt;9" in page
    assert found.names["i"] == 3  # the three parts of the bar


def test_a_report_that_does_not_balance_says_so(tmp_path: Path) -> None:
    """Somebody without an outcome cannot be overlooked."""
    page = write_report(workspace_of(tmp_path / "w", "Ann"), report(read=13)).read_text(encoding="utf-8")
    assert "NOT BALANCED" in page
    assert "nobody lost" not in page


@pytest.mark.parametrize("count", [0, 1])
def test_report_of_a_run_without_totals(tmp_path: Path, count: int) -> None:
    """Nothing to sum is said, and a removed campaign does not matter."""
    workspace = workspace_of(tmp_path / "w", *["Ann"] * count)
    page = write_report(workspace, report(totals={}, campaign="gone")).read_text(encoding="utf-8")
    assert "declares no totals" in page
    assert people(0) == []
