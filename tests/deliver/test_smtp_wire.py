"""The wire: answers of one line and many, and an exact account of whether the final dot may have left."""

from __future__ import annotations

import smtplib
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from ccm.deliver.conversation import carried_out
from ccm.deliver.smtp_wire import Wire, WireBroken


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    """A wire, and the server's end of it."""
    ours, theirs = socket.socketpair()
    smtp = smtplib.SMTP()
    smtp.sock = ours
    yield Wire(smtp), theirs
    ours.close()
    theirs.close()


def test_answers_are_told_apart(ends: tuple[Wire, socket.socket]) -> None:
    """Three answers in one packet, one of them in two lines, come one after the other."""
    wire, server = ends
    server.sendall(b"250-first\r\n250 2.1.0 ok\r\n550 5.1.1 no\r\n354 go\r\n")
    answers = [carried_out(wire.reply()) for _ in range(3)]
    assert answers == [(250, b"first\n2.1.0 ok"), (550, b"5.1.1 no"), (354, b"go")]


@pytest.mark.parametrize("said", [b"", b"garbage\r\n", b"x" * 70_000])
def test_what_is_no_answer_breaks_the_wire(ends: tuple[Wire, socket.socket], said: bytes) -> None:
    """A hang-up, another language, an endless line: an error, never a code."""
    wire, server = ends
    server.sendall(said)
    server.close()
    with pytest.raises(WireBroken):
        carried_out(wire.reply())


def test_before_the_dot_nothing_was_accepted(ends: tuple[Wire, socket.socket]) -> None:
    """The server hangs up while a large body is under way: it is certain that the dot did not leave."""
    wire, server = ends
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    assert carried_out(wire.send_message(b"x" * 5_000_000 + b"\r\n")) is False


def test_a_whole_message_ends_in_one_dot(ends: tuple[Wire, socket.socket]) -> None:
    """Body and dot arrive as they are."""
    wire, server = ends
    assert carried_out(wire.send_message(b"Subject: x\r\n\r\nhello\r\n")) is True
    assert server.recv(1000) == b"Subject: x\r\n\r\nhello\r\n.\r\n"


def test_a_server_that_reads_slowly_gets_everything(ends: tuple[Wire, socket.socket]) -> None:
    """A message larger than the system's buffers waits for the server in between, and arrives whole."""
    wire, server = ends
    body = bytes(range(256)) * 8192 + b"\r\n"
    got = bytearray()

    def read() -> None:
        while len(got) < len(body) + 3:
            got.extend(server.recv(65536))

    reader = threading.Thread(target=read)
    reader.start()
    assert carried_out(wire.send_message(body)) is True
    reader.join()
    assert got == body + b".\r\n"


def test_silence_ends_in_a_timeout() -> None:
    """A server that says nothing for the configured time is as good as gone."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.01)
    smtp = smtplib.SMTP()
    smtp.sock = ours
    with ours, theirs, pytest.raises(TimeoutError):
        carried_out(Wire(smtp).reply())
