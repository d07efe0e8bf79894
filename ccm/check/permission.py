"""Marketing carries a way out: the unsubscribe headers, the link in the body, a word in the text message."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from email import policy
from email.parser import BytesHeaderParser

from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
from ccm.model.definitions import Purpose
from ccm.model.records import Composed, EmailRendition, Finding, SmsRendition

# "STOP" is what carriers listen to in every language; a link must say that it is for leaving.
_WAY_OUT = re.compile(r"\bSTOP\b|https://\S*(?:unsub|opt-?out|stop)", re.IGNORECASE)
_HEADERS_END = re.compile(rb"\r?\n\r?\n")


def permission(reading: Reading, composed: Composed, rules: CheckRules) -> Iterator[Finding]:
    """Find marketing that cannot be unsubscribed from."""
    if rules.purpose is not Purpose.MARKETING:
        return
    rendition = reading.rendition
    if isinstance(rendition, EmailRendition):
        yield from _email(rendition)
    if isinstance(rendition, SmsRendition) and not _WAY_OUT.search(rendition.text):
        message = "the text message names no way to unsubscribe"
        remedy = 'add "Reply STOP" in the recipient\'s language, or a link'
        yield Finding("sms-opt-out-missing", message, remedy, rendition.piece_id, rendition.channel)


def _email(email: EmailRendition) -> Iterator[Finding]:
    end = _HEADERS_END.search(email.message)
    head = email.message[: end.end()] if end else email.message
    headers = BytesHeaderParser(policy=policy.default).parsebytes(head)
    remedy = "set unsubscribe_url in the brand's email sender and print message.unsubscribe_url in the footer"
    ways = re.findall(r"<\s*([^>\s]+)\s*>", str(headers.get("List-Unsubscribe", "")))
    addresses = [way for way in ways if way.startswith("https://")]
    if not addresses or str(headers.get("List-Unsubscribe-Post", "")).strip() != "List-Unsubscribe=One-Click":
        message = "a marketing email has no one-click unsubscribe headers"
        yield Finding("missing-unsubscribe", message, remedy, email.piece_id, email.channel)
    for name, body in (("HTML", html.unescape(email.html)), ("text", email.text)):
        if addresses and not any(address in body for address in addresses):
            message = f"the {name} of a marketing email does not show the unsubscribe link"
            yield Finding("unsubscribe-link-missing", message, remedy, email.piece_id, email.channel)
