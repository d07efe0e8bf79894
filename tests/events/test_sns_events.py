"""Notifications of Amazon SNS: forged ones are refused, whatever is forged about them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from events.amazon import CERTIFICATE, NOW, TOPIC, certificate, notification, sign, subscription

from ccm.events.sns import LARGEST_BYTES, Forged, SnsMessage, certificate_region, genuine

Change = Callable[[dict[str, Any]], Any]


def check(body: bytes, pem: bytes | None = None, **changes: Any) -> SnsMessage:
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        assert address == CERTIFICATE
        return pem or certificate()

    return genuine(body, **{"topics": (TOPIC,), "certificate": fetch, "now": NOW} | changes)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_genuine_notification_is_taken(version: str) -> None:
    """Both versions of the signature, with and without a subject, and a subscription that waits."""
    for message in (notification("hello", version=version), notification("hello", version=version, Subject="s")):
        assert check(json.dumps(message).encode()).message == "hello"
    assert check(json.dumps(subscription()).encode()).token == "token-1"


def without(name: str) -> Change:
    return lambda fields: {key: value for key, value in fields.items() if key != name}


def with_(**changes: Any) -> Change:
    return lambda fields: fields | changes


FORGERIES: dict[str, Change] = {
    "message changed": with_(Message="evil"),
    "one letter added": lambda fields: fields | {"Message": fields["Message"] + " "},
    "id changed": with_(MessageId="m-9"),
    "time changed": with_(Timestamp="2026-11-03T00:00:00.000Z"),
    "subject added": with_(Subject="evil"),
    "type changed": with_(Type="SubscriptionConfirmation", Token="t", SubscribeURL="https://evil.example"),
    "unknown type": with_(Type="Admin"),
    "another topic": lambda fields: sign(fields | {"TopicArn": TOPIC + "-2"}),
    "topic in front of ours": lambda fields: sign(fields | {"TopicArn": TOPIC.replace("ses-events", "ses-events2")}),
    "topic of another account": lambda fields: sign(fields | {"TopicArn": TOPIC.replace("123456789012", "999999999999")}),
    "no signature": without("Signature"),
    "empty signature": with_(Signature=""),
    "signature is no base64": with_(Signature="!!!"),
    "signature with noise": lambda fields: fields | {"Signature": fields["Signature"][:8] + "\n" + fields["Signature"][8:]},
    "signature of another key": lambda fields: sign(fields, number=1),
    "signature of another version": with_(SignatureVersion="1"),
    "unknown version": with_(SignatureVersion="3"),
    "no version": without("SignatureVersion"),
    "version is a number": with_(SignatureVersion=2),
    "no certificate": without("SigningCertURL"),
    "message is no text": with_(Message={"a": 1}),
    "no message": without("Message"),
    "no id": without("MessageId"),
    "signed by itself": lambda fields: fields | {"Signature": base64.b64encode(b"x" * 256).decode()},
    "not a record": lambda fields: [fields],
    "region of another topic": lambda fields: sign(
        fields | {"SigningCertURL": CERTIFICATE.replace("eu-west-1", "us-east-1")}
    ),
}  # fmt: skip


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(name: str, version: str) -> None:
    """Fifty-two forgeries; none is taken."""
    message = notification("hello", version=version)
    if name == "signature of another version" and version == "1":
        message = notification("hello", version="2")
    forged = FORGERIES[name](message)
    with pytest.raises(Forged):
        check(json.dumps(forged).encode(), certificate())


def test_a_field_that_comes_twice_is_refused() -> None:
    """Two readers could take two values."""
    body = json.dumps(notification("hello"))
    with pytest.raises(Forged, match="form"):
        check((body[:-1] + ', "Message": "hello"}').encode())


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b"{" * 50, b"x" * (LARGEST_BYTES + 1)]
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    """Nothing of it is believed, and nothing breaks."""
    with pytest.raises(Forged):
        check(body)


@pytest.mark.parametrize(
    "pem",
    [
        certificate("evil.example"),
        certificate("sns.amazonaws.com.evil.example"),
        certificate("sns.amazonaws.com", number=1),  # Amazon's name on another key
        certificate(until=-1),
        certificate(since=1),
        certificate(size=1024),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"",
    ],
)
def test_a_certificate_that_is_not_amazons_is_refused(pem: bytes) -> None:
    """Wrong name, wrong key, expired, not valid yet, too weak, broken, empty."""
    body = json.dumps(notification("hello")).encode()
    with pytest.raises(Forged):
        check(body, pem or b"-")


def test_a_certificate_that_cannot_be_fetched_is_refused() -> None:
    """Whatever the reason; and one that has expired by now too."""

    def broken(address: str) -> bytes:
        raise RuntimeError("secret details")

    body = json.dumps(notification("hello")).encode()
    with pytest.raises(Forged, match="certificate unreachable"):
        check(body, certificate=broken)
    with pytest.raises(Forged, match="certificate expired"):
        check(body, now=NOW + timedelta(days=400))


HOST = "sns.eu-west-1.amazonaws.com"
FILE = "SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
TRICKS = [
    f"http://{HOST}/{FILE}",
    f"HTTPS://{HOST}/{FILE}",
    f"https://{HOST}.evil.example/{FILE}",
    f"https://evil.example/{HOST}/{FILE}",
    f"https://{HOST}@evil.example/{FILE}",
    f"https://user:pass@{HOST}/{FILE}",
    f"https://{HOST}:8443/{FILE}",
    f"https://{HOST}:443/{FILE}",
    f"https://{HOST}/{FILE}?x=1",
    f"https://{HOST}/{FILE}#x",
    f"https://{HOST}/../{FILE}",
    f"https://{HOST}/%2e%2e/{FILE}",
    f"https://{HOST}/a/{FILE}",
    f"https://{HOST}/{FILE}.txt",
    f"https://{HOST}/{FILE}\n",
    f" https://{HOST}/{FILE}",
    f"https://{HOST}\\@evil.example/{FILE}",
    f"https://{HOST}%00.evil.example/{FILE}",
    f"https://{HOST}./{FILE}",
    f"https://mybucket.s3.eu-west-1.amazonaws.com/{FILE}",
    f"https://sns.eu-west-1.s3.amazonaws.com/{FILE}",
    f"https://s3.amazonaws.com/sns.eu-west-1.amazonaws.com/{FILE}",
    f"https://sns.amazonaws.com/{FILE}",  # no region
    f"https://evilsns.eu-west-1.amazonaws.com/{FILE}",
    f"https://sns.eu-west-1.amazonaws.com.cn/{FILE}",  # a region that is not in China
    f"https://sns.cn-north-1.amazonaws.com/{FILE}",  # and one that is
    f"https://sns.eu-west-1.amazonaws.co/{FILE}",
    f"https://sns.eu-west-1-amazonaws.com/{FILE}",
    f"https://sns.eu_west_1.amazonaws.com/{FILE}",
    f"https://sns.ｅu-west-1.amazonaws.com/{FILE}",
    f"https://sns.eu-west-1.amazonaws.com/{FILE}".replace(".", "。"),
    f"https://[::1]/{FILE}",
    "https://sns.eu-west-1.amazonaws.com/",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("address", TRICKS)
def test_tricks_with_the_certificate_s_address_reach_nobody(address: str) -> None:
    """Nothing is fetched from anywhere but Amazon, however a signature looks."""
    assert certificate_region(address) is None
    fetched: list[str] = []
    message = sign(notification("hello") | {"SigningCertURL": address})

    def fetch(asked: str) -> bytes:
        fetched.append(asked)
        return certificate()

    with pytest.raises(Forged):
        genuine(json.dumps(message).encode(), topics=(TOPIC,), certificate=fetch, now=NOW)
    assert fetched == []


def test_amazons_own_addresses_pass() -> None:
    """Every partition's form."""
    assert certificate_region(CERTIFICATE) == "eu-west-1"
    assert certificate_region(f"https://sns.us-gov-west-1.amazonaws.com/{FILE}") == "us-gov-west-1"
    assert certificate_region(f"https://sns.cn-north-1.amazonaws.com.cn/{FILE}") == "cn-north-1"


def test_without_topics_nothing_is_taken() -> None:
    """An operator has to name what is listened to."""
    with pytest.raises(Forged, match="topic"):
        check(json.dumps(notification("hello")).encode(), topics=())
