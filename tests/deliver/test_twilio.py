"""Twilio: one message for each piece, told apart by Twilio's own codes; checked against Twilio's own description."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from deliver.twilio_server import ACCOUNT, TwilioServer, prism_server, twilio_server

from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.phone import OPTED_OUT
from ccm.deliver.twilio import TwilioAdapter, TwilioSettings, build, callback, read_settings
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus
from ccm.model.refusals import AddressFault
from ccm.testing import AdapterContract, HttpAnswer, HttpFaultContract, sample_envelope

TEXT = sample_envelope(Channel.SMS)
ACCEPTED, REJECTED, DEFERRED = ReceiptStatus.ACCEPTED, ReceiptStatus.REJECTED, ReceiptStatus.DEFERRED


def adapter_at(url: str, **settings: str) -> TwilioAdapter:
    given = {"account_sid": ACCOUNT, "auth_token": "secret-token", "endpoint_url": url, "timeout_seconds": "5"}
    return TwilioAdapter.from_settings("mine", given | settings, root="/")


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with twilio_server() as running:
        yield running


class TestContract(AdapterContract):
    server: TwilioServer

    @pytest.fixture(autouse=True)
    def running(self, server: TwilioServer) -> None:
        self.server = server

    def open(self, folder: Path) -> Adapter:
        return adapter_at(self.server.url)

    def received(self, folder: Path) -> int:
        return len(self.server.messages)

    def broken(self, folder: Path) -> Adapter:
        return adapter_at("http://127.0.0.1:9")


class TestFaults(HttpFaultContract):
    channel = Channel.SMS

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_at(url, timeout_seconds="0.5")

    def refusal(self, status: int) -> HttpAnswer:
        code = {400: 21211, 403: 20003, 429: 20429}.get(status, 20500)
        told = {"code": code, "message": "The number +12025550123 is bad", "more_info": "…", "status": status}
        return HttpAnswer(status, json.dumps(told).encode())


@pytest.fixture(scope="module")
def described(shared_data: Path) -> Iterator[str]:
    with prism_server(shared_data / "twilio" / "twilio_api_v2010.json") as url:
        yield url


class TestAgainstTheDescription:
    """Prism refuses what Twilio's OpenAPI description does not allow, and answers with its examples."""

    @pytest.mark.data
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"messaging_service": "MG" + "a" * 32},
            {"status_callback": "https://messages.example.com/hooks/twilio/status"},
            {"auth_token": "", "api_key_sid": "SK" + "a" * 32, "api_key_secret": "s"},
        ],
    )
    def test_requests_fit(self, described: str, settings: dict[str, str]) -> None:
        """Every form of a message, and the look at the account."""
        adapter = adapter_at(described, **settings)
        receipt = adapter.deliver(replace(TEXT, sender="+14155552345"))
        adapter.verify()
        adapter.close()
        assert (receipt.status, receipt.provider_status) == (ACCEPTED, "queued")
        assert receipt.provider_id.startswith("SM")

    @pytest.mark.data
    def test_prism_would_refuse(self, described: str) -> None:
        """It is a check that can fail: a callback that is no address is found."""
        adapter = adapter_at(described)
        with pytest.raises((Setback, DeliveryError)):
            adapter._client.messages.create(to="+12025550123", body="x", from_="+14155552345", status_callback="no url")
        adapter.close()


def test_a_text_is_created_once_with_its_callback(server: TwilioServer) -> None:
    """Number, sender, text, and an address that names the piece."""
    adapter = adapter_at(server.url, status_callback="https://messages.example.com/hooks/twilio/status/")
    receipt = adapter.deliver(TEXT)
    adapter.close()
    assert server.messages == [
        {
            "To": "+12025550123",
            "From": "Northwind",
            "Body": "Grüße",
            "StatusCallback": "https://messages.example.com/hooks/twilio/status?piece=p-sample",
        }
    ]
    assert server.users == {f"{ACCOUNT}:secret-token"}
    assert (receipt.status, receipt.provider_id) == (ACCEPTED, "SM" + f"{1:032d}")


def test_a_messaging_service_chooses_the_sender(server: TwilioServer) -> None:
    """The brand's own would be refused when it is not in the service's pool."""
    adapter = adapter_at(server.url, messaging_service="MG1")
    adapter.deliver(TEXT)
    adapter.close()
    assert server.messages == [{"To": "+12025550123", "MessagingServiceSid": "MG1", "Body": "Grüße"}]


def test_the_callback_keeps_its_own_query() -> None:
    """A key with characters of its own stays one value."""
    assert callback("https://x.example/e?run=1", "p&x=1/ü") == "https://x.example/e?run=1&piece=p%26x%3D1%2F%C3%BC"
    assert parse_qs(urlsplit(callback("https://x.example/e", "p-1")).query) == {"piece": ["p-1"]}


