"""How long and with how much memory one customer's message may be composed.

Why: A table of twenty thousand rows, or a loop that nests, must cost its own message and not the run.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType

_MEGABYTE = 1_000_000
_AGAIN_SECONDS = 1.0  # a second call, should somebody have swallowed the first


class OverTime(BaseException):
    """Composing took too long. No Exception: layout engines catch those and go on."""


class Exceeded(StrEnum):
    """What composing a communication did that it may not; in words."""

    TIME = "took longer"
    MEMORY = "needed more memory"


@dataclass(frozen=True)
class ComposeLimits:
    """What composing and checking one communication may take; 0 for no limit.

    seconds: Of computing, whatever else the machine does. memory_mb: Beyond what a composing process has at rest.
    """

    seconds: int = 60
    memory_mb: int = 2000

    @property
    def hard_seconds(self) -> float | None:
        """Time on the wall after which a process that computes nothing, or cannot be interrupted, is killed."""
        return self.seconds * 4 + 30 if self.seconds else None

    def told(self) -> str:
        """Return both limits in words."""
        return f"{self.seconds} seconds of computing and {self.memory_mb} MB"


@contextmanager
def bounded_time(limits: ComposeLimits) -> Iterator[None]:
    """Interrupt what takes longer than the limit; only the main thread can be interrupted.

    Raises:
        OverTime: If the limit is reached.
    """
    if not limits.seconds or threading.current_thread() is not threading.main_thread() or os.name != "posix":
        yield
        return
    armed = True

    def ring(signum: int, frame: FrameType | None) -> None:
        if armed:
            raise OverTime

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, limits.seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def bound_memory(limits: ComposeLimits) -> None:
    """Let this process have no more than the limit beyond what it has now; what asks for more gets a MemoryError."""
    import resource

    statm = Path("/proc/self/statm")
    if not limits.memory_mb or not statm.exists():
        return
    now = int(statm.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = now + limits.memory_mb * _MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
