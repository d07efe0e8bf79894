"""A source that is not complete is seen: rows of nobody, nobody at all, and runs that refuse to begin with such a source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm, addresses
from run.small_workspace import AS_OF, CAMPAIGN, SOURCE, TEMPLATE, people, person, small_workspace, write_people

RUN = ("run", "news", "--as-of", AS_OF)
WITH_LINES = {
    "data__people_dot_yaml": SOURCE + "children:\n  lines: {rows: lines.csv, key: person, period: day}\n",
    "templates__notice__template_dot_yaml": TEMPLATE.replace(
        "facts:\n", "  lines: {list: {text: text}, required: false}\nfacts:\n"
    ),
}
STRANGERS = ["P-1234567,Tea,2026-11-01", ",Jam,2026-11-01", "P-7654321,Rum,2026-11-01"]
EMPTY_SEGMENT = "audience: {source: people, segment: 'customer.currency == \"XXX\"'}"


@pytest.fixture(scope="module")
def ccm() -> Iterator[ForkedCcm]:
    """The `ccm` command."""
    with ForkedCcm() as command:
        yield command


def limited(limits: str) -> str:
    return CAMPAIGN + f"limits: {{{limits}}}\n"


def write_lines(root: Path, rows: list[str]) -> None:
    sound = [f"P-00{number},Tea,2026-11-01" for number in (1, 2, 3)]
    (root / "data" / "lines.csv").write_text("\n".join(["person,text,day", *sound, *rows]) + "\n", encoding="utf-8")


def lined(root: Path, rows: list[str], campaign: str = CAMPAIGN) -> Path:
    """Write a workspace whose people have lines, three of them sound and of somebody."""
    (root / "data").mkdir(parents=True)
    write_lines(root, rows)
    files = {"campaigns__news_dot_yaml": campaign, **WITH_LINES}
    return small_workspace(root, people(3), released=True, **files)


def sent(root: Path) -> list[str]:
    return list(addresses(root / "outbox")) if (root / "outbox").exists() else []


def test_rows_of_nobody_are_told_everywhere(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The run goes on and ends with 0; its JSON, text, page and manifest tell how many rows, and where, but no key."""
    root = lined(tmp_path / "w", STRANGERS)
    done = ccm(*RUN, "--json", cwd=root)
    assert done.code == 0, done.stderr
    places = [f"data/lines.csv:{line}" for line in (5, 6, 7)]
    assert done.json["orphan_rows"] == [{"table": "lines", "rows": 3, "places": places}]
    (warning,) = done.json["warnings"]
    assert (warning["code"], warning["severity"], warning["path"], warning["line"]) == (
        "orphan-rows", "warning", "data/lines.csv", 5,
    )  # fmt: skip
    text = ccm("report", cwd=root)
    assert "warning[orphan-rows]" in text.stdout
    assert ccm("report", "--json", cwd=root).json["orphan_rows"] == done.json["orphan_rows"]
    page = (root / ".ccm/reports/news.once.html").read_text(encoding="utf-8")
    assert "data/lines.csv:5" in page
    manifest = ccm("manifest", "news.once", cwd=root).stdout
    sums = next(json.loads(line)["sums"] for line in manifest.splitlines() if '"sums"' in line)
    assert (sums["orphan_rows"], sums["balanced"]) == ({"lines": 3}, True)
    told = done.stdout + done.stderr + text.stdout + page + manifest
    assert "1234567" not in told
    (root / "run.jsonl").write_text(manifest, encoding="utf-8")
    assert "adding up" in ccm("manifest", "verify", "run.jsonl", cwd=root).stdout
    write_lines(root, [])
    mended = ccm(*RUN, "--json", cwd=root)
    assert (mended.json["orphan_rows"], mended.json["warnings"]) == ([], [])


def test_too_many_rows_of_nobody_stop_the_run_before_it_sends(ccm: ForkedCcm, tmp_path: Path) -> None:
    """With limits.orphan_rows nothing leaves; the limit itself is allowed, and the mended file goes on."""
    root = lined(tmp_path / "w", STRANGERS, limited("orphan_rows: 2"))
    stopped = ccm(*RUN, "--json", cwd=root)
    assert stopped.code == 1
    assert "limits.orphan_rows" in stopped.json["errors"][0]["remedy"]
    assert "data/lines.csv:5" in stopped.stderr
    assert "1234567" not in stopped.stderr
    assert sent(root) == []
    assert "TooManyOrphans" in ccm("status", "news.once", cwd=root).stdout
    write_lines(root, STRANGERS[:2])
    mended = ccm(*RUN, "--json", cwd=root)
    assert mended.code == 0, mended.stderr
    assert mended.json["orphan_rows"][0]["rows"] == 2
    assert len(sent(root)) == 3


