"""`ccm events`: what providers and mail servers reported, read from files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ccm.cli.terminal import json_option, open_workspace_as_is, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode


@click.group("events")
def command() -> None:
    """Take in what became of messages after they were handed over.

    Providers call `ccm serve`; what comes by mail or lies in files is read here.

    Example: ccm events import /var/mail/bounces
    """


@command.command("import")
@click.argument(
    "paths", metavar="FILE|DIR|-...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True)
)
@workspace_option
@json_option
@with_errors
def import_events(paths: tuple[Path, ...], folder: Path | None, as_json: bool) -> None:
    """Read delivery reports (RFC 3464), spam complaints (RFC 5965), requests to leave and events of Amazon SES.

    Mails as single files, mbox, Maildir or a folder; SES events as JSON lines. A hard bounce and a complaint suppress
    the address, a fifth failure within thirty days too. Reading the same files again changes nothing. A mail can be
    written by anybody: a report counts only with the id of one of our pieces, and its address only if it is the one that
    the source has for that customer; a request to leave counts only with the token of the message that it answers.

    Exit code: 0 read, 1 nothing in them was about anything of ours.

    Example: ccm events import /var/mail/bounces
    """
    from ccm.run.event_files import read_events, read_stream
    from ccm.run.events import open_event_desk

    workspace, _ = open_workspace_as_is(folder)
    desk, permissions, _ = open_event_desk(workspace)
    try:
        tallies = [
            desk.apply(read_stream(sys.stdin.buffer) if str(path) == "-" else read_events(path)) for path in paths
        ]
    finally:
        desk.close()
        permissions.close()
    kinds: dict[str, int] = {}
    for tally in tallies:
        for kind, count in tally.applied.items():
            kinds[str(kind)] = kinds.get(str(kind), 0) + count
    sums = {
        "events": kinds,
        "moved": sum(tally.moved for tally in tallies),
        "suppressed": sum(tally.suppressed for tally in tallies),
        "repeated": sum(tally.repeated for tally in tallies),
        "strange": sum(tally.strange for tally in tallies),
    }
    if as_json:
        print_json(sums)
    else:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no news"
        out.print(
            f"{told}; {sums['moved']} pieces moved, {sums['suppressed']} suppressions entered, "
            f"{sums['repeated']} known before, {sums['strange']} about nothing of ours"
        )
    if not kinds and not sums["repeated"]:
        raise SystemExit(ExitCode.PROBLEMS)
