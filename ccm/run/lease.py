"""Keeps a run's lease alive while a window takes long."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ccm.ledger.interface import Ledger
from ccm.run.prepare import Clock

LEASE_SECONDS = 60.0
RENEW_SECONDS = 15.0


def owner_name() -> str:
    """Name this process so that an operator can find it: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


class LeaseKeeper:
    """Renews a lease from a thread; calls `on_lost` once when that fails."""

    def __init__(self, ledger: Ledger, run_id: str, owner: str, clock: Clock, on_lost: Callable[[], None]) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._owner = owner
        self._clock = clock
        self._on_lost = on_lost
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="ccm-lease", daemon=True)
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._done.wait(RENEW_SECONDS):
            try:
                self._ledger.renew_lease(
                    self._run_id, owner=self._owner, now=self._clock(), lease_seconds=LEASE_SECONDS
                )
            except Exception as error:
                self.error = error
                self._on_lost()
                return
