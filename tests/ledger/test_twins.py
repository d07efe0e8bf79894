"""The ledger in memory and the one in a database do the same, whatever is done to them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ccm.ledger.interface import LeaseLost, Ledger, LedgerError, RunBusy
from ccm.ledger.memory import MemoryLedger
from ccm.ledger.sql import open_ledger
from ccm.model.definitions import Channel
from ccm.model.records import Outcome, OutcomeKind, PieceState, StateChange
from ccm.testing import sample_decision, sample_run
from ccm.testing.samples import NOON, RUN_ID

RECIPIENTS = ("C-1", "C-2", "C-3", "broadcast:de-DE")
CHANNELS = st.lists(st.sampled_from((Channel.EMAIL, Channel.SMS, Channel.DOCUMENT)), unique=True, max_size=3)
Step = Callable[[Ledger], object]


@st.composite
def steps(draw: st.DrawFn) -> Step:
    owner = draw(st.sampled_from(("host:1", "host:2")))
    now = NOON + timedelta(seconds=draw(st.integers(0, 200)))
    recipient = draw(st.sampled_from(RECIPIENTS))
    kind = draw(st.sampled_from(("claim", "renew", "save", "save", "advance", "advance", "advance", "settle", "close")))
    made = sample_decision(recipient, draw(CHANNELS), amount=draw(st.sampled_from(("1.10", "-7", "0.005"))))
    if kind == "claim":
        return lambda ledger: ledger.claim_run(sample_run(), owner=owner, now=now, lease_seconds=60)
    if kind == "renew":
        return lambda ledger: ledger.renew_lease(RUN_ID, owner=owner, now=now, lease_seconds=60)
    if kind == "save":
        if draw(st.booleans()):
            outcome = Outcome(made.communication_id, recipient, draw(st.sampled_from(OutcomeKind)), "why")
            made = replace(made, outcome=outcome)
        return lambda ledger: ledger.save(RUN_ID, [made], owner=owner, now=now)
    if kind == "advance":
        pieces = sample_decision(recipient, (Channel.EMAIL, Channel.SMS, Channel.DOCUMENT)).pieces
        chosen = draw(st.lists(st.tuples(st.sampled_from(pieces), st.sampled_from(PieceState)), max_size=2))
        changes = [StateChange(piece.piece_id, state, now, provider_id=state.value) for piece, state in chosen]
        return lambda ledger: ledger.advance(RUN_ID, changes, owner=owner, durable=False)
    if kind == "settle":
        outcome = Outcome(made.communication_id, recipient, draw(st.sampled_from(OutcomeKind)), "later")
        return lambda ledger: ledger.settle(RUN_ID, [outcome], owner=owner, now=now)
    state = draw(st.sampled_from(("open", "closed", "stopped")))
    read = draw(st.integers(0, 5))
    return lambda ledger: ledger.close_run(
        RUN_ID, owner=owner, state=state, now=now, read=read, outside_segment=min(read, 1)
    )


def tried(step: Step, ledger: Ledger) -> object:
    try:
        return step(ledger)
    except (LeaseLost, LedgerError, RunBusy) as error:
        return type(error), str(error)


def seen(ledger: Ledger) -> object:
    ids = [sample_decision(recipient).communication_id for recipient in RECIPIENTS]
    tally = ledger.tally(RUN_ID)
    return (
        tally,
        {key: str(total) for key, total in tally.totals.items()},
        list(ledger.pieces(RUN_ID)),
        ledger.runs(),
        ledger.final(ids),
        {key: sorted(pieces, key=lambda piece: piece.piece_id) for key, pieces in ledger.known(ids).items()},
        [set(map(str, ledger.history(recipient))) for recipient in RECIPIENTS],
    )


@settings(max_examples=40, deadline=None, database=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(steps(), max_size=25))
def test_memory_and_database_agree(sequence: list[Step]) -> None:
    """Every answer and every error is the same, and so is everything that can be read afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        twins: tuple[Ledger, Ledger] = (MemoryLedger(), open_ledger("sqlite:///ledger.db", folder))
        for ledger in twins:
            ledger.claim_run(sample_run(), owner="host:1", now=NOON, lease_seconds=60)
        for step in sequence:
            assert tried(step, twins[0]) == tried(step, twins[1])
        assert seen(twins[0]) == seen(twins[1])
        twins[1].close()
