"""One communication as a group: what goes out, and what the recipient's outcome is, as written tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from run.messages import BRAND, communication, made

from ccm.ledger.interface import Ledger
from ccm.ledger.sql import open_ledger
from ccm.model.definitions import Channel
from ccm.model.records import Exclusion, ExclusionReason, OutcomeKind, PieceState
from ccm.run.deciding import content_hash, decide, excluded
from ccm.run.sending import Sender
from ccm.run.verdicts import outcome_of
from ccm.run.workers import Made, Maker, next_alternative
from ccm.testing import FixedClock, LostAnswerAdapter, MemoryLedger, RecordingAdapter, RejectingAdapter, sample_run
from ccm.testing.samples import RUN_ID

E, D, S = Channel.EMAIL, Channel.DOCUMENT, Channel.SMS
LETTER = {E: "e", D: "d", S: "s"}
POLICIES = {"all": ((E, D, S), ()), "two": ((E, D), (S,)), "one": ((E,), (D, S))}

# Which channels could be made → by policy: which go out, and the outcome.
COMPOSED = {
    "eds": {"all": "eds accepted", "two": "eds accepted", "one": "eds accepted"},
    "ed-": {"all": "    held",     "two": "ed  accepted", "one": "ed  accepted"},
    "e-s": {"all": "    held",     "two": "    held",     "one": "es  accepted"},
    "e--": {"all": "    held",     "two": "    held",     "one": "e   accepted"},
    "-ds": {"all": "    held",     "two": "    held",     "one": "    held"},
    "-d-": {"all": "    held",     "two": "    held",     "one": "    held"},
    "--s": {"all": "    held",     "two": "    held",     "one": "    held"},
    "---": {"all": "    held",     "two": "    held",     "one": "    held"},
}  # fmt: skip

# Which providers accept (lower case), refuse (-) or never answer (?) → by policy: which channels were tried, outcome.
ANSWERED = {
    "eds": {"all": "eds accepted", "two": "eds accepted", "one": "eds accepted"},
    "ed-": {"all": "eds rejected", "two": "eds accepted", "one": "eds accepted"},
    "e-s": {"all": "ed  rejected", "two": "ed  rejected", "one": "eds accepted"},
    "e--": {"all": "ed  rejected", "two": "ed  rejected", "one": "eds accepted"},
    "-ds": {"all": "e   rejected", "two": "e   rejected", "one": "e   rejected"},
    "-d-": {"all": "e   rejected", "two": "e   rejected", "one": "e   rejected"},
    "--s": {"all": "e   rejected", "two": "e   rejected", "one": "e   rejected"},
    "---": {"all": "e   rejected", "two": "e   rejected", "one": "e   rejected"},
    "?ds": {"all": "eds unknown",  "two": "eds unknown",  "one": "eds unknown"},
    "e?s": {"all": "eds unknown",  "two": "eds unknown",  "one": "eds accepted"},
    "ed?": {"all": "eds unknown",  "two": "eds accepted", "one": "eds accepted"},
}  # fmt: skip


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Both kinds of ledger with a claimed run."""
    kept: Ledger = MemoryLedger() if request.param == "memory" else open_ledger("sqlite:///ledger.db", tmp_path)
    clock = FixedClock()
    kept.claim_run(sample_run(), owner="me", now=clock(), lease_seconds=60)
    yield kept
    kept.close()


def carried_out(ledger: Ledger, one: Made, answers: dict[Channel, type[RecordingAdapter]]) -> tuple[str, OutcomeKind]:
    """Decide, save and send; return the letters of the channels that were tried, and the settled outcome."""
    clock = FixedClock()
    adapters = {channel.value: answers.get(channel, RecordingAdapter)() for channel in (E, D, S)}
    decision, job = decide(one, {}, BRAND)
    ledger.save(RUN_ID, [decision], owner="me", now=clock())
    sender = Sender(ledger, adapters, run_id=RUN_ID, owner="me", clock=clock)
    sender.send([job] if job else [])
    sender.close()
    tried = "".join(LETTER[channel] for channel in (E, D, S) if adapters[channel.value].delivered)
    ((kind, _),) = [(kind, count) for kind, count in ledger.tally(RUN_ID).outcomes.items() if count]
    return tried, kind


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("good", COMPOSED)
@pytest.mark.parametrize("fault", ["compose", "check"])
def test_what_could_be_made(ledger: Ledger, good: str, policy: str, fault: str) -> None:
    """Nothing goes unless every required channel was made and passed; optional ones never hold the others up."""
    required, optional = POLICIES[policy]
    failures = {channel: fault for channel, letter in zip((E, D, S), good, strict=True) if letter == "-"}
    sent, outcome = carried_out(ledger, made(communication("C-1", required, optional), failures), {})
    assert f"{sent:4}{outcome}" == COMPOSED[good][policy]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("answer", ANSWERED)
