"""Power cuts: a run is recorded call by call, and resumed from hundreds of disks that the cut may have left."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from benchmarks.faults.disk_trace import CALLS, Recording, image
from benchmarks.faults.kills import SEED, WORKERS, Configuration, Place, side_by_side
from benchmarks.faults.mutants import MARK
from benchmarks.faults.tracing import recorded
from benchmarks.faults.verdict import Tally, judged
from benchmarks.faults.workplace import RUN, STATE
from ccm.run.desk import WINDOW

CUT = Configuration("power cut, images of the disk", 4, 64, 200)
AFTER_THE_LEASE_SECONDS = 120.0
NEXT_BOOT = "the machine was started again"


def state_of(root: Path) -> dict[str, bytes]:
    """Return every file that runs write, by relative path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for name in STATE
        for path in sorted((root / name).rglob("*"))
        if path.is_file()
    }


def record(place: Place, mutant: str = "") -> Recording:
    """Run once to the end under strace."""
    place.reset()
    start = state_of(place.root)
    trace = place.folder / "trace"
    ended = recorded(place.ccm, place.task(mutant), CALLS, trace)
    assert ended.code == 0, ended.stderr
    recording = Recording.of(trace, place.root, start)
    trace.unlink()
    assert len(recording.sent) == place.configuration.people, "the trace does not tell what was sent"
    place.mutant_fired = MARK in ended.stderr
    return recording


def lay_out(root: Path, contents: dict[str, bytes]) -> None:
    """Put a disk's state in place of what a run left."""
    for name in STATE:
        shutil.rmtree(root / name, ignore_errors=True)
    for path, content in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
        (root / path).chmod(0o600)  # keys among them are for their owner alone


def cut_at(place: Place, recording: Recording, cut: int, rng: random.Random, tally: Tally, mutant: str = "") -> None:
    """Resume from one disk, on a machine that was started again, and count the verdict."""
    lay_out(place.root, image(recording, cut, rng))
    place.sink.settle()
    place.sink.clear()
    for _ in range(3):
        ended = place.ccm(
            *RUN,
            folder=place.root,
            boot=NEXT_BOOT,
            clock_offset_seconds=AFTER_THE_LEASE_SECONDS,
            mutant=mutant,
        )  # fmt: skip
        if ended.code in (0, 1):
            break
    else:
        tally.fail(f"line {cut}", f"the same command ended with {ended.code}: {ended.stderr[-300:]}")
    place.sink.settle()
    before = Counter(piece for piece, at in recording.sent.items() if at < cut)
    people = place.configuration.people
    tally.add(judged(place.root, before + place.sink.counts(), people, most_unknown=WINDOW), f"line {cut}")


def cuts(place: Place, images: int, number: int, tally: Tally, mutant: str = "") -> None:
    """Cut the power of one recorded run many times, mostly while it sends."""
    rng = random.Random(f"{SEED}/power/{number}")
    recording = record(place, mutant)
    tally.mutant_fired |= place.mutant_fired
    for one in range(images):
        early = one % 8 == 0
        cut = rng.randrange(1, recording.first) if early else rng.randrange(recording.first, recording.last + 1)
        cut_at(place, recording, cut, rng, tally, mutant)
        if mutant and not tally.good:
            return


def all_cuts(quick: bool = False) -> list[Tally]:
    """Rebuild and resume every image."""

    images = 16 if quick else CUT.kills

    def work(number: int, tally: Tally) -> None:
        with Place(CUT) as place:
            cuts(place, images // WORKERS, number, tally)

    return [side_by_side(CUT.name, work, images)]
