"""Sending: one thread carries on every slot, another one writes for all of them.

Intent is durable before, the mark is written right before, the receipt after. Why this order: a process can die between
any two lines. An intent without a receipt is a bounded, listed doubt; a receipt without an intent would be a message
nobody can find.

An adapter that can converse is carried on by the `Driver`'s one thread; for others, which block, it has threads aside.

What is sent when is decided in `slots` and `desk`, which know neither threads nor clocks. To drive the same code from a
seeded simulator: make a `Desk` and a `Floor` with your own clock, chance, permission and pace; keep a list of `slot(floor)`
generators with the step each one waits for; in any order you like answer a step (`Deliver` by your provider, `Mark` once a
`Desk.group()` with it was given to `Ledger.record` and then to `Desk.written`); stop wherever you like and begin anew on the
same ledger. `Sender._perform` below is the shortest example of how each step is answered.
"""

from __future__ import annotations

import random  # noqa: TID251 - jitter of pauses; nothing that is sent depends on it
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from ccm.deliver.conversation import Aside, ConversingAdapter, Wait
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.ledger.interface import LeaseLost, Ledger
from ccm.model.records import Envelope, Outcome, Receipt, ReceiptStatus
from ccm.run.allowed import StillAllowed
from ccm.run.circuit import Circuit
from ccm.run.desk import WINDOW, Desk, Group, SendJob
from ccm.run.driving import LATER, Driver, Hand, Later, Work
from ccm.run.slots import Deliver, Enter, Everything, Floor, Leave, Mark, Note, Pace, Pause, Step, Take, Unhurried, slot

SLOTS = 16  # hand-overs under way at once, unless the providers allow fewer
BACKLOG = 256  # composed communications that may wait; composing pauses above it


class ProviderFailed(Exception):
    """A provider as a whole cannot be used; the run stops and can be resumed."""

    def __init__(self, error: DeliveryError) -> None:
        self.error = error
        super().__init__(str(error))


