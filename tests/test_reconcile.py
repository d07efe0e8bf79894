"""A run balances, or it is refused with the numbers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ccm.diagnostics import Location
from ccm.model.definitions import Channel
from ccm.model.orphans import OrphanRows
from ccm.model.records import OutcomeKind, PieceState, RunTally
from ccm.reconcile import Unbalanced, reconcile, warnings_of
from ccm.testing import sample_run
from ccm.testing.samples import NOON

ENDED = replace(sample_run(), state="closed", finished_at=NOON)
TALLY = RunTally(
    run=ENDED,
    read=10,
    outside_segment=3,
    outcomes={OutcomeKind.ACCEPTED: 4, OutcomeKind.HELD: 2, OutcomeKind.UNKNOWN: 1},
    undecided=0,
    reasons={"no-address": 2},
    pieces={
        (Channel.SMS, PieceState.ACCEPTED): 3,
        (Channel.EMAIL, PieceState.HELD): 2,
        (Channel.EMAIL, PieceState.ACCEPTED): 4,
    },
    totals={("due", Channel.EMAIL, "EUR"): Decimal("12.30")},
    pages=8,
    segments=3,
    findings={},
    slow_paths={},
    locales={"de-DE": 7},
    broadcasts={OutcomeKind.ACCEPTED: 2},
)


def test_a_balanced_run_gives_its_report() -> None:
    """7 addressed = 4 accepted + 2 held + 1 unknown; posts stand apart; every outcome has a number."""
    report = reconcile(TALLY)
    assert report.balanced
    assert report.addressed == 7
    assert report.outcomes[OutcomeKind.REJECTED] == 0
    assert report.broadcasts == {OutcomeKind.ACCEPTED: 2}
    assert report.pieces == {
        Channel.EMAIL: {PieceState.ACCEPTED: 4, PieceState.HELD: 2},
        Channel.SMS: {PieceState.ACCEPTED: 3},
    }
    assert report.totals == {("due", Channel.EMAIL, "EUR"): Decimal("12.30")}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (replace(TALLY, read=11), "8 in"),  # one recipient without an outcome
        (replace(TALLY, read=9), "6 in"),  # one outcome too many
        (replace(TALLY, outside_segment=2), "8 in"),
        (replace(TALLY, undecided=1), "1 without an outcome"),
        (replace(TALLY, outcomes={OutcomeKind.ACCEPTED: 4}), "4 accepted"),
    ],
)
def test_an_unbalanced_run_is_refused(changed: RunTally, said: str) -> None:
    """The error names the numbers."""
    with pytest.raises(Unbalanced, match=said):
        reconcile(changed)


@pytest.mark.parametrize("run", [replace(ENDED, state="stopped"), replace(ENDED, state="open", finished_at=None)])
def test_a_run_that_has_not_ended_reports_what_there_is(run: object) -> None:
    """A stopped or running run gives a report that says it does not balance."""
    report = reconcile(replace(TALLY, run=run, read=9, undecided=1))
    assert not report.balanced


@pytest.mark.parametrize(
    ("state", "last_read", "codes"),
    [
        ("closed", 10, []),
        ("closed", 3, ["no-recipients"]),  # all three outside the segment
        ("open", 0, ["no-recipients"]),
        ("cancelled", 0, []),  # an operator knows why
        ("stopped", None, []),  # nobody knows yet
    ],
)
def test_a_reading_that_met_nobody_is_told(state: str, last_read: int | None, codes: list[str]) -> None:
    """It is about the last reading: what earlier executions reached does not hide it."""
    run = replace(ENDED, state=state)
    report = reconcile(replace(TALLY, run=run, last_read=last_read))
    assert [one.code for one in warnings_of(report)] == codes


def test_rows_of_nobody_are_told_by_table_and_place() -> None:
    """One warning for each child table, at its first place; the run balances all the same."""
    lines = OrphanRows("lines", 1200, (Location("data/lines.csv", 7), Location("data/lines.csv", 9)))
    report = reconcile(replace(TALLY, orphans=(lines, OrphanRows("usage", 1, (Location("data/usage.csv", 2),)))))
    first, second = warnings_of(report)
    assert (first.code, first.location, second.location.path) == ("orphan-rows", lines.places[0], "data/usage.csv")
    assert "1200 (the first: data/lines.csv:7, data/lines.csv:9)" in first.message
    assert report.balanced
