"""A small SMTP server that works up to one verb, answers it with 421 and hangs up in good order."""

from __future__ import annotations

import re
import socketserver
import threading
from collections import Counter
from types import TracebackType
from typing import ClassVar

_PIECE = re.compile(rb"(?im)^Message-ID:\s*<(p-[a-z2-7]{26})@")
_ANSWERS = {"DATA": "354 go on", ".": "250 2.0.0 Ok: queued as A1234", "QUIT": "221 bye"}


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: Says421._Server
    timeout = 10

    def handle(self) -> None:
        """Speak until the verb comes."""
        if not self.answer("CONNECT", "220 ready"):
            return
        while line := self.rfile.readline():
            verb = line.split()[0].decode().upper() if line.split() else ""
            if not self.answer(verb, _ANSWERS.get(verb, "250 2.0.0 Ok")) or verb == "QUIT":
                return
            if verb == "DATA" and not self.take():
                return

    def take(self) -> bool:
        """Read one message; only one that is answered with 250 counts."""
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        going_on = self.answer(".", _ANSWERS["."])
        if going_on:
            found = _PIECE.search(b"".join(lines))
            assert found
            self.server.stored.append(found[1].decode())
        return going_on

    def answer(self, verb: str, good: str) -> bool:
        """Answer as usual, or say 421; tells whether the talk goes on."""
        stops = verb == self.server.verb
        self.wfile.write((b"421 4.3.2 closing" if stops else good.encode()) + b"\r\n")
        self.wfile.flush()
        return not stops


class Says421:
    """The server; use as a context."""

    class _Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address: ClassVar[bool] = True
        verb: str
        stored: list[str]

    def __init__(self, verb: str) -> None:
        self._server = self._Server(("127.0.0.1", 0), Session)
        self._server.verb, self._server.stored = verb, []
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Says421:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def counts(self) -> Counter[str]:
        """Return how often each piece was taken."""
        return Counter(self._server.stored)
