"""Posts on X against its documented interface, signature included, and the twelve faults."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccm.deliver.exchange import Answer
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.x import XAdapter, read
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus, SocialRendition
from ccm.testing import AdapterContract, HttpAnswer, HttpFaultContract, HttpRequest, sample_envelope
from tests.deliver.contract_server import Asked, ContractServer, Told
from tests.deliver.social_contracts import X_KEYS, DocumentedServer, x_server


@pytest.fixture
def network() -> Iterator[DocumentedServer]:
    with x_server() as server:
        yield server
        assert server.violations == []


def adapter_for(url: str, **settings: str) -> XAdapter:
    return XAdapter.from_settings("mine", {**X_KEYS, "service": url, "timeout_seconds": "30"} | settings, root="/")


class TestXContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, network: DocumentedServer) -> None:
        self.network = network

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.network.url)

    def received(self, folder: Path) -> int:
        return len(self.network.posts)

    def broken(self, folder: Path) -> Adapter:
        return adapter_for(self.network.url, access_token_secret="another")


class TestXFaults(HttpFaultContract):
    channel = Channel.X

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_for(url, timeout_seconds="2")

    def prepares(self, request: HttpRequest) -> HttpAnswer | None:
        return None if request.path == "/2/tweets" else HttpAnswer(200, b'{"data": {"id": "7"}}')


def test_what_the_post_is(network: DocumentedServer) -> None:
    """The picture goes up and is described, then the post names it."""
    adapter = adapter_for(network.url)
    receipt = adapter.deliver(sample_envelope(Channel.X))
    adapter.close()
    upload, described = network.uploads
    assert (upload["media_category"], upload["media_type"]) == ("tweet_image", "image/png")
    assert described == {"id": "1001", "metadata": {"alt_text": {"text": "A card"}}}
    assert network.posts == [{"text": "Grüße", "media": {"media_ids": ["1001"]}}]
    assert (receipt.provider_id, receipt.provider_status) == ("9001", "posted")


def test_a_post_without_a_picture(network: DocumentedServer) -> None:
    """One request."""
    envelope = sample_envelope(Channel.X)
    assert isinstance(envelope.rendition, SocialRendition)
    adapter = adapter_for(network.url)
    assert adapter.deliver(replace(envelope, rendition=replace(envelope.rendition, card=None))).provider_id == "9001"
    adapter.close()
    assert (network.posts, network.uploads) == ([{"text": "Grüße"}], [])


def test_a_picture_alone(network: DocumentedServer) -> None:
    """A post may be its card; an empty text is left out."""
    envelope = sample_envelope(Channel.X)
    assert isinstance(envelope.rendition, SocialRendition)
    adapter = adapter_for(network.url)
    adapter.deliver(replace(envelope, rendition=replace(envelope.rendition, text="")))
    adapter.close()
    assert network.posts == [{"media": {"media_ids": ["1001"]}}]


def test_a_refused_post_is_not_a_refused_app() -> None:
    """403 about a duplicate is about the piece; 403 about the app's rights is about all of them."""
    duplicate = {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }

    def answer(asked: Asked) -> Told:
        return Told(403, duplicate) if asked.path == "/2/tweets" else Told(200, {"data": {"id": "7"}})

    with ContractServer(answer) as server:
        adapter = adapter_for(server.url)
        receipt = adapter.deliver(sample_envelope(Channel.X))
        adapter.close()
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.REJECTED, "403 Forbidden")
    app = b'{"type": "https://api.twitter.com/2/problems/oauth1-permissions", "title": "Forbidden"}'
    assert read(Answer(403, {}, app)) is None


def test_a_lost_picture_leaves_no_post() -> None:
    """Before the post itself nothing is in doubt; nor when the picture's description is lost."""
    for broken in ("/2/media/upload", "/2/media/metadata"):
        with ContractServer(
            lambda asked, broken=broken: Told(503) if asked.path == broken else Told(200, {"data": {"id": "7"}})  # type: ignore[misc]
        ) as server:
            adapter = adapter_for(server.url)
            assert adapter.deliver(sample_envelope(Channel.X)).status is ReceiptStatus.DEFERRED
            adapter.close()
            assert "/2/tweets" not in [asked.path for asked in server.requests]


def test_secrets_do_not_show(network: DocumentedServer) -> None:
    """A wrong key is told without its value."""
    adapter = adapter_for(network.url, consumer_secret="wrong-secret")
    with pytest.raises(DeliveryError, match="refuses the credentials") as caught:
        adapter.verify()
    adapter.close()
    assert "wrong-secret" not in str(caught.value)
    with pytest.raises(DeliveryError, match="setting consumer_key is missing"):
        XAdapter.from_settings("mine", {}, root="/")


def test_only_posts_are_posted() -> None:
    """Another kind of rendition is refused for good."""
    adapter = adapter_for("http://127.0.0.1:1")
    assert adapter.deliver(sample_envelope(Channel.SMS)).status is ReceiptStatus.REJECTED
    adapter.close()


def test_a_missing_library_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever configures the network learns what to install, before a campaign begins."""
    monkeypatch.setitem(sys.modules, "tweepy", None)
    with pytest.raises(DeliveryError, match=r"ccm-engine\[social\]"):
        adapter_for("https://api.example")
