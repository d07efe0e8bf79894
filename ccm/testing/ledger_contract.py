"""What every ledger must do. Subclass in your tests and make the ledger:

class TestMine(LedgerContract):
    def open(self, folder):
        return MyLedger(folder)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from ccm.ledger.interface import LeaseLost, LedgerError, RunBusy
from ccm.model.definitions import Channel
from ccm.model.records import (
    OutcomeKind,
    PieceState,
    StateChange,
)
from ccm.testing.expect import refused
from ccm.testing.ledger_steps import (
    LEASE,
    NEWS,
    OTHER,
    OWNER,
    Claimed,
    accept,
    close,
    held_back,
    move,
    outcome_for,
    save,
    settle,
    states_of,
    way_to,
)
from ccm.testing.ledger_sums_contract import LedgerSumsContract
from ccm.testing.samples import NOON, RELEASE, RUN_ID, sample_decision, sample_run


class LedgerContract(LedgerSumsContract):
    """The promises of `Ledger`, one test each. Needs pytest for its `tmp_path`."""

    # ── runs and leases ──────────────────────────────────────────────────

    def test_claiming_creates_a_run(self, tmp_path: Path) -> None:
        """A claimed run is open and listed."""
        with Claimed(self.open(tmp_path)) as ledger:
            assert [(run.run_id, run.state, run.release) for run in ledger.runs()] == [(RUN_ID, "open", RELEASE)]

    def test_runs_are_listed_newest_first(self, tmp_path: Path) -> None:
        """The newest run comes first."""
        with Claimed(self.open(tmp_path)) as ledger:
            later = sample_run(occurrence="2026-11", started_at=NOON + timedelta(days=30))
            ledger.claim_run(later, owner=OWNER, now=NOON, lease_seconds=LEASE)
            assert [run.occurrence for run in ledger.runs()] == ["2026-11", "2026-10"]

    def test_a_second_owner_is_refused_while_the_lease_lasts(self, tmp_path: Path) -> None:
        """Two processes cannot execute one run."""
        with Claimed(self.open(tmp_path)) as ledger, refused(RunBusy):
            ledger.claim_run(sample_run(), owner=OTHER, now=NOON + timedelta(seconds=59), lease_seconds=LEASE)

    def test_a_renewed_lease_lasts_longer(self, tmp_path: Path) -> None:
        """Renewing keeps others out."""
        with Claimed(self.open(tmp_path)) as ledger:
            ledger.renew_lease(RUN_ID, owner=OWNER, now=NOON + timedelta(seconds=50), lease_seconds=LEASE)
            with refused(RunBusy):
                ledger.claim_run(sample_run(), owner=OTHER, now=NOON + timedelta(seconds=100), lease_seconds=LEASE)

    def test_after_the_lease_ran_out_the_late_owner_writes_nothing(self, tmp_path: Path) -> None:
        """Every write of an owner who was replaced is refused and leaves no trace."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1")
            save(ledger, decision)
            ledger.claim_run(sample_run(), owner=OTHER, now=NOON + timedelta(seconds=61), lease_seconds=LEASE)
            change = StateChange(decision.pieces[0].piece_id, PieceState.SENDING, NOON)
            with refused(LeaseLost):
                ledger.renew_lease(RUN_ID, owner=OWNER, now=NOON, lease_seconds=LEASE)
            with refused(LeaseLost):
                ledger.save(RUN_ID, [sample_decision("C-2")], owner=OWNER, now=NOON)
            with refused(LeaseLost):
                ledger.advance(RUN_ID, [change], owner=OWNER, durable=False)
            with refused(LeaseLost):
                ledger.settle(RUN_ID, [outcome_for(decision, OutcomeKind.ACCEPTED)], owner=OWNER, now=NOON)
            with refused(LeaseLost):
                ledger.close_run(RUN_ID, owner=OWNER, state="closed", now=NOON, read=1, outside_segment=0)
            assert states_of(ledger) == [PieceState.COMPOSED] * 2
            assert ledger.tally(RUN_ID).undecided == 1

    def test_a_lease_from_a_clock_that_ran_ahead_is_cut(self, tmp_path: Path) -> None:
        """A lease that ends tomorrow because a clock was wrong blocks for one lease, not for a day."""
        with Claimed(self.open(tmp_path), now=NOON + timedelta(days=1)) as ledger:
            with refused(RunBusy):
                ledger.claim_run(sample_run(), owner=OTHER, now=NOON, lease_seconds=LEASE)
            ledger.claim_run(sample_run(), owner=OTHER, now=NOON + timedelta(seconds=61), lease_seconds=LEASE)
            with refused(LeaseLost):
                ledger.renew_lease(RUN_ID, owner=OWNER, now=NOON, lease_seconds=LEASE)

    def test_a_closed_run_is_taken_up_and_what_was_final_stays_final(self, tmp_path: Path) -> None:
        """New recipients of a finished occurrence can be served; nobody is served twice."""
        with Claimed(self.open(tmp_path)) as ledger:
            done = sample_decision("C-1", [])
            save(ledger, replace(done, outcome=outcome_for(done, OutcomeKind.SUPPRESSED)))
            close(ledger, "closed", read=1)
            assert ledger.claim_run(sample_run(), owner=OTHER, now=NOON, lease_seconds=LEASE).state == "open"
            assert ledger.final([done.communication_id]) == {done.communication_id}

    def test_a_run_with_held_recipients_can_be_claimed_again(self, tmp_path: Path) -> None:
        """Held is not final: the same command tries again, whatever the state it was closed with."""
        for state in ("open", "closed", "stopped"):
            with Claimed(self.open(tmp_path / state)) as ledger:
                save(ledger, held_back("C-1"))
                close(ledger, state, read=1)
                assert ledger.claim_run(sample_run(), owner=OTHER, now=NOON, lease_seconds=LEASE).state == "open"

    def test_an_unknown_run_is_an_error(self, tmp_path: Path) -> None:
        """A run that was never claimed cannot be written or summed up."""
        ledger = self.open(tmp_path)
        with refused(LedgerError):
            ledger.tally(RUN_ID)
        with refused(LedgerError):
            save(ledger, sample_decision("C-1"))
        ledger.close()

    # ── decisions ────────────────────────────────────────────────────────

    def test_saved_pieces_come_back_in_order(self, tmp_path: Path) -> None:
        """Pieces stream in the order they were decided, with everything that was saved."""
        with Claimed(self.open(tmp_path)) as ledger:
            decisions = [sample_decision(f"C-{n}") for n in range(700)]
            save(ledger, *decisions)
            made = [piece for decision in decisions for piece in decision.pieces]
            assert [replace(piece, updated_at=None) for piece in ledger.pieces(RUN_ID)] == made
            assert {piece.updated_at for piece in ledger.pieces(RUN_ID)} == {NOON}

    def test_known_tells_apart_new_held_and_made(self, tmp_path: Path) -> None:
        """Known gives the pieces of decided communications, none for excluded ones, nothing for new ones."""
        with Claimed(self.open(tmp_path)) as ledger:
            made, held, new = sample_decision("C-1"), held_back("C-2"), sample_decision("C-3")
            save(ledger, made, held)
            known = ledger.known([one.communication_id for one in (made, held, new)])
            assert {key: len(pieces) for key, pieces in known.items()} == {
                made.communication_id: 2,
                held.communication_id: 0,
            }

    def test_only_final_outcomes_are_final(self, tmp_path: Path) -> None:
        """Accepted, rejected, suppressed and unknown are final; held and undecided are not."""
        with Claimed(self.open(tmp_path)) as ledger:
            decisions = {kind: sample_decision(f"C-{kind}") for kind in OutcomeKind}
            save(ledger, *decisions.values(), sample_decision("C-undecided"))
            settle(ledger, *(outcome_for(decision, kind) for kind, decision in decisions.items()))
            ids = [decision.communication_id for decision in decisions.values()]
            ids.append(sample_decision("C-undecided").communication_id)
            assert ledger.final(ids) == {
                decisions[kind].communication_id for kind in OutcomeKind if kind is not OutcomeKind.HELD
            }

    def test_a_decision_that_was_not_final_is_replaced(self, tmp_path: Path) -> None:
        """A held recipient whose data was mended is decided anew; nothing of the old decision is counted."""
        with Claimed(self.open(tmp_path)) as ledger:
            save(ledger, sample_decision("C-1", amount="99.00", state=PieceState.HELD))
            settle(ledger, outcome_for(sample_decision("C-1"), OutcomeKind.HELD, "compose-failed"))
            save(ledger, sample_decision("C-1", [Channel.EMAIL], amount="10.00"))
            accept(ledger, sample_decision("C-1", [Channel.EMAIL]))
            tally = ledger.tally(RUN_ID)
            assert tally.pieces == {(Channel.EMAIL, PieceState.ACCEPTED): 1}
            assert tally.totals == {("due", Channel.EMAIL, "EUR"): Decimal("10.00")}
            assert (tally.outcomes, tally.reasons, tally.undecided) == ({}, {}, 1)

    def test_a_final_decision_is_never_replaced(self, tmp_path: Path) -> None:
        """What was accepted stays, whatever is saved later."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1")
            save(ledger, decision)
            accept(ledger, decision)
            settle(ledger, outcome_for(decision, OutcomeKind.ACCEPTED))
            save(ledger, sample_decision("C-1", [Channel.DOCUMENT], amount="7"))
            assert states_of(ledger) == [PieceState.ACCEPTED] * 2
            assert ledger.tally(RUN_ID).outcomes == {OutcomeKind.ACCEPTED: 1}

    def test_a_piece_that_was_handed_over_is_never_replaced(self, tmp_path: Path) -> None:
        """Composing again changes neither state nor facts of a piece that may have reached somebody."""
        handed_over = set(PieceState) - {
            PieceState.PLANNED,
            PieceState.COMPOSED,
            PieceState.INTENT,
            PieceState.HELD,
        }
        for state in sorted(handed_over):
            with Claimed(self.open(tmp_path / state)) as ledger:
                first = sample_decision("C-1", amount="1.00")
                email, sms = (piece.piece_id for piece in first.pieces)
                save(ledger, first)
                move(ledger, email, *way_to(state))
                save(ledger, sample_decision("C-1", amount="2.00", state=PieceState.HELD))
                states = {piece.piece_id: piece.state for piece in ledger.pieces(RUN_ID)}
                assert states == {email: state, sms: PieceState.HELD}, state
                told = {entry.channel: entry.facts["due"] for entry in ledger.history("C-1")}
                assert told == {Channel.EMAIL: "1.00 EUR", Channel.SMS: "2.00 EUR"}

    def test_an_intent_may_be_replaced(self, tmp_path: Path) -> None:
        """A piece with an intent was not handed over, so it can be composed again."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1", [Channel.EMAIL])
            save(ledger, decision)
            move(ledger, decision.pieces[0].piece_id, PieceState.INTENT)
            save(ledger, decision)
            assert states_of(ledger) == [PieceState.COMPOSED]

    def test_attempts_are_counted_over_executions(self, tmp_path: Path) -> None:
        """Every hand-over counts, also those before a piece was held and composed again."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1", [Channel.EMAIL])
            key = decision.pieces[0].piece_id
            save(ledger, decision)
            move(ledger, key, PieceState.SENDING, PieceState.SENDING, PieceState.HELD)
            save(ledger, decision)
            move(ledger, key, PieceState.SENDING, PieceState.ACCEPTED)
            assert [piece.attempts for piece in ledger.pieces(RUN_ID)] == [3]

    def test_a_recipient_cannot_vanish_in_one_call(self, tmp_path: Path) -> None:
        """Two decisions for one communication, or one that decides nothing, are refused as a whole."""
        with Claimed(self.open(tmp_path)) as ledger:
            with refused(LedgerError):
                save(ledger, sample_decision("C-1"), sample_decision("C-1"))
            with refused(LedgerError):
                save(ledger, sample_decision("C-2"), sample_decision("C-3", []))
            assert states_of(ledger) == []

    def test_a_total_that_cannot_be_exact_is_refused(self, tmp_path: Path) -> None:
        """Amounts finer than nine decimals are refused with their whole call; nothing is rounded in silence."""
        with Claimed(self.open(tmp_path)) as ledger:
            with refused(LedgerError):
                save(ledger, sample_decision("C-1"), sample_decision("C-2", amount="0.1234567891"))
            assert states_of(ledger) == []

    # ── states ───────────────────────────────────────────────────────────

    def test_states_never_move_back(self, tmp_path: Path) -> None:
        """From every state, every step back is refused and changes nothing."""
        backward = {
            PieceState.INTENT: (PieceState.PLANNED, PieceState.COMPOSED),
            PieceState.SENDING: (PieceState.PLANNED, PieceState.COMPOSED, PieceState.INTENT),
            PieceState.ACCEPTED: tuple(set(PieceState) - NEWS),
            PieceState.REJECTED: tuple(PieceState),
            PieceState.HELD: tuple(PieceState),
            PieceState.UNKNOWN: (PieceState.COMPOSED, PieceState.INTENT),
            PieceState.DELIVERED: (PieceState.COMPOSED, PieceState.INTENT, PieceState.SENDING),
        }
        with Claimed(self.open(tmp_path)) as ledger:
            for old, forbidden in backward.items():
                decision = sample_decision(f"C-{old}", [Channel.EMAIL])
                key = decision.pieces[0].piece_id
                save(ledger, decision)
                move(ledger, key, *way_to(old))
                for new in forbidden:
                    with refused(LedgerError):
                        move(ledger, key, new)
                states = ledger.known([decision.communication_id])[decision.communication_id]
                assert [piece.state for piece in states] == [old]

    def test_an_answer_that_comes_after_its_news_moves_nothing(self, tmp_path: Path) -> None:
        """A provider's callback may be faster than its answer; the run goes on, and what is known stays known."""
        with Claimed(self.open(tmp_path)) as ledger:
            for news in sorted(NEWS):
                for answer in (PieceState.ACCEPTED, PieceState.UNKNOWN, PieceState.REJECTED, PieceState.HELD):
                    decision = sample_decision(f"C-{news}-{answer}", [Channel.EMAIL])
                    save(ledger, decision)
                    move(ledger, decision.pieces[0].piece_id, *way_to(news), answer)
                    states = ledger.known([decision.communication_id])[decision.communication_id]
                    assert [piece.state for piece in states] == [news]

    def test_one_wrong_change_refuses_the_whole_call(self, tmp_path: Path) -> None:
        """Changes are written together or not at all."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1")
            save(ledger, decision)
            email, sms = (piece.piece_id for piece in decision.pieces)
            move(ledger, sms, PieceState.REJECTED)
            for wrong in (StateChange(sms, PieceState.SENDING, NOON), StateChange("p-none", PieceState.INTENT, NOON)):
                with refused(LedgerError):
                    ledger.advance(
                        RUN_ID, [StateChange(email, PieceState.INTENT, NOON), wrong], owner=OWNER, durable=True
                    )
            assert states_of(ledger) == [PieceState.COMPOSED, PieceState.REJECTED]

    def test_pieces_are_filtered_by_state(self, tmp_path: Path) -> None:
        """A restart finds what was being sent."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1")
            save(ledger, decision)
            move(ledger, decision.pieces[1].piece_id, PieceState.INTENT, PieceState.SENDING)
            found = ledger.pieces(RUN_ID, states=(PieceState.SENDING, PieceState.UNKNOWN))
            assert [piece.piece_id for piece in found] == [decision.pieces[1].piece_id]

    def test_an_outcome_settles_once(self, tmp_path: Path) -> None:
        """Unknown and held may still become accepted; accepted, rejected and suppressed stay."""
        with Claimed(self.open(tmp_path)) as ledger:
            for first in OutcomeKind:
                decision = sample_decision(f"C-{first}")
                save(ledger, decision)
                settle(ledger, outcome_for(decision, first))
                settle(ledger, outcome_for(decision, OutcomeKind.ACCEPTED))
            assert ledger.tally(RUN_ID).outcomes == {
                OutcomeKind.ACCEPTED: 3,
                OutcomeKind.REJECTED: 1,
                OutcomeKind.SUPPRESSED: 1,
            }
