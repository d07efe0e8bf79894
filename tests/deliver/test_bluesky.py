"""Posts on Bluesky against the real server, and its twelve faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from ccm.deliver.bluesky import BlueskyAdapter, build, png_size
from ccm.deliver.bluesky_text import record_key
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import Envelope, ReceiptStatus, SocialRendition
from ccm.testing import AdapterContract, HttpAnswer, HttpFault, HttpFaultContract, HttpRequest, sample_envelope
from tests.deliver.bluesky_server import BlueskyAccount, bluesky_server
from tests.deliver.contract_server import Asked, ContractServer, Told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with bluesky_server(tmp_path_factory.mktemp("bluesky")):
        yield


@pytest.fixture
def account(server: None) -> BlueskyAccount:
    return BlueskyAccount()


def adapter_for(account: BlueskyAccount, **settings: str) -> BlueskyAdapter:
    given = {"service": account.url, "identifier": account.handle, "password": account.password}
    return BlueskyAdapter.from_settings("mine", given | settings, root="/")


def unwatched(url: str, **settings: str) -> BlueskyAdapter:
    """Return an adapter whose server is not the real one."""
    given = {"service": url, "identifier": "brand.test", "password": "pass-word", "timeout_seconds": "30"} | settings
    return BlueskyAdapter.from_settings("mine", given, root="/")


def with_text(text: str, key: str = "p-sample", language: str = "en-GB") -> Envelope:
    envelope = sample_envelope(Channel.BLUESKY, key)
    assert isinstance(envelope.rendition, SocialRendition)
    return replace(envelope, rendition=replace(envelope.rendition, text=text, language=language))


class TestBlueskyContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, account: BlueskyAccount) -> None:
        self.account = account

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.account)

    def received(self, folder: Path) -> int:
        return len(self.account.posts)

    def broken(self, folder: Path) -> Adapter:
        return unwatched("http://127.0.0.1:1")


class TestBlueskyFaults(HttpFaultContract):
    channel = Channel.BLUESKY

    def open(self, url: str, folder: Path) -> Adapter:
        return unwatched(url, timeout_seconds="2")

    def prepares(self, request: HttpRequest) -> HttpAnswer | None:
        if request.path.endswith("createSession"):
            return HttpAnswer(200, b'{"did": "did:plc:abc", "accessJwt": "token"}')
        if request.path.endswith("uploadBlob"):
            return HttpAnswer(200, b'{"blob": {"$type": "blob"}}')
        if request.path.partition("?")[0].endswith("getRecord"):
            return HttpAnswer(400, b'{"error": "RecordNotFound"}')
        return None

    def _in_doubt(self, fault: HttpFault, folder: Path) -> None:
        """What is in doubt is asked for; what is not there may come again, because its key can be taken only once."""
        assert self._receipt(fault, folder).status is ReceiptStatus.DEFERRED


def test_what_the_record_is(account: BlueskyAccount) -> None:
    """Text, languages, facets in bytes, and the picture with alt text and its shape, as the server keeps them."""
    adapter = adapter_for(account)
    text = f"Grüße 👋 an @{account.handle} und @nobody.invalid: https://northwind.example/größe. #Konto"
    receipt = adapter.deliver(with_text(text, language="de-AT"))
    adapter.close()
    (post,) = account.posts
    value = post["value"]
    assert (receipt.provider_id, receipt.provider_status) == (post["uri"], "valid")
    assert (value["text"], value["langs"]) == (text, ["de-AT"])
    pieces = {
        text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in value["facets"]
    }
    kind = "app.bsky.richtext.facet"
    assert pieces == {
        f"@{account.handle}": {"$type": f"{kind}#mention", "did": account.did},
        "https://northwind.example/größe": {"$type": f"{kind}#link", "uri": "https://northwind.example/größe"},
        "#Konto": {"$type": f"{kind}#tag", "tag": "Konto"},
    }
    (image,) = value["embed"]["images"]
    assert (image["alt"], image["aspectRatio"]) == ("A card", {"width": 2, "height": 1})
    sent = with_text(text).rendition
    assert isinstance(sent, SocialRendition)
    assert sent.card is not None
    assert account.blob(image["image"]["ref"]["$link"]) == sent.card.content


def test_a_second_hand_over_never_changes_the_post(account: BlueskyAccount) -> None:
    """By another process, with another text: the first stays, and the second is told to be known."""
    receipts = []
    for text in ("first", "second"):
        adapter = adapter_for(account)
        receipts.append(adapter.deliver(with_text(text, "p-same")))
        adapter.close()
    (post,) = account.posts
    assert post["value"]["text"] == "first"
    assert [receipt.status for receipt in receipts] == [ReceiptStatus.ACCEPTED] * 2
    assert [receipt.provider_id for receipt in receipts] == [post["uri"]] * 2
    assert receipts[1].provider_status == "known"


def test_a_lost_answer_can_be_asked_for(account: BlueskyAccount) -> None:
    """By another process that never posted; a key that was never posted is not found."""
    first = adapter_for(account)
    posted = first.deliver(with_text("here", "p-lost"))
    first.close()
    second = adapter_for(account)
    found, missing = second.look_up("p-lost"), second.look_up("p-other")
    second.close()
    assert found is not None
    assert (found.key, found.status, found.provider_id) == ("p-lost", ReceiptStatus.ACCEPTED, posted.provider_id)
    assert missing is None
    assert unwatched("http://127.0.0.1:1").look_up("p-lost") is None


@pytest.mark.parametrize("text", ["x" * 301, "👨‍👩‍👧‍👦" * 121])
def test_a_post_that_is_too_long_is_refused(text: str, account: BlueskyAccount) -> None:
    """300 graphemes and 3,000 bytes, by the server's own schema."""
    adapter = adapter_for(account)
    receipt = adapter.deliver(with_text(text))
    adapter.close()
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.REJECTED, "400 InvalidRequest")
    assert account.posts == []


