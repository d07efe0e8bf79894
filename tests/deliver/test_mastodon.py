"""Posts on Mastodon against a server that keeps state, and its twelve faults."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.mastodon import MastodonAdapter
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus, SocialRendition
from ccm.testing import AdapterContract, HttpAnswer, HttpFaultContract, HttpRequest, sample_envelope
from tests.deliver.contract_server import Asked, ContractServer, Told
from tests.deliver.mastodon_server import MastodonAccount, mastodon_server


@pytest.fixture
def account() -> Iterator[MastodonAccount]:
    with mastodon_server() as found:
        yield found


def adapter_for(url: str, **settings: str) -> MastodonAdapter:
    given = {"server": url, "access_token": "alice_token", "timeout_seconds": "30"} | settings
    return MastodonAdapter.from_settings("mine", given, root="/")


class TestMastodonContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, account: MastodonAccount) -> None:
        self.account = account

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.account.url)

    def received(self, folder: Path) -> int:
        return len(self.account.posts)

    def broken(self, folder: Path) -> Adapter:
        return adapter_for("http://127.0.0.1:1")


class TestMastodonFaults(HttpFaultContract):
    channel = Channel.MASTODON

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_for(url, timeout_seconds="2")

    def prepares(self, request: HttpRequest) -> HttpAnswer | None:
        if request.path == "/api/v1/statuses" and request.method == "POST":
            return None
        if request.path.endswith("/media"):
            return HttpAnswer(200, b'{"id": "7", "type": "image"}')
        return HttpAnswer(200, b'{"id": "1"}' if request.path.endswith("verify_credentials") else b"[]")


def test_what_the_post_is(account: MastodonAccount) -> None:
    """Text, language and visibility, and the picture with its alt text; the receipt names the post."""
    adapter = adapter_for(account.url, visibility="unlisted")
    envelope = sample_envelope(Channel.MASTODON)
    assert isinstance(envelope.rendition, SocialRendition)
    envelope = replace(envelope, rendition=replace(envelope.rendition, language="en-GB"))
    receipt = adapter.deliver(envelope)
    adapter.close()
    (post,) = account.posts
    assert (receipt.provider_id, receipt.provider_status) == (str(post.id), "posted")
    assert (post.visibility, post.language) == ("unlisted", "en")
    assert "Grüße" in post.content
    (media,) = post.media_attachments
    assert (media.type, media.description) == ("image", "A card")


def test_the_piece_id_is_the_key(account: MastodonAccount) -> None:
    """Within its hour the server drops a second hand-over, also by another process; another piece is another post."""
    for key in ("p-1", "p-1", "p-2"):
        adapter = adapter_for(account.url)
        assert adapter.deliver(sample_envelope(Channel.MASTODON, key)).status is ReceiptStatus.ACCEPTED
        adapter.close()
    assert len(account.posts) == 2
    assert not MastodonAdapter.capabilities.deduplicates  # an hour is no promise that a run can rely on


def test_a_post_that_is_too_long_is_refused(account: MastodonAccount) -> None:
    """The server's limit, in its own words."""
    envelope = sample_envelope(Channel.MASTODON)
    assert isinstance(envelope.rendition, SocialRendition)
    adapter = adapter_for(account.url)
    receipt = adapter.deliver(replace(envelope, rendition=replace(envelope.rendition, text="x" * 501)))
    adapter.close()
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.REJECTED, "422")
    assert account.posts == []


def test_a_wrong_token_is_told(account: MastodonAccount) -> None:
    """Both by doctor and before a post."""
    adapter = adapter_for(account.url, access_token="no-such-token")
    with pytest.raises(DeliveryError, match="refuses the credentials") as caught:
        adapter.verify()
    with pytest.raises(DeliveryError):
        adapter.deliver(sample_envelope(Channel.MASTODON))
    adapter.close()
    assert "no-such-token" not in str(caught.value)


@pytest.mark.parametrize(("picture", "status"), [("7", ReceiptStatus.ACCEPTED), ("8", ReceiptStatus.UNKNOWN)])
def test_a_lost_answer_is_found_by_its_picture(picture: str, status: ReceiptStatus) -> None:
    """The picture's id was given to us for this piece alone; a post with another picture proves nothing."""
    post = {"id": "99", "media_attachments": [{"id": picture}], "content": "Grüße"}

    def answer(asked: Asked) -> Told:
        if asked.path.endswith("/media"):
            return Told(200, {"id": "7"})
        if asked.path.endswith("verify_credentials"):
            return Told(200, {"id": "1"})
        if asked.method == "GET":
            return Told(200, f'[{{"id": "99", "media_attachments": [{{"id": "{picture}"}}]}}]'.encode())
        return Told(502, {"error": "gateway"})

    with ContractServer(answer) as server:
        adapter = adapter_for(server.url)
        receipt = adapter.deliver(sample_envelope(Channel.MASTODON))
        adapter.close()
        posts = [asked for asked in server.requests if (asked.method, asked.path) == ("POST", "/api/v1/statuses")]
    assert receipt.status is status
    assert receipt.provider_id == (post["id"] if status is ReceiptStatus.ACCEPTED else "")
    assert len(posts) == 1
    assert posts[0].headers["idempotency-key"] == "p-sample"


def test_a_picture_that_is_lost_leaves_no_post() -> None:
    """Before the post itself nothing is in doubt: it may be tried again."""
    with ContractServer(lambda asked: Told(500, {})) as server:
        adapter = adapter_for(server.url)
        receipt = adapter.deliver(sample_envelope(Channel.MASTODON))
        adapter.close()
        assert [asked.path for asked in server.requests] == ["/api/v2/media"]
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.DEFERRED, "before the post: 500")


def test_only_posts_are_posted() -> None:
    """Another kind of rendition is refused for good."""
    adapter = adapter_for("http://127.0.0.1:1")
    assert adapter.deliver(sample_envelope(Channel.SMS)).status is ReceiptStatus.REJECTED
    adapter.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"server": ""}, "server"), ({"server": "http://m.example"}, "server"), ({"visibility": "all"}, "visibility")],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Every wrong setting, before anything is sent."""
    with pytest.raises(DeliveryError, match=f"setting {named}"):
        adapter_for("https://m.example", **settings)


def test_a_missing_library_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever configures the network learns what to install, before a campaign begins."""
    monkeypatch.setitem(sys.modules, "mastodon", None)
    with pytest.raises(DeliveryError, match=r"ccm-engine\[social\]"):
        adapter_for("https://m.example")
