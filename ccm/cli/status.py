"""`ccm status`: runs and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from ccm.cli.completion import campaign_names
from ccm.cli.terminal import json_option, open_workspace, out, print_json, with_errors, workspace_option

if TYPE_CHECKING:
    from ccm.ledger.interface import Ledger
    from ccm.model.progress import RunProgress
    from ccm.model.records import PieceRecord, RunTally
    from ccm.model.workspace import Workspace

LISTED = 20  # unknown pieces of a run that the terminal shows


@click.command("status")
@click.argument("campaign", required=False, shell_complete=campaign_names)
@workspace_option
@json_option
@with_errors
def command(campaign: str | None, folder: Path | None, as_json: bool) -> None:
    """List the runs of the workspace, newest first: outcomes so far, and how far and how fast one is that goes on.

    CAMPAIGN may also be a run's id. Pieces whose answer was lost are listed with provider, time and how to look them up.

    Example: ccm status october-statement
    """
    from ccm.run import workspace_ledger

    workspace = open_workspace(folder, quiet=True, lint=False)
    ledger = workspace_ledger(workspace)
    try:
        tallies = [ledger.tally(run.run_id) for run in ledger.runs() if campaign in (None, run.campaign, run.run_id)]
        if as_json:
            print_json([_as_json(workspace, ledger, tally) for tally in tallies])
        elif not tallies:
            out.print("no runs yet; start one with: ccm run CAMPAIGN")
        else:
            _print_table(tallies)
            for tally in tallies:
                print_unknown(workspace, ledger, tally.run.run_id)
    finally:
        ledger.close()


def _as_json(workspace: Workspace, ledger: Ledger, tally: RunTally) -> dict[str, object]:
    run = tally.run
    return {
        "run_id": run.run_id,
        "campaign": run.campaign,
        "occurrence": run.occurrence,
        "release": run.release,
        "state": run.state,
        "detail": run.detail,
        "order": str(run.order),
        "owner": run.owner,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "undecided": tally.undecided,
        "outcomes": {str(kind): count for kind, count in tally.outcomes.items()},
        "possible_duplicates": tally.possible_duplicates,
        "progress": _progress_as_json(run.progress),
        "unknown": [
            {
                "piece_id": piece.piece_id,
                "channel": str(piece.channel),
                "provider": piece.provider,
                "at": piece.updated_at.isoformat() if piece.updated_at else None,
                "look_up": _look_up(workspace, piece),
            }
            for piece in _unknown(ledger, run.run_id)
        ],
    }


def _progress_as_json(progress: RunProgress | None) -> dict[str, object] | None:
    if progress is None:
        return None
    return {
        "read": progress.read,
        "done": progress.done,
        "total": progress.total,
        "pieces": progress.pieces,
        "per_second": round(progress.per_second, 1),
        "seconds_left": None if progress.seconds_left is None else round(progress.seconds_left),
        "at": progress.at.isoformat(),
    }


def _print_table(tallies: Sequence[RunTally]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("run", "state", "started (UTC)", "outcomes"):
        table.add_column(title)
    for tally in tallies:
        sums = " · ".join(f"{kind} {count}" for kind, count in tally.outcomes.items() if count)
        left = f" · {tally.undecided} to do" if tally.undecided else ""
        twice = f" · {tally.possible_duplicates} sent again by order" if tally.possible_duplicates else ""
        table.add_row(
            tally.run.run_id, _state(tally), f"{tally.run.started_at:%Y-%m-%d %H:%M}", (sums or "–") + left + twice
        )
    out.print(table)


def _state(tally: RunTally) -> str:
    """Say where a run stands; of one that goes on, how far and how fast."""
    run = tally.run
    state = f"{run.state} ({run.detail})" if run.detail else run.state
    if run.owner:
        state = "running"
        if run.progress is not None:
            state += f" {run.progress.done}{_of(run.progress)}, {run.progress.per_second:.0f}/s{_left(run.progress)}"
    return f"{state}, {run.order} ordered" if run.order and run.state != "cancelled" else state


def _of(progress: RunProgress) -> str:
    return "" if progress.total is None else f" of about {progress.total}"


def _left(progress: RunProgress) -> str:
    return "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"


def duration(seconds: float) -> str:
    """Return a time span as people say it: 45 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def print_unknown(workspace: Workspace, ledger: Ledger, run_id: str) -> None:
    """List the pieces of a run whose answer was lost, with what a person can do about each."""
    pieces = list(islice(_unknown(ledger, run_id), LISTED + 1))
    if not pieces:
        return
    out.print(f"answers lost in {run_id}:", markup=False)
    for piece in pieces[:LISTED]:
        at = f"{piece.updated_at:%Y-%m-%d %H:%M:%S} UTC" if piece.updated_at else ""
        out.print(f"  {piece.piece_id}  {piece.provider}  {at}  {_look_up(workspace, piece)}", markup=False)
    if len(pieces) > LISTED:
        out.print("  … and more; --json lists all")
    out.print(f"ask the providers with: ccm reconcile {run_id}", markup=False)


def _unknown(ledger: Ledger, run_id: str) -> Sequence[PieceRecord]:
    from ccm.run.operating import unknown_pieces

    return list(unknown_pieces(ledger, run_id))


def _look_up(workspace: Workspace, piece: PieceRecord) -> str:
    from ccm.run.operating import how_to_look_up

    return how_to_look_up(workspace, piece.provider)
