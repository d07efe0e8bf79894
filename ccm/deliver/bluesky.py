"""Posts on Bluesky, over the AT protocol: log in, upload the picture, put one record under a key of our own."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Self

from ccm.deliver.bluesky_text import facets, marks, record_key
from ccm.deliver.exchange import Answer, Exchange, Setback, nothing_posted, text_of
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, Capabilities, Envelope, Receipt, ReceiptStatus, SocialRendition

POSTS = "app.bsky.feed.post"
SETTINGS = frozenset({"service", "identifier", "password", "password_file", "timeout_seconds", "ca_file"})
_REMEDY = "check `identifier` and `password`; make an app password in the account's settings"
_PNG = b"\x89PNG\r\n\x1a\n"


class BlueskyAdapter(Adapter):
    """Creates each post as a record whose key follows from the piece id.

    The record is put on the condition that there is none yet: a second hand-over changes nothing and is accepted as
    known, and a lost answer can be asked for at any time. So no post stays in doubt.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        channels=(Channel.BLUESKY,), deduplicates=True, looks_up=True, concurrency=1
    )
    how_to_look_up: ClassVar[str] = "nothing to do: the next execution asks for the post by its record key"

    def __init__(self, provider: str, exchange: Exchange, service: str, identifier: str, password: str) -> None:
        self._provider = provider
        self._exchange = exchange
        self._service = service
        self._login = {"identifier": identifier, "password": password}
        self._session: Session | None = None
        self._lock = threading.Lock()

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; logs in at the first post."""
        given = ProviderSettings(provider, settings, root=root, known=SETTINGS)
        service = given.address("service", "https://bsky.social")
        identifier = given.required("identifier", "brand.example.com").removeprefix("@")
        exchange = Exchange(
            provider,
            timeout_seconds=given.seconds("timeout_seconds", 30.0),
            ca_file=given.file("ca_file"),
            remedy=_REMEDY,
        )
        return cls(provider, exchange, service, identifier, given.secret("password"))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Post once; a post that is there already is accepted as known."""
        rendition = envelope.rendition
        if not isinstance(rendition, SocialRendition):
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self._provider, provider_status="not a post")
        try:
            with nothing_posted():
                session = self._logged_in()
                blob = self._upload(session, rendition.card) if rendition.card else None
                record = build(rendition, blob, self._accounts(rendition.text), posted_at=time.time())
            return self._put(session, envelope.key, record)
        except Setback as setback:
            if setback.status is ReceiptStatus.UNKNOWN:
                return self._asked(envelope.key, setback)
            return setback.receipt(envelope.key, self._provider)

    def look_up(self, key: str) -> Receipt | None:
        """Ask for the piece's record; None when it is not there or cannot be asked for."""
        try:
            session = self._logged_in()
            query = f"repo={session.did}&collection={POSTS}&rkey={record_key(key)}"
            answer = self._call("GET", f"com.atproto.repo.getRecord?{query}")
            return self._accepted(key, text_of(answer, "uri"), "known")
        except (Setback, DeliveryError):
            return None

    def verify(self) -> None:
        """Log in; takes one of the few log-ins that a server allows in a day."""
        self.account()

    def account(self) -> frozenset[str]:
        """Return the account's handle and its number."""
        try:
            session = self._logged_in()
        except Setback as setback:
            message, remedy = f"log-in failed ({setback.text})", "check `service`, or wait and try again"
            raise DeliveryError(self._provider, message, remedy, retriable=True) from None
        return frozenset((session.handle, session.did)) if session.handle else frozenset()

    def close(self) -> None:
        """Give back the connection."""
        self._exchange.close()

    def _asked(self, key: str, setback: Setback) -> Receipt:
        """Ask what became of a post whose answer was lost; one that is not there may be handed over again.

        Why deferred: Should the lost request still get through, the second one finds the record and changes nothing.
        """
        again = Setback(ReceiptStatus.DEFERRED, setback.text, setback.retry_after_seconds)
        return self.look_up(key) or again.receipt(key, self._provider)

    # ── the protocol's calls ─────────────────────────────────────────────

    def _logged_in(self) -> Session:
        with self._lock:
            if self._session is None or self._session.is_old:
                self._session = self._log_in()
            return self._session

    def _log_in(self) -> Session:
        answer = self._call("POST", "com.atproto.server.createSession", content=_body(self._login))
        return Session(text_of(answer, "did"), text_of(answer, "accessJwt"), answer.word("handle"))

    def _upload(self, session: Session, card: Attachment) -> tuple[Mapping[str, object], Attachment]:
        headers = {**session.headers, "content-type": card.media_type}
        answer = self._call("POST", "com.atproto.repo.uploadBlob", headers=headers, content=card.content)
        blob = answer.json().get("blob")
        if not isinstance(blob, dict):
            raise Setback(ReceiptStatus.DEFERRED, "picture was not taken")
        return blob, card

    def _accounts(self, text: str) -> dict[str, str]:
        """Return the DIDs of the mentioned handles; one that nobody has is left out."""
        found: dict[str, str] = {}
        for handle in {mark.value for mark in marks(text) if mark.kind == "mention"}:
            answer = self._exchange.send("GET", self._url(f"com.atproto.identity.resolveHandle?handle={handle}"))
            if answer.code == 200:
                found[handle] = text_of(answer, "did")
        return found

    def _put(self, session: Session, key: str, record: Mapping[str, object]) -> Receipt:
        wanted = {
            "repo": session.did,
            "collection": POSTS,
            "rkey": record_key(key),
            "record": record,
            "validate": True,
            "swapRecord": None,  # put it only where there is none
        }
        try:
            answer = self._call("POST", "com.atproto.repo.putRecord", headers=session.headers, content=_body(wanted))
        except Exists:
            uri = f"at://{session.did}/{POSTS}/{record_key(key)}"
            return self._accepted(key, uri, "known")
        return self._accepted(key, text_of(answer, "uri"), answer.word("validationStatus") or "put")

    def _accepted(self, key: str, uri: str, status: str) -> Receipt:
        return Receipt(key, ReceiptStatus.ACCEPTED, self._provider, provider_id=uri, provider_status=status)

    def _call(
        self, method: str, name: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        sent = {"content-type": "application/json"} if content else {}
        return self._exchange.call(
            method, self._url(name), headers={**sent, **(headers or {})}, content=content, reader=self._read
        )

    def _read(self, answer: Answer) -> Setback | DeliveryError | None:
        """Read XRPC's error names, which stand beside a status that is often plain 400."""
        word = answer.word("error")
        if word == "InvalidSwap":
            return Exists()
        if word in ("ExpiredToken", "InvalidToken"):
            self._session = None
            return Setback(ReceiptStatus.DEFERRED, f"{answer.code} {word}")
        return self._exchange.judge(answer, word)

    def _url(self, name: str) -> str:
        return f"{self._service}/xrpc/{name}"


class Session:
    """A log-in. Its token lasts about two hours."""

    _OLD_AFTER_SECONDS = 3_600.0

    def __init__(self, did: str, token: str, handle: str) -> None:
        self.did = did
        self.handle = handle
        self.headers = {"authorization": f"Bearer {token}"}
        self._since = time.monotonic()

    @property
    def is_old(self) -> bool:
        """Whether the token may end soon."""
        return time.monotonic() - self._since > self._OLD_AFTER_SECONDS


class Exists(Setback):
    """There is a record under the key already: ours, because nobody else makes this key."""

    def __init__(self) -> None:
        super().__init__(ReceiptStatus.ACCEPTED, "known")


def build(
    rendition: SocialRendition,
    blob: tuple[Mapping[str, object], Attachment] | None,
    accounts: Mapping[str, str],
    *,
    posted_at: float,
) -> dict[str, object]:
    """Make the record of a post.

    Args:
        blob: The uploaded picture, as the server named it.
        accounts: DID by mentioned handle.
        posted_at: Seconds since 1970.
    """
    moment = datetime.fromtimestamp(posted_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record: dict[str, object] = {
        "$type": POSTS,
        "text": rendition.text,
        "createdAt": moment,
        "langs": [rendition.language],
    }
    found = facets(rendition.text, accounts)
    if found:
        record["facets"] = found
    if blob:
        reference, card = blob
        image: dict[str, object] = {"image": dict(reference), "alt": card.alt}
        size = png_size(card.content)
        if size:
            image["aspectRatio"] = {"width": size[0], "height": size[1]}
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [image]}
    return record


def png_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels of a PNG; None for anything else."""
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if width and height else None


def _body(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
