"""Several runners, old copies, late starts, lost answers. A sample of `make faults`."""

from __future__ import annotations

import pytest
from faults.fault_tools import needs

from benchmarks.faults.fleet import run_fleet
from benchmarks.faults.lost_answers import answers_are_lost
from benchmarks.faults.restored import copies, late_starts

pytestmark = pytest.mark.timeout(900)  # whole runs, many of them: slow where others use the machine


def test_a_small_fleet_reaches_everybody_once() -> None:
    """Three processes, frozen past the lease, with clocks that are wrong: nobody twice, nobody lost."""
    needs("smtp-sink")
    tally = run_fleet(3, 120)
    assert tally.good, tally.failures


def test_an_older_copy_of_the_ledger_sends_nothing() -> None:
    """A restored ledger is refused, with the remedy; the order --adopt goes on."""
    needs("strace", "smtp-sink")
    tally = copies(quick=True)
    assert tally.kills > 0
    assert tally.good, tally.failures


def test_a_schedule_found_hours_late_sends_nothing() -> None:
    """It asks first; the order --late sends."""
    needs("smtp-sink")
    tally = late_starts()
    assert tally.good, tally.failures


def test_lost_answers_over_http_are_in_doubt_and_never_repeated() -> None:
    """A server that takes everything and never answers sees each piece once."""
    (tally,) = answers_are_lost()
    assert tally.good, tally.failures
    assert tally.unknown == tally.kills
