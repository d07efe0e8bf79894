"""SHELL: the only place that wires the phases, reads the clock, retries and answers Ctrl-C.

Log levels: DEBUG one line per window, INFO one line per run, WARNING what an operator should look at,
ERROR what stopped a run. Every line has a constant `event` and ids only, never personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.diagnostics import Diagnostic, Location
from ccm.ledger.interface import Ledger
from ccm.model.audit import AuditAction
from ccm.model.definitions import CampaignDefinition
from ccm.model.progress import RunOrder
from ccm.model.rate import RateLimit
from ccm.model.records import OutcomeKind, PieceState, RunRecord, RunReport
from ccm.model.workspace import Workspace
from ccm.reconcile import reconcile, warnings_of
from ccm.run.allowed import AllOf, Awake, StillAllowed
from ccm.run.auditing import note
from ccm.run.circuit import Circuit, TooManyFailed
from ccm.run.collecting import collected_rarely
from ccm.run.completeness import TooFewRecipients, TooManyOrphans
from ccm.run.contents import ConfigurationFault
from ccm.run.drafts import draft_folder, draft_workspace, empty_draft
from ccm.run.execution import Execution
from ccm.run.lease import LeaseKeeper, claim, owner_name
from ccm.run.marks import OutsideMarks, RestoredLedger, mark_folders
from ccm.run.operating import (
    RunCancelled,
    RunPaused,
    ScheduleLate,
    found_run,
    refuse_late,
    refuse_older_copy,
    refuse_ordered,
    settle_cancelled,
)
from ccm.run.pace import DayUsedUp, SharedPace
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
from ccm.run.pulse import FilledOtherwise, Progress, TooManyHeld, about_how_many
from ccm.run.refusals import Listener
from ccm.run.reporting import run_attention, run_report, workspace_ledger
from ccm.run.sending import ProviderFailed, Sender
from ccm.run.unknowns import look_up, order_resend, resolve_lost_answers
from ccm.run.vault import open_vault
from ccm.run.workers import MakerParts, WorkerDied, Workers

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = [
    "ConfigurationFault",
    "DayUsedUp",
    "FilledOtherwise",
    "Preview",
    "Progress",
    "ProviderFailed",
    "RestoredLedger",
    "RunCancelled",
    "RunOptions",
    "RunPaused",
    "ScheduleLate",
    "TooFewRecipients",
    "TooManyFailed",
    "TooManyHeld",
    "TooManyOrphans",
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
    draft: Take the working folder, marked as a draft, into the folder `draft`; nothing reaches a provider, so nobody has to
        wait for a schedule or for the morning.
    resend_unknown: Send again whoever's answer was lost, marked as a possible duplicate.
    adopt: Go on with a ledger that is an older copy of what was sent.
    late: Begin although the schedule is hours ago.
    """

    as_of: datetime | None = None
    occurrence: str | None = None
    workers: int = 1
    draft: bool = False
    resend_unknown: bool = False
    adopt: bool = False
    late: bool = False


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
        TooFewRecipients, TooManyOrphans: The source is not complete; nothing was sent.
        RunPaused, RunCancelled, RestoredLedger, ScheduleLate: Nothing was sent; says what to do.
        ProviderFailed, LedgerError, ArchiveError, WorkerDied, TooManyHeld, TooManyFailed, FilledOtherwise, DayUsedUp: The run stopped; it
            can be resumed.
        KeyboardInterrupt: After everything in flight ended and was written down.
    """
    now = options.as_of or clock()
    if options.draft:
        campaign_named(workspace, campaign)
        empty_draft(workspace, campaign)
        workspace = draft_workspace(workspace, campaign)
    draft = options.draft
    prepared = prepare(
        workspace, campaign, now=now, occurrence=options.occurrence, ignore_schedule=draft, production=not draft
    )
    tell(prepared.diagnostics)
    with ExitStack() as opened:
        opened.enter_context(collected_rarely())
        adapters = usable_adapters(workspace, prepared.campaign)
        for adapter in adapters.values():
            opened.callback(adapter.close)
        ledger = workspace_ledger(workspace)
        opened.callback(ledger.close)
        refuse_ordered(ledger, prepared.brief.run_id)
        owner = owner_name()
        record = RunRecord(
            prepared.brief.run_id, campaign, prepared.brief.occurrence, prepared.release_names, "open", clock()
        )
        claimed = claim(ledger, record, owner, clock)
        _log().info("run-started", run_id=record.run_id, release=record.release)
        audit = partial(_audit, workspace, options, record.run_id, clock)
        try:
            audit(AuditAction.RUN_STARTED, release=record.release)
            if options.adopt:
                audit(AuditAction.ADOPTED)
            if options.resend_unknown:
                audit(AuditAction.RESENT_UNKNOWN)
            marks = OutsideMarks(mark_folders(workspace), record.run_id)
            opened.callback(marks.close)
            refuse_older_copy(ledger, marks, claimed, adopt=options.adopt, now=clock())
            if not (options.late or options.draft):
                refuse_late(claimed, prepared.campaign.schedule, now)
            prepared = _as_begun(workspace, prepared, options, claimed, now)
            execution = _execute(prepared, adapters, ledger, marks, options, owner, clock, listener)
        except BaseException as error:
            _stop(ledger, record.run_id, owner, clock, error)
            with suppress(Exception):  # what stopped the run is what the operator must read
                audit(AuditAction.RUN_STOPPED, reason=type(error).__name__)
            raise
        report = _close(ledger, record.run_id, owner, clock, execution)
        audit(
            AuditAction.RUN_ENDED,
            state=report.state,
            read=report.read,
            accepted=report.outcomes.get(OutcomeKind.ACCEPTED, 0),
        )
        return report


def _audit(
    workspace: Workspace, options: RunOptions, run_id: str, clock: Clock, action: AuditAction, **details: object
) -> None:
    """Write down what an execution does; a draft reaches nobody, so nobody asks about it later."""
    if not options.draft:
        note(workspace, action, run_id, clock(), by="", **details)


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
    adapters: Mapping[str, Adapter],
    ledger: Ledger,
    marks: OutsideMarks,
    options: RunOptions,
    owner: str,
    clock: Clock,
    listener: Callable[[Progress], None],
) -> Execution:
    """Open what an execution needs, send, and close it again in the right order: the sender before its adapters."""
    brief, workspace = prepared.brief, prepared.workspace
    from ccm.ledger.rates import open_rates  # SQLAlchemy, see `workspace_ledger`

    with ExitStack() as opened:
        permissions = opened.enter_context(
            closing(open_run_permissions(workspace, brief.run_id, brief.brand.name, brief.purpose))
        )
        refusals = opened.enter_context(closing(Listener(workspace, permissions, clock)))
        rates = opened.enter_context(closing(open_rates(workspace.definition.ledger, workspace.root)))
        vault = opened.enter_context(closing(open_vault(workspace, make=True)))
        prepared = replace(prepared, brief=replace(brief, book=permissions))
        workers = opened.enter_context(closing(Workers(MakerParts.of(prepared), options.workers)))
        resolve_lost_answers(ledger, adapters, brief.run_id, owner, clock, _tell_lost)
        if options.resend_unknown:
            look_up(ledger, adapters, brief.run_id, owner, clock)
            order_resend(ledger, brief.run_id, owner, clock)
        sender = opened.enter_context(
            closing(
                Sender(
                    ledger,
                    adapters,
                    run_id=brief.run_id,
                    owner=owner,
                    clock=clock,
                    allowed=still_allowed(permissions, prepared, options),
                    pace=SharedPace(rates, limits_of(prepared), clock),
                    circuit=Circuit(prepared.campaign.limits.failed_share),
                    before_sending=counted_on(marks, ledger, brief.run_id),
                    heard=refusals.heard,
                )
            )
        )
        total = about_how_many(workspace, prepared.campaign)
        execution = Execution(
            prepared, ledger, vault, sender, workers, owner=owner, clock=clock, listener=listener, total=total
        )
        obey = partial(_obey, execution, sender)
        with LeaseKeeper(ledger, brief.run_id, owner, clock, sender.stop, obey, execution.progress) as lease:
            execution.go()
        if lease.error is not None:
            raise lease.error
        if execution.cancelled:
            sender.close()
            settle_cancelled(ledger, brief.run_id, owner, clock)
        return execution


def _obey(execution: Execution, sender: Sender, order: RunOrder) -> None:
    """Do what an operator ordered from another terminal."""
    _log().warning("order", order=str(order) or "resume")
    if order is RunOrder.CANCEL:
        execution.cancel()
    else:
        sender.pause(order is RunOrder.PAUSE)


def _tell_lost(piece: str, state: PieceState) -> None:
    _log().warning("lost-answer", piece_id=piece, state=str(state))


def usable_adapters(workspace: Workspace, campaign: CampaignDefinition) -> dict[str, Adapter]:
    """Open a campaign's providers; their settings are judged before anything is written or composed.

    Raises:
        ConfigurationFault: If a setting is wrong; names it.
    """
    try:
        return open_adapters(workspace, set(campaign.deliver.values()))
    except DeliveryError as error:
        wrong = Diagnostic("provider-settings", error.message, error.remedy, Location("ccm.yaml"))
        raise ConfigurationFault((wrong,)) from None


def limits_of(prepared: Prepared) -> dict[str, RateLimit]:
    """Return the rates of the campaign's providers, where one is set."""
    providers = prepared.workspace.definition.providers
    names = set(prepared.campaign.deliver.values()) & set(providers)
    return {name: rate for name in names if (rate := providers[name].rate) is not None}


