"""Every recipient ends in one communication or one exclusion, by written rules."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from ccm.diagnostics import Diagnostic, Location
from ccm.model.definitions import Channel, Purpose
from ccm.model.records import (
    Capabilities,
    Communication,
    Consent,
    Exclusion,
    ExclusionReason,
    OutcomeKind,
    Suppression,
    communication_id,
    piece_id,
)
from ccm.plan import PlanBrief, plan
from tests.plan.conftest import NOW, recipient_of, template

Brief = Callable[..., PlanBrief]
EMAIL, SMS, DOCUMENT = Channel.EMAIL, Channel.SMS, Channel.DOCUMENT
SUPPRESSED, HELD = OutcomeKind.SUPPRESSED, OutcomeKind.HELD


def one(brief: PlanBrief, **fields: Any) -> Communication | Exclusion:
    (decision,) = plan([recipient_of(**fields)], brief)
    return decision


def channels(decision: Communication | Exclusion) -> tuple[Channel, ...]:
    assert isinstance(decision, Communication), decision
    return tuple(piece.channel for piece in decision.pieces)


def reason(decision: Communication | Exclusion) -> tuple[ExclusionReason, OutcomeKind | None]:
    assert isinstance(decision, Exclusion), decision
    return decision.reason, decision.outcome


def test_communication_carries_everything(brief: Brief) -> None:
    """Ids are derived, addresses normalised, order as declared, period inclusive, time from the run."""
    decision = one(brief())
    assert isinstance(decision, Communication)
    ident = communication_id("offer", "2026-10", "C-1")
    assert decision.communication_id == ident
    assert [(piece.piece_id, piece.address, piece.required, piece.provider) for piece in decision.pieces] == [
        (piece_id(ident, EMAIL), "Ana@bank.example", True, "outbox"),
        (piece_id(ident, DOCUMENT), "", True, "archive"),
        (piece_id(ident, SMS), "+41446681800", False, "outbox"),
    ]
    assert (decision.language, decision.locale, decision.occurrence) == ("de-DE", "de-CH", "2026-10")
    assert decision.period is not None
    assert [day.isoformat() for day in decision.period] == ["2026-10-01", "2026-10-31"]
    assert decision.issued_at == NOW


def test_resumed_run_keeps_its_time(brief: Brief) -> None:
    """A later execution of the same run gives messages the first start's time."""
    decision = one(brief(brief__started_at=NOW - timedelta(hours=5)))
    assert isinstance(decision, Communication)
    assert decision.issued_at == NOW - timedelta(hours=5)


def test_nobody_is_lost(brief: Brief) -> None:
    """As many decisions as recipients, in their order."""
    given = [recipient_of(recipient_id=f"C-{n}", email=None if n % 3 else "a@b.example") for n in range(50)]
    assert [decision.recipient_id for decision in plan(iter(given), brief())] == [item.recipient_id for item in given]


def test_planning_streams(brief: Brief) -> None:
    """A decision is made before the next recipient is read."""
    read = 0

    def source() -> Any:
        nonlocal read
        while True:
            read += 1
            yield recipient_of()

    next(plan(source(), brief()))
    assert read == 1


def test_faults_hold(brief: Brief) -> None:
    """A broken row is held and names its place; a repeated key keeps its own id."""
    place = Location("data/customers.csv", 7, 3)
    fault = Diagnostic("missing-field", "column balance is empty", "fill it", place)
    decision = one(brief(), faults=(fault,))
    assert reason(decision) == (ExclusionReason.INVALID_DATA, HELD)
    assert isinstance(decision, Exclusion)
    assert decision.location == place
    again = one(brief(), faults=(replace(fault, code="duplicate-key"),))
    assert reason(again) == (ExclusionReason.DUPLICATE_KEY, HELD)
    assert again.communication_id != decision.communication_id == one(brief()).communication_id


