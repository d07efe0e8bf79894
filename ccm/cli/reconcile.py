"""`ccm reconcile`: ask providers what became of pieces whose answer was lost."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.completion import run_ids
from ccm.cli.status import print_unknown
from ccm.cli.terminal import json_option, open_settings, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode


@click.command("reconcile")
@click.argument("run_id", shell_complete=run_ids)
@workspace_option
@json_option
@with_errors
def command(run_id: str, folder: Path | None, as_json: bool) -> None:
    """Ask every provider that can be asked about the run's lost answers, and settle what it says. Sends nothing.

    Where nobody can be asked, the pieces stay unknown and are listed with what a person can do. To send them again,
    knowing that some may have gone out: ccm run CAMPAIGN --resend-unknown.

    Exit code: 0 nothing is unknown any more, 1 something is, 4 a provider cannot be used.

    Example: ccm reconcile october-statement.2026-10
    """
    from ccm.run import workspace_ledger
    from ccm.run.operating import reconcile_run

    workspace = open_settings(folder)
    ledger = workspace_ledger(workspace)
    try:
        result = reconcile_run(workspace, ledger, run_id)
        if as_json:
            print_json({"run_id": run_id, "asked": result.asked, "settled": result.settled, "unknown": result.left})
        else:
            out.print(f"{result.asked} unknown, {result.settled} settled, {result.left} left")
            print_unknown(workspace, ledger, run_id)
    finally:
        ledger.close()
    if result.left:
        raise SystemExit(ExitCode.PROBLEMS)
