"""A session for client libraries: one request, in the words of the exchange."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import requests

from ccm.deliver.exchange import Exchange, Setback
from ccm.deliver.exchange_session import exchange_session
from ccm.deliver.interface import DeliveryError
from ccm.model.records import ReceiptStatus
from tests.deliver.contract_server import ContractServer, Told


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    made = Exchange("mine", timeout_seconds=30, remedy="check `token`")
    yield made
    made.close()


def test_a_good_answer_is_what_the_library_expects(exchange: Exchange) -> None:
    """Status, headers, JSON and text come through; our own connection headers go out."""
    with ContractServer(lambda asked: Told(201, {"id": "ö"}, {"x-more": "yes"})) as server:
        answer = exchange_session(exchange).post(f"{server.url}/x?y=1", json={"a": "ö"}, headers={"x-own": "1"})
        (asked,) = server.requests
    assert (answer.status_code, answer.headers["X-More"], answer.json()) == (201, "yes", {"id": "ö"})
    assert (asked.target, asked.json, asked.headers["x-own"]) == ("/x?y=1", {"a": "ö"}, "1")


def test_failures_are_ours(exchange: Exchange) -> None:
    """No library decides what a failure means, tries again or follows."""
    session = exchange_session(exchange)
    with ContractServer(lambda asked: Told(int(asked.path[1:]), {}, {"location": "/200"})) as server:
        with pytest.raises(Setback) as lost:
            session.get(f"{server.url}/502")
        with pytest.raises(DeliveryError):
            session.post(f"{server.url}/307", data={"a": "b"})
        assert [asked.path for asked in server.requests] == ["/502", "/307"]
    assert lost.value.status is ReceiptStatus.UNKNOWN
    with pytest.raises(DeliveryError, match="cannot be reached"):
        session.get("http://127.0.0.1:1/x")


def test_the_address_is_moved_before_it_is_signed(exchange: Exchange) -> None:
    """OAuth 1.0a signs the address, so a change afterwards would break it."""
    signed: list[str] = []

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed.append(request.url or "")
        return request

    with ContractServer(lambda asked: Told(200)) as server:
        session = exchange_session(exchange, moved=("https://built.example", server.url))
        session.get("https://built.example/x", auth=sign)
        assert signed == [f"{server.url}/x"]
        assert [asked.path for asked in server.requests] == ["/x"]


def test_only_whole_bodies_are_sent(exchange: Exchange) -> None:
    """What is sent is known before: a stream could break off in the middle."""
    with ContractServer(lambda asked: Told(200)) as server:
        with pytest.raises(TypeError):
            exchange_session(exchange).post(f"{server.url}/x", data=io.BytesIO(b"stream"))
        assert server.requests == []
