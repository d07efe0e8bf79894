"""Speaking SMTP on an open connection: several commands in one go where the server takes that, and an exact account of
what left. smtplib opens the connection, protects it and logs in; from then on this speaks, and never blocks.

Why not smtplib: it sends one command at a time and reads line by line through a file, which costs four journeys and most
of the processor's time for each message. Two journeys are enough: the commands, and the message.
Source: RFC 2920 (pipelining). DATA is the last command of a group, so nothing is accepted before its answer was read.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from typing import Any

from ccm.deliver.conversation import Talk, Until

_LARGEST_REPLY = 65536  # bytes; a server that says more in one answer is broken
_READ = 4096

END = b".\r\n"


class WireBroken(OSError):
    """The connection ended, or the server says what no server may say."""


class Wire:
    """The two directions of one connection. One conversation at a time."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        """Take over an open connection on which every answer was read; its timeout goes for every step."""
        assert smtp.sock is not None
        self._socket = smtp.sock
        seconds = smtp.sock.gettimeout() or 30.0
        self._readable = Until(smtp.sock.fileno(), seconds)
        self._writable = Until(smtp.sock.fileno(), seconds, writable=True)
        self._plain = not isinstance(smtp.sock, ssl.SSLSocket)
        self._unread = b""
        smtp.sock.setblocking(False)

    def send(self, data: bytes) -> Talk[None]:
        """Send all of it.

        Raises:
            OSError: If the connection broke or nothing moved for the configured time.
        """
        sent = yield from self._send_some(data)
        while sent < len(data):
            sent += yield from self._send_some(data[sent:])

    def reply(self) -> Talk[tuple[int, bytes]]:
        """Read one answer, of one line or many.

        Returns:
            The code, and the text of all lines.
        Raises:
            OSError: If the connection ended or the answer cannot be read.
        """
        texts = []
        while True:
            while (end := self._unread.find(b"\n")) < 0:
                yield from self._read()
            line, self._unread = self._unread[: end + 1], self._unread[end + 1 :]
            if not line[:3].isdigit():
                raise WireBroken("no SMTP answer")
            texts.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(texts)

    def ask(self, command: bytes) -> Talk[tuple[int, bytes]]:
        """Send one command and read its answer."""
        yield from self.send(command)
        return (yield from self.reply())

    def send_message(self, body: bytes) -> Talk[bool]:
        """Send a message with its final dot.

        Returns:
            True when everything left; False when the connection broke and it is certain that the server has no final
            dot, so that it accepted nothing.
        Raises:
            OSError: When it broke and the dot may have arrived.
        """
        if not self._plain:  # what TLS has taken when it fails cannot be known; the dot gets a record of its own
            try:
                yield from self.send(body)
            except OSError:
                return False
            yield from self.send(END)
            return True
        data, sent = body + END, 0
        while sent < len(data):
            try:
                sent += yield from self._send_some(data[sent:] if sent else data)
            except OSError:
                if sent <= len(body):
                    return False
                raise
        return True

    def _send_some(self, data: bytes) -> Talk[int]:
        return self._moved(self._socket.send, data, self._writable)

    def _read(self) -> Talk[None]:
        if self._plain:  # it was asked for just now and is not there yet; inside TLS it may be
            yield self._readable
        got: bytes = yield from self._moved(self._socket.recv, _READ, self._readable)
        if not got:
            raise WireBroken("the server hung up")
        self._unread += got
        if len(self._unread) > _LARGEST_REPLY:
            raise WireBroken("endless answer")

    def _moved(self, step: Callable[[Any], Any], value: object, otherwise: Until) -> Talk[Any]:
        """Repeat a step until the socket lets it through. TLS may have to read before it can write, or the other way."""
        while True:
            try:
                return step(value)
            except ssl.SSLWantReadError:
                yield self._readable
            except ssl.SSLWantWriteError:
                yield self._writable
            except BlockingIOError:
                yield otherwise
