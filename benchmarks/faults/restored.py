"""Old copies and late starts: a restored ledger, or a schedule found hours late, sends nothing without a clear order."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator

from benchmarks.faults.kills import SEED, Configuration, Place, points_of
from benchmarks.faults.tracing import hit
from benchmarks.faults.verdict import Tally
from benchmarks.faults.workplace import CAMPAIGN

COPIES = Configuration("restored copy of the ledger", 4, 64, 12)
LATE = Configuration("schedule hours late", 4, 8, 4)
HOURS_LATE = ("2026-11-02T16:00Z", "2026-11-03T09:00Z", "2026-11-09T09:00Z", "2026-12-24T09:00Z")
SCHEDULED = """\
campaign: news
title: News
brand: plain
template: notice@1
purpose: transactional
schedule: {at: 2026-11-02T09:00, zone: UTC}
audience: {source: people}
channels: {together: [email]}
deliver: {email: mail}
"""


def restore(place: Place, *, whole_folder: bool) -> None:
    """Put the copy back: the ledger alone, or everything beside it too; the archive stays as it is."""
    state, copy = place.root / ".ccm", place.folder / "copy"
    for path in state.glob("ledger.db*"):
        path.unlink()
    if whole_folder:
        shutil.rmtree(state)
        shutil.copytree(copy, state)
    else:
        for path in copy.glob("ledger.db*"):
            shutil.copy2(path, state)


def copies(quick: bool) -> Tally:
    """Kill a run, copy its ledger, finish it, restore the copy, and give the command again."""
    tally = Tally(COPIES.name)
    started = time.monotonic()
    rng = random.Random(f"{SEED}/restored")
    with Place(COPIES) as place:
        points = [point for point in points_of(place, ("recvfrom",)) if point.number < 20]
        for number in range(3 if quick else COPIES.kills):
            place.reset()
            if not hit(place.ccm, place.task(), rng.choice(points)).killed:
                continue
            shutil.rmtree(place.folder / "copy", ignore_errors=True)
            shutil.copytree(place.root / ".ccm", place.folder / "copy")
            place.finish()
            place.sink.settle()
            before = place.sink.counts()
            restore(place, whole_folder=number % 2 == 1)
            refused = place.finish()
            place.sink.settle()
            sent = sum((place.sink.counts() - before).values())
            tally.count()
            tally.duplicated += sent
            if sent or refused.code in (0, 130):
                tally.fail(f"copy {number}", f"{sent} sent, exit code {refused.code}")
            if "--adopt" not in refused.stderr:
                tally.fail(f"copy {number}", f"the remedy is not told: {refused.stderr[-200:]}")
            adopted = place.ccm(*place.task().args, "--adopt", folder=place.root)
            if adopted.code not in (0, 1):
                tally.fail(f"copy {number}", f"--adopt ended with {adopted.code}: {adopted.stderr[-200:]}")
    tally.seconds = time.monotonic() - started
    return tally


def late_starts() -> Tally:
    """Begin a scheduled campaign hours after its time."""
    tally = Tally(LATE.name)
    started = time.monotonic()
    with Place(LATE, files={"campaigns/news.yaml": SCHEDULED}) as place:
        for moment in HOURS_LATE:
            place.reset()
            command = ("run", CAMPAIGN, "--as-of", moment, "--json")
            refused = place.ccm(*command, folder=place.root)
            place.sink.settle()
            tally.count()
            if place.sink.counts() or refused.code in (0, 130) or "--late" not in refused.stderr:
                tally.fail(moment, f"{len(place.sink.counts())} sent, exit code {refused.code} {refused.stderr[-200:]}")
            ordered = place.ccm(*command, "--late", folder=place.root)
            place.sink.settle()
            if len(place.sink.counts()) != LATE.people or ordered.code != 0:
                tally.fail(moment, f"--late ended with {ordered.code}: {ordered.stderr[-200:]}")
    tally.seconds = time.monotonic() - started
    return tally


def all_restored(quick: bool = False) -> Iterator[Tally]:
    """Old copies, then late starts."""
    yield copies(quick)
    yield late_starts()
