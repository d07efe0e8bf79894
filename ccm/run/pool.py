"""Composing processes that are begun again when one dies, so that a message which kills its process costs itself alone."""

from __future__ import annotations

import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from ccm.run.forking import Died, FirstProcess, Process, Spent

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

MOST_DEATHS = 5  # in a row, with no message between that could be made
MOST_LESSONS = 8  # groups that the first process makes alone before it is copied
QUIET_LESSONS = 2  # in a row that taught nothing are enough; what is learned later, every copy learns for itself
_AHEAD = 2  # groups for each process that are handed over before they are wanted


class WorkerDied(Exception):
    """Composing processes are killed again and again, most likely for want of memory."""

    remedy = "give the same command again, with fewer --workers if memory is short"

    def __init__(self) -> None:
        super().__init__(f"composing processes died again and again; nothing of their window was sent; {self.remedy}")


def _nothing() -> None:
    """Copies need no more than they are born with."""


def _none_apart(item: object) -> bool:
    """Say that no item is made apart."""
    return False


class Pool(Generic[_Item, _Result]):
    """Makes groups of items in order, ahead of the caller by a bounded number of groups.

    The first groups are made by one process, until it has learned what there is to learn; its copies make the others.

    Args:
        begin, arguments: Called once in the first process, and wherever one must begin anew.
        make: Makes a group in a process; picklable, as is what it takes and gives. Another process makes the rest of a group
            that one is spent by.
        killed: What stands for an item whose process died of it, or had to be killed.
        seconds: On the wall, for one item; None waits for ever.
        copied: Called once in each copy.
        learned: Whether a group was made without learning anything; every group is if not given.
        apart: Whether an item is made by a copy that makes nothing else, because it takes more memory than others do and
            leaves it in pieces.
    """

    def __init__(
        self,
        processes: int,
        begin: Callable[..., None],
        arguments: tuple[str, ...],
        make: Callable[[tuple[_Item, ...]], tuple[_Result, ...] | Spent[_Result]],
        killed: Callable[[_Item], _Result],
        seconds: float | None,
        copied: Callable[[], None] = _nothing,
        learned: Callable[[tuple[_Result, ...]], bool] = bool,
        apart: Callable[[_Item], bool] = _none_apart,
    ) -> None:
        self._processes = processes
        self._begun: Callable[[], FirstProcess] = lambda: FirstProcess(begin, arguments, make, copied)
        self._killed = killed
        self._seconds = seconds
        self._learned = learned
        self._is_apart = apart
        self._deaths = 0
        self._closed = False
        self._replacing = threading.Lock()
        self._first = self._begun()
        self._crew: list[Process] = []
        self._apart: list[Process] = []
        self._idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(processes, "compose")  # each waits for one process

    def results(self, groups: Iterable[tuple[_Item, ...]]) -> Iterator[tuple[_Result, ...]]:
        """Yield the results of each group, in order.

        Raises:
            WorkerDied: If processes die whatever they make.
        """
        source = iter(groups)
        if not self._crew:
            yield from self._lessons(source)
        waiting: deque[Future[tuple[_Result, ...]]] = deque()
        while True:
            for group in itertools.islice(source, self._processes * _AHEAD - len(waiting)):
                self._engage()
                waiting.append(self._threads.submit(self._made, group))
            if not waiting:
                return
            yield waiting.popleft().result()

    def close(self) -> None:
        """Kill the processes, whatever they are at; nothing of it is kept anywhere."""
        with self._replacing:
            self._closed = True
            for process in (*self._crew, *self._apart, self._first):
                process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)

    # ── beginning ────────────────────────────────────────────────────────────

    def _lessons(self, source: Iterator[tuple[_Item, ...]]) -> Iterator[tuple[_Result, ...]]:
        """Let the first process make groups until it learned what there is to learn."""
        quiet = 0
        for group in itertools.islice(source, MOST_LESSONS):
            first = self._first
            self._idle.put(first)
            made = self._made(group)
            self._idle.get()
            yield made
            quiet = quiet + 1 if self._learned(made) and self._first is first else 0  # another one knows nothing yet
            if quiet == QUIET_LESSONS:
                return

    def _engage(self) -> None:
        """Have as many processes as were asked for."""
        while len(self._crew) < self._processes:
            with self._replacing:
                process = self._another()
                self._crew.append(process)
            self._idle.put(process)

    def _another(self) -> Process:
        """Return a copy of the first process, or one that begins anew where there can be no copies.

        Raises:
            WorkerDied: If it cannot even begin; that blames no message.
        """
        for _ in range(2):
            try:
                copy = self._first.copy()
                if copy is not None:
                    return copy
                process = self._begun()
                process.wait_until_begun()
                return process
            except Died:
                self._first.kill()  # the system may have killed it for want of memory
                self._first = self._begun()
        raise WorkerDied

    # ── making; in threads, but for the lessons ──────────────────────────────

    def _made(self, group: tuple[_Item, ...]) -> tuple[_Result, ...]:
        if not group:
            return ()
        process = self._idle.get()
        made: list[_Result] = []
        try:
            for apart, items in self._parts(group):
                results = self._made_apart(items) if apart and process is not self._first else ()
                if not results:
                    results, process = self._made_by(process, items)
                made += results
        finally:
            self._idle.put(process)
        return tuple(made)

    def _parts(self, group: tuple[_Item, ...]) -> Iterator[tuple[bool, tuple[_Item, ...]]]:
        """Yield the items in order, each one that is made apart by itself; and whether it is."""
        for apart, items in itertools.groupby(group, self._is_apart):
            together = tuple(items)
            yield from ((True, (one,)) for one in together) if apart else ((False, together),)

    def _made_by(self, process: Process, items: tuple[_Item, ...]) -> tuple[tuple[_Result, ...], Process]:
        """Let a process make items, and others in its place where it cannot; return the one that is alive in the end."""
        made: list[_Result] = []
        try:
            while len(made) < len(items):
                results, process = self._asked(process, items[len(made) :])
                made += results
        except Died:
            process = self._replaced(process)
            results, process = self._one_by_one(process, items[len(made) :])
            made += results
        return tuple(made), process

    def _made_apart(self, items: tuple[_Item, ...]) -> tuple[_Result, ...]:
        """Let a copy of the first process make an item, and nothing else; what it cost goes with it.

        Returns:
            Nothing where there can be no copy, or it died: then the item is made, and blamed, like every other.
        """
        try:
            process = self._first.copy()
        except Died:
            return ()
        if process is None:
            return ()
        with self._replacing:
            self._apart.append(process)
        try:
            answer = () if self._closed else process.ask(items, self._patience(items))
        except Died:
            return ()
        finally:
            process.kill()
            with self._replacing:
                self._apart.remove(process)
        return answer.made if isinstance(answer, Spent) else answer

    def _asked(self, process: Process, items: tuple[_Item, ...]) -> tuple[tuple[_Result, ...], Process]:
        """Let a process make some items, as many as it can; another one takes the place of one that is spent.

        Why the last result may not count: a process that made other things before had less memory left for it.

        Returns:
            The results, at least one if the process was fresh, and the process that makes what comes next.
        Raises:
            Died: If it died of them, or took longer.
        """
        fresh = process.is_fresh
        answer = process.ask(items, self._patience(items))
        if not isinstance(answer, Spent):
            self._deaths = 0
            return answer, process
        if not answer.made:
            raise Died
        self._deaths = 0
        other = self._replaced(process)
        alone = fresh and len(answer.made) == 1
        return answer.made[:-1] if answer.unsure and not alone else answer.made, other

    def _one_by_one(self, process: Process, group: tuple[_Item, ...]) -> tuple[tuple[_Result, ...], Process]:
        """Make a group whose process died, each item for itself: the one that is to blame dies alone.

        Returns:
            The results, and the process that is alive in the end.
        """
        made: list[_Result] = []
        while len(made) < len(group):
            item = group[len(made)]
            try:
                results, process = self._asked(process, (item,))
                made += results
            except Died:
                self._deaths += 1
                made.append(self._killed(item))
                process = self._replaced(process)
        return tuple(made), process

    def _patience(self, group: tuple[_Item, ...]) -> float | None:
        return self._seconds * len(group) if self._seconds else None

    def _replaced(self, process: Process) -> Process:
        """Kill a process, should it live, and return another one in its place.

        Raises:
            WorkerDied: If it cannot begin, or too many died in a row.
        """
        with self._replacing:
            process.kill()
            if self._closed or self._deaths >= MOST_DEATHS:
                raise WorkerDied
            if process is self._first:
                self._first = self._begun_again()
                return self._first
            other = self._another()
            self._crew[self._crew.index(process)] = other
            return other

    def _begun_again(self) -> FirstProcess:
        process = self._begun()
        try:
            process.wait_until_begun()
        except Died:
            process.kill()
            raise WorkerDied from None
        return process
