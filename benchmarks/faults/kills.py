"""kill -9 at system calls of a run that sends through SMTP, then the same command again until the run is closed."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.faults.mutants import MARK
from benchmarks.faults.sink import Sink
from benchmarks.faults.tracing import Point, counted, hit
from benchmarks.faults.verdict import Tally, Verdict, judged
from benchmarks.faults.warm import Ended, Task, WarmCcm
from benchmarks.faults.workplace import RUN, Shape, empty_ledger, mail_provider, make, reset

# Where something becomes known to the network, to the disk or to the file system.
CALLS = (
    "sendto", "recvfrom", "connect", "close", "pwrite64", "fdatasync", "fsync", "openat", "write", "ftruncate",
    "linkat", "link", "renameat", "rename", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "futex",
)  # fmt: skip
TELLING = frozenset({"sendto", "recvfrom", "pwrite64", "fdatasync", "fsync"})  # killed at more than the others
SEED = 20261122
WORKERS = 2  # workplaces at once: a fault waits as much as it works
RESUMES = 3  # executions after the kill; one must be enough to close the run


@dataclass(frozen=True)
class Configuration:
    """One way to send.

    in_flight: Hand-overs at once, by the provider's settings.
    """

    name: str
    in_flight: int
    people: int
    kills: int
    sms: bool = False


CONFIGURATIONS = (
    Configuration("smtp, 1 in flight", 1, 16, 300),
    Configuration("smtp, 4 in flight", 4, 32, 350),
    Configuration("smtp, 16 in flight", 16, 64, 350),
    Configuration("smtp and outbox together, 4 in flight", 4, 12, 100, sms=True),
)


class Place:
    """A workspace, a server and a warm process; use as a context. One fault at a time."""

    def __init__(self, configuration: Configuration, *options: str) -> None:
        self.configuration = configuration
        self.folder = Path(tempfile.mkdtemp(prefix="ccm-kill-"))
        self.root = self.folder / "workspace"
        self.mutant_fired = False
        self._stack = ExitStack()
        self.sink = Sink(*options)

    def __enter__(self) -> Place:
        self._stack.enter_context(self.sink)
        shape = Shape(
            people=self.configuration.people,
            sms="outbox" if self.configuration.sms else "",
            settings={
                "mail": mail_provider(self.sink.port, self.configuration.in_flight),
                "outbox": {"adapter": "outbox", "folder": "outbox"},
            },
        )
        make(self.root, shape)
        self.fresh = empty_ledger(self.folder / "fresh.db")
        self.ccm = self._stack.enter_context(WarmCcm(self.root))
        self.reset()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self) -> None:
        """Begin anew: nothing sent, nothing known."""
        reset(self.root, self.fresh)
        self.sink.settle()
        self.sink.clear()

    def task(self, mutant: str = "") -> Task:
        """Return the command."""
        return Task(RUN, str(self.root), mutant=mutant)

    def finish(self, mutant: str = "") -> Ended:
        """Give the same command until the run needs no more."""
        for _ in range(RESUMES):
            ended = self.ccm(*RUN, folder=self.root, mutant=mutant)
            if ended.code in (0, 1):
                break
        return ended

    def verdict(self) -> Verdict:
        """Compare the server's store with the ledger."""
        self.sink.settle()
        return judged(
            self.root, self.sink.counts(), self.configuration.people, most_unknown=self.configuration.in_flight
        )


def points_of(place: Place, calls: Sequence[str] = CALLS) -> list[Point]:
    """Run once untouched and return every point at which a run of this kind can be hit."""
    place.reset()
    found = counted(place.ccm, place.task(), calls)
    return [Point(call, number) for call in sorted(found) for number in range(1, found[call] + 1)]


def drawn(points: Sequence[Point], count: int, rng: random.Random) -> list[Point]:
    """Draw points: three of four where something is sent or kept, each as often as the others until there are enough."""
    telling = [point for point in points if point.call in TELLING]
    others = [point for point in points if point.call not in TELLING]
    many = count if not others else count * 3 // 4
    chosen: list[Point] = []
    for pool, wanted in ((telling, many), (others, count - many)):
        while wanted > 0 and pool:
            part = rng.sample(pool, min(wanted, len(pool)))
            chosen += part
            wanted -= len(part)
    rng.shuffle(chosen)
    return chosen


def kill_at(place: Place, point: Point, tally: Tally, mutant: str = "") -> None:
    """Kill one run, finish it, and count the verdict; a point that was not reached counts for nothing."""
    place.reset()
    ended = hit(place.ccm, place.task(mutant), point)
    if not ended.killed:
        if ended.code not in (0, 1):
            tally.fail(point, f"ended with {ended.code}: {ended.stderr[-300:]}")
        return
    again = place.finish(mutant)
    tally.mutant_fired |= MARK in ended.stderr + again.stderr
    if again.code not in (0, 1):
        tally.fail(point, f"the same command ended with {again.code}: {again.stderr[-300:]}")
    tally.add(place.verdict(), point)


def run_configuration(configuration: Configuration, kills: int) -> Tally:
    """Kill a configuration's run so many times, in workplaces side by side."""

    def work(number: int, tally: Tally) -> None:
        part(configuration, kills // WORKERS + (number < kills % WORKERS), number, tally)

    return side_by_side(configuration.name, work)


def side_by_side(name: str, work: Callable[[int, Tally], None]) -> Tally:
    """Do the parts of one configuration at once, and add up."""
    total = Tally(name)
    started = time.monotonic()
    parts = [Tally(name) for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS), parts))
    for one in parts:
        total.join(one)
    total.seconds = time.monotonic() - started
    return total


def part(configuration: Configuration, kills: int, number: int, tally: Tally) -> None:
    """Kill in one workplace until so many runs really died."""
    rng = random.Random(f"{SEED}/{configuration.name}/{number}")
    with Place(configuration) as place:
        points = points_of(place)
        tries = 0
        while tally.kills < kills:
            for point in drawn(points, kills - tally.kills, rng):
                kill_at(place, point, tally)
            tries += 1
            assert tries < 20, "most points are never reached"


def all_configurations(quick: bool) -> Iterator[Tally]:
    """Run every configuration; quick is a sample of a few dozen kills."""
    for one in CONFIGURATIONS:
        yield run_configuration(one, max(8, one.kills // 30) if quick else one.kills)
