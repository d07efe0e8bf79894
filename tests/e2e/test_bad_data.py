"""Rows that are wrong: each is held with file and line, the others go; above the limit the run stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm, addresses
from run.small_workspace import AS_OF, CAMPAIGN, people, person, small_workspace, write_people

RUN = ("run", "news", "--as-of", AS_OF, "--json")
GOOD = people(4)
BAD = {
    "missing value": (person(9, balance=""), "invalid-data"),
    "wrong precision": (person(9, balance="9.255"), "invalid-data"),
    "no number": (person(9, balance="nine"), "invalid-data"),
    "unknown currency": (person(9, currency="ZZZ"), "invalid-data"),
    "too many cells": (person(9) + ",extra", "invalid-data"),
    "too few cells": ("P-009,p009@example.org", "invalid-data"),
    "duplicate key": (person(9, id="P-001"), "duplicate-key"),
    "broken address": (person(9, email="nobody at example"), "invalid-address"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_row_costs_only_itself(ccm: ForkedCcm, tmp_path: Path, what: str) -> None:
    """The recipient is held and counted by reason, file and line are kept, everybody else is reached; then mended."""
    bad, reason = BAD[what]
    root = small_workspace(tmp_path / "w", [*GOOD, bad])
    ended = ccm(*RUN, cwd=root)
    assert ended.code == 1, ended.stderr
    assert ended.json["outcomes"]["accepted"] == 4
    assert ended.json["outcomes"]["held"] == 1
    assert ended.json["balanced"] is True
    assert ended.json["reasons"] == {reason: 1}
    (held,) = ended.json["attention"]
    assert (held["outcome"], held["reason"]) == ("held", reason)
    assert held["detail"].startswith("data/people.csv:6")
    assert ccm("report", "--json", cwd=root).json["attention"] == [held]
    assert len(addresses(root / "outbox")) == 4
    write_people(root, [*GOOD, person(9)])
    mended = ccm(*RUN, cwd=root)
    assert mended.json["outcomes"]["accepted"] == 5
    assert len(set(addresses(root / "outbox"))) == len(addresses(root / "outbox")) == 5


@pytest.mark.parametrize("what", ["duplicate key", "too few cells"])
def test_a_bad_row_that_is_taken_out_is_settled(ccm: ForkedCcm, tmp_path: Path, what: str) -> None:
    """The cure may be to remove the row: the run closes then, and its recipient is counted as gone from the source."""
    bad, _ = BAD[what]
    root = small_workspace(tmp_path / "w", [*GOOD, bad])
    assert ccm(*RUN, cwd=root).json["outcomes"]["held"] == 1
    write_people(root, GOOD)
    cured = ccm(*RUN, cwd=root)
    assert cured.code == 0, cured.stderr
    assert (cured.json["outcomes"]["held"], cured.json["outcomes"]["suppressed"]) == (0, 1)
    assert cured.json["reasons"] == {"left-source": 1}
    assert (cured.json["balanced"], cured.json["state"]) == (True, "closed")
    assert len(addresses(root / "outbox")) == 4


def test_too_many_bad_rows_stop_the_run(ccm: ForkedCcm, tmp_path: Path) -> None:
    """More mistakes than limits.held_share: the run stops by itself, says what to do, and goes on when mended."""
    rows = people(80)
    spoilt = [person(number, balance="?") if number % 3 == 0 else rows[number - 1] for number in range(1, 81)]
    root = small_workspace(tmp_path / "w", spoilt, campaigns__news_dot_yaml=CAMPAIGN + "limits: {held_share: 0.1}\n")
    stopped = ccm(*RUN, cwd=root)
    assert stopped.code == 1
    assert "held_share" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "held_share" in stopped.json["errors"][0]["remedy"]
    sent = addresses(root / "outbox")
    write_people(root, rows)
    mended = ccm(*RUN, cwd=root)
    assert mended.code == 0, mended.stderr
    assert mended.json["outcomes"]["accepted"] == 80
    assert set(sent) <= set(addresses(root / "outbox"))
    assert len(addresses(root / "outbox")) == 80


@pytest.mark.parametrize("how", ["missing", "not text", "no header"])
def test_unusable_table(ccm: ForkedCcm, tmp_path: Path, how: str) -> None:
    """A table that cannot be read at all ends every command that needs it with its name, and sends nothing."""
    root = small_workspace(tmp_path / "w", people(3))
    table = root / "data" / "people.csv"
    if how == "missing":
        table.unlink()
    else:
        table.write_bytes(b"\xff\xfe\x00bad\n" if how == "not text" else b"")
    for command in (RUN, ("check",), ("preview", "news", "--customer", "P-001")):
        ended = ccm(*command, cwd=root)
        assert ended.code in (3, 4), (command, ended)
        assert "people.csv" in ended.stderr
        assert "fix:" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert not (root / "outbox").exists()


CANARIES = ("Quentin Canary", "canary.box", "+447400777666", "7777.31", "7,777.31", "Canary Gardens")


@pytest.mark.parametrize("level", ["off", "error", "warning", "info", "debug"])
def test_no_personal_data_is_said(ccm: ForkedCcm, tmp_path: Path, level: str) -> None:
    """Whatever goes right or wrong, at every log level: no name, address, number or amount on stdout or stderr."""
    canary = {
        "name": "Quentin Canary Gardens", "email": "canary.box@example.org",
        "phone": "+447400777666", "balance": "7777.31",
    }  # fmt: skip
    bad = [
        person(7, **canary),
        person(8, **{**canary, "balance": "7777.317777.31"}),
        person(9, **{**canary, "email": "canary.box@@example"}),
        person(10, **{**canary, "currency": "Quentin Canary"}),
        person(11, **{**canary, "phone": "+447400777666+447400777666"}),
        person(7, **canary),
        person(12, **canary) + ",Canary Gardens",
        person(13, **{**canary, "locale": "Quentin Canary"}),
        person(14, **{**canary, "name": "Quentin Canary \u0007 Gardens"}),
    ]
    root = small_workspace(tmp_path / "w", bad)
    environment = {"CCM_LOG": level}
    ended = [
        ccm("check", cwd=root, env=environment),
        ccm(*RUN, cwd=root, env=environment),
        ccm("run", "news", "--as-of", AS_OF, cwd=root, env=environment),
        ccm("report", cwd=root, env=environment),
        ccm("status", cwd=root, env=environment),
        *(
            ccm("preview", "news", "--customer", f"P-{number:03}", cwd=root, env=environment)
            for number in (7, 8, 9, 10, 12, 13, 14)
        ),
        ccm("run", "news", "--as-of", AS_OF, "--occurrence", "once", cwd=root, env=environment, largest_file=100),
    ]
    (root / "templates" / "notice" / "email.mjml").write_text(
        "<mjml><mj-body><mj-section><mj-column><mj-text>{{ customer.name.missing }}{{ 1 // 0 }}</mj-text>"
        "</mj-column></mj-section></mj-body></mjml>"
    )
    ended += [ccm("preview", "news", "--customer", "P-007", cwd=root, env=environment)]
    ended += [ccm(*RUN, cwd=root, env=environment)]
    assert ended[1].json["outcomes"]["accepted"] >= 1
    assert ended[1].json["outcomes"]["held"] >= 3
    page = (root / ".ccm" / "reports" / "news.once.html").read_text()
    totals = {"7777.31", "7,777.31"}  # the sum of one accepted customer is that customer's amount: a report may say it
    for one in ended:
        for canary_text in CANARIES:
            assert canary_text not in one.stderr, one.stderr
            assert canary_text in totals or canary_text not in one.stdout, one.stdout
    for canary_text in set(CANARIES) - totals:
        assert canary_text not in page
    if level == "off":
        assert '"event"' not in "".join(one.stderr for one in ended)
    if level == "info":
        assert '"event": "run-started"' in ended[1].stderr
