"""Delivery reports (RFC 3464), spam complaints (RFC 5965) and requests to leave, by mail. Anybody can write such a mail.

So a report counts only for a piece that is ours, found by an id that nobody can guess, and its address only if it is the
piece's own; that is looked up by whoever applies the news.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser

from ccm.events.leaving_mails import read_leaving
from ccm.events.reading import mail_date, piece_in, word
from ccm.model.definitions import Channel
from ccm.model.permissions import News, NewsKind

LARGEST_BYTES = 2 * 1024 * 1024
MOST_RECIPIENTS = 50
MOST_PARTS = 50

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_SPAM = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "complaint", "virus"})
# 5.x.x that speak of a full mailbox, size, policy or the message, and not of an address that does not exist.
_PASSING = re.compile(r"5\.(2\.[2-4]|3\.\d+|4\.\d+|5\.\d+|6\.\d+|7\.\d+)")


def read_report(raw: bytes) -> tuple[News, ...]:
    """Return the news of one mail; nothing for a mail that says none, or that cannot be read.

    Args:
        raw: The whole mail; only the first `LARGEST_BYTES` count.
    """
    try:
        mail = BytesParser(policy=policy.compat32).parsebytes(raw[:LARGEST_BYTES])
        parts = [part for _, part in zip(range(MOST_PARTS), mail.walk(), strict=False)]
        kinds = {part.get_content_type() for part in parts}
        mark = hashlib.sha256((_header(mail, "Message-ID") or "").encode() or raw[:LARGEST_BYTES]).hexdigest()[:32]
        if "message/delivery-status" in kinds:
            return tuple(_deliveries(mail, parts, mark))
        if "message/feedback-report" in kinds:
            return tuple(_complaint(mail, parts, mark))
        return read_leaving(mail, mark)
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError):
        pass  # mails are broken in more ways than the standard library knows
    return ()


def _deliveries(mail: Message, parts: list[Message], mark: str) -> Iterator[News]:
    piece = _piece(mail, parts)
    for number, block in enumerate(_blocks(parts, "message/delivery-status")):
        action = _header(block, "action").lower().partition(" ")[0]
        status = _STATUS.search(_header(block, "status")) or _STATUS.search(_header(block, "Diagnostic-Code"))
        if not action or number > MOST_RECIPIENTS:
            continue
        address = _typed(_header(block, "Original-Recipient")) or _typed(_header(block, "Final-Recipient"))
        detail = word(f"{action} {status[0] if status else ''}")
        kind = _delivery_kind(action, status[0] if status else "")
        event_id = f"mail/{mark}/{number}/{word(action)}"
        yield News(event_id, kind, Channel.EMAIL, piece, address, detail, mail_date(mail), proved=False)


def _delivery_kind(action: str, status: str) -> NewsKind:
    if action == "delivered":
        return NewsKind.DELIVERED
    if action == "delayed":
        return NewsKind.DELAYED
    if action != "failed":
        return NewsKind.OTHER  # relayed or expanded: nobody tells whether it arrived
    return NewsKind.BOUNCED if status.startswith("5") and not _PASSING.fullmatch(status) else NewsKind.FAILED


def _complaint(mail: Message, parts: list[Message], mark: str) -> Iterator[News]:
    for number, block in enumerate(_blocks(parts, "message/feedback-report")):
        what = _header(block, "Feedback-Type").lower()
        if not what:
            continue
        kind = NewsKind.COMPLAINED if what in _SPAM else NewsKind.OTHER
        address = _typed(_header(block, "Original-Rcpt-To")) or _typed(_header(block, "Removal-Recipient"))
        event_id = f"mail/{mark}/{number}/{word(what)}"
        yield News(
            event_id, kind, Channel.EMAIL, _piece(mail, parts), address, word(what), mail_date(mail), proved=False
        )
        return


def _blocks(parts: list[Message], kind: str) -> Iterator[Message]:
    """Yield the groups of fields inside a report's machine-readable part."""
    for part in parts:
        payload = part.get_payload() if part.get_content_type() == kind else ()
        if isinstance(payload, list):
            yield from (block for block in payload if isinstance(block, Message))


def _piece(mail: Message, parts: list[Message]) -> str:
    """Return the piece that a report is about.

    The original message's own Message-ID counts first, then what the report says it answers, then an address of ours
    that it was sent to (`bounces+<piece>@…`).
    """
    for part in parts:
        if part.get_content_type() in (
            "message/rfc822",
            "text/rfc822-headers",
            "message/global",
            "message/rfc822-headers",
        ):
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else None
            if isinstance(inner, Message) and piece_in(_header(inner, "Message-ID")):
                return piece_in(_header(inner, "Message-ID"))
            if isinstance(payload, str) and (found := piece_in(_message_id(payload))):
                return found
    for name in ("In-Reply-To", "references", "Original-Message-Id"):
        if found := piece_in(_header(mail, name)):
            return found
    for name in ("to", "Delivered-To", "X-Original-To"):
        if found := piece_in(_header(mail, name).lower()):
            return found
    return ""


def _message_id(headers: str) -> str:
    match = re.search(r"^message-id:[ \t]*(?:\r?\n[ \t]+)?(\S{1,300})", headers[:65_536], re.IGNORECASE | re.MULTILINE)
    return match[1] if match else ""


def _header(message: Message, name: str) -> str:
    """Return a header as text, unfolded; nothing if it is absent."""
    value = message.get(name)
    return " ".join(str(value).split())[:2000] if value is not None else ""


def _typed(value: str) -> str:
    """Return the address of `rfc822; name@example.com`, without angle brackets."""
    kind, semicolon, address = value.rpartition(";")
    if semicolon and kind.strip().lower() not in ("rfc822", "utf-8"):
        return ""
    return address.strip().strip("<>").strip()
