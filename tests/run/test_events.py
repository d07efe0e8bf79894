"""What came back after the hand-over: written once, forward only, the same end in every order."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from events.amazon import ses_event
from events.reports import complaint, delivery_report, original

from ccm.events.mail_reports import read_report
from ccm.events.ses import read_ses
from ccm.events.twilio import read_inbound, read_status
from ccm.ledger.erasing import Eraser
from ccm.ledger.news import NewsStore
from ccm.ledger.permissions import PermissionStore, open_permissions
from ccm.ledger.sql import SqlLedger, open_ledger
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, News, NewsKind, in_force
from ccm.model.records import Outcome, OutcomeKind, PieceState, StateChange
from ccm.model.tokens import LinkClaims, signed
from ccm.run.events import FAILURES, EventDesk
from ccm.run.permitted import address_subject, person_subject
from ccm.run.verdicts import summed_up
from ccm.testing import sample_decision, sample_run
from ccm.testing.samples import NOON, RUN_ID

KEYS = Keyring.of("a secret of some length")
EMAIL, SMS = Channel.EMAIL, Channel.SMS
ME = "host:1"


@dataclass
class Place:
    """A ledger with a run, its permission store and its desk."""

    ledger: SqlLedger
    store: PermissionStore
    desk: EventDesk

    def sent(self, recipient: str, state: PieceState = PieceState.ACCEPTED) -> dict[Channel, str]:
        """Send an email and a text message to somebody; return the pieces."""
        return self.sent_all([recipient], state)[recipient]

    def sent_all(
        self, recipients: Sequence[str], state: PieceState = PieceState.ACCEPTED
    ) -> dict[str, dict[Channel, str]]:
        """The same for several people."""
        made = {recipient: sample_decision(recipient, (EMAIL, SMS)) for recipient in recipients}
        self.ledger.save(RUN_ID, list(made.values()), owner=ME, now=NOON)
        for step in dict.fromkeys((PieceState.SENDING, state)):
            changes = [StateChange(piece.piece_id, step, NOON) for one in made.values() for piece in one.pieces]
            self.ledger.advance(RUN_ID, changes, owner=ME, durable=False)
        return {name: {piece.channel: piece.piece_id for piece in one.pieces} for name, one in made.items()}

    def states(self, recipient: str) -> dict[Channel, PieceState]:
        return self.all_states([recipient])[recipient]

    def all_states(self, recipients: Iterable[str]) -> dict[str, dict[Channel, PieceState]]:
        """Return the states of several people's pieces, read at once."""
        made = {recipient: sample_decision(recipient, (EMAIL, SMS)).communication_id for recipient in recipients}
        found = self.ledger.known(list(made.values()))
        return {name: {piece.channel: piece.state for piece in found[ident]} for name, ident in made.items()}

    def barred(self, *subjects: str) -> set[tuple[str, str, str, str]]:
        """Return what is in force about some subjects: reason, channel, purpose, brand."""
        entries = in_force(self.store.entries(subjects))
        return {(str(one.reason), one.channel or "", one.purpose or "", one.brand) for one in entries}


@pytest.fixture
def place(ledger_url: str, tmp_path: Path) -> Iterator[Place]:
    ledger = open_ledger(ledger_url, tmp_path)
    ledger.claim_run(sample_run(), owner=ME, now=NOON, lease_seconds=3600)
    store = open_permissions(ledger_url, tmp_path, KEYS.idents)
    store.note_run(RUN_ID, "northwind-bank", Purpose.MARKETING, KEYS.newest.ident)
    desk = EventDesk(
        NewsStore(store.database, store, summed_up),
        store,
        KEYS,
        clock=lambda: NOON,
        own_emails=lambda recipient, run: frozenset({f"{recipient}@example.org"}),
        brands={"12025550199": "northwind-bank"},
    )
    yield Place(ledger, store, desk)
    store.close()
    ledger.close()


def status(piece: str, word: str, number: str, code: str = "") -> tuple[News, ...]:
    fields = [("MessageSid", f"SM-{piece}"), ("MessageStatus", word), ("ErrorCode", code), ("To", number)]
    return read_status([("piece", piece)], fields)


def said(word: str, number: str, sid: str) -> tuple[News, ...]:
    return read_inbound([("MessageSid", sid), ("From", number), ("To", "+12025550199"), ("Body", word)])


