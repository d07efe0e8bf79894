"""Disks that refuse and files that are damaged. A sample of `make faults`."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest
from faults.fault_tools import needs

from benchmarks.faults.disk import fail_at, failing_points, judge
from benchmarks.faults.flips import NOTICED, Damage, drawn, files_under, read_damaged, read_releases
from benchmarks.faults.kills import Configuration, Place
from benchmarks.faults.verdict import Tally
from benchmarks.faults.workplace import RUN

pytestmark = pytest.mark.timeout(900)  # whole runs, many of them: slow where others use the machine

SMALL = Configuration("disk", 4, 10, 0)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    needs("strace", "smtp-sink")
    with Place(SMALL) as found:
        yield found


def test_a_write_that_fails_stops_the_run_in_words(place: Place) -> None:
    """No room, or a broken disk, at some writes and syncs: nothing is sent that was not written down before."""
    tally = Tally("disk")
    points = failing_points(place, 200)
    for point in random.Random(20261122).sample(points, 6):
        fail_at(place, point, tally)
    assert len(points) > 100
    assert {point.error for point in points} == {"ENOSPC", "EIO"}
    assert tally.good, tally.failures


def test_a_file_that_may_not_grow_stops_the_run(place: Place) -> None:
    """A ledger that has no room sends nothing, and the same command finishes once there is room."""
    place.reset()
    tally = Tally("full")
    ended = place.ccm(*RUN, folder=place.root, largest_file=110_000)
    assert ended.code == 4, ended.stderr
    judge(place, ended, "full", tally)
    assert tally.good, tally.failures


def test_a_sender_that_ignores_a_full_disk_is_noticed(place: Place) -> None:
    """With errors of the ledger swallowed, something goes out that it does not know of."""
    tally = Tally("swallowed-enospc")
    points = [point for point in failing_points(place, 200) if point.call == "pwrite64"]
    for point in random.Random(1).sample(points, 20):
        fail_at(place, point, tally, "swallowed-enospc")
        if not tally.good:
            break
    assert tally.mutant_fired
    assert not tally.good


def test_damaged_releases_are_noticed_or_harmless(place: Place) -> None:
    """A flipped bit or a cut file in a release: refused, or the message comes out as it was."""
    tally = Tally("releases")
    damages = drawn(files_under(place.root / "releases"), 20, 5, random.Random(20261122))
    read_damaged(place, damages, read_releases, tally)
    assert tally.kills == 25
    assert tally.good, tally.failures


def test_a_store_that_is_not_checked_is_noticed(place: Place) -> None:
    """A reader that takes damaged bytes as they are fails this part."""
    path = place.folder / "plain"
    path.write_bytes(b"some text of a template")
    tally = Tally("unchecked")
    read_damaged(place, [Damage(path, 3, 1)], lambda place: path.read_bytes(), tally)
    assert tally.lost == 1
    assert NOTICED


def test_a_word_that_ccm_never_writes_is_damage(place: Place) -> None:
    """A state with a flipped bit stops the run in words, and nothing is sent."""
    place.reset()
    assert place.finish().code == 0
    with sqlite3.connect(place.root / ".ccm" / "ledger.db") as connection:
        connection.execute("UPDATE pieces SET state = 'inten|'")
        connection.execute("UPDATE communications SET outcome = NULL")
    connection.close()
    place.sink.clear()
    ended = place.ccm(*RUN, folder=place.root)
    assert ended.code == 4
    assert "damaged" in ended.stderr
    assert not place.sink.counts()
