"""kill -9 at system calls of a run that sends through SMTP, then the same command again until the run is closed."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.faults.mutants import MARK
from benchmarks.faults.servers import Postgres, Ses
from benchmarks.faults.sink import Sink
from benchmarks.faults.tracing import Point, counted, hit
from benchmarks.faults.verdict import Tally, Verdict, judged
from benchmarks.faults.warm import Ended, Task, WarmCcm
from benchmarks.faults.workplace import RUN, SQLITE, Shape, empty_ledger, make, reset

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
    sms: Whether a text message goes with each mail, into the outbox.
    ses: Whether mail goes through Amazon SES and not through SMTP.
    postgres: Whether the ledger is in PostgreSQL and not in SQLite.
    """

    name: str
    in_flight: int
    people: int
    kills: int
    sms: bool = False
    ses: bool = False
    postgres: bool = False


CONFIGURATIONS = (
    Configuration("smtp, 1 in flight", 1, 16, 300),
    Configuration("smtp, 4 in flight", 4, 32, 350),
    Configuration("smtp, 16 in flight", 16, 64, 350),
    Configuration("smtp and outbox together, 4 in flight", 4, 12, 100, sms=True),
    Configuration("smtp, PostgreSQL, 4 in flight", 4, 32, 100, postgres=True),
    Configuration("Amazon SES, 4 in flight", 4, 16, 100, ses=True),
)


class Place:
    """A workspace, a server and a warm process; use as a context. One fault at a time."""

    def __init__(self, configuration: Configuration, *, files: Mapping[str, str] | None = None) -> None:
        self.configuration = configuration
        self.folder = Path(tempfile.mkdtemp(prefix="ccm-kill-"))
        self.root = self.folder / "workspace"
        self.mutant_fired = False
        self.sink: Sink | Ses = Ses() if configuration.ses else Sink()
        self._files = files or {}
        self._postgres = Postgres() if configuration.postgres else None
        self._stack = ExitStack()

    def __enter__(self) -> Place:
        configuration = self.configuration
        self._stack.enter_context(self.sink)
        if self._postgres:
            self._stack.enter_context(self._postgres)
            self._postgres.make_tables(self.folder)
        shape = Shape(
            people=configuration.people,
            sms="outbox" if configuration.sms else "",
            settings={
                "mail": self.sink.provider(configuration.in_flight),
                "outbox": {"adapter": "outbox", "folder": "outbox"},
            },
            ledger=self.ledger,
            files=self._files,
        )
        make(self.root, shape)
        self.fresh = empty_ledger(self.folder / "fresh.db")
        self.ccm = self._stack.enter_context(WarmCcm(self.root, self.sink.environment))
        self.reset()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def ledger(self) -> str:
        """Address of the ledger."""
        return self._postgres.url if self._postgres else SQLITE

    def reset(self) -> None:
        """Begin anew: nothing sent, nothing known."""
        if self._postgres:
            self._postgres.empty()
        reset(self.root, None if self._postgres else self.fresh)
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
            self.root,
            self.sink.counts(),
            self.configuration.people,
            most_unknown=self.configuration.in_flight,
            ledger=self.ledger,
        )


def points_of(place: Place, calls: Sequence[str] = CALLS) -> list[Point]:
    """Run once untouched and return every point at which a run of this kind can be hit."""
    place.reset()
    found = counted(place.ccm, place.task(), calls)
    return [Point(call, number) for call in sorted(found) for number in range(1, found[call] + 1)]


def drawn(points: Sequence[Point], count: int, rng: random.Random) -> list[Point]:
    """Draw points: of four, two anywhere that something is sent or kept, one at a call of that kind, one elsewhere.

    Why: A thread makes two hundred writes for every twenty answers that it reads; both kinds must be hit.
    """
    telling = [point for point in points if point.call in TELLING]
    calls = sorted({point.call for point in telling})
    others = [point for point in points if point.call not in TELLING] or telling
    chosen = []
    for number in range(count):
        if number % 4 < 2:
            chosen.append(rng.choice(telling))
        elif number % 4 == 2:
            call = rng.choice(calls)
            chosen.append(rng.choice([point for point in telling if point.call == call]))
        else:
            chosen.append(rng.choice(others))
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