class Sender:
    """Sends communications through the adapters, several at once, while more are being composed."""

    def __init__(
        self,
        ledger: Ledger,
        adapters: Mapping[str, Adapter],
        *,
        run_id: str,
        owner: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        allowed: StillAllowed | None = None,
        pace: Pace | None = None,
        circuit: Circuit | None = None,
        before_sending: Callable[[int], None] = lambda intents: None,
        heard: Callable[[Envelope, Receipt], None] = lambda envelope, receipt: None,
        window: int = WINDOW,
        slots: int | None = None,
    ) -> None:
        """Begin with nothing to send.

        Args:
            sleep: Waits so many seconds; from a stop on it returns at once if not given.
            chance: A number from 0 up to 1, for the jitter of pauses.
            before_sending: Told how many intents a durable group had, after it and before any of them is handed over.
            heard: Told what a refusal says about an address, before the refusal is written.
            window: Pieces that a power cut may leave in doubt.
            slots: Communications under way at once; as many as the providers take if not given, and at most 16 unless
                one provider alone takes more.
        """
        self._ledger = ledger
        self._adapters = adapters
        self._conversing = {name: one for name, one in adapters.items() if isinstance(one, ConversingAdapter)}
        self._run_id = run_id
        self._owner = owner
        self._clock = clock
        self._stop = threading.Event()
        self._sleep = sleep or self._stop.wait
        self._circuit = circuit or Circuit()
        self._before_sending = before_sending
        self._lock = threading.Lock()
        self._to_write = threading.Condition(self._lock)
        self._to_wait = threading.Condition(self._lock)  # submit and drain
        self._desk = Desk({name: adapter.concurrency for name, adapter in adapters.items()}, window=window)
        self._floor = Floor(
            clock,
            monotonic,
            chance,
            self._stop.is_set,
            lambda error: self._fail(ProviderFailed(error)),
            self._saw,
            allowed or Everything(),
            pace or Unhurried(),
            self._heard,
        )
        self._tell_heard = heard
        self._failure: BaseException | None = None
        self._settled: list[Outcome] = []
        self._paused = False
        self._ended = False
        most = max((adapter.concurrency for adapter in adapters.values()), default=1)
        count = slots or max(most, min(SLOTS, sum(adapter.concurrency for adapter in adapters.values())))
        self._busy = count  # slots that are not waiting for a communication
        self._takers: deque[Hand] = deque()  # slots that are
        self._enterers: deque[tuple[Hand, str]] = deque()  # slots that wait for a place at a provider
        self._writer = threading.Thread(target=self._write, name="ccm-write", daemon=True)
        self._driver = Driver(count, self._work, self._fail, before_waiting=self._wake_writer, ended=self._all_ended)
        self._writer.start()
        self._driver.start()

    # ── for whoever has something to send ────────────────────────────────

    def submit(self, jobs: Sequence[SendJob]) -> None:
        """Queue communications; waits while too many wait already.

        Raises:
            ProviderFailed, TooManyFailed, LedgerError, LeaseLost: If sending stopped; what was not handed over stays
                resumable.
        """
        with self._lock:
            self._desk.add(jobs)
            self._to_write.notify()
            while self._desk.backlog > BACKLOG and not self._stop.is_set():
                self._to_wait.wait()
        self._raise_failure()

    def settled(self) -> tuple[Outcome, ...]:
        """Return the outcomes that were written since the last call."""
        with self._lock:
            found, self._settled = tuple(self._settled), []
        return found

    def drain(self) -> None:
        """Wait until everything queued was sent and written down, or sending stopped.

        Raises:
            ProviderFailed, TooManyFailed, LedgerError, LeaseLost: As `submit`.
        """
        with self._lock:
            while not self._is_over():
                self._to_wait.wait()
        self._raise_failure()

    def send(self, jobs: Sequence[SendJob]) -> tuple[Outcome, ...]:
        """Queue, wait, and return the outcomes; a communication that was stopped half-way has none."""
        self.submit(jobs)
        self.drain()
        return self.settled()

    def pause(self, paused: bool) -> None:
        """Begin no further hand-over until told otherwise; those in flight end normally."""
        with self._lock:
            self._paused = paused
            self._let_in()
        self._driver.ring()

    def stop(self) -> None:
        """Begin no further hand-over; those in flight end normally and are written down."""
        self._stop.set()
        with self._lock:
            self._let_in()
            self._to_write.notify()
            self._to_wait.notify_all()
        self._driver.ring()

    def dropped(self) -> tuple[SendJob, ...]:
        """Take back what nobody has begun; for a run that is cancelled."""
        with self._lock:
            return self._desk.drop_waiting()

    def close(self) -> None:
        """Stop, wait for what is in flight, write it down and end the threads."""
        self.stop()
        self._driver.join()
        with self._lock:
            self._ended = True
            self._to_write.notify()
        self._writer.join()

    def _is_over(self) -> bool:
        if self._stop.is_set():
            return not self._busy and (self._failure is not None or not self._desk.unwritten)
        return not self._busy and self._desk.quiet

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # ── slots ────────────────────────────────────────────────────────────

    def _work(self, hand: Hand) -> Work:
        """Carry on one slot to its end."""
        steps = slot(self._floor)
        step = next(steps)
        while True:
            try:
                answer = yield from self._perform(step, hand)
            except DeliveryError as error:
                step = steps.throw(error)
            else:
                try:
                    step = steps.send(answer)
                except StopIteration:
                    return

    def _perform(self, step: Step, hand: Hand) -> Generator[Wait | Later, Any, Any]:
        """Do what a slot asks for, and return the answer."""
        match step:
            case Deliver():
                return (yield from self._deliver(step.provider, step.envelope))
            case Mark():
                if self._mark(step, hand):
                    yield LATER
                return self._failure is None
            case Note():
                with self._lock:
                    self._desk.note(step.changes, step.outcome)
            case Enter():
                return self._enter(step.provider, hand) or (yield LATER)
            case Leave():
                self._leave(step.provider)
            case Take():
                return self._take(hand) or (yield LATER)
            case Pause():
                yield Aside(partial(self._sleep, step.seconds))
        return None

    def _deliver(self, provider: str, envelope: Envelope) -> Generator[Wait, Any, Receipt]:
        """Hand over; an adapter that breaks in any other way than it should leaves its piece in doubt.

        Why the exception's words stay here: they may quote the message.
        """
        try:
            if (conversing := self._conversing.get(provider)) is not None:
                return (yield from conversing.converse(envelope))
            receipt: Receipt = yield Aside(partial(self._adapters[provider].deliver, envelope))
            return receipt
        except DeliveryError:
            raise
        except Exception as error:
            status = f"adapter failed with {type(error).__name__}"
            return Receipt(envelope.key, ReceiptStatus.UNKNOWN, provider, provider_status=status)

    def _mark(self, step: Mark, hand: Hand) -> bool:
        """Have a mark written, unless sending failed already."""
        with self._lock:
            if self._failure is None:
                self._desk.mark(step.change, hand)
            return self._failure is None

    def _enter(self, provider: str, hand: Hand) -> bool:
        with self._lock:
            if not self._stop.is_set() and not self._paused and self._desk.enter(provider):
                return True
            self._enterers.append((hand, provider))
            self._let_in()
            return False

    def _leave(self, provider: str) -> None:
        with self._lock:
            self._desk.leave(provider)
            if self._enterers:
                self._let_in()

    def _take(self, hand: Hand) -> SendJob | None:
        with self._lock:
            job = None if self._paused or self._stop.is_set() else self._desk.take()
            if job is None:
                self._busy -= 1
                self._takers.append(hand)
                self._let_in()
                if not self._busy:
                    self._to_wait.notify_all()
            return job

    def _let_in(self) -> None:
        """Give what there is now to slots that wait for it: places, jobs, or the word that there will be no more."""
        if self._stop.is_set():
            for hand, _ in self._enterers:
                self._driver.go_on(hand, False)
            self._enterers.clear()
            while self._takers:
                self._hire(None)
        elif not self._paused:
            waiting, self._enterers = self._enterers, deque()
            for hand, provider in waiting:
                if self._desk.enter(provider):
                    self._driver.go_on(hand, True)
                else:
                    self._enterers.append((hand, provider))
            while self._takers and (job := self._desk.take()) is not None:
                self._hire(job)

    def _hire(self, job: SendJob | None) -> None:
        self._busy += 1
        self._driver.go_on(self._takers.popleft(), job)

    def _wake_writer(self) -> None:
        """Have written what came together while the slots went on; only now, so that it is one group."""
        with self._lock:
            if self._desk.to_write:
                self._to_write.notify()

    def _all_ended(self) -> None:
        with self._lock:
            self._busy = 0
            self._to_wait.notify_all()

    def _saw(self, status: ReceiptStatus) -> None:
        with self._lock:
            tripped = self._circuit.saw(status)
        if tripped is not None:
            self._fail(tripped)

    def _heard(self, envelope: Envelope, receipt: Receipt) -> None:
        """Pass on what was said about an address. Failing to keep it ends the sending: others may go there too."""
        try:
            self._tell_heard(envelope, receipt)
        except Exception as error:
            self._fail(error)

    # ── the writer ───────────────────────────────────────────────────────

    def _write(self) -> None:
        """Write one group after the other; the first that fails ends the sending."""
        while True:
            with self._lock:
                while (group := self._desk.group(intents=not self._stop.is_set())) is None:
                    if self._ended:
                        return
                    self._to_write.wait()
            try:
                self._record(group)
                if group.intents:
                    self._before_sending(len(group.intended))
            except BaseException as error:
                self._fail(error)
                self._rescue(group, error)
            else:
                self._written(group)
            for hand in group.waiting:
                self._driver.go_on(hand)
            self._driver.ring()

    def _record(self, group: Group) -> None:
        now = self._clock()
        self._ledger.record(
            self._run_id, group.changes(now), group.outcomes, owner=self._owner, now=now, durable=group.durable
        )

    def _written(self, group: Group) -> None:
        with self._lock:
            self._desk.written(group)
            self._settled.extend(group.outcomes)
            if group.intents:
                self._let_in()
            if self._desk.backlog <= BACKLOG:
                self._to_wait.notify_all()

    def _rescue(self, group: Group, error: BaseException) -> None:
        """Try once more to write what providers have answered already.

        Why: The disk may have been full for the intents only. Whatever is not written is in doubt and will be listed.
        """
        answers = group.without_marks()
        if not isinstance(error, LeaseLost) and (answers.answers or answers.outcomes):
            try:
                self._record(answers)
            except Exception:
                answers = Group()
        else:
            answers = Group()
        self._written(answers)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
        self.stop()
