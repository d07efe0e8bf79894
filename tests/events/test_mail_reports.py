"""Delivery reports and complaints by mail: read strictly, and never believed about anything but a piece of ours."""

from __future__ import annotations

import random

import pytest
from events.reports import PIECE, complaint, delivery_report, original

from ccm.events.mail_reports import read_report
from ccm.model.permissions import NewsKind

OTHER = "p-" + "b" * 26


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", NewsKind.BOUNCED),  # no such mailbox
        ("failed", "5.1.10", NewsKind.BOUNCED),  # null MX
        ("failed", "5.0.0", NewsKind.BOUNCED),
        ("failed", "5.2.1", NewsKind.BOUNCED),  # mailbox disabled
        ("failed", "5.2.2", NewsKind.FAILED),  # mailbox full
        ("failed", "5.3.4", NewsKind.FAILED),  # message too big
        ("failed", "5.7.1", NewsKind.FAILED),  # policy: says nothing about the address
        ("failed", "4.4.7", NewsKind.FAILED),  # tried for days
        ("failed", "nonsense", NewsKind.BOUNCED),  # the diagnostic code says 5.1.1
        ("delayed", "4.4.1", NewsKind.DELAYED),
        ("delivered", "2.0.0", NewsKind.DELIVERED),
        ("relayed", "2.0.0", NewsKind.OTHER),
        ("expanded", "2.0.0", NewsKind.OTHER),
    ],
)
def test_a_delivery_report_says_what_became_of_a_piece(action: str, status: str, kind: NewsKind) -> None:
    """Action and status of RFC 3464 and RFC 3463 in our words; never proved, because anybody can write a mail."""
    (news,) = read_report(delivery_report(action=action, status=status))
    assert (news.kind, news.piece_id, news.address, news.proved) == (kind, PIECE, "ann@example.org", False)
    assert "example.org" not in news.detail + news.event_id + repr(news)


@pytest.mark.parametrize(
    "mail",
    [
        delivery_report(kind="text/rfc822-headers"),
        delivery_report(message="", head=f"In-Reply-To: <{PIECE}@northwind.example>\r\n"),
        delivery_report(message="", head=f"References: <x@y>\r\n <{PIECE}@northwind.example>\r\n"),
        delivery_report(message="", to=f"bounces+{PIECE}@northwind.example"),
        delivery_report(message=original().replace("Message-ID: ", "Message-ID:\r\n ")),
        delivery_report(message=original() + f"\r\n> Message-ID: <{OTHER}@northwind.example>\r\n"),
        complaint(),
    ],
)
def test_the_piece_is_found_wherever_servers_put_it(mail: bytes) -> None:
    """The original's own Message-ID, its headers alone, what the report answers, an address for bounces."""
    assert [news.piece_id for news in read_report(mail)] == [PIECE]


def test_a_complaint_counts_and_its_opposite_does_not() -> None:
    """Abuse and fraud are complaints; "not spam" is none; some providers leave the address out."""
    (news,) = read_report(complaint())
    assert (news.kind, news.piece_id, news.address) == (NewsKind.COMPLAINED, PIECE, "ann@example.org")
    assert [news.kind for news in read_report(complaint(kind="not-spam"))] == [NewsKind.OTHER]
    (news,) = read_report(complaint(address=""))
    assert (news.kind, news.address) == (NewsKind.COMPLAINED, "")


def test_the_same_report_has_the_same_id_and_others_have_not() -> None:
    """Known by its own Message-ID, whatever a server on the way added."""
    first = read_report(delivery_report())[0].event_id
    assert read_report(b"Received: from a by b\r\n" + delivery_report())[0].event_id == first
    assert read_report(delivery_report(ident="<dsn-2@mx.example.org>"))[0].event_id != first


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\x00" * 1000,
        b"From: a@example.org\r\nSubject: Re: Your statement\r\n\r\nOut of office\r\n",
        original().encode(),
        delivery_report(action=""),
        delivery_report().replace(b"report-type=delivery-status", b"report-type=x").replace(b"message/delivery", b"text/x"),
        complaint().replace(b"Feedback-Type: abuse\r\n", b""),
        b"Content-Type: multipart/report; boundary=B\r\n\r\n" + b"--B\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n" * 3000,
        b"Content-Type: message/rfc822\r\n\r\n" * 5000,
        b"Content-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\n\r\n" * 0,
        b"Subject: =?utf-8?b?" + b"A" * 100_000 + b"?=\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_report_says_nothing(mail: bytes) -> None:
    """Answers, broken mails, bombs of nested parts."""
    assert read_report(mail) == ()


def test_two_ids_name_no_piece() -> None:
    """Which one is meant nobody can know."""
    both = original().replace(f"<{PIECE}@", f"<{PIECE}.{OTHER}@")
    assert [news.piece_id for news in read_report(delivery_report(message=both))] == [""]


def test_a_report_about_thousands_is_cut_short() -> None:
    """Our messages have one recipient each."""
    blocks = "".join(
        f"\r\nFinal-Recipient: rfc822; {n}@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" for n in range(3000)
    )
    assert len(read_report(delivery_report(more=blocks))) <= 51


def test_hostile_values_stay_data() -> None:
    """Addresses with line breaks, encoded words and lists do not become anything else."""
    for address in ("a@example.org, b@example.org", "=?utf-8?q?a=40example.org?=", "a@example.org\r\n b@x", "<<a@b>>"):
        for news in read_report(delivery_report(address=address)):
            assert "\n" not in news.address
            assert "@" not in news.detail


def test_noise_breaks_nothing() -> None:
    """Two thousand reports with drawn bytes changed: each is read or refused, none raises."""
    draw = random.Random(11)
    for _ in range(2000):
        mail = bytearray(draw.choice((delivery_report(), complaint())))
        for _ in range(draw.randint(1, 12)):
            mail[draw.randrange(len(mail))] = draw.randrange(256)
        for news in read_report(bytes(mail[: draw.randint(1, len(mail))])):
            assert not news.proved