def test_a_bounce_moves_its_piece_and_bars_the_address(place: Place) -> None:
    """For every purpose; the other channel is as it was; the history says when."""
    pieces = place.sent("C-1")
    tally = place.desk.apply(read_ses(ses_event("Bounce", pieces[EMAIL], "C-1@example.org")))
    assert (tally.moved, tally.suppressed, tally.repeated, tally.strange) == (1, 1, 0, 0)
    assert place.states("C-1") == {EMAIL: PieceState.BOUNCED, SMS: PieceState.ACCEPTED}
    assert place.barred(address_subject(KEYS, "c-1@example.org")) == {("bounced-hard", "email", "", "")}
    assert PieceState.BOUNCED in {entry.state for entry in place.ledger.history("C-1")}


def test_a_complaint_about_marketing_ends_marketing(place: Place) -> None:
    """Of the address and of the person, who may have another address by now."""
    pieces = place.sent("C-1")
    place.desk.apply(read_ses(ses_event("Complaint", pieces[EMAIL], "C-1@example.org")))
    assert place.states("C-1")[EMAIL] is PieceState.COMPLAINED
    expected = {("complained", "email", "marketing", "")}
    assert place.barred(address_subject(KEYS, "C-1@example.org")) == expected
    assert place.barred(person_subject(KEYS, "C-1")) == expected


def test_stop_and_start_are_of_the_brand_that_was_answered(place: Place) -> None:
    """STOP bars the number for every purpose; START lifts that and no bounce."""
    number = "+12025550123"
    assert place.desk.apply(said("STOPP", number, "SM1")).suppressed == 1
    subject = address_subject(KEYS, number)
    assert place.barred(subject) == {("stop-reply", "sms", "", "northwind-bank")}
    assert place.desk.has_stopped(number, "+1 202 555 0199")
    place.desk.apply(status(place.sent("C-1")[SMS], "undelivered", number, "30005"))
    place.desk.apply(said("start", number, "SM2"))
    assert not place.desk.has_stopped(number, "+12025550199")
    assert place.barred(subject) == {("bounced-hard", "sms", "", "")}
    assert place.desk.apply(said("STOPP", number, "SM1")).repeated == 1  # an old STOP, replayed
    assert not place.desk.has_stopped(number, "+12025550199")


def test_the_fifth_failure_bars(place: Place) -> None:
    """A full mailbox once is nothing; the same message reported twice is one failure."""
    subject = address_subject(KEYS, "box@example.org")
    for number in range(FAILURES):
        assert place.barred(subject) == set()
        piece = place.sent(f"C-{number}")[EMAIL]
        failed = read_ses(ses_event("Bounce", piece, "box@example.org", bounceType="Transient"))
        place.desk.apply([*failed, *failed])
    assert place.barred(subject) == {("bounced-often", "email", "", "")}


def test_news_settle_what_was_in_doubt(place: Place) -> None:
    """An answer that was lost is found again by the provider's callback."""
    pieces = place.sent("C-1", PieceState.UNKNOWN)
    made = sample_decision("C-1", (EMAIL, SMS))
    unknown = Outcome(made.communication_id, "C-1", OutcomeKind.UNKNOWN, "email-unknown")
    place.ledger.settle(RUN_ID, [unknown], owner=ME, now=NOON)
    place.desk.apply(status(pieces[SMS], "delivered", "+12025550123"))  # not required
    assert [one.kind for one in place.ledger.outcomes(RUN_ID)] == [OutcomeKind.UNKNOWN]
    place.desk.apply(read_ses(ses_event("Delivery", pieces[EMAIL])))
    assert [one.kind for one in place.ledger.outcomes(RUN_ID)] == [OutcomeKind.ACCEPTED]


def test_news_faster_than_the_answer_stay(place: Place) -> None:
    """The run writes its answer afterwards and goes on."""
    pieces = place.sent("C-1", PieceState.SENDING)
    place.desk.apply(read_ses(ses_event("Delivery", pieces[EMAIL])))
    place.ledger.advance(RUN_ID, [StateChange(pieces[EMAIL], PieceState.ACCEPTED, NOON)], owner=ME, durable=False)
    assert place.states("C-1")[EMAIL] is PieceState.DELIVERED


def test_news_about_what_was_never_sent_move_nothing(place: Place) -> None:
    """A piece that waits, or was held, stays where it is."""
    made = sample_decision("C-1", (EMAIL,))
    place.ledger.save(RUN_ID, [made], owner=ME, now=NOON)
    assert place.desk.apply(read_ses(ses_event("Delivery", made.pieces[0].piece_id))).moved == 0
    assert place.states("C-1") == {EMAIL: PieceState.COMPOSED}


