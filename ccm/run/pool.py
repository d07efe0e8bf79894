"""Composing processes that are begun again when one dies, so that a message which kills its process costs itself alone."""

from __future__ import annotations

import itertools
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as WaitedTooLong
from concurrent.futures.process import BrokenProcessPool
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

MOST_DEATHS = 5  # in a row, with no message between that could be made
_AHEAD = 2  # groups for each process that are handed over before they are wanted


class WorkerDied(Exception):
    """Composing processes are killed again and again, most likely for want of memory."""

    remedy = "give the same command again, with fewer --workers if memory is short"

    def __init__(self) -> None:
        super().__init__(f"composing processes died again and again; nothing of their window was sent; {self.remedy}")


class Pool(Generic[_Item, _Result]):
    """Makes groups of items in order, ahead of the caller by a bounded number of groups.

    Args:
        begin, arguments: Called once in each process.
        make: Makes a group in a process; picklable, as is what it takes and gives.
        killed: What stands for an item whose process died of it, or had to be killed.
        seconds: On the wall, for one item; None waits for ever.
    """

    def __init__(
        self,
        processes: int,
        begin: Callable[..., None],
        arguments: tuple[str, ...],
        make: Callable[[tuple[_Item, ...]], tuple[_Result, ...]],
        killed: Callable[[_Item], _Result],
        seconds: float | None,
    ) -> None:
        self._processes = processes
        self._begin = begin
        self._arguments = arguments
        self._make = make
        self._killed = killed
        self._seconds = seconds
        self._deaths = 0
        self._executor = self._opened()

    def results(self, groups: Iterable[tuple[_Item, ...]]) -> Iterator[tuple[_Result, ...]]:
        """Yield the results of each group, in order.

        Raises:
            WorkerDied: If processes die whatever they make.
        """
        source = iter(groups)
        waiting: deque[tuple[tuple[_Item, ...], Future[tuple[_Result, ...]]]] = deque()
        while True:
            for group in itertools.islice(source, self._processes * _AHEAD - len(waiting)):
                waiting.append((group, self._submitted(group)))
            if not waiting:
                return
            group, future = waiting.popleft()
            try:
                made = future.result(self._patience(group))
                self._deaths = 0
            except (BrokenProcessPool, WaitedTooLong):
                made = self._one_by_one(group)
                waiting = deque((other, self._kept(other, before)) for other, before in waiting)
            yield made

    def close(self) -> None:
        """Stop the processes; work not begun is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _one_by_one(self, group: tuple[_Item, ...]) -> tuple[_Result, ...]:
        """Make a group whose process died, each item for itself: the one that is to blame dies alone."""
        self._begin_again()
        made: list[_Result] = []
        for item in group:
            try:
                made += self._submitted((item,)).result(self._patience((item,)))
                self._deaths = 0
            except (BrokenProcessPool, WaitedTooLong):
                self._deaths += 1
                made.append(self._killed(item))
                self._begin_again()
        return tuple(made)

    def _kept(self, group: tuple[_Item, ...], before: Future[tuple[_Result, ...]]) -> Future[tuple[_Result, ...]]:
        """Return the future of a group, submitted again unless it was made before the process died."""
        done = before.done() and not before.cancelled() and before.exception() is None
        return before if done else self._submitted(group)

    def _submitted(self, group: tuple[_Item, ...]) -> Future[tuple[_Result, ...]]:
        try:
            return self._executor.submit(self._make, group)
        except BrokenProcessPool as error:  # it broke before anybody looked
            broken: Future[tuple[_Result, ...]] = Future()
            broken.set_exception(error)
            return broken

    def _patience(self, group: tuple[_Item, ...]) -> float | None:
        return self._seconds * max(1, len(group)) if self._seconds else None

    def _begin_again(self) -> None:
        """Kill the processes and begin new ones, which must answer: one that cannot even begin blames no message.

        Raises:
            WorkerDied: If they do not, or if too many died in a row.
        """
        for process in list((self._executor._processes or {}).values()):
            process.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)
        if self._deaths >= MOST_DEATHS:
            raise WorkerDied
        self._executor = self._opened()
        try:
            self._executor.submit(_alive).result(120)
        except (BrokenProcessPool, WaitedTooLong):
            raise WorkerDied from None

    def _opened(self) -> ProcessPoolExecutor:
        # spawn, not fork: the parent runs sender threads, and a forked lock that one of them holds never opens.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, context, self._begin, self._arguments)


def _alive() -> bool:
    return True
