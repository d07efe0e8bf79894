"""Leases: a living owner keeps others out, a killed one does not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from ccm.ledger.interface import Ledger, RunBusy
from ccm.model.progress import RunOrder, RunProgress
from ccm.run import lease
from ccm.run.lease import LeaseKeeper, claim, is_dead, owner_name
from ccm.testing import FixedClock, MemoryLedger, sample_run
from ccm.testing.samples import RUN_ID


def owner_of(pid: int) -> str:
    """Return the name that a process of this machine has."""
    host, _, mark = owner_name().rsplit(":", 2)
    return f"{host}:{pid}:{mark}"


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    """A process that lives until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_a_killed_process_is_dead_at_once(sleeper: subprocess.Popen[bytes]) -> None:
    """Alive before, dead after kill -9, also while its parent has not looked."""
    assert not is_dead(owner_of(sleeper.pid))
    sleeper.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while not is_dead(owner_of(sleeper.pid)) and time.monotonic() < until:
        time.sleep(0.01)
    assert is_dead(owner_of(sleeper.pid))
    sleeper.wait()
    assert is_dead(owner_of(sleeper.pid))


@pytest.mark.parametrize("owner", ["", "me", "host:1", "other:1:abcdef12", f"{socket.gethostname()}:999999:00000000"])
def test_what_cannot_be_known_counts_as_alive(owner: str) -> None:
    """Another machine, another start of this one, a name of another form: wait for the lease."""
    assert not is_dead(owner)


def test_this_process_is_alive() -> None:
    """We do not take a run from ourselves, and an operator finds our process by the name."""
    assert not is_dead(owner_name())
    assert f":{os.getpid()}:" in owner_name()


def test_a_dead_owners_run_is_taken_over(sleeper: subprocess.Popen[bytes]) -> None:
    """While the owner lives the run is busy; once killed the next claim succeeds without waiting."""
    ledger, clock = MemoryLedger(), FixedClock()
    ledger.claim_run(sample_run(), owner=owner_of(sleeper.pid), now=clock(), lease_seconds=60)
    with pytest.raises(RunBusy, match=str(sleeper.pid)):
        claim(ledger, sample_run(), owner_name(), clock)
    sleeper.kill()
    sleeper.wait()
    assert claim(ledger, sample_run(), owner_name(), clock).run_id == RUN_ID
    with pytest.raises(RunBusy):
        claim(ledger, sample_run(), "third", clock)


def kept(monkeypatch: pytest.MonkeyPatch, ledger: Ledger, clock: FixedClock, lost: list[str]) -> LeaseKeeper:
    """Return a keeper that renews a hundred times a second."""
    for name in ("RENEW_SECONDS", "LOOK_SECONDS", "TELL_SECONDS"):
        monkeypatch.setattr(lease, name, 0.01)
    return LeaseKeeper(ledger, RUN_ID, "me", clock, lambda: lost.append("lost"))


def test_the_lease_is_renewed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that takes longer than the lease does not lose the run."""
    ledger, clock, lost = MemoryLedger(), FixedClock(), []
    ledger.claim_run(sample_run(), owner="me", now=clock(), lease_seconds=60)
    with kept(monkeypatch, ledger, clock, lost) as keeper:
        for _ in range(3):
            clock.advance(50)
            time.sleep(0.1)
        with pytest.raises(RunBusy):
            ledger.claim_run(sample_run(), owner="other", now=clock(), lease_seconds=60)
    assert (keeper.error, lost) == (None, [])


def test_a_lost_lease_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has the run: the sender is stopped and the error kept."""
    ledger, clock, lost = MemoryLedger(), FixedClock(), []
    ledger.claim_run(sample_run(), owner="me", now=clock(), lease_seconds=60)
    clock.advance(61)
    ledger.claim_run(sample_run(), owner="other", now=clock(), lease_seconds=60)
    with kept(monkeypatch, ledger, clock, lost) as keeper:
        time.sleep(0.2)
    assert lost == ["lost"]
    assert type(keeper.error).__name__ == "LeaseLost"


def test_orders_from_another_terminal_are_heard_and_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of the order is told once; how far the run is stands in the ledger for others to read."""
    for name in ("LOOK_SECONDS", "TELL_SECONDS"):
        monkeypatch.setattr(lease, name, 0.01)
    ledger, clock, heard = MemoryLedger(), FixedClock(), []
    ledger.claim_run(sample_run(), owner="me", now=clock(), lease_seconds=60)
    progress = RunProgress(10, 4, 20, 8, 2.0, clock())
    with LeaseKeeper(ledger, RUN_ID, "me", clock, lambda: None, heard.append, lambda: progress):
        for order in (RunOrder.PAUSE, RunOrder.NONE, RunOrder.CANCEL):
            ledger.order(RUN_ID, order)
            time.sleep(0.1)
    assert heard == [RunOrder.PAUSE, RunOrder.NONE, RunOrder.CANCEL]
    (run,) = ledger.runs()
    assert run.progress == progress
    assert progress.seconds_left == 8.0
