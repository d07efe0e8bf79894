"""Twilio's callbacks: signed by the account's token over the exact address and fields, or refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest

from ccm.events.twilio import answered_by_twilio, form, is_genuine, read_inbound, read_status
from ccm.model.definitions import Channel
from ccm.model.permissions import NewsKind

TOKEN = "12345678901234567890123456789012"
PIECE = "p-" + "a" * 26
URL = f"https://mail.example.com/hooks/twilio/status?piece={PIECE}"
FIELDS = [("MessageSid", "SM1"), ("MessageStatus", "delivered"), ("To", "+12025550123"), ("From", "+12025550199")]
FORM = "application/x-www-form-urlencoded"


def body(fields: list[tuple[str, str]] = FIELDS) -> bytes:
    return urlencode(fields).encode()


def signature(url: str = URL, fields: list[tuple[str, str]] = FIELDS, token: str = TOKEN) -> str:
    """Sign by Twilio's own library, which is the oracle here."""
    from twilio.request_validator import RequestValidator

    return str(RequestValidator(token).compute_signature(url, dict(fields)))


def taken(url: str = URL, sent: bytes | None = None, kind: str = FORM, signed: str | None = None) -> bool:
    return is_genuine(TOKEN, url, body() if sent is None else sent, kind, signature() if signed is None else signed)


def test_what_twilio_signs_is_taken() -> None:
    """A form, one with empty and non-ASCII values, with a charset, with and without the port."""
    assert taken()
    odd = [("Body", "Grüße ☂"), ("Empty", ""), ("a", "1"), ("B", "2"), ("MessageSid", "SM1")]
    assert taken(sent=body(odd), signed=signature(fields=odd))
    assert taken(kind="application/x-www-form-urlencoded; charset=UTF-8")
    with_port = URL.replace("example.com", "example.com:443")
    assert taken(signed=signature(with_port))
    assert taken(url=with_port)


def test_json_is_covered_by_its_hash() -> None:
    """The hash stands in the signed address."""
    sent = b'{"a":1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(sent).hexdigest()}"
    digest = hmac.digest(TOKEN.encode(), url.encode(), "sha1")
    signed = base64.b64encode(digest).decode()
    assert taken(url, sent, "application/json", signed)
    assert not taken(url, sent + b" ", "application/json", signed)
    assert not taken(f"{url}&bodySHA256=00", sent, "application/json", signed)
    assert not taken(URL, sent, "application/json", signature(fields=[]))  # signed, but the body is not covered


FORGERIES = {
    "no signature": {"signed": ""},
    "signature of another token": {"signed": signature(token="0" * 32)},
    "signature of another address": {"signed": signature(URL + "x")},
    "signature of other fields": {"signed": signature(fields=[*FIELDS, ("x", "y")])},
    "status changed": {"sent": body([("MessageSid", "SM1"), ("MessageStatus", "failed"), *FIELDS[2:]])},
    "field added": {"sent": body([*FIELDS, ("ErrorCode", "30005")])},
    "field taken away": {"sent": body(FIELDS[:-1])},
    "field doubled with another value": {"sent": body([*FIELDS, ("MessageStatus", "failed")])},
    "another piece": {"url": URL.replace("a" * 26, "b" * 26)},
    "query taken away": {"url": URL.partition("?")[0]},
    "query added": {"url": URL + "&x=1"},
    "http instead of https": {"url": URL.replace("https", "http")},
    "another host": {"url": URL.replace("example.com", "example.org")},
    "another path": {"url": URL.replace("status", "inbound")},
    "signature of another port": {"signed": signature(URL.replace("example.com", "example.com:8443"))},
    "form said to be JSON": {"kind": "application/json"},
    "signature in lower case": {"signed": signature().lower()},
    "signature with a blank": {"signed": signature() + " "},
    "signature in hexadecimal": {"signed": base64.b64decode(signature()).hex()},
    "signature of letters beyond ASCII": {"signed": "ä" * 28},
    "empty body": {"sent": b""},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(name: str) -> None:
    """Twenty-one forgeries; none is taken."""
    assert not taken(**FORGERIES[name])  # type: ignore[arg-type]


def test_without_a_token_nothing_is_taken() -> None:
    """An empty secret signs nothing, not even a signature made with an empty one."""
    assert not is_genuine("", URL, body(), FORM, signature(token=""))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("queued", "", NewsKind.OTHER),
        ("sent", "", NewsKind.OTHER),
        ("delivered", "", NewsKind.DELIVERED),
        ("read", "", NewsKind.DELIVERED),
        ("undelivered", "30005", NewsKind.BOUNCED),  # unknown number
        ("undelivered", "30006", NewsKind.BOUNCED),  # landline
        ("undelivered", "30003", NewsKind.FAILED),  # switched off
        ("failed", "21610", NewsKind.STOPPED),  # answered STOP before
        ("failed", "", NewsKind.FAILED),
        ("exploded", "", NewsKind.OTHER),
    ],
)
def test_what_became_of_a_text_message(status: str, code: str, kind: NewsKind) -> None:
    """Twilio's words and codes in ours; the piece is the one in the signed address."""
    fields = [("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", code), ("To", "+12025550123")]
    (news,) = read_status([("piece", PIECE)], fields)
    assert (news.kind, news.piece_id, news.address, news.channel) == (kind, PIECE, "+12025550123", Channel.SMS)
    assert news.event_id == f"twilio/SM1/{status}"
    assert "2025550123" not in repr(news)


def test_fields_that_come_twice_or_not_at_all_say_nothing() -> None:
    """Which of several counts nobody can know."""
    assert read_status([], [("MessageSid", "SM1"), ("MessageStatus", "sent"), ("MessageStatus", "failed")]) == ()
    assert read_status([("piece", PIECE)], [("MessageStatus", "delivered")]) == ()
    (news,) = read_status([("piece", PIECE), ("piece", "p-" + "b" * 26)], FIELDS)
    assert news.piece_id == ""
    assert form(b"\xff=%FF&a=") == [("�", "�"), ("a", "")]


def test_an_answer_is_read_by_its_word() -> None:
    """STOP in German from Germany; Twilio's own opt-out handling is known by its field."""
    fields = [("MessageSid", "SM2"), ("From", "+49301234567"), ("To", "+12025550199"), ("Body", " Stopp! ")]
    (news,) = read_inbound(fields)
    assert (news.kind, news.address, news.sender, news.detail) == (
        NewsKind.STOPPED,
        "+49301234567",
        "+12025550199",
        "de",
    )
    assert not answered_by_twilio(fields)
    assert answered_by_twilio([*fields, ("OptOutType", "STOP")])
    assert read_inbound([("MessageSid", "SM2"), ("From", "+49301234567"), ("Body", "When does the offer end?")]) == ()
