"""Which state may follow which; the one table that every ledger obeys. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.model.records import OutcomeKind, PieceState

_ANSWERS = frozenset({PieceState.ACCEPTED, PieceState.REJECTED, PieceState.UNKNOWN, PieceState.HELD})
_NEWS = frozenset({PieceState.DELIVERED, PieceState.BOUNCED, PieceState.COMPLAINED})

# HELD may follow SENDING because a deferred piece is proved not to be accepted. A held piece comes back to
# life through `save` alone, which composes it anew. SENDING may follow itself: a second try of the same run. It may
# follow UNKNOWN where the provider drops a second hand-over; until that one's answer the piece stays in doubt.
FOLLOWERS: Mapping[PieceState, frozenset[PieceState]] = {
    PieceState.PLANNED: frozenset({PieceState.COMPOSED, PieceState.INTENT, PieceState.SENDING}) | _ANSWERS,
    PieceState.COMPOSED: frozenset({PieceState.INTENT, PieceState.SENDING}) | _ANSWERS,
    PieceState.INTENT: frozenset({PieceState.SENDING}) | _ANSWERS,
    PieceState.SENDING: frozenset({PieceState.SENDING}) | _ANSWERS | _NEWS,
    PieceState.UNKNOWN: frozenset({PieceState.SENDING}) | _ANSWERS | _NEWS,
    PieceState.ACCEPTED: _NEWS,
    PieceState.DELIVERED: frozenset({PieceState.BOUNCED, PieceState.COMPLAINED}),
    PieceState.BOUNCED: frozenset({PieceState.COMPLAINED}),
    PieceState.REJECTED: frozenset(),
    PieceState.HELD: frozenset(),
    PieceState.COMPLAINED: frozenset(),
}

# Pieces that were, or may have been, handed over: composing them again must not touch them.
HANDED_OVER = frozenset({PieceState.SENDING, PieceState.ACCEPTED, PieceState.REJECTED, PieceState.UNKNOWN}) | _NEWS

# Pieces that a provider took responsibility for; control totals, pages and segments count these.
TAKEN = frozenset({PieceState.ACCEPTED}) | _NEWS

# Outcomes that a later execution must not work on again.
FINAL_OUTCOMES = frozenset({OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.SUPPRESSED, OutcomeKind.UNKNOWN})

# Outcomes that `settle` may still replace: an unknown one when the provider answers later, a held one when mended.
OPEN_OUTCOMES = frozenset({OutcomeKind.HELD, OutcomeKind.UNKNOWN})


def comes_late(old: PieceState, new: PieceState) -> bool:
    """Tell whether an answer comes after the news that it stands for: the provider's callback was faster than its answer.

    Such an answer is written into the history and moves nothing.
    """
    return old in _NEWS and new in _ANSWERS


def may_follow(old: PieceState, new: PieceState) -> bool:
    """Tell whether a piece may step from one state to another."""
    return new in FOLLOWERS[old]
