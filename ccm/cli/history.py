"""`ccm history`: who got what, when, in which version, with which facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import err, json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.model.records import HistoryEntry


@click.command("history")
@click.argument("customer")
@click.option("--links", "with_links", is_flag=True, help="Add addresses at which the customer fetches documents.")
@workspace_option
@json_option
@with_errors
def command(customer: str, with_links: bool, folder: Path | None, as_json: bool) -> None:
    """Show every piece a customer got or should have got, newest first, with the facts it told.

    Links are made for documents in S3, and end after the provider's `link_days`; whoever has one can fetch the document.

    Exit code: 0 found, 1 no piece was ever made for this customer.

    Example: ccm history C-1001 --json
    """
    from ccm.run import workspace_ledger
    from ccm.run.linking import links_of

    workspace = open_workspace(folder, quiet=True, lint=False)
    ledger = workspace_ledger(workspace)
    try:
        entries = ledger.history(customer)
    finally:
        ledger.close()
    links = links_of(workspace, entries) if with_links else {}
    if as_json:
        print_json(
            [
                {
                    "piece": entry.piece_id,
                    "at": entry.at.isoformat(),
                    "campaign": entry.campaign,
                    "occurrence": entry.occurrence,
                    "channel": str(entry.channel),
                    "state": str(entry.state),
                    "release": entry.release,
                    "provider": entry.provider,
                    "provider_id": entry.provider_id,
                    "sha256": entry.sha256,
                    "facts": dict(entry.facts),
                    **({"link": links.get(entry.provider_id, "")} if with_links else {}),
                }
                for entry in entries
            ]
        )
    elif entries:
        for entry in entries:
            _tell(entry, links.get(entry.provider_id, ""))
    if not entries:
        if not as_json:
            err.print(
                "no piece was ever made for this customer: held or left out before (`ccm report RUN` tells the held), "
                "or of another id than the source's key column has"
            )
        raise SystemExit(ExitCode.PROBLEMS)


def _tell(entry: HistoryEntry, link: str) -> None:
    """Print one piece: a line that says what it was, and below it what it told; nothing is cut or folded."""
    what = f"{entry.at:%Y-%m-%d %H:%M}  {entry.channel:<8}  {entry.state:<10}"
    out.print(f"{what}  {entry.campaign} {entry.occurrence}  {entry.release}", soft_wrap=True, markup=False)
    facts = " · ".join(f"{name} {text}" for name, text in entry.facts.items())
    for line in (entry.piece_id, facts, link):
        if line:
            out.print(f"    {line}", soft_wrap=True, markup=False)
