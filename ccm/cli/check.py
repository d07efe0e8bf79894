"""`ccm check`: every mistake at once."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.completion import campaign_names
from ccm.cli.terminal import (
    err,
    find_workspace,
    json_option,
    print_diagnostics,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode, Severity


@click.command("check")
@click.argument("campaign", required=False, shell_complete=campaign_names)
@click.option("--strict", is_flag=True, help="Warnings count as problems too.")
@workspace_option
@json_option
@with_errors
def command(campaign: str | None, strict: bool, folder: Path | None, as_json: bool) -> None:
    """Find every mistake in the workspace: YAML, templates, translations, tokens, segments, data headers.

    Checks all campaigns, or the one named. No customer data is composed and nothing is sent.

    Exit code: 0 nothing found, 1 warnings with --strict, 3 errors.

    Example: ccm check october-statement
    """
    from ccm.load import load_workspace
    from ccm.run.checking import check_campaigns

    workspace, diagnostics = load_workspace(find_workspace(folder))
    if workspace is not None:
        diagnostics = (*diagnostics, *check_campaigns(workspace, campaign))
    diagnostics = tuple(sorted(set(diagnostics), key=lambda item: (item.location, item.code, item.message)))
    errors = sum(item.severity is Severity.ERROR for item in diagnostics)
    warnings = len(diagnostics) - errors
    if as_json:
        print_json([item.as_json() for item in diagnostics])
    else:
        print_diagnostics(diagnostics)
        colour = "red" if errors else "yellow" if warnings else "green"
        err.print(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}", style=colour)
    if errors:
        raise SystemExit(ExitCode.CONFIGURATION)
    if warnings and strict:
        raise SystemExit(ExitCode.PROBLEMS)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
