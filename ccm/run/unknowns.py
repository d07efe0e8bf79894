"""Pieces whose answer was lost: who they are, what the provider says about them, and what an operator may order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from ccm.deliver.interface import Adapter
from ccm.ledger.interface import Ledger
from ccm.model.records import (
    Outcome,
    OutcomeKind,
    PieceRecord,
    PieceState,
    Receipt,
    StateChange,
)
from ccm.run.slots import STATE_OF
from ccm.run.verdicts import summed_up

RESEND = "resend-ordered"
_BATCH = 200
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Reconciled:
    """What looking up gave.

    asked: Pieces that were unknown.
    settled: Of these, with an answer now.
    """

    asked: int
    settled: int

    @property
    def left(self) -> int:
        """Pieces that nobody can tell anything about."""
        return self.asked - self.settled


def resolve_lost_answers(
    ledger: Ledger,
    adapters: Mapping[str, Adapter],
    run_id: str,
    owner: str,
    clock: Callable[[], datetime],
    told: Callable[[str, PieceState], None] = lambda piece, state: None,
) -> None:
    """Give every piece that an earlier execution was sending when it died its last word.

    The provider is asked where it can be asked. Otherwise it is UNKNOWN and listed. Where the provider drops a second
    hand-over of the same key, deciding hands it over again, see `decide`; anywhere else nobody does by themselves.
    Until then it may have arrived, whatever its recipient or its other channels do meanwhile.

    Why a provider that has not got it is no leave to send it again: the earlier process may only have been stopped
    between its mark and its first byte, and may go on any moment.
    """
    for pieces in batched(ledger.pieces(run_id, states=(PieceState.SENDING,)), _BATCH):
        changes = []
        for piece in pieces:
            adapter = adapters.get(piece.provider)
            receipt = adapter.look_up(piece.piece_id) if adapter else None
            state = STATE_OF[receipt.status] if receipt else PieceState.UNKNOWN
            if state is PieceState.HELD:
                state = PieceState.UNKNOWN
            provider_id = receipt.provider_id if receipt else ""
            changes.append(StateChange(piece.piece_id, state, clock(), provider_id, "answer-lost"))
            told(piece.piece_id, state)
        ledger.advance(run_id, changes, owner=owner, durable=True)


def look_up(
    ledger: Ledger, adapters: Mapping[str, Adapter], run_id: str, owner: str, clock: Callable[[], datetime]
) -> Reconciled:
    """Ask providers about every unknown piece, and settle whom that settles.

    A provider that proves it never accepted a piece sets it free for the next execution.
    """
    asked = settled = 0
    for pieces in batched(_unknown(ledger, run_id), _BATCH):
        changes = []
        for piece in pieces:
            adapter = adapters.get(piece.provider)
            receipt: Receipt | None = adapter.look_up(piece.piece_id) if adapter else None
            state = STATE_OF[receipt.status] if receipt else PieceState.UNKNOWN
            if receipt is not None and state is not PieceState.UNKNOWN:
                detail = receipt.provider_status or "looked-up"
                changes.append(StateChange(piece.piece_id, state, clock(), receipt.provider_id, detail))
        asked += len(pieces)
        settled += len(changes)
        _write(ledger, run_id, pieces, changes, owner, clock())
    return Reconciled(asked, settled)


def order_resend(ledger: Ledger, run_id: str, owner: str, clock: Callable[[], datetime]) -> int:
    """Let every recipient whose outcome is unknown be sent to again, marked for ever as a possible duplicate.

    Returns:
        How many pieces will go again. A lost answer about an optional piece stays as it is.
    """
    count = 0
    unknown = ledger.outcomes(run_id, kinds=(OutcomeKind.UNKNOWN,))
    for outcomes in batched(unknown, _BATCH):
        known = ledger.known([item.communication_id for item in outcomes])
        pieces = [one for item in outcomes for one in known[item.communication_id] if one.state is PieceState.UNKNOWN]
        changes = [
            StateChange(one.piece_id, PieceState.HELD, clock(), detail=RESEND, possible_duplicate=True)
            for one in pieces
        ]
        again = [Outcome(item.communication_id, item.recipient_id, OutcomeKind.HELD, RESEND) for item in outcomes]
        ledger.record(run_id, changes, again, owner=owner, now=clock(), durable=True)
        count += len(changes)
    return count


def _unknown(ledger: Ledger, run_id: str) -> Iterator[PieceRecord]:
    return ledger.pieces(run_id, states=(PieceState.UNKNOWN,))


def _write(
    ledger: Ledger,
    run_id: str,
    pieces: Sequence[PieceRecord],
    changes: Sequence[StateChange],
    owner: str,
    now: datetime,
) -> None:
    """Write what was learnt, with the outcomes that follow from it."""
    if not changes:
        return
    new = {item.piece_id: item.state for item in changes}
    touched = [one.communication_id for one in pieces if one.piece_id in new]
    known = ledger.known(list(dict.fromkeys(touched)))
    outcomes = []
    for ident, members in known.items():
        after = [replace(one, state=new.get(one.piece_id, one.state)) for one in members]
        states = {one.channel: one.state for one in after if one.required}
        if states:
            outcomes.append(summed_up(ident, members[0].recipient_id, states, frozenset(states)))
    ledger.record(run_id, changes, outcomes, owner=owner, now=now, durable=True)


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield lists of up to `size` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