def test_segment(brief: Brief) -> None:
    """Outside is no outcome at all; a rule that breaks on a row holds it."""
    outside = one(brief(brief__segment=lambda data: False))
    assert reason(outside) == (ExclusionReason.NOT_IN_SEGMENT, None)

    def broken(data: object) -> bool:
        raise ZeroDivisionError("secret value")

    decision = one(brief(brief__segment=broken))
    assert reason(decision) == (ExclusionReason.INVALID_DATA, HELD)
    assert isinstance(decision, Exclusion)
    assert "secret" not in decision.detail


# Every case of one channel under the three purposes: consent entries (granted?, for this channel?) → allowed?
CONSENT = [
    ((), {"marketing": False, "transactional": True, "legal": True}),
    (((True, EMAIL),), {"marketing": True, "transactional": True, "legal": True}),
    (((False, EMAIL),), {"marketing": False, "transactional": False, "legal": True}),
    (((True, SMS),), {"marketing": False, "transactional": True, "legal": True}),
    (((False, SMS),), {"marketing": False, "transactional": True, "legal": True}),
    (((True, EMAIL), (False, EMAIL)), {"marketing": False, "transactional": False, "legal": True}),
]


@pytest.mark.parametrize(("purpose", "row"), list(product(Purpose, range(len(CONSENT)))))
def test_consent_table(brief: Brief, purpose: Purpose, row: int) -> None:
    """Consent by purpose and channel equals the written table."""
    entries, allowed = CONSENT[row]
    consents = tuple(Consent(purpose, channel, granted) for granted, channel in entries)
    decision = one(brief(purpose=purpose.value, channels={"together": ["email"]}), consents=consents)
    if allowed[purpose]:
        assert channels(decision) == (EMAIL,)
    else:
        assert reason(decision) == (ExclusionReason.NO_CONSENT, SUPPRESSED)


@pytest.mark.parametrize(
    ("entries", "allowed"),
    [
        ([(True, -10), (False, -5)], False),  # withdrawn
        ([(False, -10), (True, -5)], True),  # given again
        ([(True, 5)], False),  # dated in the future
        ([(True, None), (False, -5)], False),  # undated grant, dated refusal
        ([(True, -5), (False, None)], False),  # the order is unknown, so the refusal counts
    ],
)
def test_latest_consent_counts(brief: Brief, entries: list[tuple[bool, int | None]], allowed: bool) -> None:
    """Days from now; None is undated."""
    consents = tuple(
        Consent(Purpose.MARKETING, EMAIL, granted, None if days is None else NOW + timedelta(days=days))
        for granted, days in entries
    )
    decision = one(brief(purpose="marketing", channels={"together": ["email"]}), consents=consents)
    assert isinstance(decision, Communication) is allowed


def test_marketing_template_needs_consent_whatever_the_campaign_says(brief: Brief) -> None:
    """An offer is not made transactional by its campaign."""
    decision = one(brief(brief__template=template(purpose="marketing")))
    assert reason(decision) == (ExclusionReason.NO_CONSENT, SUPPRESSED)


@pytest.mark.parametrize(
    ("entry", "hit"),
    [
        (("ana@BANK.example", None, None), {EMAIL}),
        (("ana@bank.example", EMAIL, Purpose.TRANSACTIONAL), {EMAIL}),
        (("ana@bank.example", EMAIL, Purpose.MARKETING), set()),
        (("ana@bank.example", SMS, None), set()),
        (("+41 44 668 18 00", None, None), {SMS}),
        (("0446681800", SMS, None), {SMS}),
        (("41446681800", None, None), {SMS}),  # lists often leave out the plus,
        (("0041 44 668 18 00", None, None), {SMS}),  # or dial it
        (("011 41 44 668 18 00", None, None), {SMS}),
        (("+49446681800", None, None), set()),
        (("other@bank.example", None, None), set()),
        (("ana@bank.example", DOCUMENT, None), {DOCUMENT}),
    ],
)
def test_suppression(brief: Brief, entry: tuple[str, Channel | None, Purpose | None], hit: set[Channel]) -> None:
    """Addresses compare however they are written; channel and purpose of the entry count."""
    together = brief(
        channels={"together": ["email", "document", "sms"], "policy": "first"},
        brief__suppressions=(Suppression(*entry, "x"),),
    )
    decision = one(together)
    assert isinstance(decision, Communication)
    usable = {piece.channel for piece in decision.pieces + decision.alternatives}
    assert {EMAIL, SMS, DOCUMENT} - usable == hit
    assert {dropped.reason for dropped in decision.exclusions} <= {ExclusionReason.SUPPRESSED}


