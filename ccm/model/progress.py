"""Runs under way: what an operator orders from another terminal, and how far an execution is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunOrder(StrEnum):
    """What an operator ordered a run to do; the process that executes it looks every half second."""

    NONE = ""  # go on
    PAUSE = "pause"  # hand over nothing more until told to go on
    CANCEL = "cancel"  # for good: whoever was not reached is left out


@dataclass(frozen=True)
class RunProgress:
    """How far an execution is.

    read: Recipients that the source gave so far.
    done: Of these, with an outcome.
    total: Recipients of the source; None where counting them would take as long as reading them.
    pieces: Handed to the sender by this execution.
    per_second: Outcomes a second over the last moments.
    at: When this was true, aware UTC.
    """

    read: int
    done: int
    total: int | None
    pieces: int
    per_second: float
    at: datetime

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at this rate; None where that cannot be known."""
        if self.total is None or self.per_second <= 0:
            return None
        return max(0, self.total - self.done) / self.per_second
