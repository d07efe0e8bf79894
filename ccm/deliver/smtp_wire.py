"""Speaking SMTP on an open connection: several commands in one go where the server takes that, and an exact account of
what left. smtplib opens the connection, protects it and logs in; from then on this speaks.

Why not smtplib: it sends one command at a time and reads line by line through a file, which costs four journeys and most
of the processor's time for each message. Two journeys are enough: the commands, and the message.
Source: RFC 2920 (pipelining). DATA is the last command of a group, so nothing is accepted before its answer was read.
"""

from __future__ import annotations

import smtplib
import ssl

_LARGEST_REPLY = 65536  # bytes; a server that says more in one answer is broken
_READ = 4096

END = b".\r\n"


class WireBroken(OSError):
    """The connection ended, or the server says what no server may say."""


class Wire:
    """The two directions of one connection. One thread at a time."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        """Take over an open connection on which every answer was read."""
        assert smtp.sock is not None
        self._socket = smtp.sock
        self._exact = not isinstance(smtp.sock, ssl.SSLSocket)
        self._unread = b""

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: If the connection broke or nothing moved for the configured time.
        """
        self._socket.sendall(data)

    def reply(self) -> tuple[int, bytes]:
        """Read one answer, of one line or many.

        Returns:
            The code, and the text of all lines.
        Raises:
            OSError: If the connection ended or the answer cannot be read.
        """
        texts = []
        while True:
            line = self._line()
            if not line[:3].isdigit():
                raise WireBroken("no SMTP answer")
            texts.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(texts)

    def send_message(self, body: bytes) -> bool:
        """Send a message with its final dot.

        Returns:
            True when everything left; False when the connection broke and it is certain that the server has no final
            dot, so that it accepted nothing.
        Raises:
            OSError: When it broke and the dot may have arrived.
        """
        if not self._exact:  # what TLS has taken when it fails cannot be known; the dot gets a record of its own
            try:
                self._socket.sendall(body)
            except OSError:
                return False
            self._socket.sendall(END)
            return True
        view, sent = memoryview(body + END), 0
        while sent < len(view):
            try:
                sent += self._socket.send(view[sent:])
            except OSError:
                if sent <= len(body):
                    return False
                raise
        return True

    def _line(self) -> bytes:
        while (end := self._unread.find(b"\n")) < 0:
            got = self._socket.recv(_READ)
            if not got:
                raise WireBroken("the server hung up")
            self._unread += got
            if len(self._unread) > _LARGEST_REPLY:
                raise WireBroken("endless answer")
        line, self._unread = self._unread[: end + 1], self._unread[end + 1 :]
        return line