def test_a_report_by_mail_counts_for_the_piece_and_its_own_address(place: Place) -> None:
    """Anybody may write one; a foreign address in it bars nobody, an id that is not ours does nothing at all."""
    piece = place.sent("C-1")[EMAIL]
    own = delivery_report(message=original(piece), address="C-1@example.org")
    foreign = delivery_report(message=original(piece), address="victim@example.org", ident="<dsn-2@x>")
    stranger = delivery_report(message=original("p-" + "z" * 26), address="victim@example.org", ident="<dsn-3@x>")
    assert place.desk.apply(read_report(foreign)).suppressed == 0
    assert place.barred(address_subject(KEYS, "victim@example.org")) == set()
    assert place.states("C-1")[EMAIL] is PieceState.BOUNCED  # whoever has the id of a piece got the piece
    assert place.desk.apply(read_report(own)).suppressed == 1
    assert place.barred(address_subject(KEYS, "C-1@example.org")) == {("bounced-hard", "email", "", "")}
    tally = place.desk.apply(read_report(stranger))
    assert (tally.strange, tally.moved, tally.suppressed) == (1, 0, 0)
    bad = complaint(message=original(piece), address="")  # many providers leave the address out
    place.desk.apply(read_report(bad))
    assert place.barred(person_subject(KEYS, "C-1")) == {("complained", "email", "marketing", "")}


def test_a_piece_of_another_channel_is_not_meant(place: Place) -> None:
    """An email event that names a text message moves nothing."""
    pieces = place.sent("C-1")
    assert place.desk.apply(read_ses(ses_event("Bounce", pieces[SMS], "C-1@example.org"))).moved == 0
    assert place.states("C-1")[SMS] is PieceState.ACCEPTED


# ── any order ────────────────────────────────────────────────────────────────

STREAMS = 1000
RANK = (PieceState.ACCEPTED, PieceState.DELIVERED, PieceState.BOUNCED, PieceState.COMPLAINED)
MEANS = {"Delivery": 1, "Bounce": 2, "Complaint": 3, "DeliveryDelay": 0, "Open": 0, "delivered": 1, "undelivered": 2}


def stream(draw: random.Random, recipient: str, pieces: dict[Channel, str]) -> tuple[list[News], dict[Channel, int]]:
    """Draw events about one person, each up to three times, in any order; return them with the rank that must remain."""
    email, number = f"{recipient}@example.org", f"+1202555{int(recipient[2:]):04d}"
    names = draw.sample(("Delivery", "Bounce", "Complaint", "DeliveryDelay", "Open"), draw.randint(1, 5))
    words = draw.sample(("sent", "delivered", "undelivered"), draw.randint(0, 3))
    found: list[News] = []
    for name in names:
        found += list(read_ses(ses_event(name, pieces[EMAIL], email))) * draw.randint(1, 3)
    for word in words:
        found += list(status(pieces[SMS], word, number, "30005" if word == "undelivered" else "")) * draw.randint(1, 3)
    draw.shuffle(found)
    ranks = {EMAIL: max(MEANS[name] for name in names), SMS: max([0, *(MEANS.get(word, 0) for word in words)])}
    return found, ranks


def together(draw: random.Random, streams: Sequence[list[News]]) -> Iterator[list[News]]:
    """Mix streams as callbacks of many people come in, in batches of any size."""
    waiting = [list(one) for one in streams]
    mixed: list[News] = []
    while waiting:
        one = draw.choice(waiting)
        mixed.append(one.pop())
        if not one:
            waiting.remove(one)
    while mixed:
        size = draw.randint(1, 400)
        yield mixed[:size]
        mixed = mixed[size:]


@pytest.mark.slow
def test_a_thousand_streams_end_the_same_in_any_order(place: Place) -> None:
    """Doubled and shuffled: the furthest state remains, and exactly who bounced or complained is barred."""
    draw = random.Random(23)
    expected: dict[str, dict[Channel, int]] = {}
    streams = []
    for recipient, pieces in place.sent_all([f"C-{number}" for number in range(STREAMS)]).items():
        events, expected[recipient] = stream(draw, recipient, pieces)
        streams.append(events)
    applied = repeated = 0
    for batch in together(draw, streams):
        tally = place.desk.apply(batch)
        applied += sum(tally.applied.values())
        repeated += tally.repeated
    assert applied == len({one.event_id for events in streams for one in events})
    assert applied + repeated == sum(map(len, streams))
    assert repeated > 2000
    assert place.all_states(expected) == {
        recipient: {channel: RANK[rank] for channel, rank in ranks.items()} for recipient, ranks in expected.items()
    }
    wrong = [one for one in zip(expected, streams, strict=True) if not fits(place, *one)]
    assert wrong == []


