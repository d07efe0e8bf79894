"""What every ledger must sum up and remember; the second half of `LedgerContract`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ccm.diagnostics import Location
from ccm.ledger.interface import Ledger
from ccm.model.definitions import Channel
from ccm.model.orphans import OrphanRows
from ccm.model.records import (
    Exclusion,
    ExclusionReason,
    Finding,
    Outcome,
    OutcomeKind,
    PieceState,
    StateChange,
)
from ccm.testing.ledger_steps import (
    LEASE,
    OWNER,
    Claimed,
    accept,
    close,
    communication_for,
    held_back,
    outcome_for,
    save,
    settle,
)
from ccm.testing.samples import NOON, RELEASE, RUN_ID, sample_decision, sample_run


class LedgerSumsContract(ABC):
    """The promises of `Ledger.tally` and `Ledger.history`, one test each."""

    @abstractmethod
    def open(self, folder: Path) -> Ledger:
        """Return an empty ledger."""

    def test_who_left_in_time_waits_for_nothing(self, tmp_path: Path) -> None:
        """Held pieces of people who opted out, or get nothing any more, are told from those that somebody must mend."""
        with Claimed(self.open(tmp_path)) as ledger:
            made = [sample_decision(f"C-{n}", [Channel.EMAIL]) for n in range(4)]
            save(ledger, *made)
            details = ("opted-out", "email-rejected", "provider-unusable", "opted-out")
            held = [
                StateChange(one.pieces[0].piece_id, PieceState.HELD, NOON, detail=detail)
                for one, detail in zip(made, details, strict=True)
            ]
            ledger.advance(RUN_ID, held, owner=OWNER, durable=True)
            kinds = (OutcomeKind.SUPPRESSED, OutcomeKind.SUPPRESSED, OutcomeKind.HELD, OutcomeKind.ACCEPTED)
            settle(ledger, *(outcome_for(one, kind) for one, kind in zip(made, kinds, strict=True)))
            assert ledger.tally(RUN_ID).opted_out == 3

    def test_sums_are_exact(self, tmp_path: Path) -> None:
        """Totals are exact decimals over accepted pieces, by fact, channel and currency."""
        with Claimed(self.open(tmp_path)) as ledger:
            amounts = [
                *(("0.10", "EUR") for _ in range(1000)),
                ("-0.03", "EUR"),
                ("123456789012.345", "KWD"),
                ("7", "JPY"),
            ]
            decisions = [
                sample_decision(f"C-{n}", [Channel.EMAIL], amount=amount, currency=currency)
                for n, (amount, currency) in enumerate(amounts)
            ]
            save(ledger, *decisions, sample_decision("C-unsent", amount="1000000"))
            for decision in decisions:
                accept(ledger, decision)
            totals = ledger.tally(RUN_ID).totals
            assert {key: str(total) for key, total in totals.items()} == {
                ("due", Channel.EMAIL, "EUR"): "99.97",
                ("due", Channel.EMAIL, "KWD"): "123456789012.345",
                ("due", Channel.EMAIL, "JPY"): "7",
            }

    def test_a_tally_counts_everything(self, tmp_path: Path) -> None:
        """Outcomes, reasons, pieces, pages, segments, findings, slow paths and locales are counted."""
        with Claimed(self.open(tmp_path)) as ledger:
            sent = sample_decision("C-1", [Channel.DOCUMENT, Channel.SMS])
            sent = replace(sent, communication=communication_for(sent), slow_paths={Channel.SMS: "loop"})
            finding = Finding("glyph-missing", "a glyph is missing", "add a font", "p", Channel.DOCUMENT)
            waiting = replace(sample_decision("C-2", locale="ar-EG"), findings=(finding, finding))
            post = sample_decision("broadcast:de-DE", [Channel.BLUESKY])
            save(ledger, sent, waiting, held_back("C-3"), post)
            accept(ledger, sent)
            settle(ledger, outcome_for(sent, OutcomeKind.ACCEPTED), outcome_for(post, OutcomeKind.REJECTED, "refused"))
            close(ledger, "open", read=13, outside_segment=10)
            tally = ledger.tally(RUN_ID)
            assert (tally.read, tally.outside_segment, tally.undecided) == (13, 10, 1)
            assert tally.outcomes == {OutcomeKind.ACCEPTED: 1, OutcomeKind.HELD: 1}
            assert tally.broadcasts == {OutcomeKind.REJECTED: 1}
            assert tally.reasons == {"invalid-data": 1, "refused": 1, "email: no-consent": 1}
            assert (tally.pages, tally.segments) == (2, 1)
            assert tally.findings == {"glyph-missing": 2}
            assert tally.slow_paths == {"sms: loop": 1}
            assert tally.locales == {"de-DE": 1, "ar-EG": 1}
            assert tally.pieces[Channel.EMAIL, PieceState.COMPOSED] == 1

    def test_rows_of_nobody_are_kept_with_the_run(self, tmp_path: Path) -> None:
        """Those of the last complete reading, with their places; an execution that was stopped knows none."""
        found = (OrphanRows("lines", 7, (Location("data/lines.csv", 12), Location("data/lines.csv", 40))),)
        with Claimed(self.open(tmp_path)) as ledger:
            close(ledger, "open", read=0, orphans=found)
            assert ledger.tally(RUN_ID).orphans == found
            ledger.claim_run(sample_run(), owner=OWNER, now=NOON, lease_seconds=LEASE)
            close(ledger, "stopped", read=0, orphans=found)
            assert ledger.tally(RUN_ID).orphans == ()

    def test_a_lost_recipient_shows(self, tmp_path: Path) -> None:
        """Fewer outcomes than recipients is never made up for, in the first execution or a later one."""
        with Claimed(self.open(tmp_path)) as ledger:
            save(ledger, held_back("C-1"))
            for _ in range(2):
                close(ledger, "open", read=2)
                tally = ledger.tally(RUN_ID)
                assert tally.read - sum(tally.outcomes.values()) == 1
                ledger.claim_run(sample_run(), owner=OWNER, now=NOON, lease_seconds=LEASE)

    def test_people_who_left_the_source_stay_counted(self, tmp_path: Path) -> None:
        """Somebody with an outcome who is gone at the second reading was read once."""
        with Claimed(self.open(tmp_path)) as ledger:
            save(ledger, held_back("C-1"), held_back("C-2"))
            close(ledger, "open", read=5, outside_segment=3)
            ledger.claim_run(sample_run(), owner=OWNER, now=NOON, lease_seconds=LEASE)
            close(ledger, "open", read=4, outside_segment=3)
            tally = ledger.tally(RUN_ID)
            assert tally.read - tally.outside_segment == sum(tally.outcomes.values()) == 2

    def test_a_stopped_execution_claims_no_counts(self, tmp_path: Path) -> None:
        """A run that was interrupted reports what it decided, not what it would have read."""
        with Claimed(self.open(tmp_path)) as ledger:
            save(ledger, held_back("C-1"), sample_decision("C-2"))
            close(ledger, "stopped", read=0)
            tally = ledger.tally(RUN_ID)
            assert (tally.read, tally.undecided, tally.run.state) == (2, 1, "stopped")

    def test_outcomes_tell_who_must_be_looked_at(self, tmp_path: Path) -> None:
        """Held recipients come with reason and place, in order; kinds choose."""
        with Claimed(self.open(tmp_path)) as ledger:
            place = Location("data/people.csv", 7)
            excluded = sample_decision("C-2", ())
            reason = ExclusionReason.INVALID_DATA
            ident = excluded.communication_id
            exclusion = Exclusion("C-2", ident, reason, OutcomeKind.HELD, "no balance", location=place)
            save(ledger, sample_decision("C-1"), replace(excluded, exclusion=exclusion), sample_decision("C-3"))
            settle(ledger, outcome_for(sample_decision("C-3"), OutcomeKind.ACCEPTED))
            held = Outcome(ident, "C-2", OutcomeKind.HELD, "invalid-data", None, "data/people.csv:7: no balance")
            assert list(ledger.outcomes(RUN_ID, kinds=[OutcomeKind.HELD])) == [held]
            assert [one.recipient_id for one in ledger.outcomes(RUN_ID)] == ["C-2", "C-3"]

    def test_history_tells_who_got_what(self, tmp_path: Path) -> None:
        """One recipient's pieces over all runs, newest first, with version, provider and facts."""
        with Claimed(self.open(tmp_path)) as ledger:
            decision = sample_decision("C-1", [Channel.EMAIL])
            save(ledger, decision, sample_decision("C-2"))
            later = NOON + timedelta(minutes=5)
            change = StateChange(decision.pieces[0].piece_id, PieceState.ACCEPTED, later, provider_id="q-1")
            ledger.advance(RUN_ID, [change], owner=OWNER, durable=True)
            (entry,) = ledger.history("C-1")
            assert (entry.campaign, entry.occurrence, entry.release) == ("october-statement", "2026-10", RELEASE)
            assert (entry.state, entry.at, entry.provider_id) == (PieceState.ACCEPTED, later, "q-1")
            assert dict(entry.facts) == {"due": "10.25 EUR"}
            assert ledger.history("C-none") == ()
