"""A command that is killed or refused at the n-th call of a system call, or whose every call is written down by strace."""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.asking import KILLED, Decide, Listening, error_number
from benchmarks.faults.tools import environment, program
from benchmarks.faults.warm import Ended, Running, Task, WarmCcm


@dataclass(frozen=True)
class Point:
    """Where a command is hit: before the n-th call of a system call in any of its threads.

    error: Name of the error that this call and no other returns; empty to be killed instead.
    """

    call: str
    number: int
    error: str = ""

    def __str__(self) -> str:
        return f"{self.call}#{self.number}" + (f" {self.error}" if self.error else "")


class Tracer:
    """One strace that has taken hold of one process."""

    def __init__(self, pid: int, *options: str) -> None:
        command = [program("strace"), "-f", "-p", str(pid), *options]
        self._process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert self._process.stderr
        line = self._process.stderr.readline()
        if b"attached" not in line:
            self._process.kill()
            raise RuntimeError(f"strace cannot trace: {line.decode(errors='replace').strip()}")

    def wait(self) -> None:
        """Wait until the traced process has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=30)
        self._process.kill()
        self._process.wait()


def hit(ccm: WarmCcm, task: Task, point: Point) -> Ended:
    """Run a command and hit it at a point; it ends untouched where it does not come so far."""
    seen: Counter[int] = Counter()

    def decide(thread: int, call: str) -> int | None:
        seen[thread] += 1
        if seen[thread] != point.number:
            return None
        return error_number(point.error) if point.error else KILLED

    return asked(ccm, task, (point.call,), decide)


def counted(ccm: WarmCcm, task: Task, calls: Iterable[str]) -> dict[str, int]:
    """Run a command untouched; return how often the busiest thread made each call."""
    threads: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def decide(thread: int, call: str) -> None:
        threads[call][thread] += 1

    ended = asked(ccm, task, calls, decide)
    assert ended.code in (0, 1), ended.stderr
    return {call: max(counts.values()) for call, counts in threads.items()}


def asked(ccm: WarmCcm, task: Task, calls: Iterable[str], decide: Decide) -> Ended:
    """Run a command that asks before its calls."""
    with Listening() as listening:
        running = ccm.begin(replace(task, asks_before=tuple(calls), asks_at=listening.address))
        listening.answer(running.pid, decide)
    return running.wait()


def recorded(ccm: WarmCcm, task: Task, calls: Iterable[str], path: Path) -> Ended:
    """Run a command and write down every call with all its bytes and the paths behind its descriptors."""
    options = ("-e", f"trace={','.join(calls)}", "-e", "signal=none", "-s", "10000000", "-xx", "-y", "-o", str(path))
    running, tracer = traced(ccm, task, *options)
    ended = running.wait()
    tracer.wait()
    return ended


def traced(ccm: WarmCcm, task: Task, *options: str) -> tuple[Running, Tracer]:
    """Begin a command under strace."""
    running = ccm.begin(replace(task, held=True))
    tracer = Tracer(running.pid, *options)
    running.go_on()
    return running, tracer
