"""Small records for tests: a piece, a decision, an envelope. Ids are derived as in a real run."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from ccm.model.definitions import Channel, FactKind
from ccm.model.records import (
    Attachment,
    Decision,
    DocumentRendition,
    EmailRendition,
    Envelope,
    FactValue,
    PieceRecord,
    PieceState,
    PostalAddress,
    Rendition,
    RunRecord,
    SmsRendition,
    SocialRendition,
    communication_id,
    piece_id,
    run_id,
)
from ccm.model.values import Money

CAMPAIGN = "october-statement"
OCCURRENCE = "2026-10"
RUN_ID = run_id(CAMPAIGN, OCCURRENCE)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SAMPLE_POSTAL = PostalAddress(
    ("Ann Example", "Musterweg 1", "12345 Musterstadt"), name="Ann Example", postal_code="12345", country="DE"
)
RELEASE = "monthly-statement@1.0.0+0123456789ab"

# A real PNG of 2 by 1 pixels: servers look inside what they are given.
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR42mOQ96sEIgAFnQHNmVbFNAAAAABJRU5ErkJggg=="


def sample_run(campaign: str = CAMPAIGN, occurrence: str = OCCURRENCE, *, started_at: datetime = NOON) -> RunRecord:
    """Return a run that was not claimed yet."""
    return RunRecord(run_id(campaign, occurrence), campaign, occurrence, RELEASE, "open", started_at)


def sample_decision(
    recipient: str,
    channels: Sequence[Channel] = (Channel.EMAIL, Channel.SMS),
    *,
    amount: str = "10.25",
    currency: str = "EUR",
    locale: str = "de-DE",
    state: PieceState = PieceState.COMPOSED,
) -> Decision:
    """Return a decision with one composed piece for each channel and one fact that is summed up."""
    communication = communication_id(CAMPAIGN, OCCURRENCE, recipient)
    pieces = tuple(
        PieceRecord(
            piece_id=piece_id(communication, channel),
            communication_id=communication,
            run_id=RUN_ID,
            recipient_id=recipient,
            channel=channel,
            state=state,
            required=channel is not Channel.SMS,
            provider="outbox",
            release=RELEASE,
            locale=locale,
            sha256="0" * 64,
            pages=2 if channel is Channel.DOCUMENT else 0,
            segments=1 if channel is Channel.SMS else 0,
        )
        for channel in channels
    )
    due = FactValue("due", FactKind.MONEY, Money(Decimal(amount), currency), f"{amount} {currency}", (), total=True)
    return Decision(communication, recipient, locale, None, pieces, (due,))


def sample_rendition(channel: Channel, key: str = "p-sample", text: str = "Grüße") -> Rendition:
    """Return a rendition as composing makes it."""
    if channel is Channel.EMAIL:
        message = (
            "From: Northwind Bank <post@northwind.example>\r\nTo: <ann@example.org>\r\nSubject: Statement\r\n"
            f"Message-ID: <{key}@northwind.example>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n.\r\n..two dots\r\nBye\r\n"
        )
        return EmailRendition(key, "Statement", "", f"<p>{text}</p>", text, message.encode())
    if channel is Channel.SMS:
        return SmsRendition(key, text, "gsm7", (text,))
    if channel is Channel.DOCUMENT:
        return DocumentRendition(key, "statement.pdf", "Statement", 2, b"%PDF-1.7\n" + text.encode())
    card = Attachment("card.png", "image/png", base64.b64decode(_PICTURE), alt="A card")
    return SocialRendition(key, channel, text, len(text), 300, "de", card)


def sample_envelope(channel: Channel = Channel.EMAIL, key: str = "p-sample") -> Envelope:
    """Return an envelope to an address that nobody has (RFC 2606, and a number kept for fiction)."""
    address = {Channel.EMAIL: "ann@example.org", Channel.SMS: "+12025550123"}.get(channel, "")
    sender = "post@northwind.example" if channel is Channel.EMAIL else "Northwind"
    postal = SAMPLE_POSTAL if channel is Channel.DOCUMENT else None
    tags = {"campaign": CAMPAIGN, "occurrence": OCCURRENCE, "run": RUN_ID}
    rendition = sample_rendition(channel, key)
    return Envelope(key, channel, sender, address, rendition, tags, RELEASE, "de-DE", postal)