def test_suppression_stops_legal_too(brief: Brief) -> None:
    """An address that must not be used is not used for any purpose, unless the entry names others."""
    entry = Suppression("ana@bank.example", None, None, "bounced")
    assert reason(one(brief(purpose="legal", brief__suppressions=(entry,)))) == (ExclusionReason.SUPPRESSED, SUPPRESSED)


def test_preference(brief: Brief) -> None:
    """A channel that is not wanted drops; the document goes along all the same; legal asks nobody."""
    assert channels(one(brief(), preferred_channels=(EMAIL,))) == (EMAIL, DOCUMENT)
    assert reason(one(brief(), preferred_channels=(SMS,))) == (ExclusionReason.PREFERENCE, SUPPRESSED)
    assert channels(one(brief(purpose="legal"), preferred_channels=(SMS,))) == (EMAIL, DOCUMENT, SMS)


@pytest.mark.parametrize(
    ("fields", "why", "outcome"),
    [
        ({"email": None}, ExclusionReason.NO_ADDRESS, SUPPRESSED),
        ({"email": "  "}, ExclusionReason.NO_ADDRESS, SUPPRESSED),
        ({"email": "a@good.example,b@evil.example"}, ExclusionReason.INVALID_ADDRESS, HELD),
        ({"email": "a@b.example\nBcc: x@evil.example"}, ExclusionReason.INVALID_ADDRESS, HELD),
    ],
)
def test_required_address(brief: Brief, fields: dict[str, Any], why: ExclusionReason, outcome: OutcomeKind) -> None:
    """No address is a decision, a wrong one a mistake to mend."""
    decision = one(brief(), **fields)
    assert reason(decision) == (why, outcome)
    assert isinstance(decision, Exclusion)
    assert "good" not in decision.detail


def test_optional_channel_is_dropped_with_its_reason(brief: Brief) -> None:
    """An optional channel never excludes anyone."""
    decision = one(brief(), phone="12")
    assert channels(decision) == (EMAIL, DOCUMENT)
    assert isinstance(decision, Communication)
    assert [(item.channel, item.reason) for item in decision.exclusions] == [(SMS, ExclusionReason.INVALID_ADDRESS)]


# Each of email and sms is usable, must not be used, or has to be mended; the written table of both policies.
STATES = ("ok", "no", "bad")
ALL = {("ok", "ok"): "email sms", ("ok", "bad"): "held", ("bad", "ok"): "held", ("bad", "bad"): "held"}
FIRST = {
    ("ok", "ok"): "email", ("ok", "no"): "email", ("ok", "bad"): "email", ("no", "ok"): "sms", ("bad", "ok"): "sms",
    ("no", "bad"): "held", ("bad", "no"): "held", ("bad", "bad"): "held",
}  # fmt: skip


@pytest.mark.parametrize(("policy", "email", "phone"), list(product(("all", "first"), STATES, STATES)))
def test_policies(brief: Brief, policy: str, email: str, phone: str) -> None:
    """Group policies equal the written table; what it leaves out is suppressed."""
    fields = {
        "email": {"ok": "a@b.example", "no": None, "bad": "junk"}[email],
        "phone": {"ok": "+41446681800", "no": None, "bad": "junk"}[phone],
    }
    decision = one(brief(channels={"together": ["email", "sms"], "policy": policy}), **fields)
    expected = {"all": ALL, "first": FIRST}[policy].get((email, phone), "suppressed")
    if isinstance(decision, Exclusion):
        assert decision.outcome is not None
        assert decision.outcome.value == expected
    else:
        assert " ".join(piece.channel for piece in decision.pieces) == expected


