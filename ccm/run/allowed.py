"""May this piece still leave? The small question that a sender asks right before every hand-over.

Planning decided once, when the recipient was read. A run takes hours, and meanwhile people opt out and night falls.
So the sender asks again before a communication's first mark, and before every mark of a hand-over: what was allowed
at noon may not be at nine in the evening. Anything that can answer is a `StillAllowed`; several are asked in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ccm.model.definitions import Schedule
from ccm.model.records import Communication, Envelope, ExclusionReason, OutcomeKind
from ccm.plan.timing import wait_for


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a piece may not leave now.

    outcome: SUPPRESSED for good (opted out), HELD when the next execution may try again (night).
    until: When it may be tried again, if that is known.
    """

    reason: ExclusionReason
    outcome: OutcomeKind
    until: datetime | None = None


class StillAllowed(Protocol):
    """Something that may forbid a hand-over that was planned."""

    def refusal(self, communication: Communication, envelope: Envelope, now: datetime) -> Refusal | None:
        """Return why this piece may not be handed over at this moment, or None.

        Called from several threads at once and twice for every piece, thousands of times a second: answer from
        memory, and look into a store only when its revision changed. An error stops the run: silence is no consent.

        Args:
            communication: With recipient, purpose and zone.
            envelope: The piece; address, channel and sender as they would be used.
            now: Aware UTC, of this moment and not of the run's start.
        """


class AllOf:
    """Asks one after the other; the first refusal counts."""

    def __init__(self, parts: Sequence[StillAllowed]) -> None:
        self._parts = tuple(parts)

    def refusal(self, communication: Communication, envelope: Envelope, now: datetime) -> Refusal | None:
        """Return the first refusal, or None when nobody objects."""
        for part in self._parts:
            if refused := part.refusal(communication, envelope, now):
                return refused
        return None


class Awake:
    """Nothing leaves in the quiet hours of where its reader lives, also when they began after the run did."""

    def __init__(self, schedule: Schedule | None) -> None:
        self._schedule = schedule if schedule is not None and schedule.quiet is not None else None

    def refusal(self, communication: Communication, envelope: Envelope, now: datetime) -> Refusal | None:
        """Return that it is night there, and until when. Posts and archived documents wake nobody."""
        if self._schedule is None or communication.is_broadcast:
            return None
        country = communication.country or None
        wait = wait_for(self._schedule, communication.purpose, communication.zone, country, now)
        if wait is None or wait.reason is not ExclusionReason.QUIET_HOURS:
            return None
        return Refusal(wait.reason, OutcomeKind.HELD, wait.until)