def counted_on(marks: OutsideMarks, ledger: Ledger, run_id: str) -> Callable[[int], None]:
    """Return what notes outside of the ledger how many intents it has by now."""
    record = found_run(ledger, run_id)
    intents = record.intents if record else 0

    def count(more: int) -> None:
        nonlocal intents
        intents += more
        marks.write(intents)

    return count


def still_allowed(permissions: Permissions, prepared: Prepared, options: RunOptions) -> StillAllowed:
    """Return what is asked right before every hand-over: has somebody left, and is it night by now?

    A run that was told the time keeps to it, and a draft wakes nobody.
    """
    if options.draft or options.as_of is not None:
        return permissions
    return AllOf((permissions, Awake(prepared.campaign.schedule)))


def _close(ledger: Ledger, run_id: str, owner: str, clock: Clock, execution: Execution) -> RunReport:
    """Close the run, or leave it open when somebody is held and the next execution should try again."""
    tally = ledger.tally(run_id)
    held = (sums.get(OutcomeKind.HELD, 0) for sums in (tally.outcomes, tally.broadcasts))
    waiting = tally.undecided or any(held)
    state = "cancelled" if execution.cancelled else "open" if waiting else "closed"
    ledger.close_run(
        run_id,
        owner=owner,
        state=state,
        now=clock(),
        read=execution.read,
        outside_segment=execution.outside_segment,
        orphans=execution.orphans,
    )
    _log().info("run-ended", run_id=run_id, state=state, read=execution.read)
    report = reconcile(ledger.tally(run_id))
    for warning in warnings_of(report):
        _log().warning(warning.code, run_id=run_id)
    return report


def _stop(ledger: Ledger, run_id: str, owner: str, clock: Clock, error: BaseException) -> None:
    """Give the lease back so that the same command can go on at once; the error itself travels on."""
    detail = "interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
    _log().error("run-stopped", run_id=run_id, reason=detail)
    try:
        ledger.close_run(run_id, owner=owner, state="stopped", now=clock(), read=0, outside_segment=0, detail=detail)
    except Exception as second:
        _log().error("lease-not-returned", run_id=run_id, reason=type(second).__name__)
