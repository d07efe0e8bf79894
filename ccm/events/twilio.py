"""Twilio's callbacks: is this one genuine, what became of a text message, what somebody answered.

Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ccm.events.reading import piece_in, word
from ccm.events.sms_words import meaning
from ccm.model.definitions import Channel
from ccm.model.permissions import News, NewsKind

_ARRIVED = frozenset({"delivered", "read"})
_NOT_ARRIVED = frozenset({"undelivered", "failed"})
_GONE = frozenset({"21211", "21214", "21614", "30005", "30006"})  # no such number, no mobile, a landline
_LEFT = frozenset({"21610"})  # answered STOP before
_DEFAULT_PORTS = {"https": 443, "http": 80}

Parameters = Sequence[tuple[str, str]]


def is_genuine(token: str, url: str, body: bytes, content_type: str, signature: str) -> bool:
    """Tell whether Twilio signed exactly this request.

    Args:
        token: The account's auth token; without one nothing is genuine.
        url: What Twilio called, with scheme, host and query as it wrote them. The port may stand in it or not.
        body: A form, or anything else with its hash in the query as `bodySHA256`.
        signature: Header X-Twilio-Signature.
    """
    if not token or not signature:
        return False
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        signed = "".join(name + value for name, value in _sorted(form(body)))
    else:
        hashed = [value for name, value in parse_qsl(urlsplit(url).query) if name == "bodySHA256"]
        if len(hashed) != 1 or not hmac.compare_digest(hashed[0].lower(), hashlib.sha256(body).hexdigest()):
            return False
        signed = ""
    fitting = False
    for address in _with_and_without_port(url):
        digest = hmac.digest(token.encode(), (address + signed).encode("utf-8", "surrogatepass"), "sha1")
        expected = base64.b64encode(digest).decode("ascii")
        fitting |= hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    return fitting


def form(body: bytes) -> Parameters:
    """Return the fields of a form, as often as they come."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def read_status(query: Parameters, fields: Parameters) -> tuple[News, ...]:
    """Return what became of a text message; the piece stands in the query, which Twilio's signature covers."""
    given = _once(fields)
    sid, status, code = given.get("MessageSid", ""), given.get("MessageStatus", "").lower(), given.get("ErrorCode", "")
    if not sid or not status:
        return ()
    kind = NewsKind.DELIVERED if status in _ARRIVED else NewsKind.OTHER
    if status in _NOT_ARRIVED:
        kind = NewsKind.BOUNCED if code in _GONE else NewsKind.STOPPED if code in _LEFT else NewsKind.FAILED
    piece = piece_in(_once(query).get("piece", ""))
    event_id = f"twilio/{word(sid)}/{word(status)}"
    detail = word(f"{status} {code}")
    sender = given.get("From", "")
    return (News(event_id, kind, Channel.SMS, piece, given.get("To", ""), detail, sender=sender),)


def read_inbound(fields: Parameters) -> tuple[News, ...]:
    """Return what somebody answered, if we know the word; nothing for any other text."""
    given = _once(fields)
    sid, author = given.get("MessageSid", ""), given.get("From", "")
    found = meaning(given.get("Body", ""))
    if not sid or not author or found is None:
        return ()
    event_id = f"twilio/{word(sid)}/inbound"
    return (News(event_id, found.kind, Channel.SMS, "", author, found.language, sender=given.get("To", "")),)


def answered_by_twilio(fields: Parameters) -> bool:
    """Tell whether Twilio answers the sender itself; then nobody else must."""
    return bool(_once(fields).get("OptOutType"))


def _once(fields: Parameters) -> Mapping[str, str]:
    """Return fields that come exactly once; which of several counts nobody can know."""
    names = [name for name, _ in fields]
    return {name: value for name, value in fields if names.count(name) == 1}


def _sorted(fields: Parameters) -> Parameters:
    return sorted(set(fields))


def _with_and_without_port(url: str) -> tuple[str, ...]:
    """Return the address as it is, without its port, and with the port that its scheme implies.

    Why: Twilio signs what it called, and whether it names the default port has changed over the years.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
    forms = (parts.netloc, host, f"{host}:{port}" if port else host)
    return tuple(dict.fromkeys(urlunsplit(parts._replace(netloc=netloc)) for netloc in forms))