def test_rows_of_nobody_that_are_not_of_this_month_are_no_matter(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A campaign of October does not ask whose the rows of September are."""
    campaign = limited("orphan_rows: 0").replace("occurrence: once", "occurrence: monthly")
    root = lined(tmp_path / "w", ["P-1234567,Tea,2026-09-01"], campaign)
    assert ccm(*RUN, "--occurrence", "2026-10", "--json", cwd=root).code == 0
    write_lines(root, ["P-1234567,Tea,2026-10-01"])
    assert ccm(*RUN, "--occurrence", "2026-10", "--json", cwd=root).code == 1


@pytest.mark.parametrize(
    ("rows", "audience"), [(0, "audience: {source: people}"), (3, EMPTY_SEGMENT)], ids=["no rows", "nobody inside"]
)
def test_nobody_at_all_is_a_warning(ccm: ForkedCcm, tmp_path: Path, rows: int, audience: str) -> None:
    """A day without customers is lawful, so the run ends with 0; an export that failed looks the same, so it says so."""
    campaign = CAMPAIGN.replace("audience: {source: people}", audience)
    root = small_workspace(tmp_path / "w", people(rows), campaigns__news_dot_yaml=campaign)
    done = ccm(*RUN, "--json", cwd=root)
    assert done.code == 0, done.stderr
    (warning,) = done.json["warnings"]
    assert (warning["code"], warning["severity"]) == ("no-recipients", "warning")
    assert "limits.least_recipients" in warning["remedy"]
    assert "warning[no-recipients]" in ccm("report", cwd=root).stdout


def test_an_empty_source_is_seen_on_the_second_day(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A run that is executed again, as for every new invoice, tells of the last reading and not of all its people."""
    root = small_workspace(tmp_path / "w", people(3))
    assert ccm(*RUN, "--json", cwd=root).json["warnings"] == []
    write_people(root, [])
    again = ccm(*RUN, "--json", cwd=root)
    assert [one["code"] for one in again.json["warnings"]] == ["no-recipients"]
    assert again.json["outcomes"]["accepted"] == 3


@pytest.mark.parametrize(
    ("rows", "limits", "code"),
    [
        (people(0), "least_recipients: 1", 1),
        (people(3), "least_recipients: 4", 1),
        (people(3), "least_recipients: 3", 0),
        ([*people(3), person(4, currency="EUR")], "least_recipients: 4", 0),
        ([*people(3), person(4, balance="?")], "least_recipients: 4, held_share: 1", 1),  # runs, and somebody is held
    ],
)
def test_too_few_recipients_stop_the_run_before_it_sends(
    ccm: ForkedCcm, tmp_path: Path, rows: list[str], limits: str, code: int
) -> None:
    """With limits.least_recipients nothing leaves and the exit code is 1; rows that are held are there as well."""
    root = small_workspace(tmp_path / "w", rows, campaigns__news_dot_yaml=limited(limits))
    done = ccm(*RUN, "--json", cwd=root)
    assert done.code == code, done.stderr
    enough = "errors" not in done.json
    assert enough == (len(rows) >= int(limits.partition(": ")[2][0]))
    if not enough:
        assert "limits.least_recipients" in done.json["errors"][0]["remedy"]
        assert sent(root) == []
        write_people(root, people(4))
        mended = ccm(*RUN, "--json", cwd=root)
        assert (mended.code, mended.json["outcomes"]["accepted"]) == (0, 4)


def test_recipients_outside_the_segment_do_not_count(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A full source whose values changed leaves nobody inside: that is as silent as an empty one."""
    audience = "audience: {source: people, segment: 'customer.currency == \"EUR\"'}"
    campaign = limited("least_recipients: 2").replace("audience: {source: people}", audience)
    root = small_workspace(tmp_path / "w", [*people(3), person(4, currency="EUR")], campaigns__news_dot_yaml=campaign)
    stopped = ccm(*RUN, "--json", cwd=root)
    assert stopped.code == 1
    assert "only 1 recipient for" in stopped.stderr
    assert sent(root) == []
    write_people(root, [*people(3), person(4, currency="EUR"), person(5, currency="EUR")])
    assert ccm(*RUN, "--json", cwd=root).json["outcomes"]["accepted"] == 2


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ("orphan_rows: some", "invalid-value"),
        ("least_recipients: -1", "invalid-value"),
        ("least_recipient: 1", "unknown-field"),
    ],
)
def test_check_knows_the_limits(ccm: ForkedCcm, tmp_path: Path, limits: str, code: str) -> None:
    """A wrong value or name is an error of the campaign, with its place; the schemas for editors have both names."""
    root = small_workspace(tmp_path / "w", people(1), campaigns__news_dot_yaml=limited(limits), released=False)
    found = ccm("check", "--json", cwd=root)
    assert found.code == 3
    (wrong,) = (one for one in found.json if one["severity"] == "error")
    assert (wrong["code"], wrong["path"], wrong["line"]) == (code, "campaigns/news.yaml", 12)
    ccm("schema", cwd=root)
    schema = (root / ".ccm/schema/campaign.json").read_text(encoding="utf-8")
    assert '"orphan_rows"' in schema
    assert '"least_recipients"' in schema
