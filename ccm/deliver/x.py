"""Posts on X through tweepy: upload the picture, describe it, post once."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ccm.deliver.exchange import Answer, Exchange, Setback, nothing_posted
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.packages import require_package
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, Capabilities, Envelope, Receipt, ReceiptStatus, SocialRendition

if TYPE_CHECKING:
    from tweepy import Client

BUILT_IN = "https://api.twitter.com"  # what tweepy 4 says; X's documentation says api.x.com
_SECRETS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
SETTINGS = frozenset(
    {*_SECRETS, *(f"{name}_file" for name in _SECRETS), "service", "timeout_seconds", "ca_file"},
)
_REMEDY = "check the app's keys and that it may read and write; make the access token again after changing that"


class XAdapter(Adapter):
    """Posts each piece once. X takes no key of ours, so a lost answer stays unknown."""

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.X,), concurrency=1)
    how_to_look_up: ClassVar[str] = "look at the account's posts of that time: X does not know the piece id"

    def __init__(self, provider: str, client: Client) -> None:
        self._provider = provider
        self._client = client

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; sends nothing yet."""
        given = ProviderSettings(provider, settings, root=root, known=SETTINGS)
        keys = {name: given.secret(name) for name in _SECRETS}
        exchange = Exchange(
            provider,
            timeout_seconds=given.seconds("timeout_seconds", 30.0),
            ca_file=given.file("ca_file"),
            remedy=_REMEDY,
        )
        return cls(provider, _client(provider, exchange, given.address("service", "https://api.x.com"), keys))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Post once."""
        rendition = envelope.rendition
        if not isinstance(rendition, SocialRendition):
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self._provider, provider_status="not a post")
        try:
            pictures = None
            if rendition.card:
                with nothing_posted():
                    pictures = [self._upload(rendition.card)]
            with _plain_faults():
                answer: Any = self._client.create_tweet(text=rendition.text or None, media_ids=pictures, user_auth=True)
                ident = str(answer["data"]["id"])
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, ident, "posted")

    def verify(self) -> None:
        """Ask who the access token belongs to."""
        self.account()

    def account(self) -> frozenset[str]:
        """Return the account's name."""
        try:
            with _plain_faults():
                found: Any = self._client.get_me(user_auth=True)
                name = str((found["data"] or {}).get("username") or "")
        except Setback as setback:
            message, remedy = f"the account cannot be read ({setback.text})", "wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True) from None
        return frozenset([f"@{name}"] if name else [])

    def close(self) -> None:
        """Give back the connection."""
        self._client.session.close()

    def _upload(self, card: Attachment) -> str:
        """Upload the picture and describe it; tweepy's own upload uses version 1.1, which X has switched off."""
        with _plain_faults():
            taken = self._client.request("POST", "/2/media/upload", json=picture_body(card), user_auth=True)
            ident = str(taken.json()["data"]["id"])
            if card.alt:
                described = {"id": ident, "metadata": {"alt_text": {"text": card.alt}}}
                self._client.request("POST", "/2/media/metadata", json=described, user_auth=True)
        return ident


def picture_body(card: Attachment) -> dict[str, str]:
    """Make the body of an upload.

    Source: https://docs.x.com/x-api/media/upload-media.
    """
    content = base64.b64encode(card.content).decode()
    return {"media": content, "media_category": "tweet_image", "media_type": card.media_type}


def read(answer: Answer) -> Setback | DeliveryError | None:
    """Tell a refused post from a refused app, which X both calls 403.

    Why: A problem about the app has a type of its own; one about the post, such as a duplicate, is "about:blank".
    Source: https://docs.x.com/x-api/fundamentals/response-codes-and-errors.
    """
    if answer.code == 403 and answer.json().get("type") == "about:blank":
        return Setback(ReceiptStatus.REJECTED, "403 Forbidden")
    return None


def _client(provider: str, exchange: Exchange, service: str, keys: Mapping[str, str]) -> Client:
    require_package(provider, "tweepy", "ccm-engine[social]")
    from tweepy import Client

    from ccm.deliver.exchange_session import exchange_session

    client = Client(**keys, return_type=dict, wait_on_rate_limit=False)
    client.session = exchange_session(exchange, read, moved=(BUILT_IN, service))
    return client


@contextlib.contextmanager
def _plain_faults() -> Iterator[None]:
    """Name an answer that was good but could not be read."""
    try:
        yield
    except (ValueError, KeyError, TypeError):
        raise Setback(ReceiptStatus.UNKNOWN, "answer not understood") from None
