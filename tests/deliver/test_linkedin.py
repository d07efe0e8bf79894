"""Posts on LinkedIn against its documented interface, and the twelve faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.linkedin import LinkedInAdapter, little_text
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus, SocialRendition
from ccm.testing import AdapterContract, HttpAnswer, HttpFaultContract, HttpRequest, sample_envelope
from tests.deliver.contract_server import Asked, ContractServer, Told
from tests.deliver.social_contracts import AUTHOR, LINKEDIN_TOKEN, DocumentedServer, linkedin_server


@pytest.fixture
def network() -> Iterator[DocumentedServer]:
    with linkedin_server() as server:
        yield server
        assert server.violations == []


def adapter_for(url: str, **settings: str) -> LinkedInAdapter:
    given = {"author": AUTHOR, "access_token": LINKEDIN_TOKEN, "version": "202610", "service": url}
    return LinkedInAdapter.from_settings("mine", {**given, "timeout_seconds": "30"} | settings, root="/")


class TestLinkedInContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, network: DocumentedServer) -> None:
        self.network = network

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.network.url)

    def received(self, folder: Path) -> int:
        return len(self.network.posts)

    def broken(self, folder: Path) -> Adapter:
        return adapter_for(self.network.url, access_token="another")


class TestLinkedInFaults(HttpFaultContract):
    channel = Channel.LINKEDIN

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_for(url, timeout_seconds="2")

    def prepares(self, request: HttpRequest) -> HttpAnswer | None:
        if request.path == "/rest/posts":
            return None
        address = f'"http://{request.headers["host"]}/upload"'
        return HttpAnswer(200, f'{{"value": {{"uploadUrl": {address}, "image": "urn:li:image:1"}}}}'.encode())


def with_text(text: str) -> SocialRendition:
    rendition = sample_envelope(Channel.LINKEDIN).rendition
    assert isinstance(rendition, SocialRendition)
    return replace(rendition, text=text)


def test_what_the_post_is(network: DocumentedServer) -> None:
    """The picture's place is reserved, its bytes go there, and the post names it with its alt text."""
    adapter = adapter_for(network.url)
    receipt = adapter.deliver(sample_envelope(Channel.LINKEDIN))
    adapter.close()
    reserved, picture = network.uploads
    card = with_text("x").card
    assert card is not None
    assert (reserved, picture) == ({"initializeUploadRequest": {"owner": AUTHOR}}, card.content)
    assert network.posts == [
        {
            "author": AUTHOR,
            "commentary": "Grüße",
            "visibility": "PUBLIC",
            "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
            "content": {"media": {"id": "urn:li:image:C4E10AQ1", "altText": "A card"}},
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
    ]  # fmt: skip
    assert receipt.provider_id == "urn:li:share:8001"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("15% off (today) at a_b@c.example", r"15% off \(today\) at a\_b\@c.example"),
        ("#Save #two_words: https://a.example/#x", r"{hashtag|\#|Save} {hashtag|\#|two\_words}: https://a.example/\#x"),
        ("a * b ~ c | d < e > f [g] {h} \\ #1", r"a \* b \~ c \| d \< e \> f \[g\] \{h\} \\ \#1"),
        ("Größe, „quoted“ – €5", "Größe, „quoted“ – €5"),
        ("#Größe#two", r"{hashtag|\#|Größe}\#two"),
        ("", ""),
    ],
)
def test_reserved_signs_are_written_so_that_they_print(text: str, written: str, network: DocumentedServer) -> None:
    """And the documented grammar takes it."""
    assert little_text(text) == written
    adapter = adapter_for(network.url)
    envelope = replace(sample_envelope(Channel.LINKEDIN), rendition=replace(with_text(text), card=None))
    assert adapter.deliver(envelope).status is ReceiptStatus.ACCEPTED
    adapter.close()


def test_the_token_goes_to_linkedin_alone() -> None:
    """The address of the upload comes from an answer; another host gets neither picture nor token."""
    with ContractServer(lambda asked: Told(201)) as stranger:
        # `localhost` and 127.0.0.1 are two hosts, though the same machine.
        address = stranger.url.replace("127.0.0.1", "localhost")

        def answer(asked: Asked) -> Told:
            return Told(200, {"value": {"uploadUrl": f"{address}/take", "image": "urn:li:image:1"}})

        with ContractServer(answer) as server:
            adapter = adapter_for(server.url)
            receipt = adapter.deliver(sample_envelope(Channel.LINKEDIN))
            adapter.close()
            assert [asked.path for asked in server.requests] == ["/rest/images"]
        assert stranger.requests == []
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.REJECTED, "picture would go to a strange host")


@pytest.mark.parametrize(
    ("code", "word", "status"),
    [(422, "DUPLICATE_POST", ReceiptStatus.REJECTED), (429, "TOO_MANY_REQUESTS", ReceiptStatus.DEFERRED)],
)
def test_refusals_in_linkedins_words(code: int, word: str, status: ReceiptStatus) -> None:
    """Its code word goes into the receipt, its sentence does not."""

    def answer(asked: Asked) -> Told:
        return Told(code, {"status": code, "code": word, "message": "Content is a duplicate of urn:li:share:1"})

    with ContractServer(answer) as server:
        adapter = adapter_for(server.url)
        envelope = replace(sample_envelope(Channel.LINKEDIN), rendition=replace(with_text("x"), card=None))
        receipt = adapter.deliver(envelope)
        adapter.close()
    assert (receipt.status, receipt.provider_status) == (status, f"{code} {word}")


def test_a_version_that_is_no_longer_served_is_told() -> None:
    """Versions last a year; then every request is refused with 426."""
    with ContractServer(lambda asked: Told(426, {"status": 426, "code": "NONEXISTENT_VERSION"})) as server:
        adapter = adapter_for(server.url)
        with pytest.raises(DeliveryError, match="set `version`"):
            adapter.verify()
        with pytest.raises(DeliveryError, match="no longer served"):
            adapter.deliver(sample_envelope(Channel.LINKEDIN))
        adapter.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"author": "juniper-energy"}, "author"), ({"version": "2026"}, "version"), ({"version": "202613"}, "version")],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Before anything is sent."""
    with pytest.raises(DeliveryError, match=f"setting {named} is wrong"):
        adapter_for("https://api.example", **settings)


def test_only_posts_are_posted() -> None:
    """Another kind of rendition is refused for good."""
    adapter = adapter_for("http://127.0.0.1:1")
    assert adapter.deliver(sample_envelope(Channel.SMS)).status is ReceiptStatus.REJECTED
    adapter.close()
