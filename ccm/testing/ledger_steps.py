"""Steps that the ledger contract is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ccm.ledger.interface import Ledger
from ccm.model.definitions import Channel, Purpose
from ccm.model.orphans import OrphanRows
from ccm.model.records import (
    ChannelExclusion,
    Communication,
    Decision,
    ExclusionReason,
    Outcome,
    OutcomeKind,
    PieceState,
    ReleaseRef,
    StateChange,
)
from ccm.testing.samples import NOON, RUN_ID, sample_decision, sample_run

OWNER = "host:1"
OTHER = "host:2"
LEASE = 60.0  # seconds

NEWS = {PieceState.DELIVERED, PieceState.BOUNCED, PieceState.COMPLAINED}


class Claimed:
    """A ledger with one claimed run, closed in the end."""

    def __init__(self, ledger: Ledger, now: datetime = NOON) -> None:
        self._ledger = ledger
        self._now = now

    def __enter__(self) -> Ledger:
        self._ledger.claim_run(sample_run(), owner=OWNER, now=self._now, lease_seconds=LEASE)
        return self._ledger

    def __exit__(self, *_: object) -> None:
        self._ledger.close()


def way_to(state: PieceState) -> tuple[PieceState, ...]:
    """Return the states that lead from composed to a state."""
    ways = {
        PieceState.INTENT: (PieceState.INTENT,),
        PieceState.SENDING: (PieceState.INTENT, PieceState.SENDING),
        PieceState.HELD: (PieceState.HELD,),
    }
    after = (PieceState.ACCEPTED, state) if state in NEWS else (state,)
    return ways.get(state) or (PieceState.INTENT, PieceState.SENDING, *after)


def save(ledger: Ledger, *decisions: Decision) -> None:
    """Save decisions as the first owner."""
    ledger.save(RUN_ID, decisions, owner=OWNER, now=NOON)


def settle(ledger: Ledger, *outcomes: Outcome) -> None:
    """Settle outcomes as the first owner."""
    ledger.settle(RUN_ID, outcomes, owner=OWNER, now=NOON)


def move(ledger: Ledger, piece: str, *states: PieceState) -> None:
    """Move a piece through states, one call each."""
    for state in states:
        ledger.advance(RUN_ID, [StateChange(piece, state, NOON)], owner=OWNER, durable=False)


def accept(ledger: Ledger, decision: Decision) -> None:
    """Move all pieces of a decision to accepted."""
    changes = [StateChange(piece.piece_id, PieceState.ACCEPTED, NOON) for piece in decision.pieces]
    ledger.advance(RUN_ID, changes, owner=OWNER, durable=False)


def close(
    ledger: Ledger, state: str, *, read: int, outside_segment: int = 0, orphans: Sequence[OrphanRows] = ()
) -> None:
    """Close the run as the first owner."""
    ledger.close_run(
        RUN_ID, owner=OWNER, state=state, now=NOON, read=read, outside_segment=outside_segment, orphans=orphans
    )


def outcome_for(decision: Decision, kind: OutcomeKind, reason: str = "") -> Outcome:
    """Return an outcome for a decision's recipient."""
    return Outcome(decision.communication_id, decision.recipient_id, kind, reason)


def held_back(recipient: str) -> Decision:
    """Return a decision that holds a recipient for bad data."""
    decision = replace(sample_decision(recipient, []), locale="")
    return replace(decision, outcome=outcome_for(decision, OutcomeKind.HELD, ExclusionReason.INVALID_DATA))


def states_of(ledger: Ledger) -> Sequence[PieceState]:
    """Return the states of all pieces, in order."""
    return [piece.state for piece in ledger.pieces(RUN_ID)]


def communication_for(decision: Decision) -> Communication:
    """Return a communication that leaves out email for want of consent."""
    return Communication(
        communication_id=decision.communication_id,
        run_id=RUN_ID,
        campaign="october-statement",
        occurrence="2026-10",
        recipient_id=decision.recipient_id,
        language="de",
        locale=decision.locale,
        zone="UTC",
        purpose=Purpose.TRANSACTIONAL,
        release=ReleaseRef("monthly-statement", "1.0.0", "0" * 64),
        pieces=(),
        data={},
        parameters={},
        issued_at=NOON,
        exclusions=(ChannelExclusion(Channel.EMAIL, ExclusionReason.NO_CONSENT),),
    )
