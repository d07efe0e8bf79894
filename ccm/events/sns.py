"""Notifications of Amazon SNS: is this one genuine? Checked before anything in it is believed.

Nothing that a message names is ever called: not its SubscribeURL, and its certificate only from a host that is exactly
Amazon's. A pattern that lets other hosts below amazonaws.com through lets anybody with a bucket sign.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

LARGEST_BYTES = 512 * 1024

# The whole address; no user, port, query, fragment, dots or percent signs have room in it.
_CERTIFICATE = re.compile(
    r"https://sns\.([a-z]{2,4}(?:-[a-z0-9]+){2,3})\.amazonaws\.com(\.cn)?/[A-Za-z0-9_-]{1,200}\.pem", re.ASCII
)
_TOPIC = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
_SIGNER = re.compile(r"sns(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?", re.ASCII)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = frozenset({"Subject"})

FetchCertificate = Callable[[str], bytes]


class Forged(Exception):
    """A callback that the provider did not sign like this; says which check failed, nothing of its content."""


@dataclass(frozen=True)
class SnsMessage:
    """A genuine notification.

    token: Of a subscription that waits to be confirmed; empty otherwise.
    """

    kind: str
    message_id: str
    topic: str
    message: str
    token: str = ""


def genuine(body: bytes, *, topics: Collection[str], certificate: FetchCertificate, now: datetime) -> SnsMessage:
    """Return the notification of a request's body.

    Args:
        topics: Topic ARNs that are taken; no other is.
        certificate: Fetches a certificate in PEM from an address that was checked here; may raise.
        now: Aware; the certificate must be valid at this time.
    Raises:
        Forged: If anything about it is not exactly as Amazon makes it.
    """
    fields = _fields(body)
    kind = fields.get("Type", "")
    if kind not in _SIGNED:
        raise Forged("type")
    topic = _TOPIC.fullmatch(fields.get("TopicArn", ""))
    if topic is None or topic[0] not in topics:
        raise Forged("topic")
    address = fields.get("SigningCertURL", "")
    region = certificate_region(address)
    if region is None or region != topic[1]:
        raise Forged("certificate address")
    try:
        pem = certificate(address)
    except Exception:
        raise Forged("certificate unreachable") from None
    _verify(fields, _key(pem, now))
    return SnsMessage(kind, fields["MessageId"], topic[0], fields["Message"], fields.get("Token", ""))


def certificate_region(address: str) -> str | None:
    """Return the region of a certificate's address, or None unless it is exactly one of Amazon SNS."""
    match = _CERTIFICATE.fullmatch(address)
    return match[1] if match and bool(match[2]) == match[1].startswith("cn-") else None


def _fields(body: bytes) -> Mapping[str, str]:
    """Return the texts of the message; a field that comes twice is refused, because two readers may take two values."""
    if len(body) > LARGEST_BYTES:
        raise Forged("size")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("twice")
        return found

    try:
        given = json.loads(body.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Forged("form") from None
    if not isinstance(given, dict):
        raise Forged("form")
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _verify(fields: Mapping[str, str], key: rsa.RSAPublicKey) -> None:
    algorithm = {"1": hashes.SHA1(), "2": hashes.SHA256()}.get(fields.get("SignatureVersion", ""))  # noqa: S303
    if algorithm is None:
        raise Forged("signature version")
    lines = []
    for name in _SIGNED[fields["Type"]]:
        if name in fields:
            lines += [name, fields[name]]
        elif name not in _OPTIONAL:
            raise Forged("field missing")
    try:
        signature = base64.b64decode(fields.get("Signature", ""), validate=True)
        key.verify(signature, ("\n".join(lines) + "\n").encode(), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        raise Forged("signature") from None


def _key(pem: bytes, now: datetime) -> rsa.RSAPublicKey:
    try:
        found = x509.load_pem_x509_certificate(pem)
        names = [str(name.value) for name in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = found.public_key()
    except Exception:  # a certificate may be broken in any way
        raise Forged("certificate") from None
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise Forged("certificate expired")
    if len(names) != 1 or not _SIGNER.fullmatch(names[0]):
        raise Forged("certificate name")
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise Forged("certificate key")
    return key
