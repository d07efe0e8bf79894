"""The table of states."""

from __future__ import annotations

from ccm.ledger.transitions import FOLLOWERS, HANDED_OVER, TAKEN, may_follow
from ccm.model.records import PieceState

# What a sender may mark once more: a try of the same execution, and a doubt where the provider drops a second hand-over.
SENT_AGAIN = {PieceState.SENDING, PieceState.UNKNOWN}


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
        assert state in SENT_AGAIN or PieceState.SENDING not in FOLLOWERS[state]


def test_there_are_no_circles_but_a_second_try() -> None:
    """No state follows itself or one after it, but a second try, and a doubt that stays one."""
    circles = {(old, new) for old in PieceState for new in FOLLOWERS[old] if may_follow(new, old)}
    assert circles == {(old, new) for old in SENT_AGAIN for new in SENT_AGAIN}
    assert TAKEN < HANDED_OVER
