"""Handing over: intent before, receipt after, tries only what provably was not accepted."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from run.messages import BRAND, communication, made

from ccm.deliver.conversation import Aside, ConversingAdapter, Talk, Until
from ccm.deliver.interface import DeliveryError
from ccm.ledger.interface import LeaseLost, LedgerError
from ccm.model.definitions import Channel
from ccm.model.records import (
    Capabilities,
    Envelope,
    ExclusionReason,
    OutcomeKind,
    PieceState,
    Receipt,
    ReceiptStatus,
    StateChange,
)
from ccm.model.refusals import AddressFault
from ccm.run.allowed import Refusal
from ccm.run.circuit import Circuit, TooManyFailed
from ccm.run.deciding import decide
from ccm.run.desk import WINDOW, SendJob
from ccm.run.sending import ProviderFailed, Sender
from ccm.run.slots import MAX_ATTEMPTS
from ccm.testing import (
    FixedClock,
    FlakyAdapter,
    MemoryLedger,
    RecordingAdapter,
    RejectingAdapter,
    SlowAdapter,
    sample_run,
)
from ccm.testing.samples import RUN_ID

EMAIL = Channel.EMAIL.value


class Bench:
    """A memory ledger with a run, a sender, and saved jobs for some customers."""

    def __init__(self, adapter: RecordingAdapter, count: int = 1, **more: Any) -> None:
        self.ledger = MemoryLedger()
        self.clock = FixedClock()
        self.waits: list[float] = []
        self.ledger.claim_run(sample_run(), owner="me", now=self.clock(), lease_seconds=60)
        self.sender = Sender(
            self.ledger,
            {EMAIL: adapter},
            run_id=RUN_ID,
            owner="me",
            clock=self.clock,
            sleep=self.waits.append,
            chance=lambda: 1.0,
            **more,
        )
        self.jobs: list[SendJob] = []
        for number in range(count):
            decision, job = decide(made(communication(f"C-{number}", (Channel.EMAIL,))), {}, BRAND)
            self.ledger.save(RUN_ID, [decision], owner="me", now=self.clock())
            assert job
            self.jobs.append(job)

    def send(self) -> None:
        """Send all jobs and end."""
        try:
            self.sender.send(self.jobs)
        finally:
            self.sender.close()

    @property
    def states(self) -> list[PieceState]:
        """Where the pieces stand."""
        return [piece.state for piece in self.ledger.pieces(RUN_ID)]


class Witness(RecordingAdapter):
    """Notes what the ledger knows at the moment of the hand-over."""

    def __init__(self) -> None:
        super().__init__(EMAIL)
        self.bench: Bench | None = None
        self.seen: list[PieceState] = []

    def deliver(self, envelope: Envelope) -> Receipt:
        assert self.bench
        self.seen += [piece.state for piece in self.bench.ledger.pieces(RUN_ID) if piece.piece_id == envelope.key]
        return super().deliver(envelope)


def test_the_ledger_knows_before_the_provider() -> None:
    """At the hand-over the piece is written down as being sent; afterwards as accepted."""
    witness = Witness()
    witness.bench = bench = Bench(witness, 3)
    bench.send()
    assert witness.seen == [PieceState.SENDING] * 3
    assert bench.states == [PieceState.ACCEPTED] * 3


def test_deferred_pieces_are_tried_again_with_growing_pauses() -> None:
    """Two refusals for now, then accepted: three hand-overs, pauses of 0.5 and 1 s."""
    flaky = FlakyAdapter(EMAIL, times=2)
    bench = Bench(flaky)
    bench.send()
    assert (bench.states, len(flaky.delivered), bench.waits) == ([PieceState.ACCEPTED], 3, [0.5, 1.0])


class LeftLongAgo(RecordingAdapter):
    """Refuses everything, and says that its recipient has opted out."""

    def deliver(self, envelope: Envelope) -> Receipt:
        self._keep(envelope)
        return Receipt(envelope.key, ReceiptStatus.REJECTED, self.provider, "", "21610", None, AddressFault.OPTED_OUT)


def test_what_is_said_about_an_address_is_told_before_the_refusal_is_written() -> None:
    """A kill between the two leaves a doubt, never somebody who left and is not known to have left."""
    seen: list[tuple[str, AddressFault | None, PieceState]] = []

    def heard(envelope: Envelope, receipt: Receipt) -> None:
        seen.append((envelope.key, receipt.address_fault, bench.states[0]))

    bench = Bench(LeftLongAgo(EMAIL), heard=heard)
    bench.send()
    assert [one[1:] for one in seen] == [(AddressFault.OPTED_OUT, PieceState.SENDING)]
    assert bench.states == [PieceState.REJECTED]


def test_a_store_that_does_not_take_it_ends_the_sending() -> None:
    """Nobody else is written to, and the refusal itself is not lost."""

    def heard(envelope: Envelope, receipt: Receipt) -> None:
        raise LedgerError("the ledger's disk is full", "free space")

    adapter = LeftLongAgo(EMAIL)
    bench = Bench(adapter, 5, heard=heard, slots=1)
    with pytest.raises(LedgerError):
        bench.send()
    assert len(adapter.delivered) == 1
    assert sorted(bench.states)[-1] is PieceState.REJECTED


def test_deferred_for_ever_is_held() -> None:
    """After the last try the piece is held for the next execution, the recipient too."""
    flaky = FlakyAdapter(EMAIL, times=10**6)
    bench = Bench(flaky)
    bench.send()
    assert len(flaky.delivered) == MAX_ATTEMPTS
    assert bench.states == [PieceState.HELD]
    assert bench.ledger.tally(RUN_ID).outcomes == {"held": 1}


class AskingToWait(RecordingAdapter):
    """Says when to come again."""

    seconds = 7.0

    def deliver(self, envelope: Envelope) -> Receipt:
        if self._keep(envelope) > 1:
            return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self.provider)
        return Receipt(envelope.key, ReceiptStatus.DEFERRED, self.provider, retry_after_seconds=self.seconds)


def test_a_providers_wish_to_wait_is_granted() -> None:
    """Retry-After decides the pause; an hour is left to the next execution."""
    bench = Bench(AskingToWait(EMAIL))
    bench.send()
    assert (bench.waits, bench.states) == ([7.0], [PieceState.ACCEPTED])
    patient = AskingToWait(EMAIL)
    patient.seconds = 3600.0
    other = Bench(patient)
    other.send()
    assert (other.waits, other.states) == ([], [PieceState.HELD])


class Broken(RecordingAdapter):
    """Cannot be used at all."""

    retriable = False

    def deliver(self, envelope: Envelope) -> Receipt:
        self._keep(envelope)
        raise DeliveryError(self.provider, "the password is wrong", "correct it", retriable=self.retriable)


@pytest.mark.parametrize(("retriable", "tries"), [(False, 1), (True, MAX_ATTEMPTS)])
def test_an_unusable_provider_stops_the_run(retriable: bool, tries: int) -> None:
    """The run stops with the provider's words, and every piece stays resumable."""
    broken = Broken(EMAIL)
    broken.retriable = retriable
    bench = Bench(broken)
    with pytest.raises(ProviderFailed, match="the password is wrong; correct it"):
        bench.send()
    assert len(broken.delivered) == tries
    assert bench.states == [PieceState.HELD]
    assert bench.ledger.tally(RUN_ID).undecided == 1