def fits(place: Place, recipient: str, events: list[News]) -> bool:
    """Compare what is in force with what the events say, by a table of its own."""
    kinds = {(one.channel, one.kind) for one in events}
    want = set()
    if (EMAIL, NewsKind.BOUNCED) in kinds:
        want.add(("bounced-hard", "email", "", ""))
    if (EMAIL, NewsKind.COMPLAINED) in kinds:
        want.add(("complained", "email", "marketing", ""))
    if (SMS, NewsKind.BOUNCED) in kinds:
        want.add(("bounced-hard", "sms", "", ""))
    number = f"+1202555{int(recipient[2:]):04d}"
    return want == place.barred(address_subject(KEYS, f"{recipient}@example.org"), address_subject(KEYS, number))


def test_the_end_does_not_hang_on_the_clock(place: Place) -> None:
    """Events without a time, or from the future, are events."""
    piece = place.sent("C-1")[EMAIL]
    (news,) = read_ses(ses_event("Delivery", piece))
    assert place.desk.apply([replace(news, at=NOON + timedelta(days=900))]).moved == 1


def leaving(token: str, ident: str = "<1@x>") -> tuple[News, ...]:
    mail = f"From: eve@example.org\r\nTo: u@x.example\r\nMessage-ID: {ident}\r\nSubject: unsubscribe {token}\r\n\r\n"
    return read_report(mail.encode())


def test_a_mail_with_our_token_ends_what_its_message_was_for(place: Place) -> None:
    """The address of the message and its reader, for the message's purpose; twice the same mail is once."""
    person, address = person_subject(KEYS, "C-1"), address_subject(KEYS, "c-1@example.org")
    claims = LinkClaims("northwind-bank", Purpose.MARKETING, "c-1", "en", person, address)
    for expected in (1, 0):
        tally = place.desk.apply(leaving(signed(claims, KEYS)))
        assert (tally.suppressed, tally.strange) == (expected, 0)
    assert place.barred(address) == {("unsubscribed", "email", "marketing", "northwind-bank")}
    said = [entry for entry in place.store.entries([person]) if isinstance(entry, ConsentEntry)]
    assert [(one.granted, one.source, one.evidence) for one in said] == [(False, "mail", "c-1")]


@pytest.mark.parametrize("how", ["another secret", "another reader", "cut", "nothing"])
def test_a_forged_token_is_refused(place: Place, how: str) -> None:
    """Signed by somebody else, changed, cut short or left out: nothing is written, and it is counted."""
    claims = LinkClaims("northwind-bank", Purpose.MARKETING, "c-1", "en", person_subject(KEYS, "C-1"))
    good = signed(claims, KEYS)
    other = signed(replace(claims, person=person_subject(KEYS, "C-2")), KEYS)
    forged = {
        "another secret": signed(claims, Keyring.of("a secret of somebody else")),
        "another reader": ".".join((*other.split(".")[:2], good.split(".")[2])),
        "cut": good[:-1],
        "nothing": "",
    }[how]
    before = place.store.revision()
    tally = place.desk.apply(leaving(forged))
    assert (tally.suppressed, tally.strange, dict(tally.applied)) == (0, 1, {})
    assert place.store.revision() == before


def test_ids_of_old_events_go_with_retention(place: Place) -> None:
    """What was read before a time is forgotten, what came since still counts once."""
    pieces = place.sent("C-1")
    place.desk.apply(status(pieces[SMS], "delivered", "+12025550123"))
    eraser = Eraser(place.store.database)
    assert eraser.events_before(NOON, really=True) == 0
    assert place.desk.apply(status(pieces[SMS], "delivered", "+12025550123")).repeated == 1
    assert eraser.events_before(NOON + timedelta(days=1), really=False) == 1
    assert eraser.events_before(NOON + timedelta(days=1), really=True) == 1
    assert eraser.events_before(NOON + timedelta(days=1), really=False) == 0
    tally = place.desk.apply(status(pieces[SMS], "delivered", "+12025550123"))
    assert (tally.repeated, tally.moved) == (0, 0), "pieces only move forward, so a forgotten event harms none"
