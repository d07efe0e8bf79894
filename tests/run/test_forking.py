"""Promise: a process that learned is copied, its copies know what it knows and die alone, and nothing is left behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccm.run.forking import Died, FirstProcess
from ccm.run.pool import MOST_LESSONS, Pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")

_known: list[str] = []  # what a process learned


def begin() -> None:
    """Know nothing."""


def copied() -> None:
    """Remember to be a copy."""
    _known.append("copy")


def make(items: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Learn each item and tell everything known, and the process."""
    made = []
    for item in items:
        if item == "thread":
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        if item == "out of memory":
            raise MemoryError
        if item == "fault":
            raise ZeroDivisionError
        _known.append(item)
        made.append((str(os.getpid()), *_known))
    return tuple(made)


def lost(item: str) -> tuple[str, ...]:
    """Stand for what could not be made."""
    return (item, "lost")


def needs_three(made: tuple[tuple[str, ...], ...]) -> bool:
    """Say that the first two things were something to learn."""
    return len(made[-1]) > 3


@pytest.fixture
def first() -> Iterator[FirstProcess]:
    process = FirstProcess(begin, (), make, copied)
    yield process
    process.kill()


def runs(number: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_copy_knows_what_was_learned_before(first: FirstProcess) -> None:
    """And nothing that was learned elsewhere later; killing one leaves the others."""
    first.ask(("a",), 60)
    one, other = first.copy(), first.copy()
    assert one is not None
    assert other is not None
    first.ask(("b",), 60)
    ((number, *known),) = one.ask(("c",), 60)
    assert known == ["a", "copy", "c"]
    one.kill()
    one.kill()
    assert not runs(int(number))
    with pytest.raises(Died):
        one.ask(("d",), 60)
    ((second, *known),) = other.ask(("d",), 60)
    assert known == ["a", "copy", "d"]
    late = first.copy()
    assert late is not None
    assert late.ask(("e",), 60)[0][1:] == ("a", "b", "copy", "e")
    for process in (other, late):
        process.kill()
    assert not runs(int(second))


def test_a_process_with_threads_is_not_copied(first: FirstProcess) -> None:
    """A copy would lack them, and wait for ever for a lock that one of them held."""
    first.ask(("thread",), 60)
    assert first.copy() is None
    pool: Pool[str, tuple[str, ...]] = Pool(2, begin, (), make, lost, 60.0, copied)
    try:
        made = [one for group in pool.results([("thread",), ("b",), ("c",), ("d",)]) for one in group]
        assert [one[-1] for one in made] == ["thread", "b", "c", "d"]
        assert not any("copy" in one for one in made)
    finally:
        pool.close()


def test_the_first_process_is_copied_when_it_has_learned() -> None:
    """It makes groups alone until then, but not for ever."""
    pool: Pool[str, tuple[str, ...]] = Pool(2, begin, (), make, lost, 60.0, copied, needs_three)
    try:
        made = [one for group in pool.results([(letter,) for letter in "abcdefgh"]) for one in group]
        assert [one[1:] for one in made[:4]] == [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")]
        assert all(one[1:6] == ("a", "b", "c", "d", "copy") for one in made[4:])
        assert [one[-1] for one in made] == list("abcdefgh")
        assert len({one[0] for one in made}) <= 3
    finally:
        pool.close()
    assert not any(runs(int(number)) for number, *_ in made)
    slow: Pool[str, tuple[str, ...]] = Pool(2, begin, (), make, lost, 60.0, copied, lambda made: False)
    try:
        made = [one for group in slow.results([(letter,) for letter in "abcdefghijkl"]) for one in group]
        assert ["copy" in one for one in made] == [False] * MOST_LESSONS + [True] * (12 - MOST_LESSONS)
    finally:
        slow.close()


def test_faults_travel_and_want_of_memory_costs_its_item() -> None:
    """A mistake of ours is raised in the parent; a process without memory even for the answer counts as killed."""
    pool: Pool[str, tuple[str, ...]] = Pool(2, begin, (), make, lost, 60.0, copied)
    try:
        made = [one for group in pool.results([("a",), ("b", "out of memory"), ("c",)]) for one in group]
        assert [one[-1] for one in made] == ["a", "b", "lost", "c"]
        with pytest.raises(ZeroDivisionError):
            list(pool.results([("fault",)]))
    finally:
        pool.close()


def test_what_leaves_much_behind_is_made_by_a_copy_of_its_own() -> None:
    """The copy knows what the first process learned, nobody learns from it, and it is gone before the next thing is made.

    One that dies is made where everything else is, and costs itself alone there.
    """
    heavy = {"B", "D", "E", "G", "out of memory"}
    groups = [("a",), ("B",), ("c", "D", "E", "f"), ("G", "out of memory", "h")]
    pool: Pool[str, tuple[str, ...]] = Pool(2, begin, (), make, lost, 60.0, copied, apart=heavy.__contains__)
    try:
        made = [one for group in pool.results(groups) for one in group]
        assert [one[-1] for one in made] == ["a", "B", "c", "D", "E", "f", "G", "lost", "h"]
        assert made[1][1:] == ("a", "B")  # by the first process, which learns
        apart = [made[number] for number in (3, 4, 6)]
        assert [one[1:] for one in apart] == [("a", "B", "copy", letter) for letter in "DEG"]
        assert len({one[0] for one in apart}) == 3
        assert not any(runs(int(one[0])) for one in apart)
        assert made[5][1:] == ("a", "B", "copy", "c", "f")
    finally:
        pool.close()


def test_copies_end_with_their_parent(first: FirstProcess) -> None:
    """The parent's end closes, and the copy goes by itself: nobody composes for a run that was killed."""
    copy = first.copy()
    assert copy is not None
    ((number, *_),) = copy.ask(("a",), 60)
    copy._connection.close()
    until = time.monotonic() + 60
    while runs(int(number)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(int(number))
