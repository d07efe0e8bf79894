"""`ccm history`: who got what, when, in which version, with which facts."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from ccm.cli.terminal import err, json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode


@click.command("history")
@click.argument("customer")
@click.option("--links", "with_links", is_flag=True, help="Add addresses at which the customer fetches documents.")
@workspace_option
@json_option
@with_errors
def command(customer: str, with_links: bool, folder: Path | None, as_json: bool) -> None:
    """Show every piece a customer got or should have got, newest first, with the facts it told.

    Links are made for documents in S3, and end after the provider's `link_days`; whoever has one can fetch the document.

    Exit code: 0 found, 1 the ledger knows nothing of this customer.

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
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("when (UTC)", "campaign", "channel", "state", "release", "facts"):
            table.add_column(title, overflow="fold")
        for entry in entries:
            facts = "; ".join(f"{name} {text}" for name, text in entry.facts.items())
            when = f"{entry.at:%Y-%m-%d %H:%M}"
            campaign = f"{entry.campaign} {entry.occurrence}"
            table.add_row(when, campaign, str(entry.channel), str(entry.state), entry.release, facts)
        out.print(table)
        for entry in entries:
            if entry.provider_id in links:
                out.print(
                    f"{entry.at:%Y-%m-%d} {entry.campaign} {entry.channel}: {links[entry.provider_id]}", soft_wrap=True
                )
    if not entries:
        if not as_json:
            err.print("the ledger knows nothing of this customer; ids are those of the source's key column")
        raise SystemExit(ExitCode.PROBLEMS)
