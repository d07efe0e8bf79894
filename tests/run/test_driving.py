"""One thread for many: each hand goes on when it can, none waits for another."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from ccm.deliver.conversation import Aside, Until
from ccm.run.driving import LATER, Driver, Hand, Work


class Show:
    """A driver of some hands, and everything it told."""

    def __init__(self, *begins: Callable[[Hand], Work]) -> None:
        self.failures: list[BaseException] = []
        self.rested = threading.Event()
        self.over = threading.Event()
        left = list(begins)
        self.driver = Driver(
            len(begins),
            lambda hand: left.pop(0)(hand),
            failed=self.failures.append,
            before_waiting=self.rested.set,
            ended=self.over.set,
        )
        self.driver.start()

    def wait(self) -> None:
        """Wait until every hand is over."""
        self.driver.join()
        assert self.over.is_set()


def test_hands_wait_for_different_things_at_once() -> None:
    """A socket, another thread's work, and an answer that comes from outside: each goes on by itself, in any order."""
    ours, theirs = socket.socketpair()
    asked = threading.Event()
    seen: list[object] = []
    hands: list[Hand] = []

    def hears(hand: Hand) -> Work:
        yield Until(ours.fileno(), 30.0)
        seen.append(ours.recv(10))

    def asks(hand: Hand) -> Work:
        hands.append(hand)
        seen.append((yield LATER))
        asked.set()

    def blocks(hand: Hand) -> Work:
        yield Aside(asked.wait)  # the others go on meanwhile
        seen.append("aside")
        theirs.send(b"hello")

    with ours, theirs:
        show = Show(hears, asks, blocks)
        show.rested.wait()
        show.driver.go_on(hands[0], "answer")
        show.driver.ring()
        show.wait()
    assert (seen, show.failures) == (["answer", "aside", b"hello"], [])


def test_silence_is_noticed_while_others_talk() -> None:
    """A socket that never says anything is given up on time, although another one always has something to say."""
    (silent, nobody), (heard, talker) = socket.socketpair(), socket.socketpair()
    given_up, in_time = threading.Event(), threading.Event()

    def waits(hand: Hand) -> Work:
        try:
            yield Until(silent.fileno(), 0.01)
        except TimeoutError:
            given_up.set()

    def listens(hand: Hand) -> Work:
        for _ in range(100_000):
            yield Until(heard.fileno(), 30.0)  # the byte is never taken, so there is always one
            if given_up.is_set():
                in_time.set()
                return

    with silent, nobody, heard, talker:
        talker.send(b".")
        Show(waits, listens).wait()
    assert in_time.is_set()


def test_silence_and_errors_are_thrown_in() -> None:
    """A socket that says nothing for its time, and work that failed; the hand decides what that means."""
    ours, theirs = socket.socketpair()
    caught: list[type[BaseException]] = []

    def fail() -> None:
        raise LookupError

    def unlucky(hand: Hand) -> Work:
        for wait in (Until(ours.fileno(), 0.01), Aside(fail)):
            try:
                yield wait
            except (TimeoutError, LookupError) as error:
                caught.append(type(error))

    with ours, theirs:
        Show(unlucky).wait()
    assert caught == [TimeoutError, LookupError]


def test_one_that_breaks_leaves_the_others_alone() -> None:
    """What it raised is told; the rest comes to its end."""
    done: list[int] = []

    def breaks(hand: Hand) -> Work:
        yield Aside(lambda: None)
        raise KeyError

    def works(hand: Hand) -> Work:
        for _ in range(3):
            yield Aside(lambda: None)
        done.append(1)

    show = Show(breaks, works)
    show.wait()
    assert ([type(one) for one in show.failures], done) == ([KeyError], [1])


def test_threads_aside_are_used_again() -> None:
    """Twenty things one after the other need one thread; twenty at once need twenty."""
    names: set[str] = set()
    barrier = threading.Barrier(20)

    def one_by_one(hand: Hand) -> Work:
        for _ in range(20):
            yield Aside(lambda: names.add(threading.current_thread().name))

    Show(one_by_one).wait()
    assert len(names) == 1

    def together(hand: Hand) -> Work:
        yield Aside(barrier.wait)

    Show(*[together] * 20).wait()