@pytest.mark.parametrize(
    ("status", "code", "meaning", "word"),
    [
        (400, 21211, REJECTED, "400 21211"),  # invalid number
        (400, 21614, REJECTED, "400 21614"),  # no mobile
        (400, 21408, REJECTED, "400 21408"),  # country not allowed
        (400, 21617, REJECTED, "400 21617"),  # too long
        (400, 21606, REJECTED, "400 21606"),  # this sender cannot write to this destination
        (400, 21610, REJECTED, f"21610 {OPTED_OUT}"),
        (429, 20429, DEFERRED, "20429"),
        (400, 21611, DEFERRED, "21611"),  # the sender's queue is full
        (429, 63038, DEFERRED, "63038"),  # the day's limit
        (500, 20500, ReceiptStatus.UNKNOWN, "500"),
        (503, 20003, ReceiptStatus.UNKNOWN, "503"),  # whatever a failing server says of the account
    ],
)
def test_refusals_of_one_text(server: TwilioServer, status: int, code: int, meaning: ReceiptStatus, word: str) -> None:
    """By Twilio's code."""
    server.refusal = (status, code)
    adapter = adapter_at(server.url)
    receipt = adapter.deliver(TEXT)
    adapter.close()
    assert (receipt.status, receipt.provider_status, server.posts) == (meaning, word, 1)
    faults = {21610: AddressFault.OPTED_OUT, 21211: AddressFault.NO_SUCH_ADDRESS, 21614: AddressFault.NO_SUCH_ADDRESS}
    assert receipt.address_fault is faults.get(code)


@pytest.mark.parametrize(
    ("status", "code", "named"),
    [
        (401, 20003, "auth_token"),
        (403, 20005, "auth_token"),
        (400, 21212, "sender"),
        (400, 21659, "sender"),
        (400, 21703, "messaging_service"),
        (404, 20404, "address"),
    ],
)
def test_faults_of_account_and_sender_stop_the_run(server: TwilioServer, status: int, code: int, named: str) -> None:
    """They would meet every text."""
    server.refusal = (status, code)
    adapter = adapter_at(server.url)
    with pytest.raises(DeliveryError, match=named) as caught:
        adapter.deliver(TEXT)
    adapter.close()
    assert not caught.value.retriable
    assert "secret-token" not in str(caught.value)


def test_a_message_that_failed_at_once_is_rejected(server: TwilioServer) -> None:
    """Twilio makes a message of it all the same."""
    server.created = {"status": "failed", "error_code": 30006}
    adapter = adapter_at(server.url)
    receipt = adapter.deliver(TEXT)
    adapter.close()
    assert (receipt.status, receipt.provider_status) == (REJECTED, "30006 failed")


def test_a_missing_sender_is_the_brands_fault() -> None:
    """Nothing leaves."""
    adapter = adapter_at("http://127.0.0.1:9")
    with pytest.raises(DeliveryError, match="sender"):
        adapter.deliver(replace(TEXT, sender=""))
    adapter.close()


def test_what_is_no_text_or_no_number_is_not_sent() -> None:
    """Rejected before anything leaves."""
    settings = TwilioSettings(ACCOUNT)
    for wrong in (replace(TEXT, address="0301234567"), replace(sample_envelope(), address="+12025550123")):
        with pytest.raises(Setback) as caught:
            build(wrong, settings)
        assert caught.value.status is REJECTED


def test_a_suspended_account_is_told(server: TwilioServer) -> None:
    """Before a run."""
    server.account = {"status": "suspended"}
    adapter = adapter_at(server.url)
    with pytest.raises(DeliveryError, match="suspended"):
        adapter.verify()
    adapter.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"account_sid": "AC1"}, "auth_token"),
        ({"account_sid": "SK1", "auth_token": "x-secret"}, "account_sid"),
        ({"account_sid": "AC1", "api_key_sid": "SK1"}, "api_key_secret"),
        ({"account_sid": "AC1", "auth_token": "x-secret", "status_callback": "http://x.example"}, "status_callback"),
        ({"account_sid": "AC1", "auth_tokn": "x-secret"}, "auth_token"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Never with their values."""
    with pytest.raises(DeliveryError, match=named) as caught:
        read_settings("mine", settings, root="/")
    assert "x-secret" not in str(caught.value)


def test_secrets_come_from_files_and_do_not_print(tmp_path: Path) -> None:
    """A token in a file, as container platforms give it."""
    (tmp_path / "token").write_text("secret-token\n")
    found = read_settings("mine", {"account_sid": "AC1", "auth_token_file": "token"}, root=str(tmp_path))
    assert found.auth_token == "secret-token"
    assert "secret-token" not in repr(found)


def test_nothing_personal_in_the_log(server: TwilioServer, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, where Twilio's own client writes what it sends."""
    with caplog.at_level(logging.DEBUG):
        adapter = adapter_at(server.url)
        adapter.deliver(TEXT)
        adapter.close()
    found: list[Any] = [word for word in ("2025550123", "Grüße", "secret-token") if word in caplog.text]
    assert found == []
