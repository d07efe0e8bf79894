"""Many processes give the same command at once, stand still past their lease, and have clocks that are days off."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.faults.mutants import MARK
from benchmarks.faults.sink import Sink
from benchmarks.faults.verdict import Tally, judged
from benchmarks.faults.warm import Running, Task, WarmCcm, shared
from benchmarks.faults.workplace import RUN, Shape, empty_ledger, mail_provider, make, reset

LEASE_SECONDS = 1.2
CONNECTIONS = 4
OFFSETS = (0.0, 0.0, 0.0, -86_400.0, -2.0, 2.0, 3_600.0, 86_400.0)  # seconds by which a clock is wrong
REST_SECONDS = (2.0, 8.0)  # of one that found the run taken: eight who ask all the time leave nothing for the work
MOST_SECONDS = 400.0
SEED = 20261122
OWNED_ELSEWHERE = 4  # exit code: busy, or lost on the way


class Fleet:
    """Processes on one workspace."""

    def __init__(self, root: Path, ccm: WarmCcm, mutant: str) -> None:
        self.root = root
        self.ccm = ccm
        self.mutant = mutant
        self.stops = 0
        self.unexpected: list[str] = []
        self.mutant_fired = False
        self.over = threading.Event()
        self._running: dict[int, Running] = {}
        self._lock = threading.Lock()

    def member(self, number: int) -> None:
        """Give the command again and again until the run is closed."""
        rng = random.Random(f"{SEED}/{number}")
        until = time.monotonic() + MOST_SECONDS
        while not self.over.is_set() and time.monotonic() < until:
            task = Task(
                RUN, str(self.root), clock_offset_seconds=rng.choice(OFFSETS), lease_seconds=LEASE_SECONDS,
                mutant=self.mutant,
            )  # fmt: skip
            running = self.ccm.begin(task)
            with self._lock:
                self._running[running.pid] = running
            ended = running.wait()
            with self._lock:
                del self._running[running.pid]
            self.mutant_fired |= MARK in ended.stderr
            if ended.code in (0, 1):
                self.over.set()
            elif ended.code != OWNED_ELSEWHERE:
                self.unexpected.append(f"exit code {ended.code}: {ended.stderr[-300:]}")
            self.over.wait(rng.uniform(*REST_SECONDS))

    def chaos(self) -> None:
        """Freeze whoever holds the run, longer than the lease, then let it go on."""
        rng = random.Random(f"{SEED}/chaos")
        thawing: list[tuple[float, Running]] = []
        rest_until = 0.0
        while not self.over.is_set() or thawing:
            time.sleep(0.05)
            for at, frozen in [one for one in thawing if one[0] < time.monotonic() or self.over.is_set()]:
                thawing.remove((at, frozen))
                with suppress(ProcessLookupError):
                    frozen.go_on()
            if thawing or self.over.is_set() or time.monotonic() < rest_until:
                continue
            holder = self.holder()
            if holder is not None:
                with suppress(ProcessLookupError):
                    holder.stop()
                    self.stops += 1
                    asleep = LEASE_SECONDS * rng.uniform(0.7, 2.5)
                    thawing.append((time.monotonic() + asleep, holder))
                    rest_until = time.monotonic() + asleep + rng.uniform(1.0, 3.0)

    def holder(self) -> Running | None:
        """Return the process that holds the run."""
        with suppress(sqlite3.Error), sqlite3.connect(self.root / ".ccm" / "ledger.db", timeout=1) as connection:
            row = connection.execute("SELECT owner FROM runs").fetchone()
            if row and row[0]:
                with self._lock:
                    return self._running.get(int(row[0].split(":")[1]))
        return None


def executions(root: Path) -> int:
    """Return how often the run was taken up."""
    with sqlite3.connect(root / ".ccm" / "ledger.db") as connection:
        return int(connection.execute("SELECT fence FROM runs").fetchone()[0])


def run_fleet(members: int, people: int, mutant: str = "") -> Tally:
    """Let a fleet work until the run is closed."""
    tally = Tally(f"{members} processes, {people:,} pieces, SIGSTOP, clocks")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ccm-fleet-"))
    try:
        with Sink() as sink:
            settings = {"mail": mail_provider(sink.port, CONNECTIONS)}
            root = make(folder / "workspace", Shape(people=people, settings=settings))
            reset(root, empty_ledger(folder / "fresh.db"))
            ccm = shared()
            fleet = Fleet(root, ccm, mutant)
            threads = [threading.Thread(target=fleet.member, args=(number,)) for number in range(members)]
            threads.append(threading.Thread(target=fleet.chaos))
            for thread in threads:
                thread.start()
            try:
                for thread in threads[:-1]:
                    thread.join()
            finally:
                fleet.over.set()
            threads[-1].join()
            ccm(*RUN, folder=root, lease_seconds=LEASE_SECONDS, mutant=mutant)
            sink.settle()
            verdict = judged(root, sink.counts(), people, most_unknown=CONNECTIONS * executions(root))
            tally.add(verdict, "the fleet")
            tally.kills = fleet.stops
            tally.mutant_fired = fleet.mutant_fired
            for line in fleet.unexpected:
                tally.fail("a member", line)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - started
    return tally


def all_fleets(quick: bool = False) -> list[Tally]:
    """Run the whole fleet, or a small one."""
    return [run_fleet(4, 600) if quick else run_fleet(8, 10_000)]


__all__ = ["Fleet", "all_fleets", "run_fleet"]
