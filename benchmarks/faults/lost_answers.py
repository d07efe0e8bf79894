"""A provider over HTTP that takes every message and hangs up before it answers: each piece is posted once."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from benchmarks.faults.mutants import MARK
from benchmarks.faults.servers import AWS
from benchmarks.faults.verdict import Tally
from benchmarks.faults.warm import WarmCcm
from benchmarks.faults.workplace import RUN, RUN_ID, SQLITE, Shape, make, warm_up
from ccm.ledger.sql import open_ledger
from ccm.model.records import PieceState

PEOPLE = 6
_PIECE = re.compile(rb'"(p-[a-z2-7]{26})"')  # in the tags


class Taker(BaseHTTPRequestHandler):
    """Reads a request to its end and says nothing."""

    server: HangsUp._Server

    def do_POST(self) -> None:
        """Take it, note whose it is, hang up."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = _PIECE.search(body)
        self.server.taken.append(found[1].decode() if found else "nobody's")
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class HangsUp:
    """The server; use as a context."""

    class _Server(ThreadingHTTPServer):
        daemon_threads = True
        taken: list[str]

    def __init__(self) -> None:
        self._server = self._Server(("127.0.0.1", 0), Taker)
        self._server.taken = []
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> HangsUp:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def counts(self) -> Counter[str]:
        """Return how often each piece was posted."""
        return Counter(self._server.taken)


def answers_are_lost(quick: bool = False, mutant: str = "") -> list[Tally]:
    """Send to a server that never answers, then give the same command again."""
    tally = Tally("Amazon SES, every answer lost")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ccm-lost-"))
    try:
        with HangsUp() as server:
            provider = {"adapter": "ses", "endpoint_url": server.url, "region": "eu-central-1", "connections": "2"}
            root = make(folder / "workspace", Shape(people=PEOPLE, settings={"mail": provider}))
            with WarmCcm(warm_up(folder / "warm"), AWS) as ccm:
                ended = [ccm(*RUN, folder=root, mutant=mutant) for _ in range(2)]
            posted = server.counts()
        ledger = open_ledger(SQLITE, root)
        try:
            tally.unknown = sum(1 for _ in ledger.pieces(RUN_ID, states=(PieceState.UNKNOWN,)))
        finally:
            ledger.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tally.mutant_fired = any(MARK in one.stderr for one in ended)
    broken = "".join(one.stderr[-300:] for one in ended if "Traceback" in one.stderr)
    tally.kills = PEOPLE
    tally.duplicated = sum(posted.values()) - len(posted)
    tally.lost = PEOPLE - len(posted)
    if tally.unknown != PEOPLE or tally.duplicated:
        tally.fail(
            "lost answers", f"{dict(Counter(posted.values()))} posts, {tally.unknown} unknown of {PEOPLE} {broken}"
        )
    tally.seconds = time.monotonic() - started
    return [tally]
