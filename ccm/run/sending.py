"""Handing over the pieces of a window: intent is durable before, receipt is written after.

Why this order: a process can die between any two lines. An intent without a receipt is a bounded,
listed doubt; a receipt without an intent would be a message nobody can find.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.ledger.interface import Ledger
from ccm.model.definitions import Channel
from ccm.model.records import (
    Communication,
    Envelope,
    Outcome,
    OutcomeKind,
    PieceState,
    Receipt,
    ReceiptStatus,
    StateChange,
)
from ccm.run.prepare import Clock

MAX_ATTEMPTS = 4  # hand-overs of one piece in one execution, while the provider provably does not accept
BACKOFF_SECONDS = 0.5  # before the second attempt; doubles each time
MAX_BACKOFF_SECONDS = 30.0  # a longer Retry-After leaves the piece for the next execution

STATE_OF = {
    ReceiptStatus.ACCEPTED: PieceState.ACCEPTED,
    ReceiptStatus.REJECTED: PieceState.REJECTED,
    ReceiptStatus.UNKNOWN: PieceState.UNKNOWN,
    ReceiptStatus.DEFERRED: PieceState.HELD,  # provably not accepted: the next execution takes it
}


@dataclass(frozen=True)
class SendJob:
    """One communication whose required pieces all composed, passed and are allowed.

    envelopes: Pieces still to be handed over, in sending order.
    states: Where every piece stands, also those sent by an earlier execution or held.
    required: Channels that decide the outcome.
    """

    communication: Communication
    envelopes: tuple[Envelope, ...]
    states: Mapping[Channel, PieceState]
    required: frozenset[Channel]


class ProviderFailed(Exception):
    """A provider as a whole cannot be used; the run stops and can be resumed."""

    def __init__(self, error: DeliveryError) -> None:
        self.error = error
        super().__init__(str(error))


class Sender:
    """Sends windows through the adapters, several communications at once."""

    def __init__(
        self,
        ledger: Ledger,
        adapters: Mapping[str, Adapter],
        *,
        run_id: str,
        owner: str,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._adapters = adapters
        self._run_id = run_id
        self._owner = owner
        self._clock = clock
        self._sleep = sleep
        self._writing = threading.Lock()
        self._stop = threading.Event()
        self._failure: DeliveryError | None = None
        self._slots = {name: threading.Semaphore(adapter.concurrency) for name, adapter in adapters.items()}
        threads = max((adapter.concurrency for adapter in adapters.values()), default=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ccm-send")

    def send(self, jobs: Sequence[SendJob], providers: Mapping[str, str]) -> tuple[Outcome, ...]:
        """Write all intents of the window in one durable transaction, then hand over and settle.

        Args:
            providers: Provider name by piece id.
        Returns:
            The outcomes settled; a communication that was stopped half-way has none.
        Raises:
            ProviderFailed: If a provider cannot be used; everything not handed over stays resumable.
        """
        intents = [self._change(item.key, PieceState.INTENT) for job in jobs for item in job.envelopes]
        self._advance(intents, durable=True)
        futures = [self._pool.submit(self._send_one, job, providers) for job in jobs]
        outcomes = tuple(item for item in [future.result() for future in futures] if item is not None)
        with self._writing:
            self._ledger.settle(self._run_id, outcomes, owner=self._owner, now=self._clock())
        if self._failure is not None:
            raise ProviderFailed(self._failure)
        return outcomes

    def stop(self) -> None:
        """Begin no further hand-over; those in flight end normally."""
        self._stop.set()

    def close(self) -> None:
        """Wait for what is in flight and end the threads."""
        self._pool.shutdown(wait=True)

    # ── one communication ────────────────────────────────────────────────

    def _send_one(self, job: SendJob, providers: Mapping[str, str]) -> Outcome | None:
        """Send the pieces in order; None when it stopped half-way and must be resumed."""
        states = dict(job.states)
        for envelope in job.envelopes:
            if self._stop.is_set():
                return None
            refused = [channel for channel in job.required if states.get(channel) is PieceState.REJECTED]
            if refused:
                states[envelope.channel] = PieceState.HELD
                self._advance([self._change(envelope.key, PieceState.HELD, detail=f"{refused[0]}-rejected")])
                continue
            provider = providers[envelope.key]
            with self._slots[provider]:
                if self._stop.is_set():
                    return None
                try:
                    receipt = self._hand_over(envelope, self._adapters[provider])
                except DeliveryError as error:
                    self._advance([self._change(envelope.key, PieceState.HELD, detail="provider-unusable")])
                    self._failure = error
                    self.stop()
                    return None
                states[envelope.channel] = self._record(receipt)
        return outcome_of(job.communication, states, job.required)

    def _hand_over(self, envelope: Envelope, adapter: Adapter) -> Receipt:
        """Deliver, trying again only what provably was not accepted."""
        self._advance([self._change(envelope.key, PieceState.SENDING)])
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                receipt = adapter.deliver(envelope)
            except DeliveryError as error:
                if not error.retriable or attempt == MAX_ATTEMPTS or self._stop.is_set():
                    raise
                wait = BACKOFF_SECONDS * 2 ** (attempt - 1)
            else:
                wait = receipt.retry_after_seconds or BACKOFF_SECONDS * 2 ** (attempt - 1)
                too_long = wait > MAX_BACKOFF_SECONDS or attempt == MAX_ATTEMPTS or self._stop.is_set()
                if receipt.status is not ReceiptStatus.DEFERRED or too_long:
                    return receipt
            self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _record(self, receipt: Receipt) -> PieceState:
        state = STATE_OF[receipt.status]
        detail = receipt.provider_status or str(receipt.status)
        self._advance([self._change(receipt.key, state, receipt.provider_id, detail)])
        return state

    def _change(self, piece_id: str, state: PieceState, provider_id: str = "", detail: str = "") -> StateChange:
        return StateChange(piece_id, state, self._clock(), provider_id, detail)

    def _advance(self, changes: list[StateChange], *, durable: bool = False) -> None:
        if changes:
            with self._writing:
                self._ledger.advance(self._run_id, changes, owner=self._owner, durable=durable)


def outcome_of(
    communication: Communication, states: Mapping[Channel, PieceState], required: frozenset[Channel]
) -> Outcome:
    """Sum up a communication: the worst required piece decides, optional pieces never do."""
    return summed_up(communication.communication_id, communication.recipient_id, states, required)


def summed_up(
    communication_id: str, recipient_id: str, states: Mapping[Channel, PieceState], required: frozenset[Channel]
) -> Outcome:
    """Return the outcome that the states of the required pieces give."""
    ranking = (
        (PieceState.UNKNOWN, OutcomeKind.UNKNOWN),
        (PieceState.REJECTED, OutcomeKind.REJECTED),
        (PieceState.HELD, OutcomeKind.HELD),
    )
    for state, kind in ranking:
        for channel in sorted(required):
            if states.get(channel, PieceState.HELD) is state:
                return Outcome(communication_id, recipient_id, kind, f"{channel}-{state}")
    return Outcome(communication_id, recipient_id, OutcomeKind.ACCEPTED)
