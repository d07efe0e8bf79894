"""Thousands of seeds on all processors."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.faults.progress import PROGRESS
from benchmarks.faults.simulation.history import History, play
from benchmarks.faults.verdict import Tally

SEEDS = 10_000
QUICK_SEEDS = 1_000
REPLAYS = 10
_CHUNK = 100


def quiet_logs() -> None:
    """Let the engine's log say nothing."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def seeds(count: int) -> list[str]:
    """Return the seeds of a run, always the same."""
    return [f"seed-{number}" for number in range(count)]


def played(names: Sequence[str]) -> list[History]:
    """Play some seeds in this process."""
    quiet_logs()
    return [play(name) for name in names]


def all_seeds(quick: bool = False) -> list[Tally]:
    """Play many histories; a broken one is played again to see that it is the same each time."""
    names = seeds(QUICK_SEEDS if quick else SEEDS)
    tally = Tally(f"simulator, {len(names):,} seeds")
    started = time.monotonic()
    quiet_logs()
    PROGRESS.begin(tally.name, len(names))
    chunks = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        histories = []
        for part in pool.map(played, chunks):
            histories += part
            for _ in part:
                PROGRESS.one()
    for one in histories:
        tally.kills += one.kills
        tally.unknown += one.unknown
        if one.broken:
            tally.duplicated += one.broken.startswith("G2")
            tally.lost += one.broken.startswith("G1")
            tally.fail(one.seed, one.broken)
    for one in [one for one in histories if one.broken][:1] or histories[:1]:
        again = {play(one.seed).digest for _ in range(REPLAYS)}
        if again != {one.digest}:
            tally.fail(one.seed, "the same seed gives another history")
    tally.seconds = time.monotonic() - started
    return [tally]
