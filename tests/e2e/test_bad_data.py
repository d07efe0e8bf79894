"""Rows that are wrong: each is held with file and line, the others go; above the limit the run stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm, addresses
from run.small_workspace import AS_OF, people, person, small_workspace, write_people

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
