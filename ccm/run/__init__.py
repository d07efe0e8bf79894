"""SHELL: the only place that wires the phases, reads the clock, retries and answers Ctrl-C.

Log levels: DEBUG one line per window, INFO one line per run, WARNING what an operator should look at,
ERROR what stopped a run. Every line has a constant `event` and ids only, never personal data.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ccm.archive.vault import Vault
from ccm.deliver.interface import Adapter
from ccm.diagnostics import Diagnostic
from ccm.ledger.interface import Ledger
from ccm.model.records import Outcome, OutcomeKind, PieceState, RunRecord, RunReport, StateChange
from ccm.model.workspace import Workspace
from ccm.reconcile import reconcile
from ccm.run.allowed import AllOf, Awake, StillAllowed
from ccm.run.contents import ConfigurationFault
from ccm.run.drafts import draft_folder, draft_workspace, empty_draft
from ccm.run.execution import Execution, Progress, TooManyHeld
from ccm.run.lease import LeaseKeeper, claim, owner_name
from ccm.run.permitted import Permissions, open_run_permissions
from ccm.run.prepare import (
    Clock,
    Prepared,
    campaign_named,
    open_adapters,
    prepare,
    utc_now,
)
from ccm.run.preview import Preview, preview_customer
from ccm.run.sending import ProviderFailed, Sender
from ccm.run.slots import STATE_OF
from ccm.run.vault import open_vault
from ccm.run.workers import MakerParts, WorkerDied, Workers

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = [
    "ConfigurationFault",
    "Preview",
    "Progress",
    "ProviderFailed",
    "RunOptions",
    "TooManyHeld",
    "WorkerDied",
    "draft_folder",
    "draft_workspace",
    "preview_customer",
    "run_attention",
    "run_campaign",
    "run_report",
    "workspace_ledger",
]


def _log() -> FilteringBoundLogger:
    """Return the log. structlog takes a fifth of a second to import, and a preview writes no line."""
    import structlog

    log: FilteringBoundLogger = structlog.get_logger()
    return log


@dataclass(frozen=True)
class RunOptions:
    """What an operator may say about one execution.

    as_of: Aware time that schedules and quiet hours are compared with, instead of the clock.
    occurrence: Key instead of the computed one, such as 2026-10.
    workers: Composing processes; 1 composes in this process.
    draft: Take the working folder, marked as a draft, into the folder `draft`; nothing reaches a provider.
    """

    as_of: datetime | None = None
    occurrence: str | None = None
    workers: int = 1
    draft: bool = False


def workspace_ledger(workspace: Workspace) -> Ledger:
    """Open the workspace's ledger."""
    from ccm.ledger.sql import open_ledger  # SQLAlchemy takes a third of a second, and a preview needs no ledger

    return open_ledger(workspace.definition.ledger, workspace.root)


def run_campaign(
    workspace: Workspace,
    campaign: str,
    options: RunOptions,
    *,
    listener: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[tuple[Diagnostic, ...]], None] = lambda warnings: None,
    clock: Clock = utc_now,
) -> RunReport:
    """Run one campaign occurrence to its end, or go on where an earlier execution stopped.

    Args:
        listener: Gets the progress after every window.
        tell: Gets the warnings before anything is sent.
    Returns:
        The report of everything this occurrence did, over all its executions.
    Raises:
        ConfigurationFault: The workspace or campaign has errors, or no approved release is effective; nothing was sent.
        StoreUnusable: The releases cannot be read.
        RunBusy: Another process executes this run.
        ProviderFailed, LedgerError, ArchiveError, WorkerDied, TooManyHeld: The run stopped; it can be resumed.
        KeyboardInterrupt: After everything in flight ended and was written down.
    """
    now = options.as_of or clock()
    if options.draft:
        campaign_named(workspace, campaign)
        empty_draft(workspace, campaign)
        workspace = draft_workspace(workspace, campaign)
    prepared = prepare(workspace, campaign, now=now, occurrence=options.occurrence, production=not options.draft)
    tell(prepared.diagnostics)
    ledger = workspace_ledger(workspace)
    try:
        owner = owner_name()
        record = RunRecord(
            prepared.brief.run_id, campaign, prepared.brief.occurrence, prepared.release_names, "open", clock()
        )
        claimed = claim(ledger, record, owner, clock)
        _log().info("run-started", run_id=record.run_id, release=record.release)
        try:
            prepared = _as_begun(workspace, prepared, options, claimed, now)
            brief = prepared.brief
            with closing(open_run_permissions(workspace, brief.run_id, brief.brand.name, brief.purpose)) as permissions:
                execution = _execute(prepared, permissions, ledger, options, owner, clock, listener)
        except BaseException as error:
            _stop(ledger, record.run_id, owner, clock, error)
            raise
        _close(ledger, record.run_id, owner, clock, execution)
        return reconcile(ledger.tally(record.run_id))
    finally:
        ledger.close()


