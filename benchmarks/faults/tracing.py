"""strace on a command: killed or failed at the n-th call of a system call, or every call written down."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.tools import environment, program
from benchmarks.faults.warm import Ended, Running, Task, WarmCcm

_LINE = re.compile(r"^(\d+)\s+(?:[\d.]+\s+)?(\w+)\(")


@dataclass(frozen=True)
class Point:
    """Where a command is hit: before the n-th call of a system call in any of its threads.

    error: Name of the error that this call and no other returns; empty to be killed instead.
    """

    call: str
    number: int
    error: str = ""

    @property
    def injection(self) -> str:
        """What strace is told."""
        what = f"error={self.error}" if self.error else "signal=KILL"
        return f"inject={self.call}:{what}:when={self.number}"

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
    running, tracer = traced(ccm, task, "-e", f"trace={point.call}", "-e", point.injection, "-o", "/dev/null")
    ended = running.wait()
    tracer.wait()
    return ended


def counted(ccm: WarmCcm, task: Task, calls: Iterable[str]) -> dict[str, int]:
    """Run a command untouched; return how often the busiest thread made each call: strace counts by thread."""
    with tempfile.NamedTemporaryFile("r", prefix="ccm-trace-") as file:
        running, tracer = traced(ccm, task, "-e", f"trace={','.join(calls)}", "-e", "signal=none", "-o", file.name)
        ended = running.wait()
        tracer.wait()
        assert ended.code in (0, 1), ended.stderr
        threads: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for line in file:
            if match := _LINE.match(line):
                threads[match[2]][match[1]] += 1
    return {call: max(counts.values()) for call, counts in threads.items()}


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
