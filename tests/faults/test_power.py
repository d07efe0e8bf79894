"""Power cuts: a run is resumed from disks that a cut may have left. A sample of `make faults`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from faults.fault_tools import needs

from benchmarks.faults.disk_trace import Named, Recording, Written, image
from benchmarks.faults.kills import Configuration, Place
from benchmarks.faults.power import cuts
from benchmarks.faults.verdict import Tally
from ccm.run.desk import WINDOW

pytestmark = pytest.mark.timeout(900)  # whole runs, many of them: slow where others use the machine

SMALL = Configuration("power cut", 4, 40, 0)


def written(data: bytes, at: int, safe_from: int | None, offset: int = 0) -> Written:
    return Written(at, safe_from, offset, data)


def one_file(*changes: Written) -> Recording:
    recording = Recording(Path("/w"), {"ledger": b"old"}, last=100)
    recording.files[0] += changes
    return recording


def test_what_was_synced_is_always_there() -> None:
    """A write that a sync covered survives every cut after that sync; 200 draws."""
    recording = one_file(written(b"new", 1, 3), written(b"xyz", 5, None, 3))
    found = {image(recording, 9, random.Random(seed))["ledger"] for seed in range(200)}
    assert all(one.startswith(b"new") for one in found)
    assert {b"new", b"newxyz"} <= found


def test_what_was_not_synced_may_be_missing_or_torn() -> None:
    """Before its sync a write may be there, be missing, or be there in part; after the cut nothing is."""
    recording = one_file(written(b"a" * 1024, 1, 8, 3))
    lengths = {len(image(recording, 4, random.Random(seed))["ledger"]) for seed in range(300)}
    assert lengths == {3, 3 + 512, 3 + 1024}
    assert image(recording, 1, random.Random(1))["ledger"] == b"old"


def test_a_name_is_safe_once_its_folder_was_synced() -> None:
    """A new file may be gone before the folder's sync, and is there after it."""
    recording = one_file()
    recording.names.append(Named(2, 6, "new", 1))
    assert {"new" in image(recording, 5, random.Random(seed)) for seed in range(50)} == {True, False}
    assert {"new" in image(recording, 7, random.Random(seed)) for seed in range(50)} == {True}


@pytest.fixture(scope="module")
def place() -> Place:
    needs("strace", "smtp-sink")
    return Place(SMALL)


def test_a_power_cut_repeats_nothing(place: Place) -> None:
    """What left before the cut never leaves again; at most a window of pieces is in doubt."""
    tally = Tally("power cut")
    with place:
        cuts(place, 5, 0, tally)
        assert tally.good, tally.failures
        assert 0 < tally.most_unknown <= WINDOW
        mutant = Tally("intents-not-durable")
        cuts(place, 40, 0, mutant, "intents-not-durable")
    assert mutant.duplicated > 0
