"""What AWS End User Messaging says about a text message: events of a configuration set, and answers, through SNS."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ccm.events.reading import piece_in, record, text, word
from ccm.events.sms_words import meaning
from ccm.model.definitions import Channel
from ccm.model.permissions import News, NewsKind

_KINDS = {
    "TEXT_DELIVERED": NewsKind.DELIVERED,
    "TEXT_INVALID": NewsKind.BOUNCED,  # no such number
    "TEXT_BLOCKED": NewsKind.FAILED,
    "TEXT_CARRIER_BLOCKED": NewsKind.FAILED,
    "TEXT_CARRIER_UNREACHABLE": NewsKind.FAILED,
    "TEXT_INVALID_MESSAGE": NewsKind.FAILED,
    "TEXT_SPAM": NewsKind.FAILED,
    "TEXT_TTL_EXPIRED": NewsKind.FAILED,
    "TEXT_UNREACHABLE": NewsKind.FAILED,
    "TEXT_UNKNOWN": NewsKind.FAILED,
    "TEXT_PROTECT_BLOCKED": NewsKind.FAILED,
}


def read_text_event(event: Mapping[str, Any]) -> tuple[News, ...]:
    """Return the news of one event or answer; nothing for what is neither.

    Source: https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
    """
    if text(event.get("inboundMessageId")):
        return _answer(event)
    name, message_id = text(event.get("eventType")), text(event.get("messageId"))
    if not name.startswith("TEXT_") or not message_id:
        return ()
    piece = piece_in(text(record(event.get("context")).get("piece")))
    address = text(event.get("destinationPhoneNumber"))
    event_id = f"aws-sms/{word(message_id)}/{word(name)}"
    kind = _KINDS.get(name, NewsKind.OTHER)
    return (News(event_id, kind, Channel.SMS, piece, address, word(name), _time(event.get("eventTimestamp"))),)


def _answer(event: Mapping[str, Any]) -> tuple[News, ...]:
    found = meaning(text(event.get("messageBody")))
    author = text(event.get("originationNumber"))
    if found is None or not author:
        return ()
    event_id = f"aws-sms/{word(text(event.get('inboundMessageId')))}/inbound"
    sender = text(event.get("destinationNumber"))
    return (News(event_id, found.kind, Channel.SMS, "", author, found.language, sender=sender),)


def _time(value: object) -> datetime | None:
    """Read milliseconds since 1970; None for anything else or beyond reason."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**13:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)
