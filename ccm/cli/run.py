"""`ccm run`: compose, check and deliver; show progress; end with the report."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.completion import campaign_names
from ccm.cli.status import duration
from ccm.cli.terminal import (
    err,
    json_option,
    open_workspace,
    open_workspace_for_run,
    parse_moment,
    print_diagnostics,
    print_json,
    start_logs,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.model.records import RunReport
    from ccm.model.workspace import Workspace
    from ccm.run import Progress, RunOptions


@click.command("run")
@click.argument("campaign", shell_complete=campaign_names)
@click.option("--as-of", callback=parse_moment, metavar="TIME", help="Judge schedules as of this time, not now.")
@click.option("--occurrence", metavar="KEY", help="Run this occurrence, such as 2026-10, not the computed one.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=None,
    help="Composing processes; one per processor if not given, one for campaigns without documents.",
)
@click.option(
    "--draft",
    is_flag=True,
    help="Take the working folder, marked DRAFT, into the folder draft, whatever the schedule; reach nobody.",
)
@click.option("--late", is_flag=True, help="Begin although the schedule is hours ago.")
@click.option(
    "--resend-unknown", is_flag=True, help="Send again whoever's answer was lost; some may get the message twice."
)
@click.option(
    "--adopt", is_flag=True, help="Go on with a ledger older than what was sent; what it does not know goes again."
)
@click.option("--quiet", is_flag=True, help="No progress.")
@workspace_option
@json_option
@with_errors
def command(
    campaign: str,
    as_of: datetime | None,
    occurrence: str | None,
    workers: int | None,
    draft: bool,
    late: bool,
    resend_unknown: bool,
    adopt: bool,
    quiet: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Run a campaign's occurrence: every recipient gets the message once on every channel, or a reason why not.

    Messages are made from approved releases (`ccm release`, `ccm approve`), never from the working folder.
    With --draft it is the other way round: every piece is marked and lands in draft/CAMPAIGN/outbox.

    Killed or interrupted? Give the same command again: it goes on, repeats nothing and loses nobody.
    The same occurrence never goes twice.

    From another terminal: `ccm status`, `ccm pause`, `ccm resume`, `ccm cancel` with the run's id.

    Exit code: 0 all accepted or left out by permission; 1 somebody, or a piece beside, is held, rejected or unknown,
    or the run refused to begin; 3 configuration, 4 a provider, disk or ledger failed, 130 interrupted.

    Example: ccm run october-statement --as-of 2026-11-02T11:30Z
    """
    from ccm.run import RunOptions, ScheduleLate, draft_folder, draft_workspace, run_attention
    from ccm.studio.report import ATTENTION_ROWS, write_report

    start_logs(chosen_log_level())
    workspace = open_workspace(folder, quiet=quiet) if draft else open_workspace_for_run(folder, campaign)
    processes = workers or default_workers(workspace.campaigns.get(campaign))
    options = RunOptions(as_of, occurrence, processes, draft, resend_unknown, adopt, late)
    silent = quiet or as_json
    try:
        report = _run(workspace, campaign, options, silent)
    except ScheduleLate as error:
        if silent or not sys.stdin.isatty() or not click.confirm(f"{error}\nsend it now?", err=True):
            raise
        report = _run(workspace, campaign, replace(options, late=True), silent)
    own_page = None
    if draft:
        workspace = draft_workspace(workspace, campaign)
        own_page = draft_folder(workspace, campaign) / "report.html"
    attention = run_attention(workspace, report.run_id, ATTENTION_ROWS)
    page = write_report(workspace, report, attention, own_page)
    if as_json:
        from ccm.cli.report import report_as_json

        print_json(report_as_json(report, attention))
    else:
        from ccm.cli.report import print_report

        print_report(report, attention)
        err.print(f"report: {page}")
    raise SystemExit(exit_code_of(report))


def _run(workspace: Workspace, campaign: str, options: RunOptions, silent: bool) -> RunReport:
    """Run with or without a line of progress."""
    from ccm.run import run_campaign

    if silent:
        return run_campaign(workspace, campaign, options, tell=print_diagnostics)
    with ProgressLine(campaign) as line:
        return run_campaign(workspace, campaign, options, listener=line.show, tell=print_diagnostics)


def chosen_log_level() -> str:
    """Return what `ccm --log-level` was given."""
    context = click.get_current_context()
    assert context is not None
    return str(context.find_root().params.get("log_level", "off"))


def exit_code_of(report: RunReport) -> ExitCode:
    """Tell the shell whether a person must look: somebody held, rejected or unknown, or a piece beside the required ones."""
    from ccm.model.records import OutcomeKind, PieceState

    kinds = (OutcomeKind.HELD, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN)
    outcomes = any(report.outcomes.get(kind) or report.broadcasts.get(kind) for kind in kinds)
    states = (PieceState.HELD, PieceState.REJECTED, PieceState.UNKNOWN)
    pieces = sum(counts.get(state, 0) for counts in report.pieces.values() for state in states)
    beside = pieces > report.opted_out  # who left in time is no failure
    return ExitCode.PROBLEMS if outcomes or (beside and report.state != "cancelled") else ExitCode.FINE


def default_workers(campaign: object) -> int:
    """One process per processor where documents are composed; mails alone are faster in one."""
    from ccm.model.definitions import CampaignDefinition, Channel

    documents = isinstance(campaign, CampaignDefinition) and Channel.DOCUMENT in campaign.channels.all
    return len(os.sched_getaffinity(0)) if documents else 1


class ProgressLine:
    """One line on stderr that tells how far the run is; silent where stderr is no terminal but for the end."""

    def __init__(self, campaign: str) -> None:
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            MofNCompleteColumn(),
            TextColumn("{task.fields[sums]}"),
            TimeElapsedColumn(),
            console=err,
        )
        self._task = self._progress.add_task(campaign, total=None, sums="starting")
        self._begun = False
        self._done, self._sums = 0, ""

    def __enter__(self) -> ProgressLine:
        if err.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._begun:  # nothing is left now, and rows outside the segment were never to be done
            self._progress.update(self._task, total=self._done, sums=self._sums)
        else:
            self._progress.update(self._task, visible=False)  # the run did not begin, and its error says why
        if self._begun or err.is_terminal:
            self._progress.start()  # for those without a terminal, who get the last line alone
            self._progress.stop()

    def show(self, progress: Progress) -> None:
        """Take the newest figures."""
        self._begun = True
        sums = [f"{kind} {count}" for kind, count in progress.outcomes.items() if count]
        sums.append(f"{progress.pieces} pieces")
        if progress.per_second:
            sums.append(f"{progress.per_second:.0f}/s")
        self._done, self._sums = progress.done, " · ".join(sums)
        if progress.per_second and progress.total is not None and progress.total > progress.done:
            sums.append(f"about {duration((progress.total - progress.done) / progress.per_second)} left")
        self._progress.update(self._task, completed=progress.done, total=progress.total, sums=" · ".join(sums))
