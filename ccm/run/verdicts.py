"""What the states of its pieces say about a communication. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.model.definitions import Channel
from ccm.model.records import Communication, Outcome, OutcomeKind, PieceState


def outcome_of(
    communication: Communication, states: Mapping[Channel, PieceState], required: frozenset[Channel]
) -> Outcome:
    """Sum up a communication: the worst required piece decides, optional pieces never do."""
    return summed_up(communication.communication_id, communication.recipient_id, states, required)


def summed_up(
    communication_id: str, recipient_id: str, states: Mapping[Channel, PieceState], required: frozenset[Channel]
) -> Outcome:
    """Return the outcome that the states of the required pieces give."""
    ranking = (
        (PieceState.UNKNOWN, OutcomeKind.UNKNOWN),
        (PieceState.REJECTED, OutcomeKind.REJECTED),
        (PieceState.HELD, OutcomeKind.HELD),
    )
    for state, kind in ranking:
        for channel in sorted(required):
            if states.get(channel, PieceState.HELD) is state:
                return Outcome(communication_id, recipient_id, kind, f"{channel}-{state}")
    return Outcome(communication_id, recipient_id, OutcomeKind.ACCEPTED)
