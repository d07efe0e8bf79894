"""`ccm where-used`: what hangs on a shared thing."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import err, json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode


@click.command("where-used")
@click.argument("name")
@workspace_option
@json_option
@with_errors
def command(name: str, folder: Path | None, as_json: bool) -> None:
    """List what uses a fragment, token, asset, template or brand, with file and line.

    Exit code: 0 used somewhere, 1 used nowhere.

    Example: ccm where-used fragments/contact

    Example: ccm where-used color.brand.primary
    """
    from ccm.load import where_used

    uses = where_used(open_workspace(folder, quiet=True, lint=False), name)
    if as_json:
        print_json([{"kind": use.kind, "user": use.user, "place": str(use.location)} for use in uses])
    else:
        for use in uses:
            out.print(f"{use.location}: {use.kind} used by {use.user}")
    if not uses:
        err.print(f'nothing uses "{name}"')
        raise SystemExit(ExitCode.PROBLEMS)
