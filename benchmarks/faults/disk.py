"""Disks that refuse: one write or sync of a run fails, or the disk is full. The run stops in words and can be resumed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from benchmarks.faults.kills import WORKERS, Configuration, Place, points_of, side_by_side
from benchmarks.faults.mutants import MARK
from benchmarks.faults.tracing import Point, hit
from benchmarks.faults.verdict import TAKEN, Tally
from benchmarks.faults.warm import Ended
from benchmarks.faults.workplace import RUN, RUN_ID
from ccm.ledger.sql import open_ledger
from ccm.model.records import PieceState

FAILING = Configuration("one write or sync fails (ENOSPC, EIO)", 4, 16, 200)
FULL = Configuration("disk of 1 MiB is full", 4, 400, 1)
CALLS = ("pwrite64", "write", "fsync", "fdatasync")
WRITTEN = frozenset({PieceState.SENDING, PieceState.UNKNOWN, *TAKEN})
STOPPED = (1, 3, 4)  # exit codes of a run that says why it did not end well
TMPFS = "size=1m,mode=777"
SMALL_FILE = 120_000  # bytes, where nothing can be mounted


def failing_points(place: Place, most: int) -> list[Point]:
    """Return the first writes and syncs of a run, every second one refused for want of room, the others broken."""
    found = points_of(place, CALLS)
    found.sort(key=lambda point: (point.number, point.call))
    errors = cycle(("ENOSPC", "EIO"))
    return [replace(point, error=next(errors)) for point in found[:most]]


def unannounced(place: Place) -> int:
    """Count the messages at the server whose hand-over was not in the ledger before."""
    place.sink.settle()
    if not (place.root / ".ccm" / "ledger.db").exists():
        return len(place.sink.counts())
    ledger = open_ledger("sqlite:///.ccm/ledger.db", place.root)
    try:
        told = {piece.piece_id for piece in ledger.pieces(RUN_ID) if piece.state in WRITTEN}
    finally:
        ledger.close()
    return len(set(place.sink.counts()) - told)


def judge(place: Place, ended: Ended, at: object, tally: Tally, mutant: str = "") -> None:
    """Look at what a failed run left, resume it, and count the verdict."""
    tally.mutant_fired |= MARK in ended.stderr
    if ended.code not in (0, *STOPPED) or "Traceback" in ended.stderr:
        tally.fail(at, f"ended with {ended.code}: {ended.stderr[-300:]}")
    if sent := unannounced(place):
        tally.fail(at, f"{sent} sent that the ledger did not know of")
    if ended.code in STOPPED:
        again = place.finish(mutant)
        if again.code not in (0, 1):
            tally.fail(at, f"the same command ended with {again.code}: {again.stderr[-300:]}")
    tally.add(place.verdict(), at)


def fail_at(place: Place, point: Point, tally: Tally, mutant: str = "") -> None:
    """Let one call of a run fail."""
    place.reset()
    judge(place, hit(place.ccm, place.task(mutant), point), point, tally, mutant)


def one_write_fails(quick: bool) -> Tally:
    """Let each of the first writes and syncs fail."""

    def work(number: int, tally: Tally) -> None:
        with Place(FAILING) as place:
            points = failing_points(place, FAILING.kills)
            step = WORKERS * (10 if quick else 1)
            for point in points[number::step]:
                fail_at(place, point, tally)

    return side_by_side(FAILING.name, work, FAILING.kills // (10 if quick else 1))


def full_disk() -> Tally:
    """Run until the ledger's disk is full, make room, and run again."""

    def work(number: int, tally: Tally) -> None:
        if number:
            return
        with Place(FULL) as place:
            state = place.root / ".ccm"
            mounted = mount(state)
            try:
                limit = {} if mounted else {"largest_file": SMALL_FILE}
                ended = place.ccm(*RUN, folder=place.root, **limit)
                if ended.code not in STOPPED:
                    tally.fail("full disk", f"ended with {ended.code}: the disk was never full")
                if mounted:
                    subprocess.run(["mount", "-o", "remount,size=64m", str(state)], check=True)
                judge(place, ended, "full disk", tally)
            finally:
                if mounted:
                    subprocess.run(["umount", "-l", str(state)], check=True)

    return side_by_side(FULL.name, work, FULL.kills)


def mount(folder: Path) -> bool:
    """Put a disk of 1 MiB in place of a folder, with the same files; False where that is not allowed."""
    if os.geteuid() != 0:
        return False
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", TMPFS, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        return False
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return True


def all_disks(quick: bool = False) -> Iterator[Tally]:
    """Run both."""
    yield one_write_fails(quick)
    yield full_disk()
