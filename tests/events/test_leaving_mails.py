"""Mails that ask to be let go: what a mail program writes is understood, what a report quotes is not."""

from __future__ import annotations

from email.header import Header
from email.parser import BytesParser

import pytest
from events.reports import complaint, delivery_report

from ccm.events.leaving_mails import read_leaving
from ccm.events.mail_reports import read_report
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import NewsKind
from ccm.model.tokens import LinkClaims, read, signed

KEYS = Keyring.of("a secret of some length")
CLAIMS = LinkClaims("northwind-bank", Purpose.MARKETING, "c-" + "a" * 26, "de-DE", KEYS.mark("p:1"), KEYS.mark("a:1"))
TOKEN = signed(CLAIMS, KEYS)


def mail(subject: str, *, to: str = "unsubscribe@northwind.example", more: str = "", ident: str = "<1@x>") -> bytes:
    """Return a mail as a mail program writes it."""
    return (
        f"From: ann@example.org\r\nTo: {to}\r\nMessage-ID: {ident}\r\nDate: Mon, 2 Nov 2026 12:00:00 +0100\r\n"
        f"Subject: {subject}\r\n{more}\r\nThis mail was made by your mail program.\r\n"
    ).encode()


ENCODED = Header(f"unsubscribe {TOKEN}", "utf-8", header_name="Subject").encode()


@pytest.mark.parametrize(
    "raw",
    [
        mail(f"unsubscribe {TOKEN}"),
        mail(TOKEN),
        mail(f"Re: [EXT] unsubscribe {TOKEN}"),
        mail(f"unsubscribe\r\n {TOKEN}"),  # folded on the way
        mail(ENCODED.replace("\n", "\r\n")),  # several encoded words
        mail("unsubscribe", to=f"<leave+{TOKEN}@northwind.example>"),
        mail("unsubscribe", more=f"Delivered-To: leave+{TOKEN}@northwind.example\r\n"),
    ],
)
def test_the_token_is_found(raw: bytes) -> None:
    """In the subject however it was written, or in the address; the sender's address is nowhere in the news."""
    (news,) = read_report(raw)
    assert (news.kind, news.channel, news.proved, news.piece_id, news.address) == (
        NewsKind.UNSUBSCRIBED, Channel.EMAIL, False, "", "",
    )  # fmt: skip
    assert read(news.token, KEYS) == CLAIMS
    assert news.at is not None
    assert news.at.isoformat() == "2026-11-02T12:00:00+01:00"
    assert TOKEN not in repr(news)


def test_the_same_mail_is_the_same_event() -> None:
    """Whatever happens to it on the way, its Message-ID and token make its id; another mail is another event."""
    first, again, other = (
        read_report(mail(f"unsubscribe {TOKEN}", ident=ident))[0].event_id for ident in ("<1@x>", "<1@x>", "<2@x>")
    )
    assert first == again
    assert first != other


def test_a_request_without_a_token_is_not_lost_in_silence() -> None:
    """Somebody typed it; it proves nothing, so a person must look, and it is counted."""
    (news,) = read_report(mail("Please UNSUBSCRIBE me"))
    assert (news.kind, news.token) == (NewsKind.UNSUBSCRIBED, "")
    assert read_report(mail("Hello")) == ()


def test_what_a_report_quotes_is_no_request() -> None:
    """A bounce, a complaint and an answer hold the headers of our own message, token and all."""
    quoted = (
        f"Message-ID: <p-{'a' * 26}@x>\r\nList-Unsubscribe: <mailto:u@x?subject=unsubscribe%20{TOKEN}>\r\n\r\nHi\r\n"
    )
    for raw in (delivery_report(message=quoted), complaint()):
        assert NewsKind.UNSUBSCRIBED not in {news.kind for news in read_report(raw)}
    answer = mail("Re: Your offer").decode().replace("This mail", f"> {TOKEN}\r\n{quoted}")
    assert read_report(answer.encode()) == ()


@pytest.mark.parametrize("subject", ["=?utf-8?q?=FF=?=", "=?nonsense?q?x?=", "unsubscribe " + "a" * 100_000, "\udcff"])
def test_broken_mails_do_no_harm(subject: str) -> None:
    """Nothing is raised, whatever the header is made of."""
    raw = b"Subject: " + subject.encode("utf-8", "surrogateescape") + b"\r\n\r\n"
    read_report(raw)
    read_leaving(BytesParser().parsebytes(raw), "m")