def _as_begun(
    workspace: Workspace, prepared: Prepared, options: RunOptions, claimed: RunRecord, now: datetime
) -> Prepared:
    """Go on as the run began: its time, and no release that was retired since without a newer one.

    Messages without a schedule carry the run's first start, so that a later render gives the same bytes; the
    releases are those effective then.
    """
    started = options.as_of or claimed.started_at
    if prepared.released is not None:
        prepared.released.refuse_a_step_back(claimed.release)
        if prepared.campaign.schedule is None and started.date() != now.date():
            name, key = prepared.campaign.campaign, options.occurrence
            prepared = prepare(workspace, name, now=now, occurrence=key, production=True, started_at=started)
    return replace(prepared, brief=replace(prepared.brief, started_at=started))


def _execute(
    prepared: Prepared,
    permissions: Permissions,
    ledger: Ledger,
    options: RunOptions,
    owner: str,
    clock: Clock,
    listener: Callable[[Progress], None],
) -> Execution:
    run_id = prepared.brief.run_id
    prepared = replace(prepared, brief=replace(prepared.brief, book=permissions))
    adapters = open_adapters(prepared.workspace, set(prepared.campaign.deliver.values()))
    workers = Workers(MakerParts.of(prepared), options.workers)
    allowed = still_allowed(permissions, prepared, options)
    sender = Sender(ledger, adapters, run_id=run_id, owner=owner, clock=clock, allowed=allowed)
    vault: Vault | None = None
    try:
        vault = open_vault(prepared.workspace, make=True)
        resolve_lost_answers(ledger, adapters, run_id, owner, clock)
        execution = Execution(prepared, ledger, vault, sender, workers, owner=owner, clock=clock, listener=listener)
        with LeaseKeeper(ledger, run_id, owner, clock, sender.stop) as lease:
            execution.go()
        if lease.error is not None:
            raise lease.error
        return execution
    finally:
        sender.stop()
        sender.close()
        workers.close()
        if vault is not None:
            vault.close()
        for adapter in adapters.values():
            adapter.close()


def still_allowed(permissions: Permissions, prepared: Prepared, options: RunOptions) -> StillAllowed:
    """Return what is asked right before every hand-over: has somebody left, and is it night by now?

    A run that was told the time keeps to it.
    """
    if options.as_of is not None:
        return permissions
    return AllOf((permissions, Awake(prepared.campaign.schedule)))


def resolve_lost_answers(
    ledger: Ledger, adapters: Mapping[str, Adapter], run_id: str, owner: str, clock: Clock
) -> None:
    """Give every piece that an earlier execution was sending when it died its last word.

    The provider is asked where it can be asked. Otherwise a piece goes again only where the provider drops a
    second hand-over of the same key; anywhere else it is UNKNOWN and listed, never resent by itself.
    """
    changes = []
    for piece in ledger.pieces(run_id, states=(PieceState.SENDING,)):
        adapter = adapters.get(piece.provider)
        receipt = adapter.look_up(piece.piece_id) if adapter else None
        if receipt is not None:
            state = STATE_OF[receipt.status]
        else:
            state = PieceState.HELD if adapter and adapter.capabilities.deduplicates else PieceState.UNKNOWN
        provider_id = receipt.provider_id if receipt else ""
        changes.append(StateChange(piece.piece_id, state, clock(), provider_id, "answer-lost"))
        _log().warning("lost-answer", run_id=run_id, piece_id=piece.piece_id, state=str(state))
    if changes:
        ledger.advance(run_id, changes, owner=owner, durable=True)


def _close(ledger: Ledger, run_id: str, owner: str, clock: Clock, execution: Execution) -> None:
    """Close the run, or leave it open when somebody is held and the next execution should try again."""
    tally = ledger.tally(run_id)
    held = (sums.get(OutcomeKind.HELD, 0) for sums in (tally.outcomes, tally.broadcasts))
    waiting = tally.undecided or any(held)
    ledger.close_run(
        run_id,
        owner=owner,
        state="open" if waiting else "closed",
        now=clock(),
        read=execution.read,
        outside_segment=execution.outside_segment,
    )
    _log().info("run-ended", run_id=run_id, state="open" if waiting else "closed", read=execution.read)


def _stop(ledger: Ledger, run_id: str, owner: str, clock: Clock, error: BaseException) -> None:
    """Give the lease back so that the same command can go on at once; the error itself travels on."""
    detail = "interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
    _log().error("run-stopped", run_id=run_id, reason=detail)
    try:
        ledger.close_run(run_id, owner=owner, state="stopped", now=clock(), read=0, outside_segment=0, detail=detail)
    except Exception as second:
        _log().error("lease-not-returned", run_id=run_id, reason=type(second).__name__)


WATCHED = (OutcomeKind.HELD, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN)


def run_attention(workspace: Workspace, run_id: str, limit: int) -> tuple[Outcome, ...]:
    """Return recipients and posts whom somebody must look after, with reason and place, in the order decided."""
    ledger = workspace_ledger(workspace)
    try:
        return tuple(itertools.islice(ledger.outcomes(run_id, kinds=WATCHED), limit))
    finally:
        ledger.close()


def run_report(workspace: Workspace, run_id: str) -> RunReport:
    """Return the report of a run that was executed before.

    Raises:
        LookupError: If the ledger knows no such run.
    """
    ledger = workspace_ledger(workspace)
    try:
        if run_id not in {run.run_id for run in ledger.runs()}:
            raise LookupError(run_id)
        return reconcile(ledger.tally(run_id))
    finally:
        ledger.close()
