"""The report page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ccm.model.definitions import Channel
from ccm.model.records import Outcome, OutcomeKind, RunReport
from ccm.model.workspace import Workspace
from ccm.reconcile import warnings_of
from ccm.studio.page import write_page

ATTENTION_ROWS = 500  # on the page and in JSON; the ledger has all

MEANING = {
    OutcomeKind.ACCEPTED: "every required piece was taken by its provider",
    OutcomeKind.REJECTED: "a provider refused a required piece",
    OutcomeKind.SUPPRESSED: "we may not write to them",
    OutcomeKind.HELD: "something must be mended or waited for; the next run takes them",
    OutcomeKind.UNKNOWN: "an answer was lost; never resent by itself",
}


def report_path(workspace: Workspace, run_id: str) -> Path:
    """Return where the page of a run is kept."""
    return Path(workspace.root) / ".ccm" / "reports" / f"{run_id}.html"


def write_report(
    workspace: Workspace, report: RunReport, attention: Sequence[Outcome] = (), page: Path | None = None
) -> Path:
    """Write the page of a run and return its path.

    Args:
        page: Where; among the workspace's reports if not given.
        attention: Held, rejected and unknown recipients to list; the first `ATTENTION_ROWS` are enough.
    """
    campaign = workspace.campaigns.get(report.campaign)
    channels = sorted({channel for _, channel, _ in report.totals}, key=list(Channel).index)
    return write_page(
        "report.html",
        page or report_path(workspace, report.run_id),
        report=report,
        warnings=warnings_of(report),
        title=campaign.title if campaign and campaign.title else report.campaign,
        outcomes=[(kind, report.outcomes.get(kind, 0), MEANING[kind]) for kind in OutcomeKind],
        states=sorted({state for counts in report.pieces.values() for state in counts}),
        attention=attention,
        watched=sum(report.outcomes.get(kind, 0) for kind in {item.kind for item in attention}),
        total_channels=channels,
        totals=sorted({(fact, currency) for fact, _, currency in report.totals}),
        seconds=(report.finished_at - report.started_at).total_seconds() if report.finished_at else None,
    )
