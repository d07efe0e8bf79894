"""`ccm archive`: read sent pieces, and give up what is no longer needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.erase import copies_as_json, print_copies
from ccm.cli.terminal import err, fail, json_option, open_settings, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode
from ccm.model.audit import AuditAction

if TYPE_CHECKING:
    from ccm.run.expiring import Expiry


@click.group("archive", invoke_without_command=True)
@click.option("--thin", "run_id", metavar="RUN", help="Keep snapshot and hash instead of a run's PDFs.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Composing processes of --thin."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
@click.pass_context
@with_errors
def command(
    context: click.Context, run_id: str | None, workers: int, yes: bool, folder: Path | None, as_json: bool
) -> None:
    """Read sent pieces from the archive, or give up what can be made again.

    With --thin RUN: every PDF of the run, and every email that carries one, is composed again; where it is identical
    byte for byte, the archive keeps its hash and the data snapshot alone. What that risks: docs/replay.md.

    Exit code: 0 done, 1 something differs and stays whole, 3 the master key is missing or wrong, 4 the archive failed.

    Example: ccm archive --thin october-statement.2026-10
    """
    context.obj = folder
    if context.invoked_subcommand is not None:
        return
    if run_id is None:
        raise click.UsageError("say --thin RUN, or name a command: get, expire")
    _thin(folder, run_id, workers, yes=yes, as_json=as_json)


def _thin(folder: Path | None, run_id: str, workers: int, *, yes: bool, as_json: bool) -> None:
    from ccm.run.auditing import note
    from ccm.run.prepare import utc_now
    from ccm.run.thinning import thin
    from ccm.run.verifying import UnknownTarget

    workspace = open_settings(folder)
    if not yes and not as_json:
        click.confirm(
            f"give up the archived PDFs of {run_id}? They can be made again only by this engine", abort=True, err=True
        )
    try:
        counts = thin(workspace, run_id, workers=workers)
    except UnknownTarget:
        fail(f'the ledger knows no run "{run_id}"', "list them with: ccm status")
    given_up = counts.pop("bytes", 0)
    note(workspace, AuditAction.THINNED, run_id, utc_now(), pieces=counts["thinned"], bytes=given_up)
    if as_json:
        print_json({"run": run_id, **counts, "bytes": given_up})
    else:
        words = {"small": "without a PDF", "already": "thinned before", "different": "different, kept whole"}
        sums = " · ".join(f"{count} {words.get(name, name)}" for name, count in sorted(counts.items()))
        out.print(f"{sums or 'nothing to thin'}; {given_up / 1_000_000:.1f} MB given up")
    raise SystemExit(ExitCode.PROBLEMS if counts["different"] else ExitCode.FINE)


@click.command("get")
@click.argument("piece_id", metavar="PIECE")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; stdout if not given.")
@workspace_option
@click.pass_context
@with_errors
def get(context: click.Context, piece_id: str, output: Path | None, folder: Path | None) -> None:
    """Give a piece as it was sent: the email, the text, the PDF or the post.

    It is checked against the ledger's hash. A thinned piece is composed again and checked alike.

    Exit code: 0 given, 3 no such piece, 4 it cannot be read: erased, changed or missing.

    Example: ccm archive get p-5d3hq2… -o letter.pdf
    """
    from ccm.run.archived import sent_piece
    from ccm.run.auditing import note
    from ccm.run.prepare import utc_now
    from ccm.run.verifying import UnknownTarget

    try:
        workspace = open_settings(folder or context.obj)
        sent = sent_piece(workspace, piece_id)
    except UnknownTarget:
        fail(f'the ledger knows no piece "{piece_id}"', "a customer's pieces are in: ccm history CUSTOMER --json")
    note(
        workspace,
        AuditAction.EXPORTED,
        piece_id,
        utc_now(),
        sha256=sent.piece.sha256,
        composed_again=sent.composed_again,
    )
    if output is None:
        if sys.stdout.isatty() and not sent.media_type.startswith("text/"):
            fail("this would fill the terminal", f"say -o FILE; it is {sent.media_type}")
        click.echo(sent.content, nl=False)
        return
    output.write_bytes(sent.content)
    again = ", composed again" if sent.composed_again else ""
    err.print(f"{output}: {sent.media_type}, {len(sent.content)} bytes{again}, as the ledger noted", markup=False)


@click.command("expire")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
@click.pass_context
@with_errors
def expire(context: click.Context, dry_run: bool, yes: bool, folder: Path | None, as_json: bool) -> None:
    """Delete pieces that are past the retention of their purpose (`retention` in ccm.yaml).

    They leave the archive, and the ledger no longer says whose they were; outcomes and amounts stay. Copies that adapters
    keep go as well: outbox, print spool, batches that were not handed over, documents in a bucket. The key of a customer of
    whom nothing is left is destroyed.

    Exit code: 0 done, 1 a provider could not be asked; its pieces stay for the next time.

    Example: ccm archive expire --dry-run
    """
    from ccm.run.auditing import note
    from ccm.run.expiring import expire as expire_pieces
    from ccm.run.prepare import utc_now

    workspace, now = open_settings(folder or context.obj), utc_now()
    if not (dry_run or yes):
        found = expire_pieces(workspace, at=now, really=False)
        click.confirm(f"delete {sum(found.pieces.values())} pieces for good?", abort=True, err=True)
    expiry = expire_pieces(workspace, at=now, really=not dry_run)
    if (expiry.pieces or expiry.events) and not dry_run:
        note(workspace, AuditAction.EXPIRED, "", now, by="", keys=expiry.keys, events=expiry.events, **expiry.pieces)
    if as_json:
        counts = {
            "pieces": dict(expiry.pieces),
            "keys": expiry.keys,
            "events": expiry.events,
            "waiting": expiry.waiting,
        }
        print_json({**counts, **copies_as_json(expiry.copies), "dry_run": dry_run})
    else:
        _print_expiry(expiry, dry_run=dry_run)
    raise SystemExit(ExitCode.PROBLEMS if expiry.waiting else ExitCode.FINE)


def _print_expiry(expiry: Expiry, *, dry_run: bool) -> None:
    sums = " · ".join(f"{count} {purpose}" for purpose, count in expiry.pieces.items())
    done = "would go" if dry_run else f"deleted, {expiry.keys} customers' keys destroyed"
    out.print(f"{sums} pieces {done}" if sums else "nothing is past its retention")
    if expiry.events:
        out.print(f"{expiry.events} ids of providers' events {'would go' if dry_run else 'forgotten'}")
    print_copies(expiry.copies)
    if expiry.waiting:
        err.print(f"{expiry.waiting} pieces stay until their provider can be asked; give the command again then")


command.add_command(get)
command.add_command(expire)
