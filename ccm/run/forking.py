"""A composing process that learns first and is copied then, so that its copies know what it knows and share its memory.

The first process is begun anew (spawned), because the parent runs threads by the time that processes are replaced, and a
forked lock that one of them holds never opens. The first process has one thread, so it can be forked at any time. Where it
cannot (another system than Linux, or a library that runs threads of its own), every process begins anew and learns alone.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from ccm.compose.failure import NO_MEMORY

_BEGIN_SECONDS = 120.0  # imports and reading the release, on a busy machine
_END_SECONDS = 5.0
_COPY = "copy"  # asks the first process for a copy; everything else is a tuple of items
_TASKS = Path("/proc/self/task")

_Result = TypeVar("_Result")


class Died(Exception):
    """A process is gone, or does not answer."""


@dataclass(frozen=True)
class Spent(Generic[_Result]):
    """What a process answers that makes nothing more, because what an item left behind could cost others; it ends then.

    made: At least one, and fewer than were asked for unless the last item was the one.
    unsure: Whether the last result might be another one in a process that made nothing before.
    """

    made: tuple[_Result, ...]
    unsure: bool


Make: TypeAlias = Callable[[tuple[Any, ...]], tuple[Any, ...] | Spent[Any]]


class Process:
    """The parent's end of a process that makes things; for one thread at a time."""

    def __init__(self, connection: Connection, kill: Callable[[], None]) -> None:
        self._connection = connection
        self._kill = kill
        self._begun = False
        self.is_fresh = True  # it was asked for nothing yet

    def ask(self, items: tuple[Any, ...], seconds: float | None) -> tuple[Any, ...] | Spent[Any]:
        """Let it make some items, and return what came of them.

        Args:
            seconds: On the wall; None waits for ever.
        Raises:
            Died: If it died of them, or took longer.
            Exception: What making raised.
        """
        self.wait_until_begun()
        self.is_fresh = False
        made = self._answer(items, seconds)
        if isinstance(made, BaseException):
            raise made
        results: tuple[Any, ...] | Spent[Any] = made
        return results

    def wait_until_begun(self) -> None:
        """Wait until it is ready for its first items.

        Raises:
            Died: If it cannot even begin.
        """
        if not self._begun:
            self._received(_BEGIN_SECONDS)
            self._begun = True

    def _answer(self, order: object, seconds: float | None) -> Any:
        try:
            self._connection.send(order)
        except OSError:
            raise Died from None
        return self._received(seconds)

    def _received(self, seconds: float | None) -> Any:
        try:
            if not self._connection.poll(seconds):
                raise Died
            return self._connection.recv()
        except (EOFError, OSError):
            raise Died from None

    def kill(self) -> None:
        """End it at once; whoever waits for an answer is told that it died."""
        self._kill()


class FirstProcess(Process):
    """A process that begins anew, and can be copied."""

    def __init__(
        self, begin: Callable[..., None], arguments: tuple[str, ...], make: Make, copied: Callable[[], None]
    ) -> None:
        """Begin; does not wait until it is ready.

        Args:
            begin, arguments: Called once.
            make: Makes items.
            copied: Called once in each copy.
        """
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_serve, args=(theirs, begin, arguments, make, copied), daemon=True)
        self._process.start()
        theirs.close()
        self._ordering = threading.Lock()
        super().__init__(ours, self._process.kill)

    def copy(self) -> Process | None:
        """Return a copy that is ready; None where there can be none.

        Raises:
            Died: If it, or the copy, is gone.
        """
        if sys.platform != "linux":
            return None
        self.wait_until_begun()
        ours, theirs = multiprocessing.Pipe()
        with self._ordering:
            try:
                self._connection.send(_COPY)
                reduction.send_handle(self._connection, theirs.fileno(), self._process.pid)
            except OSError:
                raise Died from None
            finally:
                theirs.close()
            number: int = self._received(_BEGIN_SECONDS)
            if not number:
                return None
            copy = Process(ours, _killer(number))
        copy.wait_until_begun()
        return copy

    def kill(self) -> None:
        """End it and wait for its end; its copies go on."""
        super().kill()
        self._process.join(_END_SECONDS)


def _killer(number: int) -> Callable[[], None]:
    """Return what kills a copy and waits for its end.

    Why not by its number alone: it may be another process's by then.
    """
    try:
        handles = [os.pidfd_open(number)]
    except ProcessLookupError:
        handles = []

    def kill() -> None:
        try:
            handle = handles.pop()  # once, whichever thread comes first
        except IndexError:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        ended.poll(_END_SECONDS * 1000)
        os.close(handle)

    return kill


# ── in the processes ─────────────────────────────────────────────────────────


def _serve(
    own: Connection, begin: Callable[..., None], arguments: tuple[str, ...], make: Make, copied: Callable[[], None]
) -> None:
    """Answer the parent until it closes; Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin(*arguments)
    own.send(True)
    while True:
        try:
            order = own.recv()
        except (EOFError, OSError):
            return
        if order == _COPY:
            _copy(own, make, copied)
        else:
            _make(own, make, order)


def _copy(own: Connection, make: Make, copied: Callable[[], None]) -> None:
    """Fork; tell the parent the number of the copy, or nought if this process has threads, which a copy would lack."""
    theirs = Connection(reduction.recv_handle(own))
    _bury()
    if not _is_alone():
        theirs.close()
        own.send(0)
        return
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page of memory that both share
    number = os.fork()
    if number:
        theirs.close()
        own.send(number)
        return
    try:  # a copy; it never returns into what the first process was doing
        own.close()
        copied()
        theirs.send(True)
        while True:
            _make(theirs, make, theirs.recv())
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:
        os._exit(1)


def _make(own: Connection, make: Make, items: tuple[Any, ...]) -> None:
    """Make, and answer; whoever has no memory even for the answer is as good as killed."""
    try:
        made = make(items)
        own.send(made)
        if isinstance(made, Spent):
            os._exit(0)
    except (*NO_MEMORY, OSError):
        os._exit(1)
    except Exception as error:
        own.send(error)


def _bury() -> None:
    """Take leave of copies that ended, so that they do not stay in the table of processes."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _is_alone() -> bool:
    return threading.active_count() == 1 and len(list(_TASKS.iterdir())) == 1
