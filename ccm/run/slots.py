"""How one hand-over after the other is carried out, told step by step and without doing anything itself.

A slot is a generator. It yields what it needs done (take a job, write a mark, deliver, pause) and gets the answer back.
Whoever drives it decides how: the `Sender` goes on with whichever can; a simulator drives all of them from one seeded loop,
lets them interleave as it likes, and stops the world between any two steps. Both drive this code.

Time, chance, permission and pace come in with the `Floor`; nothing here reads a clock or draws a number by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from ccm.deliver.interface import DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import Envelope, Outcome, OutcomeKind, PieceState, Receipt, ReceiptStatus, StateChange
from ccm.run.allowed import Refusal, StillAllowed
from ccm.run.desk import SendJob
from ccm.run.verdicts import outcome_of

MAX_ATTEMPTS = 4  # hand-overs of one piece in one execution, while the provider provably does not accept
BACKOFF_SECONDS = 0.5  # upper bound of the first pause; doubles each time
MAX_BACKOFF_SECONDS = 30.0  # a longer Retry-After leaves the piece for the next execution
MARK_SECONDS = 20.0  # a mark older than this sends nothing: a process that slept so long may have lost its lease

STATE_OF = {
    ReceiptStatus.ACCEPTED: PieceState.ACCEPTED,
    ReceiptStatus.REJECTED: PieceState.REJECTED,
    ReceiptStatus.UNKNOWN: PieceState.UNKNOWN,
    ReceiptStatus.DEFERRED: PieceState.HELD,  # provably not accepted: the next execution takes it
}


class Pace(Protocol):
    """How fast a provider may be used."""

    def delay(self, provider: str, sender: str) -> float:
        """Reserve one hand-over and return the seconds to wait before it; 0 for at once."""

    def blocked(self, provider: str, sender: str) -> float:
        """Return the seconds for which the provider wants to be left alone; 0 when it does not."""

    def hold_back(self, provider: str, sender: str, seconds: float) -> None:
        """Let nobody use the provider for so long: it asked for that."""


class Unhurried:
    """No limit."""

    def delay(self, provider: str, sender: str) -> float:
        """At once."""
        return 0.0

    def blocked(self, provider: str, sender: str) -> float:
        """Never."""
        return 0.0

    def hold_back(self, provider: str, sender: str, seconds: float) -> None:
        """Each piece waits for itself."""


class Everything:
    """Allows all that was planned."""

    def refusal(self, communication: object, envelope: object, now: datetime) -> Refusal | None:
        """Nothing is refused."""
        return None


# ── what a slot asks its driver for ──────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Take:
    """Give me a job whose intents are on the disk; None when there will be no more."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Give me a place at a provider; waits while all are taken or the run is paused. False: stop."""

    provider: str