def test_a_wrong_password_is_told(account: BlueskyAccount) -> None:
    """By doctor and before a post, without the password."""
    adapter = adapter_for(account, password="wrong-one")
    with pytest.raises(DeliveryError, match="AuthenticationRequired") as caught:
        adapter.verify()
    with pytest.raises(DeliveryError):
        adapter.deliver(with_text("x"))
    adapter.close()
    assert not caught.value.retriable
    assert "wrong-one" not in str(caught.value)
    assert account.posts == []


def test_an_old_session_is_renewed() -> None:
    """A token that has expired was not accepted with its post: the next attempt logs in again and posts."""
    tokens = iter(("old", "new"))

    def answer(asked: Asked) -> Told:
        if asked.path.endswith("createSession"):
            return Told(200, {"did": "did:plc:abc", "accessJwt": next(tokens)})
        if asked.headers["authorization"] == "Bearer old":
            return Told(400, {"error": "ExpiredToken", "message": "Token has expired"})
        if asked.path.endswith("uploadBlob"):
            return Told(200, {"blob": {"$type": "blob"}})
        return Told(200, {"uri": "at://did:plc:abc/app.bsky.feed.post/x"})

    with ContractServer(answer) as server:
        adapter = unwatched(server.url)
        first, second = (adapter.deliver(with_text("x")) for _ in range(2))
        adapter.close()
    assert (first.status, first.provider_status) == (ReceiptStatus.DEFERRED, "400 ExpiredToken")
    assert second.status is ReceiptStatus.ACCEPTED


def test_an_answer_that_is_lost_is_asked_for_at_once(account: BlueskyAccount) -> None:
    """The real server has the post, and the machine on the way breaks its answer: the post is found, not in doubt."""

    def answer(asked: Asked) -> Told:
        headers = {name: asked.headers[name] for name in ("authorization", "content-type") if name in asked.headers}
        real = httpx2.request(asked.method, account.url + asked.target, headers=headers, content=asked.body or None)
        return Told(502) if asked.path.endswith("putRecord") else Told(real.status_code, real.content)

    with ContractServer(answer) as server:
        adapter = adapter_for(account, service=server.url)
        receipt = adapter.deliver(with_text("x"))
        adapter.close()
    (post,) = account.posts
    assert (receipt.status, receipt.provider_id) == (ReceiptStatus.ACCEPTED, post["uri"])


def test_a_lost_login_or_picture_leaves_no_post() -> None:
    """Before the post itself nothing is in doubt."""
    with ContractServer(lambda asked: Told(500, {})) as server:
        adapter = unwatched(server.url)
        assert adapter.deliver(with_text("x")).status is ReceiptStatus.DEFERRED
        with pytest.raises(DeliveryError, match="log-in failed") as caught:
            adapter.verify()
        adapter.close()
    assert caught.value.retriable


def test_one_login_serves_many_posts() -> None:
    """Servers allow few log-ins in a day."""

    def answer(asked: Asked) -> Told:
        return Told(200, {"did": "did:plc:abc", "accessJwt": "t", "blob": {"$type": "blob"}, "uri": "at://x"})

    with ContractServer(answer) as server:
        adapter = unwatched(server.url)
        for number in range(5):
            adapter.deliver(with_text("x", f"p-{number}"))
        adapter.close()
        assert sum(asked.path.endswith("createSession") for asked in server.requests) == 1


def test_the_record_of_a_bare_post() -> None:
    """Nothing empty is sent, and the time is ISO 8601 with milliseconds."""
    rendition = with_text("Hello").rendition
    assert isinstance(rendition, SocialRendition)
    assert build(rendition, None, {}, posted_at=1795341600.5) == {
        "$type": "app.bsky.feed.post",
        "text": "Hello",
        "createdAt": "2026-11-22T10:00:00.500Z",
        "langs": ["en-GB"],
    }


def test_sizes_are_read_from_png_alone() -> None:
    """Another picture goes without a shape."""
    rendition = with_text("x").rendition
    assert isinstance(rendition, SocialRendition)
    assert rendition.card is not None
    assert png_size(rendition.card.content) == (2, 1)
    assert [png_size(content) for content in (b"", b"\xff\xd8\xff", rendition.card.content[:20])] == [None] * 3


def test_only_posts_are_posted() -> None:
    """Another kind of rendition is refused for good."""
    adapter = unwatched("http://127.0.0.1:1")
    assert adapter.deliver(sample_envelope(Channel.SMS)).status is ReceiptStatus.REJECTED
    adapter.close()


def test_the_key_of_a_piece_is_a_valid_tid(account: BlueskyAccount) -> None:
    """The server takes it, which it does with nothing but a TID."""
    adapter = adapter_for(account)
    for number in range(20):
        assert adapter.deliver(with_text("x", f"p-{number}")).provider_id.endswith(record_key(f"p-{number}"))
    adapter.close()
    assert len(account.posts) == 20
