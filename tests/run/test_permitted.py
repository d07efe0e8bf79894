"""A run sees what is written down about people: when it plans, and again right before every hand-over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from run.messages import NOW, communication

from ccm.diagnostics import Location
from ccm.ledger.permissions import PermissionStore, open_permissions
from ccm.ledger.sql import open_ledger
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, PermissionEntry, Standing, SuppressionEntry, SuppressionReason
from ccm.model.records import Envelope, ExclusionReason, PieceState, Recipient, StateChange
from ccm.model.tokens import read
from ccm.run.permitted import FRESH_SECONDS, Permissions, address_subject, person_subject
from ccm.testing import sample_decision, sample_envelope, sample_run
from ccm.testing.samples import NOON, RUN_ID

KEYS = Keyring.of("a secret of some length")
URL = "sqlite:///ledger.db"
ANN = Recipient("C-1", "", "de", "UTC", "DE", "Ann@Example.org", "+12025550123", (), (), {}, Location("x.csv"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PermissionStore]:
    opened = open_permissions(URL, tmp_path, KEYS.idents)
    yield opened
    opened.close()


@pytest.fixture
def book(store: PermissionStore, tmp_path: Path) -> Iterator[Permissions]:
    """Opened before anything was written, as by a run that is sending already."""
    opened = Permissions(open_permissions(URL, tmp_path, KEYS.idents), KEYS, "bank")
    yield opened
    opened.close()


def barred(
    subject: str,
    channel: Channel | None = None,
    purpose: Purpose | None = None,
    *,
    lifted: bool = False,
    brand: str = "",
) -> SuppressionEntry:
    return SuppressionEntry(subject, channel, purpose, SuppressionReason.MANUAL, NOON, "test", "", brand, lifted)


def said(granted: bool, at: datetime = NOW, *, subject: str = "", brand: str = "bank") -> ConsentEntry:
    subject = subject or person_subject(KEYS, "C-1")
    return ConsentEntry(subject, Purpose.MARKETING, Channel.EMAIL, granted, at, "test", "", brand)


def seen(store: PermissionStore, *entries: PermissionEntry) -> None:
    store.record(entries)
    time.sleep(FRESH_SECONDS * 1.5)


def standing(book: Permissions) -> Standing:
    return book.standing(ANN, "Ann@example.org", "+12025550123")


def test_nothing_written_is_nothing_known(book: Permissions) -> None:
    """The usual case costs no look at the database."""
    assert standing(book) == Standing()


def test_planning_sees_entries_under_every_spelling(store: PermissionStore, book: Permissions) -> None:
    """Addresses compare without case, numbers by their digits; other brands do not count."""
    seen(store, barred(address_subject(KEYS, "ANN@example.ORG")), barred(address_subject(KEYS, "001 202 555-0123")))
    assert standing(book).forbids(Channel.EMAIL, Purpose.LEGAL)
    assert standing(book).forbids(Channel.SMS, Purpose.LEGAL)
    seen(store, said(False), said(True, brand="shop"), barred(person_subject(KEYS, "C-1"), brand="shop"))
    assert [consent.granted for consent in standing(book).consents] == [False]
    assert standing(book).person == ()


def test_a_book_opened_later_knows_what_was_written_before(store: PermissionStore) -> None:
    """From the database, not from what was seen coming."""
    store.record([barred(address_subject(KEYS, "ann@example.org")), barred(KEYS.mark("a:somebody else"))])
    assert standing(Permissions(store, KEYS, "bank")).forbids(Channel.EMAIL, Purpose.LEGAL)


def test_a_new_secret_recognises_old_entries(store: PermissionStore) -> None:
    """Nobody is written to again because the secret was changed."""
    store.record([barred(address_subject(KEYS, "ann@example.org")), said(False)])
    renewed = Permissions(store, Keyring.of("a newer secret of length", "a secret of some length"), "bank")
    assert standing(renewed).forbids(Channel.EMAIL, Purpose.LEGAL)
    assert len(standing(renewed).consents) == 1


def offered(purpose: Purpose = Purpose.MARKETING, channel: Channel = Channel.EMAIL) -> tuple[object, Envelope]:
    return replace(communication("C-1", (channel,)), purpose=purpose), sample_envelope(channel)


EMAIL_MARK = address_subject(KEYS, "ann@example.org")
PERSON_MARK = person_subject(KEYS, "C-1")


@pytest.mark.parametrize(
    ("entries", "purpose", "channel", "stopped"),
    [
        ([said(False)], Purpose.MARKETING, Channel.EMAIL, True),
        ([said(False, subject=EMAIL_MARK)], Purpose.MARKETING, Channel.EMAIL, True),
        ([said(False)], Purpose.TRANSACTIONAL, Channel.EMAIL, False),  # said no to marketing alone
        ([said(False)], Purpose.LEGAL, Channel.EMAIL, False),
        ([said(False)], Purpose.MARKETING, Channel.SMS, False),  # the channel concerned, no other
        ([said(False), said(True, NOW + timedelta(seconds=-1))], Purpose.MARKETING, Channel.EMAIL, True),
        ([said(False, NOW - timedelta(seconds=9)), said(True)], Purpose.MARKETING, Channel.EMAIL, False),
        ([said(False), said(True)], Purpose.MARKETING, Channel.EMAIL, True),  # a refusal wins a tie
        ([said(False, brand="shop")], Purpose.MARKETING, Channel.EMAIL, False),
        ([said(True)], Purpose.MARKETING, Channel.EMAIL, False),
        ([barred(EMAIL_MARK)], Purpose.LEGAL, Channel.EMAIL, True),
        ([barred(EMAIL_MARK)], Purpose.MARKETING, Channel.SMS, False),
        ([barred(EMAIL_MARK), barred(EMAIL_MARK, lifted=True)], Purpose.MARKETING, Channel.EMAIL, False),
        ([barred(EMAIL_MARK, Channel.EMAIL, Purpose.MARKETING)], Purpose.TRANSACTIONAL, Channel.EMAIL, False),
        ([barred(address_subject(KEYS, "+12025550123"))], Purpose.MARKETING, Channel.SMS, True),
        ([barred(PERSON_MARK)], Purpose.LEGAL, Channel.DOCUMENT, True),
        ([barred(KEYS.mark("a:other@example.org"))], Purpose.MARKETING, Channel.EMAIL, False),
    ],
)
def test_an_opt_out_during_the_run_stops_what_it_concerns(
    store: PermissionStore,
    book: Permissions,
    entries: list[PermissionEntry],
    purpose: Purpose,
    channel: Channel,
    stopped: bool,
) -> None:
    """The planned piece is asked about again right before its hand-over."""
    planned, envelope = offered(purpose, channel)
    assert book.refusal(planned, envelope, NOW) is None
    seen(store, *entries)
    refusal = book.refusal(planned, envelope, NOW + timedelta(seconds=1))
    assert (refusal is not None) is stopped
    assert refusal is None or refusal.reason is ExclusionReason.OPTED_OUT


def test_asking_costs_little(book: Permissions, store: PermissionStore) -> None:
    """Thousands of hand-overs a second ask twice each; with and without changes it stays well below a millisecond."""
    planned, envelope = offered()
    for rounds in range(2):
        begun = time.thread_time()
        for _ in range(2000):
            book.refusal(planned, envelope, NOW)
        assert (time.thread_time() - begun) / 2000 < 0.0002 * (1 + rounds)
        seen(store, *(barred(KEYS.mark(str(number))) for number in range(1000)))


def test_tokens_are_signed_and_the_same_every_time(book: Permissions) -> None:
    """They lead to marks, not to people."""
    token = book.token(ANN, "c-1", "Ann@example.org", "de")
    assert token == book.token(ANN, "c-1", "Ann@example.org", "de")
    claims = read(token, KEYS)
    assert claims is not None
    assert (claims.brand, claims.communication_id, claims.locale) == ("bank", "c-1", "de")
    assert claims.email == address_subject(KEYS, "ann@EXAMPLE.org")


def test_contacts_are_counted_once_per_communication(store: PermissionStore, book: Permissions, tmp_path: Path) -> None:
    """Marketing of the brand that was or may be accepted, on email or SMS, within the window."""
    ledger = open_ledger(URL, tmp_path)
    ledger.claim_run(sample_run(), owner="me", now=NOON, lease_seconds=60)
    made = sample_decision("C-1", (Channel.EMAIL, Channel.SMS, Channel.DOCUMENT))
    ledger.save(RUN_ID, [made], owner="me", now=NOON)
    since = NOON - timedelta(days=7)
    store.note_run(RUN_ID, "bank", Purpose.MARKETING, KEYS.newest.ident)
    assert book.contacts("C-1", since, "") == 0  # composed only
    states = (PieceState.SENDING, PieceState.ACCEPTED)
    changes = [StateChange(piece.piece_id, state, NOON) for piece in made.pieces for state in states]
    ledger.advance(RUN_ID, changes, owner="me", durable=True)
    assert book.contacts("C-1", since, "") == 1  # three pieces, one communication
    assert book.contacts("C-1", NOON + timedelta(seconds=1), "") == 0  # before the window
    assert book.contacts("C-1", since, made.communication_id) == 0  # does not count against itself
    assert book.contacts("C-2", since, "") == 0
    assert store.contacts("C-1", since, brand="shop") == 0
    ledger.close()