class OneLine(Broken):
    """Has one line only, which is down; keeps its last refusal until the other piece asks for the line again."""

    retriable = True
    concurrency = 1
    sender: Sender

    def deliver(self, envelope: Envelope) -> Receipt:
        if [one.key for one in self.delivered].count(envelope.key) == MAX_ATTEMPTS - 1:
            until = time.monotonic() + 60
            while not self.sender._enterers and time.monotonic() < until:
                time.sleep(0.001)
        return super().deliver(envelope)


def test_what_was_refused_before_the_provider_failed_is_no_doubt() -> None:
    """One piece is tried for the last time, another waits for its next try: neither left, both can go later."""
    adapter = OneLine(EMAIL)
    bench = Bench(adapter, 2, slots=2)
    adapter.sender = bench.sender
    with pytest.raises(ProviderFailed):
        bench.send()
    assert len(adapter.delivered) == 2 * MAX_ATTEMPTS - 1
    assert bench.states == [PieceState.HELD] * 2


def test_stop_begins_nothing_more() -> None:
    """After stop() what is under way ends and is written down; the rest was not begun and has no outcome."""
    slow = SlowAdapter(EMAIL, seconds=0.1)
    bench = Bench(slow, 40)
    timer = threading.Timer(0.15, bench.sender.stop)
    timer.start()
    bench.send()
    timer.join()
    accepted = bench.states.count(PieceState.ACCEPTED)
    assert 0 < accepted < 40
    assert accepted == len(slow.delivered)
    intents = bench.states.count(PieceState.INTENT)
    assert accepted + intents <= WINDOW + accepted
    assert intents + bench.states.count(PieceState.COMPOSED) == 40 - accepted
    assert bench.ledger.tally(RUN_ID).undecided == 40 - accepted


