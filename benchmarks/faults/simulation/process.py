"""One execution of a run, carried on one step at a time: the real slots and desk, answered as `Sender` answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from benchmarks.faults.simulation.people import BRAND, Person
from benchmarks.faults.simulation.world import Answer, Broken, World
from ccm import run as shell
from ccm.deliver.interface import DeliveryError
from ccm.ledger.interface import LeaseLost, LedgerError
from ccm.model.records import Communication, Envelope, ExclusionReason, OutcomeKind, PieceState, StateChange
from ccm.run.allowed import Refusal
from ccm.run.desk import Desk, Group
from ccm.run.execution import decide
from ccm.run.sending import SLOTS
from ccm.run.slots import Deliver, Enter, Floor, Leave, Mark, Note, Pause, Step, Steps, Take, Unhurried, slot
from ccm.testing import sample_run
from ccm.testing.samples import RUN_ID

LEASE_SECONDS = 60.0
BATCH = 3  # communications composed and saved at once


class Stage(StrEnum):
    """How far a slot is with the step that it waits for."""

    NEW = "new"  # nobody has begun it
    MARKING = "marking"  # on its way into the ledger
    MARKED = "marked"  # in the ledger, or refused there
    PAUSING = "pausing"  # until its time has come


@dataclass
class Hand:
    """One slot and what it waits for.

    until: When a pause ends, in the world's seconds.
    asked: When permission was asked for the last time, in the world's ticks.
    answer: For a hand-over under way: what will be said.
    """

    steps: Steps
    step: Step | None = None
    stage: Stage = Stage.NEW
    until: float = 0.0
    asked: int = 0
    answer: Answer | None = None


class Process:
    """Holds one execution. `choices` tells what it could do next; each does one small thing."""

    def __init__(
        self, name: str, world: World, people: list[Person], window: int, *, deaf: bool = False, shrugs: bool = False
    ) -> None:
        """Claim the run and look after what an earlier execution left.

        Raises:
            RunBusy: If somebody else has it.
            LedgerError: If the disk refuses.
        """
        self.name = name
        self.world = world
        self.clock_offset = timedelta(0)
        self.frozen_until = 0.0
        self.ended = False
        self._deaf = deaf
        self._stop = False
        self._failure: BaseException | None = None
        self._waiting = list(people)
        self._people = len(people)
        self._recipient_of = {
            piece.piece_id: one.communication.recipient_id for one in people for piece in one.communication.pieces
        }
        self.ledger = world.store
        self.ledger.claim_run(sample_run(), owner=name, now=self.clock(), lease_seconds=LEASE_SECONDS)
        self.found_sending = sum(1 for _ in self.ledger.pieces(RUN_ID, states=(PieceState.SENDING,)))
        world.tell(name, "claims and finds", self.found_sending, "being sent")
        self._group: Group | None = None
        adapters = dict(world.providers)
        self._deduplicating = frozenset(name for name, one in adapters.items() if one.capabilities.deduplicates)
        try:
            shell.resolve_lost_answers(self.ledger, adapters, RUN_ID, name, self.clock)
            if shrugs:
                self._shrug()
        except (LeaseLost, LedgerError) as error:
            self._failure, self._stop = error, True
        self._desk = Desk({one.name: one.concurrency for one in adapters.values()}, window=window)
        floor = Floor(
            self.clock,
            lambda: world.seconds,
            world.rng.random,
            lambda: self._stop,
            self._fail,
            lambda status: None,
            self,
            Unhurried(),
        )
        most = max(one.concurrency for one in adapters.values())
        count = max(most, min(SLOTS, sum(one.concurrency for one in adapters.values())))
        self.hands = [Hand(slot(floor)) for _ in range(count)]
        for hand in self.hands:
            hand.step = next(hand.steps)

    def _shrug(self) -> None:
        """Call everything in doubt held where the provider drops a second hand-over: a mistake for a mutant."""
        doubtful = [
            piece
            for piece in self.ledger.pieces(RUN_ID, states=(PieceState.UNKNOWN,))
            if piece.provider in self._deduplicating
        ]
        changes = [StateChange(piece.piece_id, PieceState.HELD, self.clock()) for piece in doubtful]
        self.ledger.advance(RUN_ID, changes, owner=self.name, durable=True)

    def clock(self) -> datetime:
        """Return this process's idea of the time."""
        return self.world.now + self.clock_offset

    def refusal(self, communication: Communication, envelope: Envelope, now: datetime) -> Refusal | None:
        """Say that somebody opted out: this is what the sender asks before it marks."""
        if communication.recipient_id in self.world.opted_out and not self._deaf:
            return Refusal(ExclusionReason.NO_CONSENT, OutcomeKind.SUPPRESSED)
        return None

    def interrupt(self) -> None:
        """Ctrl-C: begin nothing more."""
        self._stop = True

    @property
    def failed(self) -> bool:
        """Whether something ended it."""
        return self._failure is not None

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._stop = True

    # ── what could come next ─────────────────────────────────────────────

    def choices(self) -> list[Callable[[], None]]:
        """Return every small thing that could happen now; none when it waits for time to pass."""
        found: list[Callable[[], None]] = []
        if self._waiting and not self._stop:
            found.append(self._compose)
        if self._group is None and self.world.drawn(0.5):  # otherwise more comes together first
            self._group = self._desk.group(intents=not self._stop)
        if self._group is not None:
            found.append(self._write)
        found += [lambda hand=hand: self._go_on(hand) for hand in self.hands if self._can_go_on(hand)]  # type: ignore[misc]
        if not found and self._is_over():
            found.append(self._end)
        return found

    def _is_over(self) -> bool:
        idle = all(hand.step is None or isinstance(hand.step, Take) for hand in self.hands)
        if self._stop:
            return all(hand.step is None for hand in self.hands) and not self._desk.unwritten
        return idle and self._desk.quiet and not self._waiting

    def _can_go_on(self, hand: Hand) -> bool:
        if hand.step is None or hand.stage is Stage.MARKING:
            return False
        if hand.stage is Stage.PAUSING:
            return self._stop or self.world.seconds >= hand.until
        match hand.step:
            case Take():
                return self._stop or bool(self._desk._ready)
            case Enter(provider):
                return self._stop or self._desk._free[provider] > 0
        return True

    # ── planning and writing ─────────────────────────────────────────────

    def _compose(self) -> None:
        """Work on the next few: what was decided before stays, the rest is decided, saved and queued."""
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        try:
            self._work(batch)
        except (LeaseLost, LedgerError) as error:
            self._fail(error)

    def _work(self, batch: list[Person]) -> None:
        ids = [one.communication.communication_id for one in batch]
        final = self.ledger.final(ids)
        known = self.ledger.known(ids)
        jobs, decisions = [], []
        for one in batch:
            ident = one.communication.communication_id
            if ident in final:
                continue
            before = {piece.channel: piece for piece in known.get(ident, ())}
            decision, job = decide(one.made, before, BRAND, frozenset(), self._deduplicating)
            decisions.append(decision)
            if job is not None:
                jobs.append(job)
        if decisions:
            self.ledger.save(RUN_ID, decisions, owner=self.name, now=self.clock())
        self._desk.add(jobs)

    def _write(self) -> None:
        group, self._group = self._group, None
        assert group is not None
        try:
            self._record(group)
        except (LeaseLost, LedgerError) as error:
            self.world.tell(self.name, "cannot write", type(error).__name__)
            self._fail(error)
            group_left = self._rescued(group, error)
            self._desk.written(group_left)
        else:
            self._desk.written(group)
        for hand in group.waiting:
            hand.stage = Stage.MARKED

    def _record(self, group: Group) -> None:
        now = self.clock()
        self.ledger.record(RUN_ID, group.changes(now), group.outcomes, owner=self.name, now=now, durable=group.durable)

    def _rescued(self, group: Group, error: BaseException) -> Group:
        answers = group.without_marks()
        if not isinstance(error, LeaseLost) and (answers.answers or answers.outcomes):
            try:
                self._record(answers)
            except (LeaseLost, LedgerError):
                return Group()
            return answers
        return Group()

    def renew(self) -> None:
        """Keep the lease, as the keeper's thread does."""
        try:
            self.ledger.renew_lease(RUN_ID, owner=self.name, now=self.clock(), lease_seconds=LEASE_SECONDS)
        except (LeaseLost, LedgerError) as error:
            self._fail(error)

    def _end(self) -> None:
        """Give the run back as the shell does."""
        self.ended = True
        try:
            if self._stop:
                self.ledger.close_run(
                    RUN_ID, owner=self.name, state="stopped", now=self.clock(), read=0, outside_segment=0
                )
            else:
                counts: Any = SimpleNamespace(read=self._people, outside_segment=0, orphans=(), cancelled=False)
                shell._close(self.ledger, RUN_ID, self.name, self.clock, counts)
        except (LeaseLost, LedgerError) as error:
            self.world.tell(self.name, "cannot close", type(error).__name__)
        else:
            self._leave_no_doubt()
        self.world.tell(self.name, "ends")

    def _leave_no_doubt(self) -> None:
        """Look for pieces without a last word, unless the ledger had refused one."""
        left = [one.piece_id[:6] for one in self.ledger.pieces(RUN_ID, states=(PieceState.SENDING,))]
        if left and not isinstance(self._failure, LedgerError):
            raise Broken(f"G4: {left} are left as being sent by a process that ended in good order")

    # ── slots ────────────────────────────────────────────────────────────

    def _go_on(self, hand: Hand) -> None:
        """Answer the step that a slot waits for, or begin it."""
        step, answer = hand.step, None
        match step:
            case Mark(change):
                if hand.stage is Stage.NEW and self._failure is None:
                    hand.stage = Stage.MARKING
                    return self._desk.mark(change, hand)
                answer = self._failure is None
            case Deliver(provider, envelope):
                if hand.answer is not None:
                    return self._answered(hand, provider, envelope)
                self._begin(hand, envelope)
                hand.answer = self.world.providers[provider].hand_over(envelope)
                return None
            case Pause(seconds):
                if hand.stage is Stage.NEW:
                    hand.stage, hand.until = Stage.PAUSING, self.world.seconds + seconds
                    return None
            case Note(changes, outcome):
                self._desk.note(changes, outcome)
            case Enter(provider):
                answer = not self._stop and self._desk.enter(provider)
            case Leave(provider):
                self._desk.leave(provider)
            case Take():
                answer = None if self._stop else self._desk.take()
        return self._sent(hand, lambda: hand.steps.send(answer))

    def _begin(self, hand: Hand, envelope: Envelope) -> None:
        """Look once more who it is for, as the bytes leave."""
        self.world.tell(self.name, "hands over", envelope.key[:6])
        opted_out = self.world.opted_out.get(self._recipient_of[envelope.key])
        if opted_out is not None and opted_out < hand.asked:
            raise Broken(f"G13: {envelope.key[:6]} leaves, and its recipient had opted out before it was asked")

    def _answered(self, hand: Hand, provider: str, envelope: Envelope) -> None:
        """Give a slot the provider's answer."""
        found, hand.answer = hand.answer, None
        assert found is not None
        self.world.providers[provider].under_way[envelope.key] -= 1
        if found.error is not None:
            error: DeliveryError = found.error
            self._sent(hand, lambda: hand.steps.throw(error))
        else:
            self._sent(hand, lambda: hand.steps.send(found.receipt))

    def _sent(self, hand: Hand, go: Callable[[], Step]) -> None:
        hand.stage = Stage.NEW
        try:
            hand.step = go()
            if isinstance(hand.step, Mark):
                hand.asked = self.world.ticks
        except StopIteration:
            hand.step = None