@dataclass(frozen=True, slots=True)
class Leave:
    """I give the place back."""

    provider: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Write this and come back when it is written (to the operating system, not to the disk).

    False: sending failed meanwhile, here or at another slot; nothing of the piece may leave any more.
    """

    change: StateChange


@dataclass(frozen=True, slots=True)
class Note:
    """Write this with the next group; do not wait. The outcome goes into the same transaction."""

    changes: tuple[StateChange, ...]
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand this over. Answers with a receipt, or raises `DeliveryError`."""

    provider: str
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so long; a stop cuts it short."""

    seconds: float


Step: TypeAlias = Take | Enter | Leave | Mark | Note | Deliver | Pause
Steps: TypeAlias = Generator[Step, Any, None]


@dataclass(frozen=True)
class Floor:
    """What all slots of a sender share.

    clock: Aware UTC now.
    monotonic: Seconds that never jump.
    chance: A number from 0 up to 1, for the jitter of pauses.
    stopping: Whether no further hand-over may begin.
    failed: Told when a provider as a whole cannot be used; stops the sender.
    saw: Told every final answer; may stop the sender when too many failed.
    heard: Told of every refusal that says something about the address, before it is written down as a refusal.
    """

    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    stopping: Callable[[], bool]
    failed: Callable[[DeliveryError], None]
    saw: Callable[[ReceiptStatus], None]
    allowed: StillAllowed
    pace: Pace
    heard: Callable[[Envelope, Receipt], None] = lambda envelope, receipt: None

    def change(self, piece: str, state: PieceState, provider_id: str = "", detail: str = "") -> StateChange:
        """Return a step of a piece at this moment."""
        return StateChange(piece, state, self.clock(), provider_id, detail)

    def refusal(self, job: SendJob, envelope: Envelope) -> Refusal | None:
        """Ask whether a piece may still leave."""
        return self.allowed.refusal(job.communication, envelope, self.clock())


def slot(floor: Floor) -> Steps:
    """Carry one communication after the other until there are no more."""
    while True:
        job: SendJob | None = yield Take()
        if job is None:
            return
        yield from carry(job, floor)


def carry(job: SendJob, floor: Floor) -> Steps:
    """Send the pieces of a communication in order, and settle it.

    Before the first one leaves, all required ones are asked for: none goes when one of them may not. A communication
    that a stop cuts short has no outcome; the next execution goes on with it.
    """
    states = dict(job.states)
    forbidden = _forbidden_group(job, floor)
    if forbidden is not None:
        held = tuple(_kept_back(job, one, floor, str(forbidden.reason)) for one in job.envelopes)
        doubtful = any(states.get(one) is PieceState.UNKNOWN for one in job.required)
        yield Note(held, outcome_of(job.communication, states, job.required) if doubtful else _refused(job, forbidden))
        return
    refused: Refusal | None = None
    waits = False
    for envelope in job.envelopes:
        rejected = sorted(one for one in job.required if states.get(one) is PieceState.REJECTED)
        if rejected:
            change = _kept_back(job, envelope, floor, f"{rejected[0]}-rejected")
        else:
            answer = yield from _hand_over(job, envelope, floor)
            if answer is None:
                return
            if isinstance(answer, Refusal):
                refused = answer if envelope.channel in job.required else refused
                change = _kept_back(job, envelope, floor, str(answer.reason))
            else:
                detail = answer.provider_status or str(answer.status)
                state = STATE_OF[answer.status]
                if state is PieceState.HELD:
                    change = _kept_back(job, envelope, floor, detail)
                    waits = waits or (envelope.channel in job.required and change.state is PieceState.UNKNOWN)
                else:
                    change = floor.change(envelope.key, state, answer.provider_id, detail)
        states[envelope.channel] = change.state
        if envelope is not job.envelopes[-1]:
            yield Note((change,))
    yield Note((change,), _waiting(job) if waits else _outcome(job, states, refused))


def _kept_back(job: SendJob, envelope: Envelope, floor: Floor, detail: str) -> StateChange:
    """Return that a piece does not leave now: held, or still in doubt where an earlier hand-over may have arrived."""
    doubtful = job.states.get(envelope.channel) is PieceState.UNKNOWN
    return floor.change(envelope.key, PieceState.UNKNOWN if doubtful else PieceState.HELD, detail=detail)


def _waiting(job: SendJob) -> Outcome:
    """Hold a communication of which a piece in doubt could not be handed over again yet; the next execution tries."""
    one = job.communication
    return Outcome(one.communication_id, one.recipient_id, OutcomeKind.HELD, "answer-lost")


def _forbidden_group(job: SendJob, floor: Floor) -> Refusal | None:
    for envelope in job.envelopes:
        if envelope.channel in job.required and (refused := floor.refusal(job, envelope)):
            return refused
    return None


def _refused(job: SendJob, refusal: Refusal) -> Outcome:
    one = job.communication
    return Outcome(one.communication_id, one.recipient_id, refusal.outcome, str(refusal.reason), refusal.until)


def _outcome(job: SendJob, states: dict[Channel, PieceState], refused: Refusal | None) -> Outcome:
    """Sum up; a refusal is the reason as long as no required piece went before it."""
    outcome = outcome_of(job.communication, states, job.required)
    went = any(states.get(one) not in (PieceState.HELD, None) for one in job.required)
    return _refused(job, refused) if refused and outcome.kind is OutcomeKind.HELD and not went else outcome


def _hand_over(job: SendJob, envelope: Envelope, floor: Floor) -> Generator[Step, Any, Receipt | Refusal | None]:
    """Deliver one piece, trying again only what provably was not accepted; None when a stop came first."""
    provider = job.providers[envelope.key]
    receipt: Receipt | None = None
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            answer = yield from _try_once(job, envelope, provider, floor)
        except DeliveryError as error:
            if not error.retriable or attempt == MAX_ATTEMPTS or floor.stopping():
                yield Note((_kept_back(job, envelope, floor, "provider-unusable"),))
                floor.failed(error)
                return None
            receipt = Receipt(envelope.key, ReceiptStatus.DEFERRED, provider, provider_status="provider-unusable")
            yield Pause(jittered(attempt, floor.chance))
            continue
        if not isinstance(answer, Receipt):
            return answer if answer is not None else receipt
        receipt = answer
        if receipt.status is ReceiptStatus.DEFERRED:
            asked = receipt.retry_after_seconds
            if asked:
                floor.pace.hold_back(provider, envelope.sender, asked)
            wait = jittered(attempt, floor.chance) if asked is None else asked
            if attempt < MAX_ATTEMPTS and wait <= MAX_BACKOFF_SECONDS and not floor.stopping():
                yield Pause(wait)
                continue
        if receipt.address_fault is not None:
            floor.heard(envelope, receipt)
        floor.saw(receipt.status)
        return receipt
    return receipt


def _try_once(
    job: SendJob, envelope: Envelope, provider: str, floor: Floor
) -> Generator[Step, Any, Receipt | Refusal | None]:
    """Mark and deliver, once; None when a stop came before the mark.

    Why the mark is written for every try: it is the fence. A process that lost the run while it waited is refused here.
    """
    if not (yield from _its_turn(provider, envelope.sender, floor)):
        return None
    answer: Receipt | Refusal | None = floor.refusal(job, envelope)
    if answer is None:
        asked_at = floor.monotonic()
        if not (yield Mark(floor.change(envelope.key, PieceState.SENDING))):
            # The mark may be written: without an answer to it the next execution would find a doubt where there is none.
            answer = Receipt(envelope.key, ReceiptStatus.DEFERRED, provider, provider_status="stopped before sending")
        elif floor.monotonic() - asked_at > MARK_SECONDS:
            answer = Receipt(envelope.key, ReceiptStatus.DEFERRED, provider, provider_status="slept before sending")
        else:
            try:
                answer = yield Deliver(provider, envelope)
            except DeliveryError:
                yield Leave(provider)
                raise
    yield Leave(provider)
    return answer


def _its_turn(provider: str, sender: str, floor: Floor) -> Generator[Step, Any, bool]:
    """Wait for a place at the provider and for the moment that its rate allows; False when a stop came first."""
    if not (yield Enter(provider)):
        return False
    wait = floor.pace.delay(provider, sender)
    while wait > 0:
        yield Pause(wait)
        yield Leave(provider)  # and in again: the run may have been paused meanwhile
        if not (yield Enter(provider)):
            return False
        wait = floor.pace.blocked(provider, sender)
    return True


def jittered(attempt: int, chance: Callable[[], float]) -> float:
    """Return the pause after an attempt: anything up to a bound that doubles ("full jitter").

    Why: Workers that failed together must not come back together.
    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return min(MAX_BACKOFF_SECONDS, float(BACKOFF_SECONDS * 2 ** (attempt - 1))) * chance()