class OneAtATime(RecordingAdapter):
    """Notes how many hand-overs are under way."""

    def __init__(self, limit: int) -> None:
        super().__init__(EMAIL)
        self._limit = limit
        self._now = self.most = 0
        self._guard = threading.Lock()

    @property
    def concurrency(self) -> int:
        return self._limit

    def deliver(self, envelope: Envelope) -> Receipt:
        with self._guard:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            threading.Event().wait(0.01)
            return super().deliver(envelope)
        finally:
            with self._guard:
                self._now -= 1


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_hand_overs_than_the_adapter_allows(limit: int) -> None:
    """A provider with few connections never has more pieces in doubt than connections."""
    adapter = OneAtATime(limit)
    bench = Bench(adapter, 12)
    bench.send()
    assert adapter.most <= limit
    assert bench.states == [PieceState.ACCEPTED] * 12


def test_a_lost_lease_sends_nothing() -> None:
    """Another process took the run over: the late one cannot even write its intents, so nothing leaves."""
    adapter = RecordingAdapter(EMAIL)
    bench = Bench(adapter, 3)
    bench.clock.advance(61)
    bench.ledger.claim_run(sample_run(), owner="other", now=bench.clock(), lease_seconds=60)
    with pytest.raises(LeaseLost):
        bench.send()
    assert adapter.delivered == []


class Buggy(RecordingAdapter):
    """Breaks in a way that no adapter should."""

    def deliver(self, envelope: Envelope) -> Receipt:
        self._keep(envelope)
        raise KeyError(envelope.address)


def test_an_adapter_that_breaks_leaves_doubt_and_no_words() -> None:
    """Nobody knows whether its bytes left: the piece is unknown, by the fault's type alone; the others go on."""
    bench = Bench(Buggy(EMAIL), 3)
    bench.send()
    assert bench.states == [PieceState.UNKNOWN] * 3
    details = {piece.detail for piece in bench.ledger.pieces(RUN_ID)}
    assert details == {"adapter failed with KeyError"}


class Evening:
    """Allows the first so many questions."""

    def __init__(self, count: int) -> None:
        self._left = count

    def refusal(self, communication: object, envelope: object, now: object) -> Refusal | None:
        self._left -= 1
        return None if self._left >= 0 else Refusal(ExclusionReason.OPTED_OUT, OutcomeKind.SUPPRESSED)


