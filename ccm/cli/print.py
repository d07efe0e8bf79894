"""`ccm print`: documents that wait in a printer's spool become batches for the print shop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click
from rich.table import Table

from ccm.cli.terminal import (
    FirstCommand,
    by_option,
    err,
    fail,
    json_option,
    open_settings,
    out,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.run.printing import PrintReport

P = ParamSpec("P")
R = TypeVar("R")


class _BatchFirst(FirstCommand):
    first = "batch"


provider_option = click.option("--provider", metavar="NAME", help="Which print provider, where there are several.")


def with_print_errors(function: Callable[P, R]) -> Callable[P, R]:
    """End with the fault's own words, and with those of the disk."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from ccm.deliver.print_shop.shelf import PrintFault

        try:
            return function(*args, **kwargs)
        except PrintFault as fault:
            return fail(str(fault).removesuffix(f"; {fault.remedy}"), fault.remedy, ExitCode.PROBLEMS)
        except OSError as error:
            remedy = "free space or correct the permissions, then give the command again; it goes on"
            return fail(f"the print folder could not be written ({error.strerror})", remedy, ExitCode.OUTSIDE)

    return wrapped


@click.group("print", cls=_BatchFirst)
def command() -> None:
    """Make batches for a print shop: one PDF, a manifest and marks for the inserter machine.

    `ccm print RUN` takes every document of a run that waits in the spool of its print provider. The same command
    finishes what was stopped, takes what came since, and hands over what is not with the print shop yet.

    Exit code: 0 done, 1 some documents are in no batch, 4 disk or print shop failed.

    Example: ccm print october-statement.2026-10
    """


@command.command("batch")
@click.argument("run_id", metavar="RUN")
@provider_option
@workspace_option
@json_option
@with_errors
@with_print_errors
def batch(run_id: str, provider: str | None, folder: Path | None, as_json: bool) -> None:
    """Close everything that waits of a run into batches; the word `batch` may be left out.

    Example: ccm print october-statement.2026-10
    """
    from ccm.run.printing import print_run

    show(print_run(open_settings(folder), run_id, provider), as_json)


@command.command("reprint")
@click.argument("batch_name", metavar="BATCH")
@click.argument("wanted", metavar="PIECE|RANGE...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why, such as: torn by the machine. Kept in the manifest.")
@click.option("--again", is_flag=True, help="Also what was printed again before.")
@by_option
@provider_option
@workspace_option
@json_option
@with_errors
@with_print_errors
def again_(
    batch_name: str,
    wanted: tuple[str, ...],
    reason: str,
    again: bool,
    by: str,
    provider: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Print envelopes again, by number (7), range (12-15) or the id of a piece in them, as a small batch of its own.

    Example: ccm print reprint october-statement.2026-10.b001 12-15 --reason "torn by the machine"
    """
    from ccm.run.printing import print_again

    workspace = open_settings(folder)
    show(print_again(workspace, batch_name, wanted, provider, by=by, reason=reason, again=again), as_json)


@command.command("list")
@click.argument("run_id", metavar="[RUN]", required=False)
@provider_option
@workspace_option
@json_option
@with_errors
@with_print_errors
def list_(run_id: str | None, provider: str | None, folder: Path | None, as_json: bool) -> None:
    """List batches and where they stand.

    Example: ccm print list october-statement.2026-10
    """
    from dataclasses import asdict

    from ccm.run.printing import print_batches

    lines = print_batches(open_settings(folder), run_id, provider)
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("batch", "form", "pieces", "envelopes", "sheets", "made", "state"):
        table.add_column(title)
    for line in lines:
        counts = (str(line.pieces), str(line.envelopes), str(line.sheets))
        state = f"{line.state} · reprint by {line.by}: {line.reason}" if line.reprint_of else line.state
        table.add_row(line.batch, line.form, *counts, line.made_at[:16], state)
    out.print(table if lines else "no batches yet; make some with: ccm print RUN")


def show(report: PrintReport, as_json: bool) -> None:
    """Tell what was made, handed over and left; end with 1 where something was left."""
    from dataclasses import asdict

    if as_json:
        print_json(asdict(report))
    else:
        for name in report.made:
            out.print(f"{name}: {report.folder}/{name}.pdf")
        if report.sent:
            out.print(f"handed over to {report.to}: {', '.join(report.sent)}")
        if not report.made and not report.sent:
            out.print("nothing waits to be printed")
        for one in report.exceptions:
            err.print(f"{one.piece_id}: {one.reason}", style="bold red")
            err.print(f"  fix: {one.remedy}")
    if report.exceptions:
        raise SystemExit(ExitCode.PROBLEMS)
