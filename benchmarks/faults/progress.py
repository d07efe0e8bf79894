"""How far the suite is: part, count, rate and time left, on stderr; and an end in good order after Ctrl-C."""

from __future__ import annotations

import sys
import threading
import time

EVERY_SECONDS = 5.0


class Interrupted(Exception):
    """Somebody pressed Ctrl-C; raised in every thread that breaks runs, at its next fault."""


class Progress:
    """Counts the faults of one configuration at a time, from any thread."""

    def __init__(self) -> None:
        self.part = ""  # as "3/11 kills"
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._name, self._expected, self._done = "", 0, 0
        self._started = self._told = time.monotonic()

    def begin(self, name: str, expected: int) -> None:
        """Begin a configuration of so many faults."""
        with self._lock:
            self._name, self._expected, self._done = name, expected, 0
            self._started = self._told = time.monotonic()
        self._check()

    def one(self) -> None:
        """Count a fault.

        Raises:
            Interrupted: If everything is to end.
        """
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if self._name and now - self._told >= EVERY_SECONDS:
                self._told = now
                print(self.line(now - self._started), file=sys.stderr, flush=True)
        self._check()

    def line(self, seconds: float) -> str:
        """Return what is told after so many seconds."""
        rate = self._done / max(seconds, 0.001)
        left = max(0, self._expected - self._done) / rate if rate else 0.0
        return (
            f"  {self.part} · {self._name}: {self._done:,} of {self._expected:,}, {rate:.1f} a second, "
            f"{int(left) // 60}:{int(left) % 60:02} left"
        )

    def stop(self) -> None:
        """Let every thread end at its next fault."""
        self._stopped.set()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Interrupted


PROGRESS = Progress()
