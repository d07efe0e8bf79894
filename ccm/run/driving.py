"""Many conversations carried on by one thread: it goes on with whichever can, and waits for all the others at once."""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

from ccm.deliver.conversation import Aside, Until


@dataclass(frozen=True, slots=True)
class Later:
    """Wait for an answer that somebody gives by `Driver.go_on`."""


LATER = Later()
Work: TypeAlias = Generator[Until | Aside | Later, Any, None]


class Hand:
    """What one of many does, step by step.

    wait_until: When the socket that it waits for has been silent too long, in seconds of `time.monotonic`.
    """

    __slots__ = ("wait_until", "work")

    def __init__(self) -> None:
        self.work: Work
        self.wait_until = 0.0


class Driver:
    """Carries on several hands in a thread of its own until each has come to its end."""

    def __init__(
        self,
        count: int,
        begin: Callable[[Hand], Work],
        failed: Callable[[BaseException], None],
        *,
        before_waiting: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        """Begin nothing yet.

        Args:
            begin: Makes the work of a hand.
            failed: Told what a hand raised; this one is over.
            before_waiting: Called when no hand can go on.
            ended: Called when all are over.
        """
        self._failed = failed
        self._before_waiting = before_waiting
        self._ended = ended
        self._left = count
        self._ready: deque[tuple[Hand, Any, BaseException | None]] = deque()
        self._silent: dict[int, Hand] = {}  # by the descriptor of the socket that each waits for
        self._crew = Crew()
        self._bell, self._rope = socket.socketpair()
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        self._asleep = False
        for _ in range(count):
            hand = Hand()
            hand.work = begin(hand)
            self._ready.append((hand, None, None))
        self._thread = threading.Thread(target=self._drive, name="ccm-send", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def go_on(self, hand: Hand, answer: object = None, error: BaseException | None = None) -> None:
        """Give a hand the answer that it waits for; from any thread, with a `ring` after the last of several."""
        self._ready.append((hand, answer, error))

    def ring(self) -> None:
        """Have hands go on that were given answers. Within the driver's own thread it is not needed."""
        if self._asleep:
            self._asleep = False
            self._rope.send(b".")

    def join(self) -> None:
        """Wait until the last hand is over."""
        self._thread.join()
        self._crew.dismiss()
        self._bell.close()
        self._rope.close()

    def _drive(self) -> None:
        try:
            while self._left:
                while self._ready:
                    self._carry_on(*self._ready.popleft())
                self._before_waiting()
                if self._left:
                    self._wait()
        except BaseException as error:
            self._failed(error)
        self._ended()

    def _carry_on(self, hand: Hand, answer: object, error: BaseException | None) -> None:
        """Let a hand go on until it has to wait."""
        try:
            wait = hand.work.send(answer) if error is None else hand.work.throw(error)
        except StopIteration:
            self._left -= 1
            return
        except BaseException as failure:
            self._left -= 1
            self._failed(failure)
            return
        if isinstance(wait, Until):
            hand.wait_until = time.monotonic() + wait.seconds
            self._silent[wait.descriptor] = hand
            self._poll.register(wait.descriptor, select.POLLOUT if wait.writable else select.POLLIN)
        elif isinstance(wait, Aside):
            self._crew.do(wait.work, partial(self._done_aside, hand))

    def _done_aside(self, hand: Hand, answer: object, error: BaseException | None) -> None:
        self.go_on(hand, answer, error)
        self.ring()

    def _wait(self) -> None:
        """Wait for sockets, until somebody rings, or until a socket was silent too long."""
        self._asleep = True  # before looking: whoever brings something from now on rings
        first = min((hand.wait_until for hand in self._silent.values()), default=math.inf)
        milliseconds = None
        if self._ready:
            milliseconds = 0.0
        elif self._silent:
            milliseconds = max(0.0, first - time.monotonic()) * 1000
        found = self._poll.poll(milliseconds)
        self._asleep = False
        for descriptor, _ in found:
            if descriptor in self._silent:
                self._ready.append((self._heard(descriptor), None, None))
            else:
                self._bell.recv(64)
        if time.monotonic() >= first:  # also while others are talking all the time
            self._give_up_waiting()

    def _give_up_waiting(self) -> None:
        now = time.monotonic()
        for descriptor in [one for one, hand in self._silent.items() if hand.wait_until <= now]:
            self._ready.append((self._heard(descriptor), None, TimeoutError()))

    def _heard(self, descriptor: int) -> Hand:
        self._poll.unregister(descriptor)
        return self._silent.pop(descriptor)


Done: TypeAlias = Callable[[object, BaseException | None], None]


class Crew:
    """Threads for what blocks: as many as there are things to do at once, kept for the next ones. For one caller."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Callable[[], object], Done] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def do(self, task: Callable[[], object], done: Done) -> None:
        """Have something done, and `done` called with what it returns or raises."""
        if not self._idle.acquire(blocking=False):
            thread = threading.Thread(target=self._work, name=f"ccm-send-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._tasks.put((task, done))

    def dismiss(self) -> None:
        """Let everybody end what they are doing, and wait for it."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (given := self._tasks.get()) is not None:
            task, done = given
            answer: object = None
            error: BaseException | None = None
            try:
                answer = task()
            except BaseException as raised:
                error = raised
            self._idle.release()  # before the answer: it may bring the next task
            done(answer, error)
