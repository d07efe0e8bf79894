"""What an operator may order about a run: pause it, let it go on, cancel it, settle lost answers. And what a run asks first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from ccm.deliver.interface import Adapter
from ccm.ledger.decisions import missing_run
from ccm.ledger.interface import Ledger, RunBusy
from ccm.model.definitions import Schedule
from ccm.model.progress import RunOrder
from ccm.model.records import OutcomeKind, PieceRecord, PieceState, RunRecord, StateChange
from ccm.model.workspace import Workspace
from ccm.plan.timing import zone_of
from ccm.plugins import load_adapter
from ccm.run.deciding import cancelled, excluded
from ccm.run.lease import claim, owner_name
from ccm.run.marks import OutsideMarks, RestoredLedger
from ccm.run.prepare import Clock, open_adapters, utc_now
from ccm.run.unknowns import Reconciled, batched, look_up, resolve_lost_answers

Noted: TypeAlias = Callable[[], object]

LATE = timedelta(hours=6)  # a first start so long after the schedule's last moment is asked about
_LAST_ZONE = ZoneInfo("Etc/GMT+12")  # where a local time comes last; POSIX turns the sign round
_BATCH = 200


class RunPaused(Exception):
    """The run was paused from another terminal and nobody let it go on."""

    def __init__(self, run_id: str) -> None:
        self.remedy = f"let it go on with: ccm resume {run_id}"
        super().__init__(f"run {run_id} is paused; {self.remedy}")


class RunCancelled(Exception):
    """The run was cancelled, which is for good."""

    def __init__(self, run_id: str) -> None:
        self.remedy = f"see what was sent with: ccm report {run_id}; a new message needs a new occurrence"
        super().__init__(f"run {run_id} was cancelled; {self.remedy}")


class ScheduleLate(Exception):
    """The run begins hours after its schedule; somebody must say that this is still wanted. Nothing was sent."""

    def __init__(self, run_id: str, since: timedelta) -> None:
        self.remedy = "give the same command with --late if it shall still go out"
        hours = since.total_seconds() / 3600
        super().__init__(f"run {run_id} was scheduled {hours:.0f} hours ago and nothing of it was sent; {self.remedy}")


# ── before a run sends ───────────────────────────────────────────────────────


def refuse_ordered(ledger: Ledger, run_id: str) -> None:
    """Refuse a run that is paused or cancelled.

    Raises:
        RunPaused, RunCancelled: With what to do.
    """
    record = found_run(ledger, run_id)
    match record.order if record else RunOrder.NONE:
        case RunOrder.PAUSE:
            raise RunPaused(run_id)
        case RunOrder.CANCEL:
            raise RunCancelled(run_id)


def refuse_older_copy(ledger: Ledger, marks: OutsideMarks, run: RunRecord, *, adopt: bool, now: datetime) -> None:
    """Refuse a ledger that knows less of the run than was sent, unless the operator adopts it.

    Raises:
        RestoredLedger: If it is an older copy and `adopt` is not set.
    """
    written = marks.highest()
    if written <= run.intents:
        return
    if not adopt:
        raise RestoredLedger(run.run_id, run.intents, written)
    ledger.adopt(run.run_id, written, owner=run.owner, now=now)


def refuse_late(run: RunRecord, schedule: Schedule | None, now: datetime) -> None:
    """Refuse a first start hours after the schedule. A run that sent something already just goes on.

    Raises:
        ScheduleLate: If it is late.
    """
    if schedule is None or run.intents:
        return
    zone = _LAST_ZONE if schedule.zone == "recipient" else zone_of(schedule.zone) or UTC
    since = now - schedule.at.replace(tzinfo=zone)
    if since > LATE:
        raise ScheduleLate(run.run_id, since)


# ── orders from another terminal ─────────────────────────────────────────────


def found_run(ledger: Ledger, run_id: str) -> RunRecord | None:
    """Return a run's record, or None if there is no such run."""
    return next((run for run in ledger.runs() if run.run_id == run_id), None)


def pause_run(ledger: Ledger, run_id: str, *, noted: Noted = lambda: None) -> RunRecord:
    """Order a run to pause.

    Args:
        noted: Writes down that it was ordered; called right before.
    Raises:
        LedgerError: If there is no such run.
        RunCancelled: If it was cancelled.
    """
    return _ordered(ledger, run_id, RunOrder.PAUSE, noted)


def resume_run(ledger: Ledger, run_id: str, *, noted: Noted = lambda: None) -> RunRecord:
    """Let a paused run go on. Arguments and errors as of `pause_run`."""
    return _ordered(ledger, run_id, RunOrder.NONE, noted)


