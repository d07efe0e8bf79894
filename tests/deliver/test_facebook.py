"""Posts on a Facebook page against its documented interface, and the twelve faults."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccm.deliver.facebook import FacebookAdapter, build, multipart
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus, SocialRendition
from ccm.testing import AdapterContract, HttpFaultContract, sample_envelope
from tests.deliver.contract_server import ContractServer, Told
from tests.deliver.social_contracts import PAGE, PAGE_TOKEN, DocumentedServer, facebook_server


@pytest.fixture
def network() -> Iterator[DocumentedServer]:
    with facebook_server() as server:
        yield server
        assert server.violations == []


def adapter_for(url: str, **settings: str) -> FacebookAdapter:
    given = {"page": PAGE, "access_token": PAGE_TOKEN, "service": url, "timeout_seconds": "30"} | settings
    return FacebookAdapter.from_settings("mine", given, root="/")


def post() -> SocialRendition:
    rendition = sample_envelope(Channel.FACEBOOK).rendition
    assert isinstance(rendition, SocialRendition)
    return rendition


class TestFacebookContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, network: DocumentedServer) -> None:
        self.network = network

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.network.url)

    def received(self, folder: Path) -> int:
        return len(self.network.posts)

    def broken(self, folder: Path) -> Adapter:
        return adapter_for(self.network.url, access_token="another")


class TestFacebookFaults(HttpFaultContract):
    channel = Channel.FACEBOOK

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_for(url, timeout_seconds="2")


def test_what_the_post_is(network: DocumentedServer) -> None:
    """One request carries text, picture and alt text; the receipt names the post, not the picture."""
    adapter = adapter_for(network.url)
    receipt = adapter.deliver(sample_envelope(Channel.FACEBOOK))
    adapter.close()
    (found,) = network.posts
    card = post().card
    assert card is not None
    assert found == {
        "caption": "Grüße",
        "published": "true",
        "alt_text_custom": "A card",
        "source": f"card.png:image/png:{base64.b64encode(card.content).decode()}",
    }
    assert receipt.provider_id == f"{PAGE}_7001"


def test_a_post_without_a_picture(network: DocumentedServer) -> None:
    """Goes to the page's feed."""
    adapter = adapter_for(network.url)
    envelope = replace(sample_envelope(Channel.FACEBOOK), rendition=replace(post(), card=None, text="A & b=c\nGrüße"))
    assert adapter.deliver(envelope).provider_id == f"{PAGE}_5001"
    adapter.close()
    assert network.posts == [{"message": "A & b=c\nGrüße", "published": "true"}]


def test_a_picture_alone_sends_no_empty_fields() -> None:
    """A post may be its card."""
    body = build(replace(post(), text="")).body
    assert b'name="caption"' not in body
    assert b'name="alt_text_custom"' in body


def test_texts_cannot_break_out_of_the_form() -> None:
    """The boundary follows from the content, and no text holds its own hash."""
    rendition = replace(post(), text='--ccm\r\nContent-Disposition: form-data; name="published"\r\n\r\nfalse')
    made = build(rendition)
    boundary = made.media_type.partition("boundary=")[2]
    assert made.body.count(b"--" + boundary.encode()) == 5
    assert made.body == build(rendition).body
    card = rendition.card
    assert card is not None
    assert b'filename="card.jpg"' in multipart({}, replace(card, media_type="image/jpeg", filename='x".png\r\n'), "b")


@pytest.mark.parametrize(
    ("code", "error", "status"),
    [
        (400, 4, ReceiptStatus.DEFERRED),
        (403, 32, ReceiptStatus.DEFERRED),
        (400, 613, ReceiptStatus.DEFERRED),
        (400, 506, ReceiptStatus.REJECTED),
        (400, 100, ReceiptStatus.REJECTED),
        (400, 368, ReceiptStatus.REJECTED),
        (400, 1, ReceiptStatus.UNKNOWN),
        (500, 2, ReceiptStatus.UNKNOWN),
    ],
)
def test_codes_say_more_than_statuses(code: int, error: int, status: ReceiptStatus) -> None:
    """Too many calls, a duplicate, an invalid parameter, and "possibly temporary", which proves nothing."""
    told = Told(code, {"error": {"message": "about ann@example.org", "type": "OAuthException", "code": error}})
    with ContractServer(lambda asked: told) as server:
        adapter = adapter_for(server.url)
        receipt = adapter.deliver(sample_envelope(Channel.FACEBOOK))
        adapter.close()
        assert len(server.requests) == 1
    assert (receipt.status, receipt.provider_status) == (status, f"{code} {error}")


@pytest.mark.parametrize("error", [190, 102, 10, 200, 283])
def test_tokens_and_permissions_are_about_all_pieces(error: int) -> None:
    """Facebook says 400 where others say 401."""
    with ContractServer(lambda asked: Told(400, {"error": {"code": error}})) as server:
        adapter = adapter_for(server.url)
        with pytest.raises(DeliveryError, match="refuses the credentials"):
            adapter.deliver(sample_envelope(Channel.FACEBOOK))
        with pytest.raises(DeliveryError):
            adapter.verify()
        adapter.close()


def test_the_token_is_in_no_address(network: DocumentedServer) -> None:
    """Addresses are logged by machines on the way."""
    with ContractServer(lambda asked: Told(200, {"id": PAGE})) as server:
        adapter = adapter_for(server.url)
        adapter.verify()
        adapter.deliver(sample_envelope(Channel.FACEBOOK))
        adapter.close()
        assert len(server.requests) == 2
        assert not [asked.target for asked in server.requests if PAGE_TOKEN in asked.target]


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"page": "JuniperEnergy"}, "page"), ({"page": "1/2"}, "page"), ({"version": "25"}, "version")],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Before anything is sent."""
    with pytest.raises(DeliveryError, match=f"setting {named} is wrong"):
        adapter_for("https://graph.example", **settings)


def test_only_posts_are_posted() -> None:
    """Another kind of rendition is refused for good."""
    adapter = adapter_for("http://127.0.0.1:1")
    assert adapter.deliver(sample_envelope(Channel.SMS)).status is ReceiptStatus.REJECTED
    adapter.close()
