"""Handing over: intent before, receipt after, tries only what provably was not accepted."""

from __future__ import annotations

import threading

import pytest
from run.messages import BRAND, communication, made

from ccm.deliver.interface import DeliveryError
from ccm.ledger.interface import LeaseLost
from ccm.model.definitions import Channel
from ccm.model.records import Envelope, PieceState, Receipt, ReceiptStatus
from ccm.run.deciding import decide
from ccm.run.desk import WINDOW, SendJob
from ccm.run.sending import ProviderFailed, Sender
from ccm.run.slots import MAX_ATTEMPTS
from ccm.testing import FixedClock, FlakyAdapter, MemoryLedger, RecordingAdapter, SlowAdapter, sample_run
from ccm.testing.samples import RUN_ID

EMAIL = Channel.EMAIL.value


class Bench:
    """A memory ledger with a run, a sender, and saved jobs for some customers."""

    def __init__(self, adapter: RecordingAdapter, count: int = 1) -> None:
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
