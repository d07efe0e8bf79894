"""`ccm cancel`: end a run for good."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.completion import run_ids
from ccm.cli.terminal import open_settings, out, with_errors, workspace_option
from ccm.model.audit import AuditAction


@click.command("cancel")
@click.argument("run_id", shell_complete=run_ids)
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@with_errors
def command(run_id: str, yes: bool, folder: Path | None) -> None:
    """End a run for good. What was handed over stays sent; everybody else is left out with the reason "cancelled".

    A process that executes the run stops within a second, reads the rest of its recipients to leave them out one by
    one, and ends with its report. A cancelled run is never taken up again.

    Example: ccm cancel october-statement.2026-10
    """
    from ccm.run import workspace_ledger
    from ccm.run.auditing import note
    from ccm.run.operating import cancel_run
    from ccm.run.prepare import utc_now

    if not yes:
        click.confirm(f"cancel run {run_id} for good?", abort=True, err=True)
    workspace = open_settings(folder)
    ledger = workspace_ledger(workspace)
    try:
        over = cancel_run(ledger, run_id, noted=lambda: note(workspace, AuditAction.RUN_CANCELLED, run_id, utc_now()))
    finally:
        ledger.close()
    what = "is cancelled" if over else "is being cancelled by the process that executes it"
    out.print(f"run {run_id} {what}; see: ccm report {run_id}", markup=False)
