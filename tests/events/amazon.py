"""Amazon's side for tests: a certificate of our own making, notifications signed with it, events as documented."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


@cache
def key(size: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


@cache
def certificate(
    name: str = "sns.amazonaws.com", *, size: int = 2048, number: int = 0, since: int = -30, until: int = 300
) -> bytes:
    """Return a certificate in PEM; days are counted from NOW."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(subject, subject, key(size, number).public_key(), x509.random_serial_number())
    made = made.not_valid_before(NOW + timedelta(days=since)).not_valid_after(NOW + timedelta(days=until))
    return made.sign(key(size, number), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def sign(fields: dict[str, Any], *, version: str = "2", number: int = 0, size: int = 2048) -> dict[str, Any]:
    """Sign as Amazon does: names and values of the signed fields in the order of the alphabet, a line each."""
    names = [name for name in _SIGNED.get(fields["Type"], _SIGNED["Notification"]) if name in fields]
    text = "".join(f"{name}\n{fields[name]}\n" for name in names)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = key(size, number).sign(text.encode(), padding.PKCS1v15(), algorithm)
    return fields | {"SignatureVersion": version, "Signature": base64.b64encode(signature).decode()}


def notification(message: object, *, version: str = "2", message_id: str = "m-1", **changes: Any) -> dict[str, Any]:
    """Return a signed notification; changes are made before it is signed."""
    fields = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-02T11:59:58.000Z",
        "SigningCertURL": CERTIFICATE,
    } | changes
    return sign(fields, version=version)


def subscription(**changes: Any) -> dict[str, Any]:
    fields = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "m-2",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe",
        "Token": "token-1",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "Timestamp": "2026-11-02T11:59:58.000Z",
        "SigningCertURL": CERTIFICATE,
    } | changes
    return sign(fields)


def ses_event(name: str, piece: str, address: str = "ann@example.org", **body: Any) -> dict[str, Any]:
    """Return an event as SES publishes it."""
    mail = {
        "timestamp": "2026-11-02T11:59:00.000Z",
        "messageId": f"ses-{piece}",
        "source": "post@northwind.example",
        "destination": [address],
        "tags": {"piece": [piece], "ses:configuration-set": ["ccm"]},
    }
    standard: dict[str, dict[str, Any]] = {
        "Delivery": {"timestamp": "2026-11-02T11:59:30.000Z", "recipients": [address], "smtpResponse": "250 ok"},
        "Bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": address, "status": "5.1.1", "action": "failed"}],
            "timestamp": "2026-11-02T11:59:40.000Z",
            "feedbackId": f"b-{piece}",
        },
        "Complaint": {
            "complainedRecipients": [{"emailAddress": address}],
            "complaintFeedbackType": "abuse",
            "timestamp": "2026-11-02T12:30:00.000Z",
            "feedbackId": f"c-{piece}",
        },
        "DeliveryDelay": {"timestamp": "2026-11-02T11:59:20.000Z", "delayType": "MailboxFull"},
        "Open": {"timestamp": "2026-11-02T12:10:00.000Z", "ipAddress": "192.0.2.1"},
        "Send": {},
    }
    return {"eventType": name, "mail": mail, name[:1].lower() + name[1:]: standard[name] | body}
