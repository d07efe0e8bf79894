"""kill -9 at system calls: the same command finishes, nobody is reached twice, nobody is lost. A sample of `make faults`."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from faults.fault_tools import needs

from benchmarks.faults.kills import Configuration, Place, drawn, kill_at, points_of
from benchmarks.faults.tracing import Point
from benchmarks.faults.verdict import Tally

pytestmark = pytest.mark.timeout(900)  # whole runs, many of them: slow where others use the machine

SENDING = ("sendto", "recvfrom", "pwrite64", "fdatasync")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    needs("strace", "smtp-sink")
    with Place(Configuration("smtp, 4 in flight", 4, 16, 0)) as found:
        yield found


def sample(place: Place, count: int) -> list[Point]:
    return drawn(points_of(place, SENDING), count, random.Random(20261122))


def test_a_killed_run_repeats_nothing_and_loses_nobody(place: Place) -> None:
    """Killed before a system call: 0 duplicates, 0 lost, at most one doubt per hand-over in flight."""
    tally = Tally(place.configuration.name)
    for point in sample(place, 14):
        kill_at(place, point, tally)
    assert tally.kills > 7
    assert tally.good, tally.failures


def test_the_suite_notices_a_sender_that_records_afterwards(place: Place) -> None:
    """With nothing written down before a hand-over, a few kills are enough to see somebody reached twice."""
    tally = Tally("record-after-send")
    for point in sample(place, 30):
        kill_at(place, point, tally, "record-after-send")
        if not tally.good:
            break
    assert tally.duplicated > 0


def test_an_untouched_run_is_judged_good() -> None:
    """The judge has no prejudice: without a fault everybody arrives once."""
    needs("smtp-sink")
    with Place(Configuration("untouched", 4, 8, 0)) as place:
        assert place.finish().code == 0
        verdict = place.verdict()
        assert verdict.good, verdict
        assert verdict.unknown == 0
        (place.sink.folder / "again").write_bytes(next(place.sink.folder.iterdir()).read_bytes())
        assert place.verdict().duplicated == 1
