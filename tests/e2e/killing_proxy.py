"""Stands between `ccm` and a provider, passes everything on, and kills `ccm` at one answer: accepted there, unknown here."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
import psutil
from deliver.contract_server import Asked, Told

PASSED_ON = ("authorization", "content-type", "idempotency-key")


@dataclass
class KillingProxy:
    """Answers as the provider does.

    kill_at: Tells the request at whose answer `ccm` dies; None lets everything through.
    killed: Requests at which it died.
    """

    provider: str
    kill_at: Callable[[Asked], bool] | None = None
    killed: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Told:
        headers = {name: asked.headers[name] for name in PASSED_ON if name in asked.headers}
        answer = httpx2.request(
            asked.method, self.provider + asked.target, headers=headers, content=asked.body or None, timeout=30
        )
        if self.kill_at is not None and self.kill_at(asked):
            assert answer.status_code == 200, answer.text
            self.killed.append(asked)
            os.kill(process_of(asked.client_port), signal.SIGKILL)
        kept = {"content-type": answer.headers.get("content-type", "application/json")}
        return Told(answer.status_code, answer.content, kept)


def process_of(port: int) -> int:
    """Return the process that holds this end of a connection."""
    for process in psutil.Process().children(recursive=True):
        if any(found.laddr and found.laddr.port == port for found in process.net_connections("tcp")):
            return int(process.pid)
    raise AssertionError(f"no child of ours holds port {port}")
