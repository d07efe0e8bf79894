"""What Amazon SES says about an email: event publishing (`eventType`) and feedback notifications (`notificationType`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ccm.events.reading import first_text, moment, piece_in, record, records, text, word
from ccm.model.definitions import Channel
from ccm.model.permissions import News, NewsKind

_SIMPLE = {"Delivery": NewsKind.DELIVERED, "Complaint": NewsKind.COMPLAINED, "DeliveryDelay": NewsKind.DELAYED}
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def read_ses(event: Mapping[str, Any]) -> tuple[News, ...]:
    """Return the news of one SES event, one for each address that it names.

    Args:
        event: Parsed JSON of a notification that was proved genuine, or of a file that the operator gave.
    Returns:
        Nothing for what is no SES event.
    Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    name = text(event.get("eventType")) or text(event.get("notificationType"))
    mail = record(event.get("mail"))
    message_id = text(mail.get("messageId"))
    if not name or not message_id:
        return ()
    body = record(event.get(name[:1].lower() + name[1:]))
    return tuple(_news(name, body, mail, message_id))


def _news(name: str, body: Mapping[str, Any], mail: Mapping[str, Any], message_id: str) -> Iterator[News]:
    kind, detail = _meaning(name, body)
    feedback = text(body.get("feedbackId"))
    at = moment(body.get("timestamp")) or moment(mail.get("timestamp"))
    for number, (address, status) in enumerate(_whom(name, body, mail)):
        mark = feedback or (at.isoformat() if at else "")
        event_id = "/".join(("ses", message_id, name.lower(), mark, str(number)))
        yield News(event_id, kind, Channel.EMAIL, _piece(mail), address, word(f"{detail} {status}"), at)


def _meaning(name: str, body: Mapping[str, Any]) -> tuple[NewsKind, str]:
    if name != "Bounce":
        return _SIMPLE.get(name, NewsKind.OTHER), f"{name} {text(body.get('complaintFeedbackType'))}"
    major, minor = text(body.get("bounceType")), text(body.get("bounceSubType"))
    # "Suppressed" is SES's own list: the address bounced for another sender; nothing was tried.
    kind = NewsKind.BOUNCED if major == "Permanent" else NewsKind.FAILED
    return kind, f"{major}-{minor}"


def _whom(name: str, body: Mapping[str, Any], mail: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return addresses with the status of each; our pieces have one address, so the mail's own stands in."""
    listed = records(body.get({"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}.get(name, "-")))
    found = [(text(one.get("emailAddress")), _status(text(one.get("status")))) for one in listed]
    return [one for one in found if one[0]] or [(first_text(mail.get("destination")), "")]


def _status(given: str) -> str:
    match = _STATUS.search(given)
    return match[0] if match else ""


def _piece(mail: Mapping[str, Any]) -> str:
    """Return the piece: from the tag we gave the message, else from the headers it had."""
    tagged = piece_in(first_text(record(mail.get("tags")).get("piece")))
    if tagged:
        return tagged
    for header in records(mail.get("headers")):
        if text(header.get("name")).title() == "Message-Id" and piece_in(text(header.get("value"))):
            return piece_in(text(header.get("value")))
    return piece_in(text(record(mail.get("commonHeaders")).get("messageId")))
