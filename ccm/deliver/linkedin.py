"""Posts of an organisation on LinkedIn through the Posts API: reserve and upload the picture, post once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar, Self
from urllib.parse import urlsplit

from ccm.deliver.exchange import Answer, Exchange, Setback, nothing_posted, text_of, unreadable
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.provider_settings import ProviderSettings, is_loopback
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, Capabilities, Envelope, Receipt, ReceiptStatus, SocialRendition

SETTINGS = frozenset(
    {"author", "access_token", "access_token_file", "version", "service", "timeout_seconds", "ca_file"}
)
_REMEDY = "check `author` and `access_token`: it needs w_organization_social and lasts 60 days"
_AUTHOR = re.compile(r"urn:li:(organization|person):[A-Za-z0-9_-]{1,64}")
_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_HASHTAG = re.compile(r"(?<![\w&/#])[#＃](\w*[^\W\d_]\w*)")
_UPGRADE = 426


class LinkedInAdapter(Adapter):
    """Posts each piece once. LinkedIn takes no key of ours, so a lost answer stays unknown."""

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.LINKEDIN,), concurrency=1)
    how_to_look_up: ClassVar[str] = "look at the organisation's posts of that time: LinkedIn does not know the piece id"

    def __init__(
        self, provider: str, exchange: Exchange, service: str, author: str, headers: Mapping[str, str]
    ) -> None:
        self._provider = provider
        self._exchange = exchange
        self._service = service
        self._author = author
        self._headers = headers

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; sends nothing yet."""
        given = ProviderSettings(provider, settings, root=root, known=SETTINGS)
        author, version = given.required("author", "urn:li:organization:5515715"), given.required("version", "202610")
        if not _AUTHOR.fullmatch(author):
            raise given.wrong("setting author is wrong", "write it like urn:li:organization:5515715")
        if not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", version):
            raise given.wrong("setting version is wrong", "write the version's year and month like 202610")
        exchange = Exchange(
            provider,
            timeout_seconds=given.seconds("timeout_seconds", 30.0),
            ca_file=given.file("ca_file"),
            remedy=_REMEDY,
        )
        headers = {
            "authorization": f"Bearer {given.secret('access_token')}",
            "linkedin-version": version,
            "x-restli-protocol-version": "2.0.0",
        }
        return cls(provider, exchange, given.address("service", "https://api.linkedin.com"), author, headers)

    def deliver(self, envelope: Envelope) -> Receipt:
        """Post once."""
        rendition = envelope.rendition
        if not isinstance(rendition, SocialRendition):
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self._provider, provider_status="not a post")
        try:
            image = ""
            if rendition.card:
                with nothing_posted():
                    image = self._upload(rendition.card)
            answer = self._call("/rest/posts", build(rendition, self._author, image))
            ident = answer.headers.get("x-restli-id", "")
            if not ident:
                raise unreadable(answer)
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, ident, "posted")

    def verify(self) -> None:
        """Reserve a picture and leave it: this needs the same permission as a post, and nobody sees it."""
        try:
            self._reserve()
        except Setback as setback:
            message, remedy = f"the author cannot be used ({setback.text})", "check `author`, or wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True) from None

    def close(self) -> None:
        """Give back the connection."""
        self._exchange.close()

    def _upload(self, card: Attachment) -> str:
        address, image = self._reserve()
        headers = {"authorization": self._headers["authorization"], "content-type": "application/octet-stream"}
        self._exchange.call("PUT", address, headers=headers, content=card.content)
        return image

    def _reserve(self) -> tuple[str, str]:
        wanted = {"initializeUploadRequest": {"owner": self._author}}
        answer = self._call("/rest/images?action=initializeUpload", wanted)
        address, image = text_of(answer, "value", "uploadUrl"), text_of(answer, "value", "image")
        if not self._is_theirs(address):
            raise Setback(ReceiptStatus.REJECTED, "picture would go to a strange host")
        return address, image

    def _is_theirs(self, address: str) -> bool:
        """Tell whether the token may be shown to the host of an address."""
        parts = urlsplit(address)
        host = parts.hostname or ""
        own = urlsplit(self._service).hostname or ""
        return (parts.scheme == "https" and (host == own or host.endswith(".linkedin.com"))) or (
            is_loopback(own) and host == own
        )

    def _call(self, path: str, wanted: Mapping[str, object]) -> Answer:
        headers = {**self._headers, "content-type": "application/json"}
        content = json.dumps(wanted, ensure_ascii=False).encode()
        return self._exchange.call("POST", self._service + path, headers=headers, content=content, reader=self._read)

    def _read(self, answer: Answer) -> Setback | DeliveryError | None:
        word = answer.word("code")
        if answer.code == _UPGRADE or word in ("NONEXISTENT_VERSION", "VERSION_MISSING"):
            message = f"the API's version is no longer served ({answer.code} {word})"
            return self._exchange.fault(message, "set `version` to a month of the last year, such as 202610")
        return self._exchange.judge(answer, word)


def build(rendition: SocialRendition, author: str, image: str) -> dict[str, object]:
    """Make the body of a post.

    Args:
        image: URN of the uploaded picture; empty without one.
    Source: https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api.
    """
    post: dict[str, object] = {
        "author": author,
        "commentary": little_text(rendition.text),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if image and rendition.card:
        media = {"id": image, "altText": rendition.card.alt} if rendition.card.alt else {"id": image}
        post["content"] = {"media": media}
    return post


def little_text(text: str) -> str:
    """Write plain text in LinkedIn's format: its own signs escaped, hashtags as hashtags.

    Why: Reserved signs must be escaped wherever they stand; the service reads its own meaning into a bare one.
    Source: https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format.
    """
    written, end = [], 0
    for match in _HASHTAG.finditer(text):
        written += [_escaped(text[end : match.start()]), rf"{{hashtag|\#|{_escaped(match[1])}}}"]
        end = match.end()
    return "".join([*written, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)