def cancel_run(ledger: Ledger, run_id: str, *, clock: Clock = utc_now, noted: Noted = lambda: None) -> bool:
    """Cancel a run for good.

    Args:
        noted: As for `pause_run`.
    Returns:
        True when it is over by now; False when another process executes it, which stops by itself within a second.
    Raises:
        LedgerError: If there is no such run.
    """
    record = _ordered(ledger, run_id, RunOrder.CANCEL, noted)
    owner = owner_name()
    try:
        claim(ledger, record, owner, clock)
    except RunBusy:
        return False
    settle_cancelled(ledger, run_id, owner, clock)
    ledger.close_run(run_id, owner=owner, state="cancelled", now=clock(), read=None, outside_segment=0)
    return True


def settle_cancelled(ledger: Ledger, run_id: str, owner: str, clock: Clock) -> None:
    """Leave out everybody of a cancelled run who was not reached.

    What was handed over keeps its own outcome; an answer that was lost stays unknown.
    """
    waiting = (PieceState.PLANNED, PieceState.COMPOSED, PieceState.INTENT)
    for pieces in batched(ledger.pieces(run_id, states=waiting), _BATCH):
        changes = [StateChange(one.piece_id, PieceState.HELD, clock(), detail="cancelled") for one in pieces]
        ledger.advance(run_id, changes, owner=owner, durable=True)
        _leave_out(ledger, run_id, {one.communication_id: one.recipient_id for one in pieces}, owner, clock())
    for held in batched(ledger.outcomes(run_id, kinds=(OutcomeKind.HELD,)), _BATCH):
        _leave_out(ledger, run_id, {one.communication_id: one.recipient_id for one in held}, owner, clock())


def _leave_out(ledger: Ledger, run_id: str, people: Mapping[str, str], owner: str, now: datetime) -> None:
    """Settle communications, given with their recipients, by what became of their pieces."""
    known = ledger.known(list(people))
    decisions = [excluded(cancelled(people[ident], ident), known.get(ident, ())) for ident in people]
    outcomes = [one.outcome for one in decisions if one.outcome is not None]
    ledger.settle(run_id, outcomes, owner=owner, now=now)


def _ordered(ledger: Ledger, run_id: str, order: RunOrder, noted: Noted) -> RunRecord:
    record = found_run(ledger, run_id)
    if record is None:
        raise missing_run(run_id)
    if record.order is RunOrder.CANCEL and order is not RunOrder.CANCEL:
        raise RunCancelled(run_id)
    noted()
    ledger.order(run_id, order)
    return record


# ── lost answers ─────────────────────────────────────────────────────────────


@contextmanager
def claimed_run(ledger: Ledger, run_id: str, clock: Clock) -> Iterator[tuple[RunRecord, str]]:
    """Hold a run's lease while something is settled in it, and give it back with the run's state as it was.

    Raises:
        LedgerError: If there is no such run.
        RunBusy: If a process executes it.
    """
    record = found_run(ledger, run_id)
    if record is None:
        raise missing_run(run_id)
    before, owner = ledger.tally(run_id), owner_name()
    claim(ledger, record, owner, clock)
    read_all = record.state in ("closed", "cancelled") or (record.state == "open" and record.finished_at is not None)
    state = record.state if read_all else "stopped"
    try:
        yield record, owner
    finally:
        if state == "closed" and ledger.tally(run_id).outcomes.get(OutcomeKind.HELD):
            state = "open"
        ledger.close_run(
            run_id,
            owner=owner,
            state=state,
            now=clock(),
            read=before.read if read_all else None,
            outside_segment=before.outside_segment if read_all else 0,
            detail=record.detail,
            orphans=before.orphans,
        )


def unknown_pieces(ledger: Ledger, run_id: str) -> Iterator[PieceRecord]:
    """Stream the pieces of a run whose answer was lost."""
    return ledger.pieces(run_id, states=(PieceState.UNKNOWN,))


def how_to_look_up(workspace: Workspace, provider: str) -> str:
    """Say how a person finds out what became of a piece at a provider."""
    definition = workspace.definition.providers.get(provider)
    return load_adapter(definition.adapter).how_to_look_up if definition else Adapter.how_to_look_up


def reconcile_run(workspace: Workspace, ledger: Ledger, run_id: str, *, clock: Clock = utc_now) -> Reconciled:
    """Ask every provider that can be asked about the run's lost answers.

    Raises:
        LedgerError: If there is no such run.
        RunBusy: If a process executes it.
        DeliveryError: If a provider cannot be opened.
    """
    lost = ledger.pieces(run_id, states=(PieceState.SENDING, PieceState.UNKNOWN))
    providers = {piece.provider for piece in lost} & set(workspace.definition.providers)
    adapters = open_adapters(workspace, providers)
    try:
        with claimed_run(ledger, run_id, clock) as (_, owner):
            resolve_lost_answers(ledger, adapters, run_id, owner, clock)
            return look_up(ledger, adapters, run_id, owner, clock)
    finally:
        for adapter in adapters.values():
            adapter.close()
