"""What waits to be sent, what may be sent, and what is to be written down next. No thread, no clock, no store.

A driver calls it under one lock: the `Sender` with threads, a simulator with one seeded loop.

Why groups: a mark must be in the ledger before its bytes leave, and one transaction for every step of every piece costs
more than the sending. So everything that came together while the last transaction was written goes into the next.

Why a window: an intent that is on the disk and has no answer on the disk is in doubt after a power cut. At most
`window` pieces are, because new intents are written only as older ones end, and the commit that makes the new ones
durable makes every answer before it durable too.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccm.model.definitions import Channel
from ccm.model.records import Communication, Envelope, Outcome, PieceState, StateChange

WINDOW = 32  # pieces that a power cut may leave in doubt
LOW_WATER = 8  # communications that may be sent; below it new intents are written


@dataclass(frozen=True)
class SendJob:
    """One communication whose required pieces all composed, passed and are allowed.

    envelopes: Pieces still to be handed over, in sending order.
    states: Where every piece stands, also those sent by an earlier execution or held. An envelope that is UNKNOWN may
        have arrived: its provider drops a second hand-over.
    required: Channels that decide the outcome.
    providers: Provider's name by piece id, of the envelopes.
    """

    communication: Communication
    envelopes: tuple[Envelope, ...]
    states: Mapping[Channel, PieceState]
    required: frozenset[Channel]
    providers: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """What one transaction writes. No piece is in it twice.

    answers: What became of pieces that were handed over, or were not.
    marks: Pieces about to be handed over.
    intents: Communications that may be sent once it is written; they make it durable.
    waiting: Who waits for the marks, in the driver's own terms.
    """

    answers: tuple[StateChange, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    marks: tuple[StateChange, ...] = ()
    intents: tuple[SendJob, ...] = ()
    waiting: tuple[Any, ...] = ()

    @property
    def durable(self) -> bool:
        """Whether the disk must have it before anything else happens."""
        return bool(self.intents)

    @property
    def intended(self) -> tuple[str, ...]:
        """Pieces that get an intent. One in doubt has had its own, and stays in doubt until it is marked."""
        return tuple(
            envelope.key
            for job in self.intents
            for envelope in job.envelopes
            if job.states.get(envelope.channel) is not PieceState.UNKNOWN
        )

    def changes(self, now: datetime) -> tuple[StateChange, ...]:
        """Return every step of every piece, for `Ledger.record`; marks and intents happen as they are written."""
        marks = (StateChange(one.piece_id, one.state, now) for one in self.marks)
        return (*self.answers, *marks, *(StateChange(key, PieceState.INTENT, now) for key in self.intended))

    def without_marks(self) -> Group:
        """Return the answers alone: after a failed write nothing that was marked went out."""
        return Group(self.answers, self.outcomes)


class Desk:
    """Keeps the queues of one sender."""

    def __init__(self, places: Mapping[str, int], *, window: int = WINDOW, low_water: int = LOW_WATER) -> None:
        """Begin empty.

        Args:
            places: Largest number of hand-overs at once, by provider.
            window: Pieces with an intent and no answer on the disk.
        """
        self._free = Counter(places)
        self._window = window
        self._low_water = low_water
        self._backlog: deque[SendJob] = deque()
        self._ready: deque[SendJob] = deque()
        self._answers: list[StateChange] = []
        self._outcomes: list[Outcome] = []
        self._marks: list[StateChange] = []
        self._waiting: list[Any] = []
        self._doubt = 0  # pieces with an intent and no answer, as the next durable commit will leave them
        self.writing = False  # a group is on its way to the ledger

    # ── jobs ─────────────────────────────────────────────────────────────

    @property
    def backlog(self) -> int:
        """Communications without an intent."""
        return len(self._backlog)

    @property
    def quiet(self) -> bool:
        """Whether nothing waits: no job, nothing to write, nothing being written."""
        return not (self._backlog or self._ready or self.unwritten)

    @property
    def unwritten(self) -> bool:
        """Whether something is to be written or being written."""
        return self.to_write or self.writing

    @property
    def to_write(self) -> bool:
        """Whether marks or answers wait for the next group."""
        return bool(self._answers or self._outcomes or self._marks)

    def add(self, jobs: Sequence[SendJob]) -> None:
        """Put communications at the end of the queue."""
        self._backlog.extend(jobs)

    def take(self) -> SendJob | None:
        """Return the next communication whose intents are on the disk."""
        return self._ready.popleft() if self._ready else None

    def drop_waiting(self) -> tuple[SendJob, ...]:
        """Give back every communication that nobody has begun; those with intents first."""
        dropped = (*self._ready, *self._backlog)
        self._ready.clear()
        self._backlog.clear()
        return dropped

    # ── places at a provider ─────────────────────────────────────────────

    def enter(self, provider: str) -> bool:
        """Take a place; False when all are taken."""
        if self._free[provider] < 1:
            return False
        self._free[provider] -= 1
        return True

    def leave(self, provider: str) -> None:
        """Give a place back."""
        self._free[provider] += 1

    # ── writing ──────────────────────────────────────────────────────────

    def mark(self, change: StateChange, waiting: object) -> None:
        """Have a mark written; who waits for it finds themselves in the group."""
        self._marks.append(change)
        self._waiting.append(waiting)

    def note(self, changes: Sequence[StateChange], outcome: Outcome | None = None) -> None:
        """Have answers written with the next group; nobody waits for them.

        Why that is safe: whoever notes an answer marks its next hand-over after it, and groups keep the order. So a
        kill finds at most one mark without an answer for each hand-over under way.
        """
        self._answers.extend(changes)
        self._doubt -= len(changes)
        if outcome is not None:
            self._outcomes.append(outcome)

    def group(self, *, intents: bool = True) -> Group | None:
        """Take everything there is to write; with new intents if few communications are left to send.

        Args:
            intents: False when no more shall be sent.
        """
        admitted = self._admitted() if intents else ()
        if not (self._answers or self._outcomes or self._marks or admitted):
            return None
        group = Group(tuple(self._answers), tuple(self._outcomes), tuple(self._marks), admitted, tuple(self._waiting))
        self._answers, self._outcomes, self._marks, self._waiting = [], [], [], []
        self.writing = True
        return group

    def written(self, group: Group) -> None:
        """Let the group's communications be sent."""
        self._ready.extend(group.intents)
        self.writing = False

    def _admitted(self) -> tuple[SendJob, ...]:
        """Take from the backlog what fits into the window; a communication is never cut in two."""
        if not self._backlog or len(self._ready) >= self._low_water:
            return ()
        admitted = []
        while self._backlog:
            pieces = len(self._backlog[0].envelopes)
            if self._doubt and self._doubt + pieces > self._window:
                break
            self._doubt += pieces
            admitted.append(self._backlog.popleft())
        return tuple(admitted)
