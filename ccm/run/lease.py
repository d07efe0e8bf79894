"""Taking a run's lease, also from a process that died, keeping it alive, and hearing what operators order meanwhile."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ccm.ledger.interface import LeaseLost, Ledger, RunBusy
from ccm.model.progress import RunOrder, RunProgress
from ccm.model.records import RunRecord
from ccm.run.prepare import Clock

LEASE_SECONDS = 60.0
RENEW_SECONDS = 15.0
LOOK_SECONDS = 0.5  # how often orders are looked for
TELL_SECONDS = 2.0  # how often progress is written


def owner_name() -> str:
    """Name this process so that an operator can find it: host, process id, and a mark of this start of the machine."""
    return f"{socket.gethostname()}:{os.getpid()}:{_machine_mark()}"


def claim(ledger: Ledger, record: RunRecord, owner: str, clock: Clock) -> RunRecord:
    """Claim a run; a lease that a killed process of this machine left behind is given back first.

    Raises:
        RunBusy: If a living process has it, or one of another machine whose lease has not run out.
    Why: After kill -9 the same command should go on at once and not when the lease has run out. Should the
        judgement ever be wrong, the other process still cannot send: every hand-over is written down under
        the lease first, and that write is refused.
    """
    try:
        return ledger.claim_run(record, owner=owner, now=clock(), lease_seconds=LEASE_SECONDS)
    except RunBusy as busy:
        if not is_dead(busy.owner):
            raise
        with suppress(LeaseLost):  # somebody else was faster; the claim below says who
            ledger.close_run(
                record.run_id,
                owner=busy.owner,
                state="stopped",
                now=clock(),
                read=0,
                outside_segment=0,
                detail="killed",
            )
    return ledger.claim_run(record, owner=owner, now=clock(), lease_seconds=LEASE_SECONDS)


def is_dead(owner: str) -> bool:
    """Tell whether an owner was a process of this machine that is no more; False where that cannot be known."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    mark = owner.rpartition(":")[2]
    if not rest.isdecimal() or host != socket.gethostname() or not mark or mark != _machine_mark():
        return False
    try:
        state = Path(f"/proc/{rest}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return state in ("Z", "X")  # ended, and its parent has not looked yet


def _machine_mark() -> str:
    """Return what process ids are unique in: one start of one machine, one container; empty where that is unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:8]
    except OSError:
        return ""


class LeaseKeeper:
    """Renews a lease from a thread, and looks what was ordered from another terminal meanwhile.

    Calls `on_lost` once when renewing fails, and `on_order` whenever another order stands.
    """

    def __init__(
        self,
        ledger: Ledger,
        run_id: str,
        owner: str,
        clock: Clock,
        on_lost: Callable[[], None],
        on_order: Callable[[RunOrder], None] = lambda order: None,
        progress: Callable[[], RunProgress | None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._owner = owner
        self._clock = clock
        self._on_lost = on_lost
        self._on_order = on_order
        self._progress = progress
        self._order = RunOrder.NONE
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
        with suppress(Exception):  # the last progress is a courtesy
            self._tell()

    def _keep(self) -> None:
        waits = 0
        while not self._done.wait(LOOK_SECONDS):
            waits += 1
            try:
                self._look()
                if waits % max(1, round(TELL_SECONDS / LOOK_SECONDS)) == 0:
                    self._tell()
                if waits % max(1, round(RENEW_SECONDS / LOOK_SECONDS)) == 0:
                    self._ledger.renew_lease(
                        self._run_id, owner=self._owner, now=self._clock(), lease_seconds=LEASE_SECONDS
                    )
            except Exception as error:
                self.error = error
                self._on_lost()
                return

    def _look(self) -> None:
        order = self._ledger.ordered(self._run_id)
        if order is not self._order:
            self._order = order
            self._on_order(order)

    def _tell(self) -> None:
        progress = self._progress()
        if progress is not None:
            self._ledger.tell(self._run_id, progress, owner=self._owner)
