"""Posts on Mastodon through Mastodon.py: upload the picture with its alt text, post once with the piece id as key."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from ccm.deliver.exchange import Exchange, Setback, nothing_posted
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.packages import require_package
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, Capabilities, Envelope, Receipt, ReceiptStatus, SocialRendition

if TYPE_CHECKING:
    from mastodon import Mastodon

VISIBILITIES = ("public", "unlisted", "private", "direct")
SETTINGS = frozenset({"server", "access_token", "access_token_file", "visibility", "timeout_seconds", "ca_file"})
_REMEDY = "check `access_token`; it needs the scopes read:accounts, write:statuses and write:media"
_VERSION = "4.0.0"  # the oldest that is still served; spares asking the server before every picture


class MastodonAdapter(Adapter):
    """Posts each piece once.

    The server remembers an `Idempotency-Key` for an hour. A promise that ends while a run may still be resumed is none,
    so the adapter does not say that it deduplicates: after a kill the post is unknown until a person has looked. What
    `--resend-unknown` sends within the hour is dropped all the same.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.MASTODON,), concurrency=1)
    how_to_look_up: ClassVar[str] = "look at the account's posts of that time: Mastodon does not know the piece id"

    def __init__(self, provider: str, client: Mastodon, visibility: str) -> None:
        self._provider = provider
        self._client = client
        self._visibility = visibility

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; sends nothing yet."""
        given = ProviderSettings(provider, settings, root=root, known=SETTINGS)
        server = given.address("server")
        token = given.secret("access_token")
        visibility = given.choice("visibility", "public", VISIBILITIES)
        exchange = Exchange(
            provider,
            timeout_seconds=given.seconds("timeout_seconds", 30.0),
            ca_file=given.file("ca_file"),
            remedy=_REMEDY,
        )
        return cls(provider, _client(provider, exchange, server, token), visibility)

    def deliver(self, envelope: Envelope) -> Receipt:
        """Post once."""
        rendition = envelope.rendition
        if not isinstance(rendition, SocialRendition):
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self._provider, provider_status="not a post")
        picture = ""
        try:
            if rendition.card:
                with nothing_posted():
                    picture = self._upload(rendition.card)
            return self._post(envelope.key, rendition, picture)
        except Setback as setback:
            if picture and setback.status is ReceiptStatus.UNKNOWN:
                return self._found_by(picture, envelope.key) or setback.receipt(envelope.key, self._provider)
            return setback.receipt(envelope.key, self._provider)

    def verify(self) -> None:
        """Ask who the token belongs to."""
        self.account()

    def account(self) -> frozenset[str]:
        """Return the account's name at its server, and at the server of its profile."""
        try:
            with _plain_faults():
                found: Mapping[str, Any] = self._client.account_verify_credentials()
        except Setback as setback:
            message, remedy = f"the account cannot be read ({setback.text})", "check `server`, or wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True) from None
        user = str(found.get("username") or "")
        hosts = {urlsplit(str(one)).hostname for one in (found.get("url"), self._client.api_base_url) if one}
        return frozenset(f"@{user}@{host}" for host in hosts if user and host)

    def close(self) -> None:
        """Give back the connection."""
        self._client.session.close()

    def _upload(self, card: Attachment) -> str:
        with _plain_faults():
            media = self._client.media_post(
                card.content, mime_type=card.media_type, description=card.alt, file_name=card.filename
            )
        return str(media["id"])

    def _post(self, key: str, rendition: SocialRendition, picture: str) -> Receipt:
        with _plain_faults():
            status: Mapping[str, Any] = self._client.status_post(
                rendition.text,
                media_ids=[picture] if picture else None,
                visibility=self._visibility,
                language=rendition.language.partition("-")[0],
                idempotency_key=key,
            )
        ident = status.get("id")
        if not ident:
            raise Setback(ReceiptStatus.UNKNOWN, "200 without an id")
        return self._accepted(key, ident, "posted")

    def _found_by(self, picture: str, key: str) -> Receipt | None:
        """Look for a post whose answer was lost.

        The proof is the picture: this server gave its id to us a moment ago, for this piece alone. Not finding it
        proves nothing.
        """
        try:
            with _plain_faults():
                me = self._client.account_verify_credentials()
                posts = self._client.account_statuses(me["id"], only_media=True, limit=20)
        except (Setback, DeliveryError):
            return None
        for post in posts:
            if any(str(media["id"]) == picture for media in post["media_attachments"]):
                return self._accepted(key, post["id"], "found after the answer was lost")
        return None

    def _accepted(self, key: str, ident: object, status: str) -> Receipt:
        return Receipt(key, ReceiptStatus.ACCEPTED, self._provider, provider_id=str(ident), provider_status=status)


def _client(provider: str, exchange: Exchange, server: str, token: str) -> Mastodon:
    require_package(provider, "mastodon", "ccm-engine[social]")
    from mastodon import Mastodon

    from ccm.deliver.exchange_session import exchange_session

    return Mastodon(
        api_base_url=server,
        access_token=token,
        session=exchange_session(exchange),
        mastodon_version=_VERSION,
        version_check_mode="created",
        ratelimit_method="throw",
        user_agent="ccm-engine",
    )


@contextlib.contextmanager
def _plain_faults() -> Iterator[None]:
    """Take our own faults out of the library's wrapping; what is left is an answer that it could not read."""
    from mastodon import MastodonError

    try:
        yield
    except MastodonError as error:
        cause = error.__context__
        if isinstance(cause, Setback | DeliveryError):
            raise cause from None
        raise Setback(ReceiptStatus.UNKNOWN, "answer not understood") from None
    except (KeyError, TypeError, AttributeError):
        raise Setback(ReceiptStatus.UNKNOWN, "answer not understood") from None
