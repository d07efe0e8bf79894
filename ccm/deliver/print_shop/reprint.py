"""Printing envelopes again: damaged by the machine, lost on the way. A small batch of its own, marked as a reprint."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ccm.deliver.print_shop.closing import Press
from ccm.deliver.print_shop.records import BatchPlan, EnvelopePlan
from ccm.deliver.print_shop.shelf import PrintFault

_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def reprint(
    press: Press,
    batch: str,
    wanted: Sequence[str],
    *,
    now: datetime,
    by: str,
    reason: str,
    again: bool = False,
    noted: Callable[[BatchPlan], object] = lambda plan: None,
) -> str:
    """Print envelopes of a batch again, as they were: same documents, inserts and numbers, new sequence of sheets.

    Args:
        batch: Name of the batch; of a reprint too, which then counts as the batch it repeats.
        wanted: Piece ids, envelope numbers such as 7, or ranges such as 12-15. A piece stands for its whole envelope,
            because a machine spoils envelopes and not documents.
        by, reason: Kept in the closing and the manifest.
        again: Also what was printed again before.
        noted: Told of the new batch right before it is decided.
    Returns:
        The name of the new batch, or of the unfinished one that an earlier command began with the same envelopes.
    Raises:
        PrintFault: If batch or envelopes do not exist, or were printed again before.
    """
    with press.shelf.locked():
        closing, plan = press.shelf.find(batch)
        if plan.reprint_of:
            closing, plan = press.shelf.find(plan.reprint_of)
        envelopes = select(plan, wanted)
        _refuse_forgotten(envelopes, press.spool.gone(closing.run))
        finished = press.finish(closing.run)
        earlier = [
            one for other in press.shelf.closings(closing.run) for one in other.batches if one.reprint_of == plan.batch
        ]
        for one in earlier:
            if one.batch in finished and one.envelopes == envelopes:
                return one.batch
        if not again:
            _refuse_again(envelopes, earlier)
        number = len(press.shelf.closings(closing.run)) + 1
        again_plan = BatchPlan(f"{plan.batch}.r{len(earlier) + 1:02}", plan.form, envelopes, plan.batch)
        pieces = sum(len(one.letters) for one in envelopes)
        moment = now.isoformat(timespec="seconds")
        changed = replace(closing, number=number, made_at=moment, pieces_in=pieces, by=by, reason=reason)
        noted(again_plan)
        press.print_again(replace(changed, batches=(again_plan,), exceptions=()))
        return again_plan.batch


def select(plan: BatchPlan, wanted: Sequence[str]) -> tuple[EnvelopePlan, ...]:
    """Return the envelopes that are named, each once and in the order of the batch.

    Raises:
        PrintFault: If one is not in the batch.
    """
    by_piece = {letter.piece_id: one.number for one in plan.envelopes for letter in one.letters}
    known = {one.number for one in plan.envelopes}
    chosen: set[int] = set()
    for text in wanted:
        match = _RANGE.fullmatch(text)
        numbers = range(int(match[1]), int(match[2] or match[1]) + 1) if match else [by_piece.get(text, 0)]
        missing = [number for number in (numbers or [0]) if number not in known]
        if missing:
            raise PrintFault(
                f"batch {plan.batch} has no {text[:60]!a}",
                f"name a piece, an envelope from 1 to {len(plan.envelopes)}, or a range such as 12-15",
            )
        chosen.update(numbers)
    return tuple(one for one in plan.envelopes if one.number in chosen)


def _refuse_forgotten(envelopes: Sequence[EnvelopePlan], gone: frozenset[str]) -> None:
    for envelope in envelopes:
        if all(letter.piece_id in gone for letter in envelope.letters):
            raise PrintFault(
                f"envelope {envelope.number} is withdrawn: whom it was for was erased",
                "leave it out, and name the others",
            )


def _refuse_again(envelopes: Sequence[EnvelopePlan], earlier: Sequence[BatchPlan]) -> None:
    for one in earlier:
        both = {envelope.number for envelope in one.envelopes} & {envelope.number for envelope in envelopes}
        if both:
            raise PrintFault(
                f"envelope {min(both)} was printed again before, in batch {one.batch}",
                "if that one is lost as well, say --again",
            )
