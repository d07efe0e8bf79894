"""Conversations carried out in one thread: they wait for what they ask for, and hear what went wrong."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import ClassVar, Self

import pytest

from ccm.deliver.conversation import Aside, ConversingAdapter, Talk, Until, carried_out
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus
from ccm.testing import sample_envelope


def failing() -> None:
    raise ValueError("no")


def test_a_conversation_gets_what_it_waits_for() -> None:
    """A socket that has something, and the answer of work done aside."""
    ours, theirs = socket.socketpair()

    def talk() -> Talk[tuple[bytes, int]]:
        yield Until(ours.fileno(), 30.0, writable=True)
        theirs.send(b"hello")
        yield Until(ours.fileno(), 30.0)
        return ours.recv(10), (yield Aside(lambda: 7))

    with ours, theirs:
        assert carried_out(talk()) == (b"hello", 7)


def test_a_conversation_hears_what_went_wrong() -> None:
    """Silence and errors are thrown in where it waits; what it does not catch comes out."""
    ours, theirs = socket.socketpair()

    def talk() -> Talk[None]:
        with pytest.raises(TimeoutError):
            yield Until(ours.fileno(), 0.01)
        with pytest.raises(ValueError, match="no"):
            yield Aside(failing)
        yield Aside(failing)

    with ours, theirs, pytest.raises(ValueError, match="no"):
        carried_out(talk())


class Parrot(ConversingAdapter):
    """Accepts whatever it is given."""

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.EMAIL,))

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        return cls()

    def converse(self, envelope: Envelope) -> Talk[Receipt]:
        key = yield Aside(lambda: envelope.key)
        return Receipt(key, ReceiptStatus.ACCEPTED, "parrot")


def test_an_adapter_that_converses_also_delivers() -> None:
    """Whoever knows nothing of conversations calls `deliver` as ever."""
    assert Parrot().deliver(sample_envelope(key="p-1")) == Receipt("p-1", ReceiptStatus.ACCEPTED, "parrot")
