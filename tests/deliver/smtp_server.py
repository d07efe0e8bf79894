"""Real SMTP servers for tests: aiosmtpd in good health, and a socket server that breaks where it is told to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Mailbox:
    """aiosmtpd handler that keeps messages; answers can be set by verb."""

    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    options: list[list[str]] = field(default_factory=list)
    rcpt: str = ""
    mail: str = ""
    data: str = ""

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mail:
            return self.mail
        envelope.mail_from = address
        self.options.append(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if self.data:
            return self.data
        self.sessions.add(id(session))
        self.messages.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return f"250 2.0.0 Ok: queued as Q{1000 + len(self.messages)}"


class _Implicit(Controller):
    def _trigger_server(self) -> None:  # the base class looks in without TLS
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((self.hostname, self.port), 5) as plain,
            context.wrap_socket(plain) as secure,
        ):
            secure.recv(100)


@contextmanager
def mail_server(mailbox: Mailbox, *, implicit: ssl.SSLContext | None = None, **options: object) -> Iterator[int]:
    """Run aiosmtpd on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kind = _Implicit if implicit else Controller
    controller = kind(mailbox, hostname="127.0.0.1", port=port, ssl_context=implicit, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop(no_assert=True)


def authenticator(server: SMTP, session, envelope, mechanism: str, data: object) -> AuthResult:
    """Accept one user."""
    good = isinstance(data, LoginPassword) and data.login == b"ccm" and data.password == b"secret"
    return AuthResult(success=good, handled=good)


GREETING, EHLO, MAIL, RCPT, DATA, DOT = "CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."
HANG_UP, STALL = "hang-up", "stall"


class BrokenServer:
    """Speaks SMTP until one step, then answers as told, hangs up or says nothing.

    dots: How many messages it has seen to their end: the oracle for double hand-overs.
    """

    def __init__(self, step: str, fault: str, *, times: int = 10**6) -> None:
        self.step, self.fault, self.times = step, fault, times
        self.dots = self.connections = 0
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> BrokenServer:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._accepting.join()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                self.connections += 1
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), client.makefile("rb") as lines:
            if not self._answer(client, GREETING, "220 ready"):
                return
            while line := lines.readline():
                verb = line.split()[0].decode().upper() if line.split() else ""
                if verb == "QUIT":
                    client.sendall(b"221 bye\r\n")
                    return
                good = {"DATA": "354 go on"}.get(verb, "250 2.0.0 ok")
                if not self._answer(client, verb, good):
                    return
                if verb == "DATA" and (self.step != DATA or self.times < 0):
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                    self.dots += 1
                    if not self._answer(client, DOT, "250 2.0.0 queued as X1234"):
                        return

    def _answer(self, client: socket.socket, step: str, good: str) -> bool:
        if step != self.step or self.times <= 0:
            client.sendall(good.encode() + b"\r\n")
            return True
        self.times -= 1
        if self.fault == HANG_UP:
            return False
        if self.fault == STALL:
            self._over.wait(10)
            return False
        client.sendall(self.fault.encode() + b"\r\n")
        return not self.fault.startswith("421")
