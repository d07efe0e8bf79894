"""Nothing is too long: segments, characters of a network, bytes of a message."""

from __future__ import annotations

from collections.abc import Iterator

from ccm.check.rules import CLIPPED_BYTES, CheckRules
from ccm.check.texts import Reading
from ccm.diagnostics import Severity
from ccm.model.records import Composed, EmailRendition, Finding, SmsRendition, SocialRendition

# 16-bit units or septets of a whole message and of each part of a longer one (3GPP TS 23.040).
_ROOM = {"gsm7": (160, 153), "ucs2": (70, 67)}
_ESCAPED = frozenset("\f^{}\\[~]|€")


def limits(reading: Reading, composed: Composed, rules: CheckRules) -> Iterator[Finding]:
    """Find what is over a limit, counted anew and not believed from composing."""
    rendition = reading.rendition

    def finding(code: str, message: str, remedy: str, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(code, message, remedy, rendition.piece_id, rendition.channel, severity)

    largest = rules.largest.get(rendition.channel)
    if largest is not None and len(rendition.content) > largest:
        message = f"it has {len(rendition.content):,} bytes and its provider takes {largest:,}"
        yield finding("too-large-for-provider", message, "shorten it, or use another provider for the channel")
    match rendition:
        case SmsRendition(segments=segments):
            if len(segments) > rules.sms_segments:
                message = f"the text message needs {len(segments)} segments and the limit is {rules.sms_segments}"
                yield finding("sms-too-long", message, "shorten the text or raise max_segments")
            if not _fits(rendition):
                message = "the segments do not hold the text, or one is longer than carriers take"
                yield finding("sms-segments-wrong", message, "report it: composing split the text wrongly")
        case SocialRendition(length=length, limit=limit):
            if length > limit:
                message = f"the post counts {length} and {rendition.channel} takes {limit}"
                yield finding("social-too-long", message, f"cut {length - limit}")
        case EmailRendition(message=message_bytes, html=html):
            if len(message_bytes) > rules.max_email_bytes:
                message = f"the message has {len(message_bytes):,} bytes and the limit is {rules.max_email_bytes:,}"
                yield finding("email-too-large", message, "use smaller images or link the document")
            size = len(html.encode())
            if size > CLIPPED_BYTES:
                message = f"the HTML has {size:,} bytes; Gmail cuts it off after {CLIPPED_BYTES:,}"
                yield finding(
                    "gmail-clips", message, "shorten the email; move detail into the document", Severity.WARNING
                )


def _fits(sms: SmsRendition) -> bool:
    single, part = _ROOM[sms.alphabet]
    room = single if len(sms.segments) == 1 else part
    return "".join(sms.segments) == sms.text and all(_units(one, sms.alphabet) <= room for one in sms.segments)


def _units(segment: str, alphabet: str) -> int:
    if alphabet == "gsm7":
        return len(segment) + sum(character in _ESCAPED for character in segment)
    return len(segment.encode("utf-16-le")) // 2