def test_what_providers_answered(ledger: Ledger, answer: str, policy: str) -> None:
    """A refused required channel stops the channels after it; the worst required answer is the outcome."""
    required, optional = POLICIES[policy]
    kinds = {"-": RejectingAdapter, "?": LostAnswerAdapter}
    answers = {channel: kinds[sign] for channel, sign in zip((E, D, S), answer, strict=True) if sign in kinds}
    tried, outcome = carried_out(ledger, made(communication("C-1", required, optional)), answers)
    assert f"{tried:4}{outcome}" == ANSWERED[answer][policy]


def test_the_tables_are_whole() -> None:
    """Every combination is written down, and no policy is forgotten."""
    assert len(COMPOSED) == len([key for key in ANSWERED if "?" not in key]) == 2**3
    assert all(row.keys() == POLICIES.keys() for table in (COMPOSED, ANSWERED) for row in table.values())


@pytest.mark.parametrize(
    ("good", "expected"),
    [("eds", "e"), ("-ds", "d"), ("--s", "s"), ("e--", "e"), ("-d-", "d"), ("---", None)],
)
def test_first_falls_back(good: str, expected: str | None) -> None:
    """Policy FIRST takes the first channel that can be made, and only that one."""
    failures = {channel: "compose" for channel, letter in zip((E, D, S), good, strict=True) if letter == "-"}

    class Scripted(Maker):
        """Composes as the row says."""

        def __init__(self) -> None:  # needs no template
            pass

        def _once(self, one: object) -> Made:
            return made(one, failures)  # type: ignore[arg-type]

    result = Scripted().make(communication("C-1", (E,), alternatives=(D, S)))
    decision, job = decide(result, {}, BRAND)
    assert "".join(LETTER[item.channel] for item in job.envelopes) == expected if job else expected is None
    if expected is None:
        assert decision.outcome
        assert decision.outcome.kind is OutcomeKind.HELD
        assert "missing-glyph" in decision.outcome.detail


def test_alternatives_keep_the_optional_channels() -> None:
    """Falling back changes the required piece alone."""
    other = next_alternative(communication("C-1", (E,), (S,), (D,)))
    assert [(piece.channel, piece.required) for piece in other.pieces] == [(D, True), (S, False)]
    assert other.alternatives == ()


def test_resume_sends_the_rest_or_holds_it() -> None:
    """What went is not sent again; when it would say something else today, the rest is held."""
    one = made(communication("C-1", (E, D)))
    first, _ = decide(one, {}, BRAND)
    email = replace(first.pieces[0], state=PieceState.ACCEPTED, sha256=content_hash(one.composed.renditions[0]))
    _, job = decide(one, {E: email}, BRAND)
    assert job
    assert [item.channel for item in job.envelopes] == [D]
    again, nothing = decide(one, {E: replace(email, sha256="0" * 64)}, BRAND)
    assert nothing is None
    assert again.outcome
    assert (again.outcome.kind, again.outcome.reason) == (OutcomeKind.HELD, "content-changed")


@pytest.mark.parametrize(
    ("state", "kind"), [(PieceState.UNKNOWN, OutcomeKind.UNKNOWN), (PieceState.ACCEPTED, OutcomeKind.ACCEPTED)]
)
def test_first_reaches_nobody_over_a_second_channel(state: PieceState, kind: OutcomeKind) -> None:
    """An SMS whose answer was lost may have arrived: the email that composes today is not sent as well."""
    earlier, _ = decide(made(communication("C-1", (S,))), {}, BRAND)
    sms = replace(earlier.pieces[0], state=state)
    decision, job = decide(made(communication("C-1", (E,), (), (S,))), {S: sms}, BRAND)
    assert job is None
    assert decision.outcome
    assert decision.outcome.kind is kind
    assert [piece.channel for piece in decision.pieces] == [S]


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        ((PieceState.UNKNOWN, PieceState.HELD), OutcomeKind.UNKNOWN),  # may have arrived: stays listed
        ((PieceState.ACCEPTED, PieceState.ACCEPTED), OutcomeKind.ACCEPTED),  # all of it went before the opt-out
        ((PieceState.ACCEPTED, PieceState.HELD), OutcomeKind.SUPPRESSED),  # the rest never goes
        ((PieceState.HELD, PieceState.HELD), OutcomeKind.SUPPRESSED),  # nothing ever went
    ],
)
def test_an_opt_out_hides_nothing_that_went(states: tuple[PieceState, PieceState], kind: OutcomeKind) -> None:
    """Whoever opts out between two executions keeps the outcome of what was handed over before."""
    first, _ = decide(made(communication("C-1", (E, D))), {}, BRAND)
    before = [replace(piece, state=state) for piece, state in zip(first.pieces, states, strict=True)]
    out = Exclusion("C-1", first.communication_id, ExclusionReason.SUPPRESSED, OutcomeKind.SUPPRESSED)
    decision = excluded(out, before)
    assert decision.outcome
    assert decision.outcome.kind is kind


def test_a_piece_without_a_state_holds() -> None:
    """A required channel that nobody knows anything about never counts as accepted."""
    assert outcome_of(communication("C-1", (E,)), {}, frozenset({E})).kind is OutcomeKind.HELD
