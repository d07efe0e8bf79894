"""Postfix's smtp-sink: a server of strangers, whose own store of messages is the oracle of the whole suite."""

from __future__ import annotations

import os
import re
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import MappingProxyType

from benchmarks.faults.tools import environment, program
from benchmarks.faults.workplace import mail_provider

_PIECE = re.compile(rb"(?im)^Message-ID:\s*<(p-[a-z2-7]{26})@")
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Stored:
    """One message as the server kept it.

    recipients: As they came in RCPT commands, without brackets.
    """

    piece_id: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> Message:
        """The message, parsed."""
        return message_from_bytes(self.content)


class Sink:
    """One smtp-sink; use as a context. Only messages that came to their final dot are stored."""

    environment: Mapping[str, str] = MappingProxyType({})

    def __init__(self, *options: str, port: int = 0) -> None:
        """Prepare it.

        Args:
            options: Of smtp-sink.
        """
        self.options = options
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="ccm-sink-"))
        self.folder.chmod(0o777)  # it gives up root's rights before it writes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sink:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until its port is open."""
        user = ("-u", "nobody") if os.geteuid() == 0 else ()
        command = [program("smtp-sink"), *user, *self.options, "-d", "m.%s.", f"127.0.0.1:{self.port}", "200"]
        self._process = subprocess.Popen(
            command, cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if is_open(self.port):
                return
            time.sleep(0.005)
        raise RuntimeError("smtp-sink does not listen")

    def provider(self, in_flight: int) -> dict[str, str]:
        """Return the settings of a provider that sends here."""
        return mail_provider(self.port, in_flight)

    def stop(self) -> None:
        """End it; what it stored stays until the context ends."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def settle(self) -> None:
        """Wait until it has read everything that lies in its sockets: it answers in order of arrival."""
        for _ in range(2):
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as visitor:
                visitor.ehlo()
                visitor.noop()

    def clear(self) -> None:
        """Forget all messages."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def stored(self) -> list[Stored]:
        """Return every message, in no order."""
        return [read(path.read_bytes()) for path in self.folder.iterdir()]

    def counts(self) -> Counter[str]:
        """Return how often each piece arrived; a transaction that never got to its text is none."""
        found = (_PIECE.search(path.read_bytes()) for path in self.folder.iterdir())
        return Counter(match[1].decode() for match in found if match)


def piece_of(content: bytes) -> str:
    """Return the piece that a stored message is; the engine's Message-ID names it."""
    found = _PIECE.search(content)
    assert found, "a message without a piece id"
    return found[1].decode()


def is_open(port: int) -> bool:
    """Tell whether somebody listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def read(content: bytes) -> Stored:
    """Read one stored file: lines of smtp-sink about the envelope, then the message."""
    envelope, _, rest = content.partition(b"Received: from")
    recipients = re.findall(rb"(?m)^X-Rcpt-Args: (.*)$", envelope)
    after_received = re.sub(rb"\A(?:[^\r\n]*\r?\n)(?:[ \t][^\n]*\n)*", b"", rest)
    return Stored(
        piece_of(content), tuple(one.decode().split(">")[0].lstrip("<") for one in recipients), after_received
    )


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
