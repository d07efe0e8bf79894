"""`ccm bundle`: the documents of a run in a few large PDFs, sorted for the printer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

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
from ccm.model.audit import AuditAction

if TYPE_CHECKING:
    from ccm.run.bundling import Bundled
    from ccm.run.stream_files import StreamMade

P = ParamSpec("P")
R = TypeVar("R")
_NAMED = 10  # pieces of one reason that are in no stream; --json has more


class _RunFirst(FirstCommand):
    first = "run"


def with_bundle_errors(function: Callable[P, R]) -> Callable[P, R]:
    """End with the fault's own words, and with those of the disk."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from ccm.run.bundling import BundleFault
        from ccm.run.sorting import KNOWN, UnknownKey
        from ccm.run.verifying import UnknownTarget

        try:
            return function(*args, **kwargs)
        except BundleFault as fault:
            return fail(str(fault).removesuffix(f"; {fault.remedy}"), fault.remedy, ExitCode.PROBLEMS)
        except UnknownTarget as unknown:
            return fail(f'the ledger knows no run "{unknown}"', "list them with: ccm status")
        except UnknownKey as unknown:
            remedy = f"use {', '.join(KNOWN)}, or the path of a field, such as customer.segment"
            return fail(f'documents cannot be sorted by "{unknown}"', remedy, ExitCode.USAGE)
        except OSError as error:
            remedy = "free space or correct the permissions, then give the command again with another folder"
            return fail(f"the streams could not be written ({error.strerror})", remedy, ExitCode.OUTSIDE)

    return wrapped


@click.group("bundle", cls=_RunFirst)
def command() -> None:
    """Write print streams: thousands of a run's documents in one PDF, sorted, with fonts and tags, and a manifest.

    `ccm bundle RUN -o DIR` takes the accepted documents from the archive, byte for byte as they were sent. Each stream is
    PDF/A-3a and PDF/UA-1, has a bookmark for every piece, and about a quarter of the single files' size. Marks for
    inserter machines are what `ccm print` makes.

    Exit code: 0 done, 1 some documents are in no stream, 3 the master key is missing, 4 the disk failed.

    Example: ccm bundle october-statement.2026-10 --by postcode,pages --most 5000 -o streams
    """


@command.command("run")
@click.argument("run_id", metavar="RUN")
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder.")
@click.option(
    "--by", "by", default="country,postcode", show_default=True, help="Keys to sort by, the first counts most."
)
@click.option("--apart", default="", metavar="KEYS", help="Begin a new stream when one of these changes.")
@click.option("--most", type=click.IntRange(1, 20_000), default=5000, show_default=True, help="Documents of a stream.")
@click.option("--most-sheets", type=click.IntRange(1), help="Sheets of a stream.")
@click.option(
    "--duplex/--simplex", default=True, show_default=True, help="Every document on a new sheet, or page by page."
)
@workspace_option
@json_option
@with_errors
@with_bundle_errors
def run(
    run_id: str,
    output: Path,
    by: str,
    apart: str,
    most: int,
    most_sheets: int | None,
    duplex: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write the print streams of a run; the word `run` may be left out.

    Keys: country, postcode, pages, sheets, language, locale, or the path of a field such as customer.segment.

    Example: ccm bundle october-statement.2026-10 --by postcode,pages --apart language -o streams
    """
    from ccm.run.auditing import note
    from ccm.run.bundling import bundle_run
    from ccm.run.prepare import utc_now
    from ccm.run.sorting import Chosen

    chosen = Chosen(_keys(by), _keys(apart), most, most_sheets or 0, duplex)
    workspace = open_settings(folder)
    bundled = bundle_run(workspace, run_id, output, chosen, now=utc_now())
    note(workspace, AuditAction.EXPORTED, run_id, utc_now(), streams=len(bundled.streams))
    show(bundled, as_json)


@command.command("reprint")
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("wanted", metavar="PIECE|RANGE...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder; the manifest's own.")
@click.option("--reason", required=True, help="Why, such as: torn by the machine. Kept in the manifest.")
@by_option
@workspace_option
@json_option
@with_errors
@with_bundle_errors
def reprint(
    manifest: Path,
    wanted: tuple[str, ...],
    output: Path | None,
    reason: str,
    by: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write documents of a stream again, by number (7), range (12-15) or piece id, as a small stream of its own.

    Example: ccm bundle reprint streams/october-statement.2026-10.s001.jsonl 12-15 --reason "torn by the machine"
    """
    from ccm.run.auditing import note
    from ccm.run.bundling import print_again
    from ccm.run.prepare import utc_now

    workspace = open_settings(folder)
    target = output or manifest.parent
    made = print_again(workspace, manifest, wanted, target, by=by, reason=reason, now=utc_now())
    note(workspace, AuditAction.EXPORTED, made.stream, utc_now(), by=by, documents=made.documents)
    if as_json:
        print_json(stream_as_json(made))
    else:
        out.print(f"{target / made.stream}.pdf: {_told(made)}", markup=False)


def _keys(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def show(bundled: Bundled, as_json: bool) -> None:
    """Tell what was made and what is missing; end with 1 where something is."""
    missing = sum(bundled.exceptions.values())
    if as_json:
        print_json(
            {
                "run": bundled.run_id,
                "folder": bundled.folder,
                "pieces_in": bundled.pieces_in,
                "streams": [stream_as_json(one) for one in bundled.streams],
                "apart": bundled.apart,
                "exceptions": dict(bundled.exceptions),
                "left_out": [{"piece_id": piece, "reason": reason} for piece, reason in bundled.left_out],
                "balanced": bundled.balanced,
            }
        )
    else:
        for one in bundled.streams:
            name = f"{bundled.folder}/{one.stream}"
            out.print(
                f"{name}.pdf: {_told(one)}" if one.documents else f"{name}.jsonl: nothing in a stream", markup=False
            )
            for why, number in one.apart.items():
                err.print(f"  {number} beside it in {one.stream}.apart: {why}", markup=False, style="yellow")
        for reason, count in sorted(bundled.exceptions.items()):
            err.print(f"{count} in no stream: {reason}", markup=False, style="yellow")
            for piece in [piece for piece, why in bundled.left_out if why == reason][:_NAMED]:
                err.print(f"  {piece}", markup=False, style="yellow")
        if "not-as-accepted" in bundled.exceptions:
            err.print("see what each one lacks with: ccm verify PIECE", markup=False)
        if not bundled.streams:
            out.print("the run has no document that could be printed")
    raise SystemExit(ExitCode.PROBLEMS if missing or bundled.apart or not bundled.balanced else ExitCode.FINE)


def _told(one: StreamMade) -> str:
    share = f", {one.size_bytes / one.single_bytes:.0%} of the single files" if one.single_bytes else ""
    size = f"{one.size_bytes / 1e6:.1f} MB" if one.size_bytes >= 1e6 else f"{one.size_bytes // 1000} kB"
    return f"{one.documents} documents, {one.pages} pages, {one.sheets} sheets, {size}{share}"


def stream_as_json(one: StreamMade) -> dict[str, object]:
    """Return one stream in a JSON-able form."""
    return {
        "stream": one.stream,
        "documents": one.documents,
        "pages": one.pages,
        "pages_in_file": one.pages_in_file,
        "sheets": one.sheets,
        "size_bytes": one.size_bytes,
        "single_bytes": one.single_bytes,
        "sha256": one.sha256,
        "apart": dict(one.apart),
    }
