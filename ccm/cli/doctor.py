"""`ccm doctor`: is this machine able, and do the providers answer? Sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode


@click.command("doctor")
@workspace_option
@json_option
@with_errors
def command(folder: Path | None, as_json: bool) -> None:
    """Check this machine (libraries, fonts, disk), the ledger, the archive and every configured provider.

    Exit code: 0 all fine, 4 something does not work.

    Example: ccm doctor
    """
    from ccm.run.doctor import examine

    results = examine(open_workspace(folder, quiet=True, lint=False))
    if as_json:
        print_json([{"name": item.name, "fine": item.fine, "detail": item.detail} for item in results])
    else:
        for item in results:
            mark = "[green]ok[/]  " if item.fine else "[bold red]fail[/]"
            out.print(f"{mark} {item.name}: {item.detail}")
    if not all(item.fine for item in results):
        raise SystemExit(ExitCode.OUTSIDE)