@pytest.mark.parametrize(("questions", "sent"), [(0, 0), (1, 0), (2, 1), (7, 3)])
def test_what_is_forbidden_meanwhile_does_not_leave(questions: int, sent: int) -> None:
    """Each piece is asked about before its communication is begun and right before its mark; a refusal settles it."""
    adapter = OneAtATime(1)
    bench = Bench(adapter, 5, allowed=Evening(questions), slots=1)
    bench.send()
    assert len(adapter.delivered) == sent
    assert bench.states == [PieceState.ACCEPTED] * sent + [PieceState.HELD] * (5 - sent)
    assert bench.ledger.tally(RUN_ID).outcomes == {k: n for k, n in (("accepted", sent), ("suppressed", 5 - sent)) if n}


def test_too_many_failures_stop_the_sender() -> None:
    """Nearly everything is refused: after fifty answers the run stops by itself, and the rest was not begun."""
    adapter = RejectingAdapter(EMAIL)
    bench = Bench(adapter, 200, circuit=Circuit(0.5))
    with pytest.raises(TooManyFailed, match=r"limits\.failed_share"):
        bench.send()
    assert 50 <= len(adapter.delivered) <= 50 + adapter.concurrency
    assert PieceState.COMPOSED in bench.states


def test_a_paused_sender_waits() -> None:
    """Paused, it hands over nothing; resumed, it ends its work."""
    adapter = RecordingAdapter(EMAIL)
    bench = Bench(adapter, 5)
    bench.sender.pause(True)
    bench.sender.submit(bench.jobs)
    time.sleep(0.2)
    assert adapter.delivered == []
    bench.sender.pause(False)
    bench.sender.drain()
    bench.sender.close()
    assert bench.states == [PieceState.ACCEPTED] * 5


def test_a_mark_that_slept_is_not_used() -> None:
    """The process was frozen while its mark was written: it sends nothing on that mark, and marks anew."""
    times = iter([0.0, 100.0])
    adapter = RecordingAdapter(EMAIL)
    bench = Bench(adapter, 1, monotonic=lambda: next(times, 200.0))
    bench.send()
    assert len(adapter.delivered) == 1
    assert [piece.attempts for piece in bench.ledger.pieces(RUN_ID)] == [2]


def test_what_is_told_before_sending() -> None:
    """Whoever keeps count outside hears of every intent after it is durable and before its piece leaves."""
    told: list[int] = []
    adapter = RecordingAdapter(EMAIL)
    bench = Bench(adapter, 50, before_sending=told.append)
    bench.send()
    assert sum(told) == 50
    assert max(told) <= WINDOW
    (run,) = bench.ledger.runs()
    assert run.intents == 50


class Box(RecordingAdapter):
    """Drops a second hand-over of the same key; `status` is what it answers."""

    capabilities = Capabilities(channels=tuple(Channel), deduplicates=True, concurrency=1)
    status = ReceiptStatus.ACCEPTED

    def deliver(self, envelope: Envelope) -> Receipt:
        self._keep(envelope)
        return Receipt(envelope.key, self.status, self.provider, f"id-{envelope.key}", "kept")


def in_doubt(adapter: RecordingAdapter, **more: Any) -> Bench:
    """A bench whose only piece was being sent when an earlier execution died, and is decided on again."""
    bench = Bench(adapter, 1, **more)
    (piece,) = bench.ledger.pieces(RUN_ID)
    for state in (PieceState.INTENT, PieceState.SENDING, PieceState.UNKNOWN):
        bench.ledger.advance(RUN_ID, [StateChange(piece.piece_id, state, bench.clock())], owner="me", durable=True)
    before = {one.channel: one for one in bench.ledger.pieces(RUN_ID)}
    again = made(communication("C-0", (Channel.EMAIL,)))
    assert decide(again, before, BRAND)[1] is None, "nobody else's doubt goes again"
    decision, job = decide(again, before, BRAND, deduplicating=frozenset({EMAIL}))
    bench.ledger.save(RUN_ID, [decision], owner="me", now=bench.clock())
    assert job is not None
    bench.jobs = [job]
    return bench