def test_first_names_its_alternatives(brief: Brief) -> None:
    """What to fall back on when the first cannot be composed comes along, in order."""
    decision = one(
        brief(channels={"together": ["sms", "email", "document"], "optional": ["document"], "policy": "first"})
    )
    assert isinstance(decision, Communication)
    assert [piece.channel for piece in decision.pieces] == [SMS]
    assert [piece.channel for piece in decision.alternatives] == [EMAIL, DOCUMENT]


def test_each_takes_the_recipients_key(brief: Brief) -> None:
    """One message for each value of a field; the same value never goes twice."""
    each = brief(occurrence={"each": "invoice.number"})
    first, second, again = (one(each, occurrence_key=key) for key in ("INV-1", "INV-2", "INV-1"))
    assert first.communication_id == again.communication_id != second.communication_id
    assert isinstance(first, Communication)
    assert (first.occurrence, first.period) == ("INV-1", None)


def test_preview_shows_everyone(brief: Brief) -> None:
    """A preview plans every channel for anyone with sound data, and never when it is not asked to."""
    shown = brief(
        purpose="marketing",
        schedule={"at": "2030-01-01T08:00"},
        brief__segment=lambda data: False,
        brief__ignore_schedule=True,
        brief__ignore_exclusions=True,
    )
    decision = one(shown, email=None)
    assert channels(decision) == (EMAIL, DOCUMENT, SMS)
    assert reason(one(replace(shown, ignore_exclusions=False))) == (ExclusionReason.NOT_IN_SEGMENT, None)


def test_whoever_may_get_nothing_is_not_kept_waiting(brief: Brief) -> None:
    """Permission is decided before the schedule."""
    later = brief(schedule={"at": "2030-01-01T08:00"}, purpose="marketing")
    assert reason(one(later)) == (ExclusionReason.NO_CONSENT, SUPPRESSED)
    waiting = one(replace(later, campaign=later.campaign.model_copy(update={"purpose": Purpose.TRANSACTIONAL})))
    assert reason(waiting) == (ExclusionReason.NOT_DUE, HELD)
    assert isinstance(waiting, Exclusion)
    assert waiting.until == datetime(2030, 1, 1, 7, 0, tzinfo=UTC)  # 08:00 in Zurich


@pytest.mark.parametrize("address", [None, {}])
def test_a_letter_needs_a_postal_address(brief: Brief, address: object) -> None:
    """Where the provider prints, a recipient without one is left out; others need none."""
    printing = {"outbox": Capabilities(tuple(Channel)), "archive": Capabilities((DOCUMENT,), postal=True)}
    data = {"customer": {"name": "Ana"}, "address": address}
    assert reason(one(brief(brief__capabilities=printing), data=data)) == (ExclusionReason.NO_ADDRESS, SUPPRESSED)
    assert channels(one(brief(), data=data)) == (EMAIL, DOCUMENT, SMS)
    addressed = {**data, "address": {"street": "Musterweg 1"}}
    assert channels(one(brief(brief__capabilities=printing), data=addressed)) == (EMAIL, DOCUMENT, SMS)


def test_ids_are_the_first_130_bits_of_a_hash_in_base32() -> None:
    """What ledgers and archives have stays findable: the letters of ids are those that they always were."""
    for number in range(2_000):
        parts = ("statement", f"2026-{number % 12 + 1:02}", f"C-{number}")
        digest = hashlib.sha256("\x1f".join(("c", *parts)).encode()).digest()
        assert communication_id(*parts) == f"c-{base64.b32encode(digest).decode().lower()[:26]}"
