"""Pieces to a system of one's own: what arrives, who can know that it is from us, and what every fault is called."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.webhook import WebhookAdapter, build, signed
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus
from ccm.testing import AdapterContract, HttpFault, HttpFaultContract, sample_envelope
from tests.deliver.contract_server import Asked, ContractServer, Told

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER_KEY = b"x" * 24
OTHER = "whsec_" + base64.b64encode(OTHER_KEY).decode()


def adapter_for(url: str, /, **settings: str) -> WebhookAdapter:
    given = {"url": f"{url}/pieces", "secret": SECRET, "timeout_seconds": "30"} | settings
    return WebhookAdapter.from_settings("mine", given, root="/")


def known_by(key: bytes, asked: Asked) -> bool:
    """Check a request as a receiver does, by the specification alone."""
    signed_text = b".".join(
        [asked.headers["webhook-id"].encode(), asked.headers["webhook-timestamp"].encode(), asked.body]
    )
    expected = "v1," + base64.b64encode(hmac.new(key, signed_text, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(asked.headers["webhook-timestamp"])) < 60
    return fresh and expected in asked.headers["webhook-signature"].split(" ")


class Receiver:
    """Keeps one piece for each id, as a careful receiver does."""

    def __init__(self) -> None:
        self.pieces: dict[str, Asked] = {}

    def __call__(self, asked: Asked) -> Told:
        if asked.method == "HEAD":
            return Told(405)
        if not known_by(KEY, asked):
            return Told(401)
        self.pieces.setdefault(asked.headers["webhook-id"], asked)
        return Told(202, {"id": "job-7"})


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    with ContractServer(receiver) as server:
        yield server.url


class TestWebhookContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, receiver: Receiver, url: str) -> None:
        self.receiver, self.url = receiver, url

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.url)

    def received(self, folder: Path) -> int:
        return len(self.receiver.pieces)

    def broken(self, folder: Path) -> Adapter:
        return adapter_for("http://127.0.0.1:1")


class TestWebhookFaults(HttpFaultContract):
    """A receiver of one's own owes us no id: its 2xx accepts, whatever stands in the body and however it ends."""

    channel = Channel.EMAIL

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_for(url, timeout_seconds="2")

    def test_truncated_answer(self, tmp_path: Path) -> None:
        receipt = self._receipt(HttpFault.TRUNCATED, tmp_path)
        assert receipt.status is ReceiptStatus.ACCEPTED

    def test_answer_without_an_id(self, tmp_path: Path) -> None:
        receipt = self._receipt(HttpFault.NO_ID, tmp_path)
        assert receipt.status is ReceiptStatus.ACCEPTED


class TestDeduplicatingWebhookFaults(TestWebhookFaults):
    """Where the receiver drops a second POST of an id, what is in doubt may simply be tried again."""

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_for(url, deduplicates="yes", timeout_seconds="2")

    def _in_doubt(self, fault: HttpFault, folder: Path) -> None:
        receipt = self._receipt(fault, folder)
        assert receipt.status is ReceiptStatus.DEFERRED


@pytest.mark.parametrize("channel", list(Channel))
def test_what_arrives(channel: Channel, receiver: Receiver, url: str) -> None:
    """The whole message and its texts, with piece, channel, address and tags; signed, under the piece id."""
    envelope = sample_envelope(channel)
    adapter = adapter_for(url)
    receipt = adapter.deliver(envelope)
    adapter.close()
    asked = receiver.pieces["p-sample"]
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/pieces", "application/json")
    assert asked.json["type"] == "ccm.piece"
    data = asked.json["data"]
    assert (data["piece"], data["channel"], data["address"]) == ("p-sample", channel, envelope.address)
    assert data["tags"] == dict(envelope.tags)
    content = base64.b64decode(data["content"]["base64"])
    assert content == envelope.rendition.content
    assert data["content"]["sha256"] == hashlib.sha256(content).hexdigest()
    extra = set(data) - {"piece", "channel", "sender", "address", "tags", "content"}
    expected = {
        Channel.EMAIL: {"subject", "preheader", "text", "html"},
        Channel.SMS: {"text", "segments"},
        Channel.DOCUMENT: {"title", "filename", "pages"},
    }
    assert extra == expected.get(channel, {"text", "language", "card"})
    if channel.is_social:
        assert data["card"]["alt"] == "A card"
    assert (receipt.provider_id, receipt.provider_status) == ("job-7", "202")


