"""A web server on this machine that breaks in one way, told by name, and counts what reached it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

_STALL_SECONDS = 30.0  # longer than any adapter under test waits
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class HttpFault(StrEnum):
    """What goes wrong when a piece is handed over by HTTP."""

    REFUSED = "refused"  # nobody listens
    TLS = "tls"  # the other side does not speak TLS
    RESET_BEFORE_BODY = "reset-before-body"  # connection reset once the header is read
    RESET_AFTER_BODY = "reset-after-body"  # connection reset once all is read
    STALL = "stall"  # all is read, nothing is said
    BAD_REQUEST = "400"
    FORBIDDEN = "403"
    BUSY = "429"  # with Retry-After: 7
    ERROR = "500"
    UNAVAILABLE = "503"
    TRUNCATED = "truncated"  # 200, and the connection ends within the body
    NO_ID = "no-id"  # 200, and the body does not say what was accepted


@dataclass(frozen=True)
class HttpRequest:
    """What reached the server.

    headers: Names in lower case.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpAnswer:
    """What the server says."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


Answering = Callable[[HttpRequest], HttpAnswer | None]


class FaultServer:
    """Listens on a free port of this machine while its `with` block lasts.

    url: Where it listens; https for TLS, though it never speaks it.
    requests: Hand-overs whose header was read: the oracle for double sends.
    connections: Connections taken, those of preparing requests too.
    """

    def __init__(self, fault: HttpFault | None, *, prepares: Answering, refusal: Callable[[int], HttpAnswer]) -> None:
        """Break in one way.

        Args:
            fault: None answers every hand-over with what `refusal(200)` gives.
            prepares: Answers requests that hand over nothing (a login, an upload); None for those that do.
            refusal: The provider's own answer with a status.
        """
        self.fault = fault
        self.requests: list[HttpRequest] = []
        self.connections = 0
        self._prepares = prepares
        self._refusal = refusal
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if fault is HttpFault.TLS else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._clients: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> FaultServer:
        if self.fault is HttpFault.REFUSED:
            self._socket.close()
        else:
            self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self.fault is HttpFault.REFUSED:
            return
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._accepting.join()
        for client in self._clients:  # one that is kept open, idle, would be waited for
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                self.connections += 1
                self._clients.append(client)
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, ValueError), client.makefile("rb") as stream:
            client.settimeout(_STALL_SECONDS)
            if self.fault is HttpFault.TLS:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 plain text here\r\nContent-Length: 0\r\n\r\n")
                return
            while (head := _read_head(stream)) is not None:
                if not self._answer(client, stream, head):
                    return

    def _answer(self, client: socket.socket, stream: BinaryIO, head: HttpRequest) -> bool:
        """Answer one request; False ends the connection."""
        waits = head.headers.get("expect", "").lower() == "100-continue"
        good = self._prepares(head)
        if good is None:
            self.requests.append(head)
            if self.fault is HttpFault.RESET_BEFORE_BODY:
                return _reset(client)
        if waits:
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = HttpRequest(head.method, head.path, head.headers, _read_body(stream, head.headers))
        if good is not None:
            client.sendall(_encoded(self._prepares(request) or good))
            return True
        self.requests[-1] = request
        return self._break(client)

    def _break(self, client: socket.socket) -> bool:
        match self.fault:
            case HttpFault.RESET_AFTER_BODY:
                return _reset(client)
            case HttpFault.STALL:
                self._over.wait(_STALL_SECONDS)
                return False
            case HttpFault.TRUNCATED:
                body = b'{"MessageId": "m-1", "sid": "SM1", "id": "1'
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 50}\r\n\r\n"
                client.sendall(head.encode() + body)
                return False
            case HttpFault.NO_ID:
                client.sendall(_encoded(HttpAnswer(200)))
            case None:
                client.sendall(_encoded(self._refusal(200)))
            case fault:
                answer = self._refusal(int(fault))
                extra = (("Retry-After", "7"),) if fault is HttpFault.BUSY else ()
                client.sendall(_encoded(HttpAnswer(int(fault), answer.body, answer.headers + extra)))
        return True


def _read_head(stream: BinaryIO) -> HttpRequest | None:
    line = stream.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return HttpRequest(method, path, headers, b"")


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("content-length", 0)))
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return body


def _encoded(answer: HttpAnswer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Told", *(f"{name}: {value}" for name, value in answer.headers)]
    lines += [f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode() + answer.body


def _reset(client: socket.socket) -> bool:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    client.close()
    return False
