"""What a command finds: a wrong clock, another start of the machine, a short lease, a full disk, a mistake of ours."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.faults.warm import Task


def arrange(task: Task) -> None:
    """Make this process as the task wants it."""
    os.environ.update(task.environment)
    if task.largest_file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (task.largest_file, task.largest_file))
    if task.clock_offset_seconds:
        set_clock_wrong(task.clock_offset_seconds)
    if task.boot:
        start_machine_again(task.boot)
    if task.lease_seconds:
        shorten_lease(task.lease_seconds)
    if task.mutant:
        from benchmarks.faults.mutants import MUTANTS

        MUTANTS[task.mutant].apply()


def set_clock_wrong(offset_seconds: float) -> None:
    """Give the run a clock that is ahead, or behind for a negative number."""
    import ccm.run
    from ccm.run.prepare import utc_now

    def wrong() -> datetime:
        return utc_now() + timedelta(seconds=offset_seconds)

    defaults = ccm.run.run_campaign.__kwdefaults__
    assert defaults["clock"] is utc_now, "the clock of a run has moved"
    defaults["clock"] = wrong


def start_machine_again(boot: str) -> None:
    """Let ledger and lease see another start of the machine, as after a power cut."""
    import ccm.ledger.sql as sql
    import ccm.run.lease as lease

    assert sql._BOOT_FILE.name == "boot_id", "the mark of the machine's start has moved"
    assert callable(lease._machine_mark), "the mark of the machine's start has moved"
    lease._machine_mark = lambda: "rebooted"
    mark = Path(tempfile.gettempdir()) / f"ccm-boot-{os.getpid()}"
    mark.write_text(boot)
    sql._BOOT_FILE = mark


def shorten_lease(seconds: float) -> None:
    """Make a lease run out early, so that a test need not wait a minute."""
    import ccm.run.lease as lease

    assert lease.LEASE_SECONDS > lease.RENEW_SECONDS > 0
    lease.LEASE_SECONDS, lease.RENEW_SECONDS = seconds, seconds / 4
