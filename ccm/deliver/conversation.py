"""Hand-overs that one thread carries on by the dozen: a conversation says what it waits for instead of waiting.

An adapter that speaks over sockets of its own can subclass `ConversingAdapter`. Its hand-over is then a generator: it yields
`Until` where nothing can be done before a socket moves, and `Aside` where something blocks that has no socket to look at.
Whoever drives it waits, for many conversations at once. Why: in CPython sixteen threads that each send one message spend as
much time on passing the interpreter's lock around as on the messages.
"""

from __future__ import annotations

import select
from abc import abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from ccm.deliver.interface import Adapter
from ccm.model.records import Envelope, Receipt

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Until:
    """Go on when a socket can be read from (or written to).

    seconds: After so long without, `TimeoutError` is thrown in.
    """

    descriptor: int
    seconds: float
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Aside:
    """Do this in some thread, and go on with what it returns or raises."""

    work: Callable[[], Any]


Wait: TypeAlias = Until | Aside
Talk: TypeAlias = Generator[Wait, Any, _Result]


class ConversingAdapter(Adapter):
    """An adapter whose hand-overs need no thread each."""

    @abstractmethod
    def converse(self, envelope: Envelope) -> Talk[Receipt]:
        """Hand over one piece. Must not block between two things that it yields.

        Returns:
            As `deliver`.
        Raises:
            DeliveryError: As `deliver`.
        """

    def deliver(self, envelope: Envelope) -> Receipt:
        """Hand over one piece in this thread. Override `converse` and not this: a run asks for the conversation."""
        return carried_out(self.converse(envelope))


def carried_out(talk: Talk[_Result]) -> _Result:
    """Carry a conversation to its end in this thread, and return or raise what it does."""
    try:
        wait = next(talk)
        while True:
            try:
                answer = _waited(wait)
            except Exception as error:
                wait = talk.throw(error)
            else:
                wait = talk.send(answer)
    except StopIteration as end:
        result: _Result = end.value
        return result


def _waited(wait: Wait) -> Any:
    if isinstance(wait, Aside):
        return wait.work()
    poll = select.poll()
    poll.register(wait.descriptor, select.POLLOUT if wait.writable else select.POLLIN)
    if not poll.poll(wait.seconds * 1000):
        raise TimeoutError
    return None
