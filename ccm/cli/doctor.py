"""`ccm doctor`: is this machine able, and do the providers answer? Sends nothing."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from ccm.cli.terminal import json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode


@click.command("doctor")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0.1, max=600),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each check may take; all run at once.",
)
@workspace_option
@json_option
@with_errors
def command(timeout_seconds: float, folder: Path | None, as_json: bool) -> None:
    """Check this machine (libraries, fonts, disk, clock), ledger, archive, releases, secrets and every configured provider.

    Providers are logged in to and asked; nothing is sent.

    Exit code: 0 all fine, 4 something does not work.

    Example: ccm doctor
    """
    from ccm.run.doctor import examine

    results = examine(open_workspace(folder, quiet=True, lint=False), timeout_seconds=timeout_seconds)
    if as_json:
        print_json(
            [{"name": item.name, "fine": item.fine, "detail": item.detail, "remedy": item.remedy} for item in results]
        )
    else:
        for item in results:
            mark = Text("ok   ", style="green") if item.fine else Text("fail ", style="bold red")
            out.print(mark + Text(f"{item.name}: {item.detail}"))
            if item.remedy:
                out.print(Text("  fix: ", style="green") + Text(item.remedy))
    if not all(item.fine for item in results):
        raise SystemExit(ExitCode.OUTSIDE)
