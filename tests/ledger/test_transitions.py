"""The table of states."""

from __future__ import annotations

from ccm.ledger.transitions import FOLLOWERS, HANDED_OVER, TAKEN, may_follow
from ccm.model.records import PieceState


def test_every_state_has_its_followers() -> None:
    """A new state cannot be forgotten here."""
    assert set(FOLLOWERS) == set(PieceState)


def test_nothing_comes_back_from_a_hand_over_to_before_it() -> None:
    """From what was handed over no way leads to a state that would be sent again."""
    unsent = {PieceState.PLANNED, PieceState.COMPOSED, PieceState.INTENT}
    for state in HANDED_OVER:
        reached, todo = set(), {state}
        while todo:
            reached |= todo
            todo = set().union(*(FOLLOWERS[one] for one in todo)) - reached
        assert not reached & unsent
        assert state is PieceState.SENDING or PieceState.SENDING not in FOLLOWERS[state]


def test_there_are_no_circles_but_a_second_try() -> None:
    """No state follows itself or one after it, except SENDING."""
    circles = {(old, new) for old in PieceState for new in FOLLOWERS[old] if may_follow(new, old)}
    assert circles == {(PieceState.SENDING, PieceState.SENDING)}
    assert TAKEN < HANDED_OVER
