"""`ccm status`: runs and where they stand."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from ccm.cli.completion import campaign_names
from ccm.cli.terminal import json_option, open_workspace, out, print_json, with_errors, workspace_option


@click.command("status")
@click.argument("campaign", required=False, shell_complete=campaign_names)
@workspace_option
@json_option
@with_errors
def command(campaign: str | None, folder: Path | None, as_json: bool) -> None:
    """List the runs of the workspace, newest first, with their outcomes so far.

    Example: ccm status october-statement
    """
    from ccm.run import workspace_ledger

    ledger = workspace_ledger(open_workspace(folder, quiet=True, lint=False))
    try:
        tallies = [ledger.tally(run.run_id) for run in ledger.runs() if campaign in (None, run.campaign)]
    finally:
        ledger.close()
    if as_json:
        print_json(
            [
                {
                    "run_id": tally.run.run_id,
                    "campaign": tally.run.campaign,
                    "occurrence": tally.run.occurrence,
                    "release": tally.run.release,
                    "state": tally.run.state,
                    "detail": tally.run.detail,
                    "started_at": tally.run.started_at.isoformat(),
                    "finished_at": tally.run.finished_at.isoformat() if tally.run.finished_at else None,
                    "undecided": tally.undecided,
                    "outcomes": {str(kind): count for kind, count in tally.outcomes.items()},
                }
                for tally in tallies
            ]
        )
        return
    if not tallies:
        out.print("no runs yet; start one with: ccm run CAMPAIGN")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("run", "state", "started (UTC)", "outcomes"):
        table.add_column(title)
    for tally in tallies:
        sums = " · ".join(f"{kind} {count}" for kind, count in tally.outcomes.items() if count)
        left = f" · {tally.undecided} to do" if tally.undecided else ""
        state = f"{tally.run.state} ({tally.run.detail})" if tally.run.detail else tally.run.state
        table.add_row(tally.run.run_id, state, f"{tally.run.started_at:%Y-%m-%d %H:%M}", (sums or "–") + left)
    out.print(table)
