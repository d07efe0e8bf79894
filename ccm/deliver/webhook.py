"""Pieces of any channel to a system of one's own: a signed HTTP POST, for in-app messages, push and all else.

Source: https://github.com/standard-webhooks/standard-webhooks (headers, signature, key format).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import ClassVar, Self

from ccm.deliver.exchange import Exchange, Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import (
    Attachment,
    Capabilities,
    DocumentRendition,
    EmailRendition,
    Envelope,
    Receipt,
    ReceiptStatus,
    Rendition,
    SmsRendition,
    SocialRendition,
)

TYPE = "ccm.piece"
SETTINGS = frozenset({"url", "secret", "secret_file", "deduplicates", "timeout_seconds", "ca_file", "connections"})
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_MEDIA_TYPES = {Channel.EMAIL: "message/rfc822", Channel.DOCUMENT: "application/pdf"}


class WebhookAdapter(Adapter):
    """Posts each piece with its id as `webhook-id`; any 2xx accepts it.

    Whether the receiver drops a second POST of the same id only its operator knows: `deduplicates: yes` says so, and then
    a lost answer is tried again instead of being unknown.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=tuple(Channel), concurrency=8)
    how_to_look_up: ClassVar[str] = "search the receiver's log for the webhook-id, which is the piece id"

    def __init__(
        self,
        provider: str,
        exchange: Exchange,
        url: str,
        keys: tuple[bytes, ...],
        *,
        deduplicates: bool = False,
        connections: int = 8,
    ) -> None:
        self._provider = provider
        self._exchange = exchange
        self._url = url
        self._keys = keys
        self._deduplicates = deduplicates
        self._connections = connections

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; connects at the first piece."""
        given = ProviderSettings(provider, settings, root=root, known=SETTINGS)
        url = given.address("url")
        keys = tuple(_key(given, text) for text in given.secret("secret").split())
        connections = given.count("connections", 8, largest=200)
        exchange = Exchange(
            provider,
            timeout_seconds=given.seconds("timeout_seconds", 15.0),
            ca_file=given.file("ca_file"),
            connections=connections,
            remedy="check `secret` and what else the receiver wants to see",
        )
        deduplicates = given.choice("deduplicates", "no", ("yes", "no")) == "yes"
        return cls(provider, exchange, url, keys, deduplicates=deduplicates, connections=connections)

    def deliver(self, envelope: Envelope) -> Receipt:
        """Post once."""
        content = build(envelope)
        headers = {
            "content-type": "application/json",
            **signed(envelope.key, content, self._keys, sent_at=int(time.time())),
        }
        try:
            answer = self._exchange.call("POST", self._url, headers=headers, content=content)
        except Setback as setback:
            if self._deduplicates and setback.status is ReceiptStatus.UNKNOWN:
                setback = Setback(ReceiptStatus.DEFERRED, setback.text)
            return setback.receipt(envelope.key, self._provider)
        return Receipt(
            envelope.key, ReceiptStatus.ACCEPTED, self._provider, answer.word("id"), provider_status=str(answer.code)
        )

    def verify(self) -> None:
        """Ask the receiver for its headers only: is it there, is its certificate trusted, does it send us elsewhere?"""
        try:
            answer = self._exchange.send("HEAD", self._url)
        except Setback as setback:
            message, remedy = f"the receiver does not answer ({setback.text})", "check `url`, or wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True) from None
        if 300 <= answer.code < 400:
            raise self._exchange.fault(f"the receiver is elsewhere ({answer.code})", "give its own address as `url`")
        if answer.code >= 500 and answer.code != 501:
            message, remedy = f"the receiver is out of order ({answer.code})", "mend it, or wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True)

    def close(self) -> None:
        """Give back connections."""
        self._exchange.close()


def build(envelope: Envelope) -> bytes:
    """Make the body; the same piece always gives the same bytes."""
    data: dict[str, object] = {
        "piece": envelope.key,
        "channel": str(envelope.channel),
        "sender": envelope.sender,
        "address": envelope.address,
        "tags": dict(envelope.tags),
        **_texts(envelope.rendition),
        "content": {
            "media_type": _MEDIA_TYPES.get(envelope.channel, "text/plain; charset=utf-8"),
            "sha256": hashlib.sha256(envelope.rendition.content).hexdigest(),
            "base64": base64.b64encode(envelope.rendition.content).decode(),
        },
    }
    return json.dumps({"type": TYPE, "data": data}, ensure_ascii=False, separators=(",", ":")).encode()


def signed(key: str, content: bytes, keys: tuple[bytes, ...], *, sent_at: int) -> dict[str, str]:
    """Return the headers of a signed message.

    Args:
        keys: During a change of secrets two, so that the receiver can know either.
        sent_at: Seconds since 1970; a receiver refuses old ones, so that a copy cannot be played again.
    """
    message = f"{key}.{sent_at}.".encode() + content
    signatures = (base64.b64encode(hmac.new(one, message, hashlib.sha256).digest()).decode() for one in keys)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _texts(rendition: Rendition) -> dict[str, object]:
    """Return what a receiver shows, by name."""
    match rendition:
        case EmailRendition():
            return {
                "subject": rendition.subject,
                "preheader": rendition.preheader,
                "text": rendition.text,
                "html": rendition.html,
            }
        case SmsRendition():
            return {"text": rendition.text, "segments": list(rendition.segments)}
        case DocumentRendition():
            return {"title": rendition.title, "filename": rendition.filename, "pages": rendition.pages}
        case SocialRendition():
            card = {"card": _card(rendition.card)} if rendition.card else {}
            return {"text": rendition.text, "language": rendition.language, **card}


def _card(card: Attachment) -> dict[str, str]:
    return {
        "filename": card.filename,
        "media_type": card.media_type,
        "alt": card.alt,
        "base64": base64.b64encode(card.content).decode(),
    }


def _key(given: ProviderSettings, text: str) -> bytes:
    """Read one secret, `whsec_` and base64."""
    remedy = "write whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)"
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise given.wrong("setting secret is no webhook secret", remedy)
    return key
