"""`ccm verify`: compose sent pieces again and compare them byte for byte with what was archived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ccm.cli.terminal import err, fail, json_option, open_settings, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.model.workspace import Workspace
    from ccm.run.comparison import Verified

SHOWN = 20  # differing pieces printed in full; --json lists all


@click.command("verify")
@click.argument("target", metavar="PIECE|RUN")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Composing processes.")
@workspace_option
@json_option
@with_errors
def command(target: str, workers: int, folder: Path | None, as_json: bool) -> None:
    """Compose a sent piece, or a whole run, again and compare it byte for byte with what was archived.

    Reads releases, data snapshots and keys; the working folder and the source's data may have changed since.
    Prints "identical", or exactly what changed: a file or font of the release, a field of the data, a part of the
    engine, the archive's bytes, the ledger's hash, a key.

    Exit code: 0 nothing differs, 1 at least one piece differs, 3 the master key is missing or wrong.

    Example: ccm verify october-statement.2026-10 --workers 2
    """
    from ccm.run.verifying import UnknownTarget, verify

    workspace = open_settings(folder)
    counts: Counter[str] = Counter()
    differing: list[Verified] = []
    try:
        for result in _shown(workspace, target, verify(workspace, target, workers=workers), quiet=as_json):
            counts[str(result.verdict)] += 1
            if result.causes or (result.notes and len(differing) < SHOWN):
                differing.append(result)
                if not as_json and len(differing) <= SHOWN:
                    _print(result)
    except UnknownTarget:
        fail(f'the ledger knows no run or piece "{target}"', _where_it_may_be(workspace, target))
    if as_json:
        print_json(
            {
                "target": target,
                "pieces": sum(counts.values()),
                **counts,
                "differing": [result_as_json(one) for one in differing],
            }
        )
    else:
        _print_sums(counts, len(differing))
    raise SystemExit(ExitCode.PROBLEMS if counts["different"] else ExitCode.FINE)


def _shown(workspace: Workspace, target: str, results: Iterator[Verified], *, quiet: bool) -> Iterator[Verified]:
    """Pass results on while a line on stderr tells how far it is; silent with --json."""
    from rich.progress import track

    from ccm.run.verifying import kept_pieces

    if quiet or not err.is_terminal:
        yield from results
        return
    kept = kept_pieces(workspace)
    try:
        total = kept.count(target) or 1
    finally:
        kept.close()
    yield from track(results, description=target, total=total, console=err, transient=True)


def _where_it_may_be(workspace: Workspace, target: str) -> str:
    campaign = target.partition(".")[0]
    if (Path(workspace.root) / "draft" / campaign).is_dir():
        return "draft runs keep no versions and cannot be verified; for others see: ccm status"
    return "list runs with: ccm status, and a customer's pieces with: ccm history CUSTOMER --json"


def _print(result: Verified) -> None:
    colour = "bold red" if result.causes else "yellow"
    out.print(Text(f"{result.piece_id} {result.channel}: ") + Text(str(result.verdict), style=colour))
    for line in (*map(str, result.causes), *result.notes):
        out.print(f"  {line}", markup=False)


def _print_sums(counts: Counter[str], differing: int) -> None:
    from ccm.run.comparison import Verdict

    words = {str(Verdict.NO_SNAPSHOT): "without snapshot", str(Verdict.DRAFT): "drafts, which have no release"}
    sums = " · ".join(f"{count} {words.get(verdict, verdict)}" for verdict, count in sorted(counts.items()) if count)
    if differing > SHOWN:
        out.print(f"… and {differing - SHOWN} more; all with --json")
    out.print(sums or "nothing was composed, so there is nothing to verify")


def result_as_json(result: Verified) -> dict[str, object]:
    """Return one piece's result in a JSON-able form."""
    return {
        "piece": result.piece_id,
        "channel": str(result.channel),
        "verdict": str(result.verdict),
        "causes": [{"kind": str(cause.kind), "what": cause.what} for cause in result.causes],
        "notes": list(result.notes),
        "thinned": result.thinned,
    }
