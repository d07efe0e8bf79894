"""How far `make faults` is, and what it writes when it is stopped halfway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import benchmarks.faults.__main__ as suite
from benchmarks.faults.progress import Interrupted, Progress
from benchmarks.faults.verdict import Tally, Verdict


def test_the_line_tells_count_rate_and_time_left() -> None:
    """10 of 40 in 20 seconds: half a one a second, so a minute is left."""
    progress = Progress()
    progress.part = "3/12 disk"
    progress.begin("one write fails", 40)
    for _ in range(10):
        progress.one()
    assert progress.line(20.0) == "  3/12 disk · one write fails: 10 of 40, 0.5 a second, 1:00 left"


def test_a_stopped_suite_breaks_no_more_runs() -> None:
    """After Ctrl-C the next fault ends its thread."""
    progress = Progress()
    progress.begin("kills", 10)
    progress.stop()
    with pytest.raises(Interrupted):
        progress.one()


def test_finished_rows_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written as they come, beside older ones; a run that came to its end leaves only its own."""
    out = tmp_path / "out" / "faults.json"
    monkeypatch.setattr(suite, "OUT", out)
    old = suite.Results(kept=True, tallies=[Tally("a", kills=1), Tally("gone", kills=1)])
    old.write(kept=False)
    new = suite.Results(kept=True, tallies=[Tally("a", kills=2)])
    new.write(kept=True)
    rows = {one["name"]: one["kills"] for one in json.loads(out.read_text())["configurations"]}
    assert rows == {"a": 2, "gone": 1}
    new.seconds = 1.0
    new.write(kept=False)
    found = json.loads(out.read_text())
    assert [one["name"] for one in found["configurations"]] == ["a"]
    assert found["mutants"] == {"caught": 0, "total": 0}


def test_kills_in_a_row_have_one_verdict() -> None:
    """Three kills of one run and what became of it: three faults, one set of sums."""
    tally = Tally("kills")
    for _ in range(3):
        tally.count()
    tally.judge(Verdict(lost=0, duplicated=0, unknown=2), "three points")
    assert (tally.kills, tally.unknown, tally.good) == (3, 2, True)
    tally.judge(Verdict(lost=1, duplicated=0, unknown=0), "another")
    assert not tally.good
