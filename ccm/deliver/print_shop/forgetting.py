"""Forgetting letters: out of the spool, and out of every batch that is not with the print shop yet."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ccm.deliver.interface import Forgotten
from ccm.deliver.print_shop.records import BatchPlan
from ccm.deliver.print_shop.shelf import BatchFiles, Shelf
from ccm.deliver.print_shop.spool import Spool


def forget(spool: Spool, shelf: Shelf, pieces: Sequence[str], *, fetched: bool = False) -> Forgotten:
    """Forget letters.

    The mark that a letter is forgotten comes first, then its batches, then its document: a command that is killed in
    between is given again. A batch that nobody was told of is removed; the next `ccm print` makes it anew, with blank
    pages in the letter's place. Of one that was handed over the local copy of the PDF goes; the print shop has its own.

    Args:
        fetched: Batches are not handed over but fetched from the folder, so nobody knows whether one was.
    Raises:
        PrintFault: If another process makes batches here, or a closing was altered.
        OSError: If a file could not be removed.
    """
    wanted, removed, left = set(pieces), set[str](), dict[str, str]()
    if not (spool.folder.is_dir() or shelf.runs()):
        return Forgotten()
    with shelf.locked():
        for run in dict.fromkeys((*spool.runs(), *shelf.runs())):
            plans = [plan for closing in shelf.closings(run) for plan in closing.batches if _pieces(plan) & wanted]
            printed = {key for plan in plans for key in _pieces(plan) & wanted}
            shelf.sweep(run)
            here = {key for key in wanted if spool.holds(run, key)} | printed
            for key in sorted(here - spool.gone(run)):
                spool.mark_gone(run, key)
            for plan in plans:
                files, mine = shelf.files(run, plan.batch), _pieces(plan) & wanted
                if not files.told and mine <= _blank(files):
                    continue
                if files.told or (fetched and files.complete):
                    left |= dict.fromkeys(mine, _told(plan.batch, files))
                if _given_up(shelf, files):
                    removed |= mine
            removed |= {key for key in here if spool.remove(run, key)}
    return Forgotten(frozenset(removed), left)


def _pieces(plan: BatchPlan) -> set[str]:
    return {letter.piece_id for envelope in plan.envelopes for letter in envelope.letters}


def _blank(files: BatchFiles) -> set[str]:
    """Return the pieces in whose place a batch has blank pages already."""
    if not files.complete:
        return set()
    try:
        envelopes = json.loads(files.manifest.read_bytes())["envelopes"]
        return {piece["piece"] for one in envelopes for piece in one["pieces"] if piece.get("withdrawn")}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _given_up(shelf: Shelf, files: BatchFiles) -> bool:
    """Remove what we have of a batch; one that is being handed over stays until it is."""
    if not files.told:
        return shelf.withdraw(files)
    there = files.sent.exists() and files.pdf.exists()
    if there:
        files.pdf.unlink()
    return there


def _told(batch: str, files: BatchFiles) -> str:
    """Say who has a batch: for a person, who asks them."""
    if not files.told:
        return f"batch {batch} is made anew without it; if somebody fetched the file before, ask them"
    if not files.sent.exists():
        return f"batch {batch} is being handed over to the print shop; erase again when it is through"
    try:
        note = json.loads(files.sent.read_bytes())
        return f"batch {batch} was handed over to {note['to']} on {note['sent_at'][:10]}; ask the print shop"
    except (OSError, ValueError, KeyError, TypeError):
        return f"batch {batch} was handed over; ask the print shop"
