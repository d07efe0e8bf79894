"""`ccm audit`: what was done here, and whether the log of it was tampered with."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from ccm.cli.terminal import err, json_option, open_settings, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode

SHOWN = 30


@click.group("audit", invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help=f"Every entry, not the last {SHOWN} alone.")
@workspace_option
@json_option
@click.pass_context
@with_errors
def command(context: click.Context, every: bool, folder: Path | None, as_json: bool) -> None:
    """Show who started runs, released, approved, exported, erased or suppressed, and when; newest last.

    Exit code: 0.

    Example: ccm audit --all --json
    """
    from ccm.run.auditing import open_audit

    context.obj = folder
    if context.invoked_subcommand is not None:
        return
    with closing(open_audit(open_settings(folder))) as log:
        entries = list(log.entries())
    shown = entries if every else entries[-SHOWN:]
    if as_json:
        print_json(
            [
                {
                    "number": one.number,
                    "at": one.at,
                    "action": one.action,
                    "actor": one.actor,
                    "subject": one.subject,
                    "details": dict(one.details),
                    "hash": one.hash,
                }
                for one in shown
            ]
        )
        return
    for one in shown:
        details = " ".join(f"{name}={value}" for name, value in one.details.items())
        out.print(f"{one.number:>5} {one.at[:19]} {one.actor} {one.action} {one.subject} {details}", markup=False)
    if not shown:
        err.print("nothing was done here yet")


@click.command("verify")
@click.option("--head", default="", metavar="HASH", help="A head that was printed or copied earlier.")
@workspace_option
@json_option
@click.pass_context
@with_errors
def verify(context: click.Context, head: str, folder: Path | None, as_json: bool) -> None:
    """Check the chain: no entry was changed, removed, moved or cut off. Prints the head; keep it somewhere else.

    Exit code: 0 whole, 1 tampered with.

    Example: ccm audit verify --head 3f9c…
    """
    from ccm.run.auditing import open_audit

    with closing(open_audit(open_settings(folder or context.obj))) as log:
        verdict = log.verify(head)
    if as_json:
        print_json({"entries": verdict.entries, "head": verdict.head, "faults": list(verdict.faults)})
    else:
        for fault in verdict.faults:
            out.print(fault, markup=False)
        out.print(f"{verdict.entries} entries, head {verdict.head}" + ("" if verdict.faults else ", whole"))
    raise SystemExit(ExitCode.PROBLEMS if verdict.faults else ExitCode.FINE)


command.add_command(verify)