def test_the_signature_is_the_standards() -> None:
    """Against the example that libraries of the standard are tested with."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', (key,), sent_at=1614265330)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_while_they_change(url: str) -> None:
    """A receiver that knows either secret accepts."""
    with ContractServer(lambda asked: Told(200)) as server:
        adapter = adapter_for(server.url, secret=f"{OTHER} {SECRET}")
        adapter.deliver(sample_envelope())
        adapter.close()
        (asked,) = server.requests
    assert known_by(KEY, asked)
    assert known_by(OTHER_KEY, asked)
    assert not known_by(b"y" * 24, asked)


def test_a_wrong_secret_stops_everything(url: str) -> None:
    """The receiver does not know us: no piece would fare better."""
    adapter = adapter_for(url, secret=OTHER)
    with pytest.raises(DeliveryError, match="check `secret`"):
        adapter.deliver(sample_envelope())
    adapter.close()


def test_the_same_piece_has_the_same_body() -> None:
    """A receiver may compare what it gets a second time."""
    assert build(sample_envelope()) == build(sample_envelope())
    assert json.loads(build(sample_envelope(Channel.SMS)))["data"]["text"] == "Grüße"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(code: int) -> None:
    """Neither by a piece nor by doctor: another host would get a customer's data."""
    with (
        ContractServer(lambda asked: Told(200)) as stranger,
        ContractServer(lambda asked: Told(code, b"", {"location": stranger.url})) as server,
    ):
        adapter = adapter_for(server.url)
        if code in (302, 303):  # these also follow a request that was carried out
            assert adapter.deliver(sample_envelope()).status is ReceiptStatus.UNKNOWN
        else:
            with pytest.raises(DeliveryError):
                adapter.deliver(sample_envelope())
        with pytest.raises(DeliveryError, match="elsewhere"):
            adapter.verify()
        adapter.close()
        assert stranger.requests == []


def test_tls_is_verified(tmp_path: Path) -> None:
    """A private authority must be named; without it no byte of the piece leaves."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ContractServer(lambda asked: Told(204), tls=context) as server:
        adapter = adapter_for(server.url)
        for attempt in (adapter.verify, lambda: adapter.deliver(sample_envelope())):
            with pytest.raises(DeliveryError, match="certificate is not trusted"):
                attempt()
        adapter.close()
        assert server.requests == []
        trusting = adapter_for(server.url, ca_file=str(tmp_path / "ca.pem"))
        trusting.verify()
        receipt = trusting.deliver(sample_envelope())
        trusting.close()
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.ACCEPTED, "204")


@pytest.mark.parametrize(
    ("code", "fine"), [(200, True), (404, True), (405, True), (501, True), (500, False), (503, False)]
)
def test_doctor_asks_for_headers_only(code: int, fine: bool) -> None:
    """Receivers often know no HEAD; what counts is that one is there and in order."""
    with ContractServer(lambda asked: Told(code)) as server:
        adapter = adapter_for(server.url)
        if fine:
            adapter.verify()
        else:
            with pytest.raises(DeliveryError, match="out of order"):
                adapter.verify()
        adapter.close()
        assert [asked.method for asked in server.requests] == ["HEAD"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"secret": "secret"}, "setting secret is no webhook secret; write whsec_"),
        ({"secret": base64.b64encode(KEY).decode()}, "no webhook secret"),
        ({"secret": "whsec_" + base64.b64encode(b"short").decode()}, "no webhook secret"),
        ({"secret": "whsec_not base64!"}, "no webhook secret"),
        ({"secret": ""}, "setting secret is missing"),
        ({"url": "http://push.example"}, "setting url is no safe address"),
        ({"deduplicates": "perhaps"}, "setting deduplicates is wrong"),
        ({"connections": "0"}, "setting connections"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Before anything is sent, and without the secret."""
    with pytest.raises(DeliveryError, match=named) as caught:
        adapter_for("https://push.example", **settings)
    assert SECRET not in str(caught.value)


def test_connections_are_hand_overs() -> None:
    """As many threads as connections."""
    adapter = adapter_for("https://push.example", connections="3")
    assert adapter.concurrency == 3
    adapter.close()
