"""One request, sent once: what its end proves about a piece."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from ccm.deliver.exchange import Answer, Exchange, Setback, nothing_posted, text_of
from ccm.deliver.interface import DeliveryError
from ccm.model.records import ReceiptStatus
from tests.deliver.contract_server import ContractServer, Told

REJECTED, DEFERRED, UNKNOWN = ReceiptStatus.REJECTED, ReceiptStatus.DEFERRED, ReceiptStatus.UNKNOWN


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    made = Exchange("mine", timeout_seconds=30, remedy="check `token`")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (400, REJECTED), (402, REJECTED), (413, REJECTED), (422, REJECTED), (425, DEFERRED), (429, DEFERRED),
        (408, UNKNOWN), (302, UNKNOWN), (303, UNKNOWN), (500, UNKNOWN), (502, UNKNOWN), (503, UNKNOWN), (504, UNKNOWN),
    ],
)  # fmt: skip
def test_what_a_status_means_for_the_piece(code: int, status: ReceiptStatus, exchange: Exchange) -> None:
    """Only what proves that nothing was accepted is not unknown."""
    with ContractServer(lambda request: Told(code, {"error": "Some text about ann@example.org"})) as server:
        with pytest.raises(Setback) as caught:
            exchange.call("POST", f"{server.url}/x", content=b"{}")
        assert len(server.requests) == 1
    assert (caught.value.status, caught.value.text) == (status, str(code))


@pytest.mark.parametrize("code", [301, 307, 308, 401, 403, 404, 405, 407, 410])
def test_what_is_about_the_provider_as_a_whole(code: int, exchange: Exchange) -> None:
    """Credentials and addresses: every piece would fare alike, and a redirect is not followed."""
    with ContractServer(lambda request: Told(code, {}, {"location": "/elsewhere"})) as server:
        with pytest.raises(DeliveryError) as caught:
            exchange.call("POST", f"{server.url}/x", content=b"{}")
        assert [request.path for request in server.requests] == ["/x"]
    assert not caught.value.retriable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT"}, None),  # whose clock?
        ({"x-rate-limit-reset": "1795341610", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 10),
        ({"ratelimit-reset": "1795341610", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 10),
        ({"x-ratelimit-reset": "2026-11-22T10:05:00.000Z", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 300),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After in both its forms, and the reset times of Mastodon, Bluesky and X by the provider's own clock."""
    assert Answer(429, headers, b"").wait_seconds == seconds


def test_a_private_authority(exchange: Exchange, tmp_path: Path) -> None:
    """A certificate that nobody vouches for is refused before anything leaves; `ca_file` vouches."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = Exchange("mine", timeout_seconds=30, ca_file=str(tmp_path / "ca.pem"), remedy="")
    with ContractServer(lambda request: Told(200, {"id": "1"}), tls=context) as server:
        with pytest.raises(DeliveryError, match="certificate is not trusted") as caught:
            exchange.call("POST", f"{server.url}/x", content=b"secret")
        assert server.requests == []
        assert text_of(trusting.call("POST", f"{server.url}/x"), "id") == "1"
    trusting.close()
    assert not caught.value.retriable


def test_a_missing_authority_file_is_named() -> None:
    """Not at the first message, but when the provider is opened."""
    with pytest.raises(DeliveryError, match="ca_file"):
        Exchange("mine", timeout_seconds=2, ca_file="/nowhere.pem", remedy="")


def test_an_endless_answer_is_cut(exchange: Exchange) -> None:
    """A provider that sends without end does not take our memory; its status is known."""
    with ContractServer(lambda request: Told(200, b"x" * 3_000_000)) as server:
        answer = exchange.call("GET", f"{server.url}/x")
    assert not answer.complete
    assert len(answer.body) < 1_200_000


@pytest.mark.parametrize("body", [b"", b"[1]", b'"text"', b"{", b"\xff", b"[" * 100_000])
def test_a_broken_body_is_an_empty_one(body: bytes) -> None:
    """Nothing that a provider sends breaks us."""
    answer = Answer(200, {}, body)
    assert answer.json() == {}
    assert answer.word("error", "code") == ""
    with pytest.raises(Setback):
        text_of(answer, "id")


def test_only_code_words_are_taken_from_an_answer() -> None:
    """Sentences may quote the message or its address."""
    answer = Answer(400, {}, b'{"error": {"code": 190, "message": "ann@example.org is wrong"}, "ok": true}')
    assert answer.word("error", "code") == "190"
    assert answer.word("error", "message") == ""
    assert answer.word("error", "code", "deeper") == ""


def test_before_the_post_a_lost_answer_is_no_doubt() -> None:
    """A picture or a log-in without an answer leaves no post behind; other setbacks stay what they are."""
    with pytest.raises(Setback) as caught, nothing_posted():
        raise Setback(UNKNOWN, "500")
    assert caught.value.status is DEFERRED
    with pytest.raises(Setback) as caught, nothing_posted():
        raise Setback(REJECTED, "413")
    assert caught.value.status is REJECTED