def test_a_doubt_goes_again_where_a_second_hand_over_is_dropped() -> None:
    """Without an intent of its own: the first one counts still; the answer ends the doubt."""
    counted: list[int] = []
    adapter = Box(EMAIL)
    bench = in_doubt(adapter, before_sending=counted.append)
    bench.send()
    assert (bench.states, len(adapter.delivered), counted) == ([PieceState.ACCEPTED], 1, [0])
    assert bench.ledger.runs()[0].intents == 1
    assert bench.ledger.tally(RUN_ID).outcomes == {OutcomeKind.ACCEPTED: 1}


@pytest.mark.parametrize("questions", [0, 1])
def test_a_doubt_stays_one_when_its_recipient_leaves(questions: int) -> None:
    """It may have arrived: `unknown`, and not "suppressed", until somebody looked it up."""
    adapter = Box(EMAIL)
    bench = in_doubt(adapter, allowed=Evening(questions))
    bench.send()
    assert (adapter.delivered, bench.states) == ([], [PieceState.UNKNOWN])
    assert bench.ledger.tally(RUN_ID).outcomes == {OutcomeKind.UNKNOWN: 1}


@pytest.mark.parametrize("status", [ReceiptStatus.DEFERRED, None])
def test_a_doubt_stays_one_when_the_provider_cannot_take_it(status: ReceiptStatus | None) -> None:
    """Busy or unusable: the piece is in doubt still, and the next execution goes on with it."""

    class Down(Box):
        def deliver(self, envelope: Envelope) -> Receipt:
            if status is not None:
                return Receipt(envelope.key, status, self.provider)
            raise DeliveryError(self.provider, "down", "mend it", retriable=False)

    bench = in_doubt(Down(EMAIL))
    if status is None:
        with pytest.raises(ProviderFailed):
            bench.send()
    else:
        bench.send()
    assert bench.states == [PieceState.UNKNOWN]
    (ident,) = {piece.communication_id for piece in bench.ledger.pieces(RUN_ID)}
    assert bench.ledger.final([ident]) == frozenset()


def test_a_doubt_that_would_say_something_else_does_not_go_again() -> None:
    """The provider would keep the first text; nobody could tell which one arrived."""
    bench = in_doubt(Box(EMAIL))
    bench.sender.close()
    (piece,) = bench.ledger.pieces(RUN_ID)
    before = {piece.channel: replace(piece, sha256="0" * 64)}
    again = made(communication("C-0", (Channel.EMAIL,)))
    decision, job = decide(again, before, BRAND, deduplicating=frozenset({EMAIL}))
    assert job is None
    assert decision.outcome is not None
    assert decision.outcome.kind is OutcomeKind.UNKNOWN


class Chatty(ConversingAdapter, RecordingAdapter):
    """Waits in every hand-over until all sixteen are under way; `fault` is what it raises then."""

    capabilities = Capabilities(channels=(Channel.EMAIL,), concurrency=16)
    fault: Exception | None = None

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        super().__init__(EMAIL)
        self._ours, self._theirs = ours, theirs
        self.threads: set[str] = set()

    def converse(self, envelope: Envelope) -> Talk[Receipt]:
        self.threads.add(threading.current_thread().name)
        copy = self._ours.dup()
        if self._keep(envelope) and len(self.delivered) == 16:
            self._theirs.send(b"now")
        with copy:
            yield Until(copy.fileno(), 30.0)
        yield Aside(lambda: None)
        if self.fault is not None:
            raise self.fault
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self.provider)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (None, PieceState.ACCEPTED),
        (KeyError("x"), PieceState.UNKNOWN),
        (DeliveryError(EMAIL, "down", "mend it", retriable=False), PieceState.HELD),
    ],
)
def test_one_thread_has_sixteen_conversations(fault: Exception | None, state: PieceState) -> None:
    """All are under way at once; what each ends with means what it means for an adapter that blocks."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        adapter = Chatty(ours, theirs)
        adapter.fault = fault
        bench = Bench(adapter, 16)
        if isinstance(fault, DeliveryError):
            with pytest.raises(ProviderFailed):
                bench.send()
        else:
            bench.send()
    assert adapter.threads == {"ccm-send"}
    assert bench.states == [state] * 16
