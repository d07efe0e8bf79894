"""kill -9 at system calls of a run that sends through SMTP, then the same command again until the run is closed."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from benchmarks.faults.mutants import MARK
from benchmarks.faults.progress import PROGRESS
from benchmarks.faults.servers import Postgres, Ses
from benchmarks.faults.sink import Sink
from benchmarks.faults.tracing import Point, counted, hit
from benchmarks.faults.verdict import Tally, Verdict, judged
from benchmarks.faults.warm import Ended, Task, WarmCcm, shared
from benchmarks.faults.workplace import RUN, SQLITE, Shape, empty_ledger, make, reset

# Where something becomes known to the network, to the disk or to the file system.
CALLS = (
    "sendto", "recvfrom", "connect", "close", "pwrite64", "fdatasync", "fsync", "openat", "write", "ftruncate",
    "linkat", "link", "renameat", "rename", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "futex",
)  # fmt: skip
TELLING = frozenset({"sendto", "recvfrom", "pwrite64", "fdatasync", "fsync"})  # killed at more than the others
SEED = 20261122
WORKERS = 4  # workplaces at once: a fault also waits, for servers and for processes to begin and end
RESUMES = 3  # executions after the kill; one must be enough to close the run
IN_DOUBT = "SELECT count(*) FROM pieces WHERE provider = 'mail' AND state = 'sending'"
CHAIN = 4  # kills of one run before it may finish: what takes over from the dead is killed as well


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
    Configuration("smtp, 1 in flight", 1, 10, 340),
    Configuration("smtp, 4 in flight", 4, 20, 340),
    Configuration("smtp, 16 in flight", 16, 40, 340),
    Configuration("smtp and outbox together, 4 in flight", 4, 12, 60, sms=True),
    Configuration("smtp, PostgreSQL, 4 in flight", 4, 20, 100, postgres=True),
    Configuration("Amazon SES, 4 in flight", 4, 12, 40, ses=True),
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
        alone = self.sink.environment
        self.ccm = self._stack.enter_context(WarmCcm(self.root, alone)) if alone else shared()
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

    def in_doubt(self) -> int:
        """Count the mails that a dead run was handing over, by a copy of its ledger: the next run must find it as it is."""
        if self._postgres:
            return int(self._postgres.value(IN_DOUBT))
        looked = self.folder / "looked"
        shutil.rmtree(looked, ignore_errors=True)
        looked.mkdir()
        for path in (self.root / ".ccm").glob("ledger.db*"):
            if not path.name.endswith("-shm"):
                shutil.copyfile(path, looked / path.name)
        with sqlite3.connect(looked / "ledger.db") as connection:
            found = connection.execute(IN_DOUBT).fetchone()[0]
        connection.close()
        return int(found)

    def verdict(self, kills: int = 1) -> Verdict:
        """Compare the server's store with the ledger, after so many kills."""
        self.sink.settle()
        return judged(
            self.root,
            self.sink.counts(),
            self.configuration.people,
            most_unknown=self.configuration.in_flight * kills,
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


def kill_in_a_row(place: Place, points: Sequence[Point], tally: Tally) -> None:
    """Kill one run at point after point, each time the same command, until it finishes; then count the verdict.

    A command that does not come as far as its point finishes the run.
    """
    place.reset()
    killed: list[Point] = []
    for point in points:
        ended = hit(place.ccm, place.task(), point)
        if not ended.killed:
            break
        killed.append(point)
        found = place.in_doubt()
        tally.most_unknown = max(tally.most_unknown, found)
        if found > place.configuration.in_flight:
            tally.fail(point, f"{found} in doubt after one kill")
        tally.count()
    else:
        ended = place.finish()
    told = ", then ".join(map(str, killed))
    if ended.code not in (0, 1):
        tally.fail(told, f"the same command ended with {ended.code}: {ended.stderr[-300:]}")
    if killed:
        tally.judge(place.verdict(len(killed)), told)


def run_configuration(configuration: Configuration, kills: int) -> Tally:
    """Kill a configuration's run so many times, in workplaces side by side."""

    def work(number: int, tally: Tally) -> None:
        part(configuration, kills // WORKERS + (number < kills % WORKERS), number, tally)

    return side_by_side(configuration.name, work, kills)


def side_by_side(name: str, work: Callable[[int, Tally], None], expected: int) -> Tally:
    """Do the parts of one configuration at once, and add up.

    Args:
        expected: Faults in all, for those who wait.
    """
    total = Tally(name)
    started = time.monotonic()
    parts = [Tally(name) for _ in range(WORKERS)]
    PROGRESS.begin(name, expected)
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            list(pool.map(work, range(WORKERS), parts))
        except KeyboardInterrupt:
            PROGRESS.stop()
            raise
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
            kill_in_a_row(place, in_a_row(points, min(CHAIN, kills - tally.kills), rng), tally)
            tries += 1
            assert tries < 20 + 2 * kills, "most points are never reached"


def in_a_row(points: Sequence[Point], count: int, rng: random.Random) -> list[Point]:
    """Draw points for one run. Those after the first lie earlier: what takes over has less to do."""
    first, *others = drawn(points, count, rng)
    return [first, *(replace(one, number=rng.randint(1, one.number)) for one in others)]


def all_configurations(quick: bool) -> Iterator[Tally]:
    """Run every configuration; quick is a sample of a few dozen kills."""
    for one in CONFIGURATIONS:
        yield run_configuration(one, max(8, one.kills // 30) if quick else one.kills)
