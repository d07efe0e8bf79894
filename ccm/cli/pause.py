"""`ccm pause`: let a run hold its breath."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.completion import run_ids
from ccm.cli.terminal import open_settings, out, with_errors, workspace_option
from ccm.model.audit import AuditAction


@click.command("pause")
@click.argument("run_id", shell_complete=run_ids)
@workspace_option
@with_errors
def command(run_id: str, folder: Path | None) -> None:
    """Let a run begin no further hand-over until `ccm resume`. What is in flight ends normally.

    A process that executes the run notices within a second and waits; it keeps the run, so nobody else takes it. When
    no process executes it, the next `ccm run` refuses until it is resumed.

    Example: ccm pause october-statement.2026-10
    """
    from ccm.run import workspace_ledger
    from ccm.run.auditing import note
    from ccm.run.operating import pause_run
    from ccm.run.prepare import utc_now

    workspace = open_settings(folder)
    ledger = workspace_ledger(workspace)
    try:
        run = pause_run(ledger, run_id, noted=lambda: note(workspace, AuditAction.RUN_PAUSED, run_id, utc_now()))
    finally:
        ledger.close()
    where = f"{run.owner} waits" if run.owner else "no process executes it; the next one will refuse"
    out.print(f"run {run_id} is paused: {where}; go on with: ccm resume {run_id}", markup=False)
