"""`ccm resume`: let a paused run go on."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.completion import run_ids
from ccm.cli.terminal import open_settings, out, with_errors, workspace_option
from ccm.model.audit import AuditAction


@click.command("resume")
@click.argument("run_id", shell_complete=run_ids)
@workspace_option
@with_errors
def command(run_id: str, folder: Path | None) -> None:
    """Let a paused run go on: a process that waits for it does within a second; otherwise give `ccm run` again.

    Example: ccm resume october-statement.2026-10
    """
    from ccm.run import workspace_ledger
    from ccm.run.auditing import note
    from ccm.run.operating import resume_run
    from ccm.run.prepare import utc_now

    workspace = open_settings(folder)
    ledger = workspace_ledger(workspace)
    try:
        run = resume_run(ledger, run_id, noted=lambda: note(workspace, AuditAction.RUN_RESUMED, run_id, utc_now()))
    finally:
        ledger.close()
    where = f"{run.owner} goes on" if run.owner else f"no process executes it; give: ccm run {run.campaign}"
    out.print(f"run {run_id} is resumed: {where}", markup=False)
