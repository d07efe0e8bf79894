"""Posts on a Facebook page through the Graph API: one request, with the picture and its alt text inside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self
from urllib.parse import urlencode

from ccm.deliver.exchange import Answer, Exchange, Setback, unreadable
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, Capabilities, Envelope, Receipt, ReceiptStatus, SocialRendition

SETTINGS = frozenset({"page", "access_token", "access_token_file", "version", "service", "timeout_seconds", "ca_file"})
_REMEDY = "check `page` and `access_token`: a page access token with pages_manage_posts and pages_read_engagement"

# Source: https://developers.facebook.com/docs/graph-api/guides/error-handling and …/overview/rate-limiting
_BUSY = frozenset({"4", "17", "32", "341", "613", "80001"})  # too many calls: not carried out
_NOT_ALLOWED = frozenset({"3", "10", "102", "190", *map(str, range(200, 300))})  # token or permission
_ITS_OWN_FAULT = frozenset({"1", "2"})  # "possibly temporary": says nothing about the post


class FacebookAdapter(Adapter):
    """Posts each piece once. The Graph API takes no key of ours, so a lost answer stays unknown."""

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.FACEBOOK,), concurrency=1)
    how_to_look_up: ClassVar[str] = "look at the page's posts of that time: Facebook does not know the piece id"

    def __init__(self, provider: str, exchange: Exchange, page_address: str, token: str) -> None:
        self._provider = provider
        self._exchange = exchange
        self._page = page_address
        self._headers = {"authorization": f"Bearer {token}"}  # never in the address, which others log

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; sends nothing yet."""
        given = ProviderSettings(provider, settings, root=root, known=SETTINGS)
        page, version = given.required("page", "104567890123456"), given.optional("version", "v25.0")
        if not re.fullmatch(r"[0-9]{1,32}", page):
            raise given.wrong("setting page is wrong", "give the page's number, not its name")
        if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]{1,2}", version):
            raise given.wrong("setting version is wrong", "write it like v25.0")
        exchange = Exchange(
            provider,
            timeout_seconds=given.seconds("timeout_seconds", 30.0),
            ca_file=given.file("ca_file"),
            remedy=_REMEDY,
        )
        service = given.address("service", "https://graph.facebook.com")
        return cls(provider, exchange, f"{service}/{version}/{page}", given.secret("access_token"))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Post once."""
        rendition = envelope.rendition
        if not isinstance(rendition, SocialRendition):
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self._provider, provider_status="not a post")
        post = build(rendition)
        headers = {**self._headers, "content-type": post.media_type}
        try:
            answer = self._exchange.call(
                "POST", f"{self._page}/{post.edge}", headers=headers, content=post.body, reader=self._read
            )
            ident = answer.word("post_id") or answer.word("id")
            if not ident:
                raise unreadable(answer)
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, ident, "posted")

    def verify(self) -> None:
        """Read the page's number with the page's token."""
        self._about("id")

    def account(self) -> frozenset[str]:
        """Return the page's name in addresses, and its number; nothing for a page that has no such name."""
        found = self._about("id,username")
        return frozenset((found.word("username"), found.word("id"))) if found.word("username") else frozenset()

    def _about(self, fields: str) -> Answer:
        try:
            return self._exchange.call("GET", f"{self._page}?fields={fields}", headers=self._headers, reader=self._read)
        except Setback as setback:
            message, remedy = f"the page cannot be read ({setback.text})", "check `page`, or wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True) from None

    def close(self) -> None:
        """Give back the connection."""
        self._exchange.close()

    def _read(self, answer: Answer) -> Setback | DeliveryError | None:
        """Read the Graph API's own code, which says more than the status beside it."""
        code = answer.word("error", "code")
        text = f"{answer.code} {code}".strip()
        if code in _BUSY:
            return Setback(ReceiptStatus.DEFERRED, text, answer.wait_seconds)
        if code in _NOT_ALLOWED:
            return self._exchange.fault(f"the provider refuses the credentials ({text})", _REMEDY)
        if code in _ITS_OWN_FAULT:
            return Setback(ReceiptStatus.UNKNOWN, text)
        return self._exchange.judge(answer, code)


@dataclass(frozen=True)
class Post:
    """One request.

    edge: feed for a text, photos for a text with its picture.
    """

    edge: str
    media_type: str
    body: bytes


def build(rendition: SocialRendition) -> Post:
    """Make the request of a post.

    Source: https://developers.facebook.com/docs/pages-api/posts and …/docs/graph-api/reference/page/photos.
    """
    if rendition.card is None:
        fields = {"message": rendition.text, "published": "true"}
        return Post("feed", "application/x-www-form-urlencoded", urlencode(fields).encode())
    fields = {"caption": rendition.text, "published": "true", "alt_text_custom": rendition.card.alt}
    fields = {name: value for name, value in fields.items() if value}
    boundary = "ccm-" + hashlib.sha256(rendition.card.content + rendition.content).hexdigest()
    body = multipart(fields, rendition.card, boundary)
    return Post("photos", f"multipart/form-data; boundary={boundary}", body)


def multipart(fields: Mapping[str, str], picture: Attachment, boundary: str) -> bytes:
    """Make a form with one file, named `source`.

    Source: RFC 7578.
    """
    ending = {"image/jpeg": "jpg", "image/webp": "webp"}.get(picture.media_type, "png")
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{value}\r\n".encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="source"; filename="card.{ending}"\r\n'
        f"Content-Type: {picture.media_type}\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), picture.content, f"\r\n--{boundary}--\r\n".encode()])
