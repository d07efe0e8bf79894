"""End User Messaging, against a server that lets nothing pass but what AWS's own model of the service allows."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deliver.aws_servers import ModelServer, aws_environment, error_answer, model_server

from ccm.deliver.end_user_messaging import (
    EndUserMessagingAdapter,
    EndUserMessagingSettings,
    build,
)
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus
from ccm.model.refusals import AddressFault
from ccm.testing import AdapterContract, HttpAnswer, HttpFaultContract, sample_envelope

__all__ = ["aws_environment"]
pytestmark = pytest.mark.usefixtures("aws_environment")

TEXT = sample_envelope(Channel.SMS)
SERVICE = "pinpoint-sms-voice-v2"
ANSWERS = {
    "SendTextMessage": {"MessageId": "m-{}"},
    "DescribeAccountAttributes": {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]},
}
REJECTED, DEFERRED, UNKNOWN = ReceiptStatus.REJECTED, ReceiptStatus.DEFERRED, ReceiptStatus.UNKNOWN


def adapter_at(url: str, **settings: str) -> EndUserMessagingAdapter:
    given = {"endpoint_url": url, "timeout_seconds": "5"} | settings
    return EndUserMessagingAdapter.from_settings("mine", given, root="/")


class TestContract(AdapterContract):
    server: ModelServer
    url: str

    @pytest.fixture(autouse=True)
    def service(self) -> Any:
        with model_server(SERVICE, ANSWERS) as (server, url):
            self.server, self.url = server, url
            yield
        assert server.misfits == []

    def open(self, folder: Path) -> Adapter:
        return adapter_at(self.url)

    def received(self, folder: Path) -> int:
        return sum(operation == "SendTextMessage" for operation, _ in self.server.calls)

    def broken(self, folder: Path) -> Adapter:
        return adapter_at("http://127.0.0.1:9")


class TestFaults(HttpFaultContract):
    channel = Channel.SMS

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_at(url, timeout_seconds="0.5")

    def refusal(self, status: int) -> HttpAnswer:
        codes = {400: "ValidationException", 403: "AccessDeniedException", 429: "ThrottlingException"}
        return error_answer(status, codes.get(status, "InternalServerException"))


def test_every_setting_reaches_the_service() -> None:
    """And the piece stands in the context, which every event brings back."""
    settings = {
        "origination_identity": "pool-1", "configuration_set": "events", "protect_configuration": "protect-1",
        "message_type": "promotional", "time_to_live_seconds": "3600",
    }  # fmt: skip
    tagged = replace(TEXT, tags={"run": "letter.2026-10", "campaign": "letter", "occurrence": "2026-10", "other": "x"})
    with model_server(SERVICE, ANSWERS) as (server, url):
        adapter = adapter_at(url, **settings)
        receipt = adapter.deliver(tagged)
        adapter.close()
    assert (server.misfits, receipt.status, receipt.provider_id) == ([], ReceiptStatus.ACCEPTED, "m-1")
    assert server.calls == [
        (
            "SendTextMessage",
            {
                "DestinationPhoneNumber": "+12025550123",
                "OriginationIdentity": "pool-1",
                "MessageBody": "Grüße",
                "MessageType": "PROMOTIONAL",
                "ConfigurationSetName": "events",
                "ProtectConfigurationId": "protect-1",
                "TimeToLive": 3600,
                "Context": {
                    "piece": "p-sample",
                    "campaign": "letter",
                    "occurrence": "2026-10",
                    "run": "letter.2026-10",
                },
            },
        )
    ]


def test_the_brands_sender_is_the_origin_unless_settings_name_one() -> None:
    """A name or a number; nothing at all leaves the choice to the account."""
    plain = EndUserMessagingSettings()
    assert build(TEXT, "Northwind", plain)["OriginationIdentity"] == "Northwind"
    assert "OriginationIdentity" not in build(TEXT, "", plain)
    adapter = adapter_at("http://127.0.0.1:9")
    with pytest.raises(DeliveryError, match="sender"):
        adapter.deliver(replace(TEXT, sender="Northwind Bank"))
    adapter.close()


@pytest.mark.parametrize(
    ("status", "code", "fields", "meaning", "word"),
    [
        (409, "ConflictException", {"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}, REJECTED, "ConflictException opted out"),
        (409, "ConflictException", {"Reason": "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"}, REJECTED, "DESTINATION"),
        (400, "ValidationException", {"Reason": "PRICE_OVER_THRESHOLD"}, REJECTED, "PRICE_OVER_THRESHOLD"),
        (
            400,
            "ValidationException",
            {"Reason": "INVALID_PARAMETER", "Fields": [{"Name": "DestinationPhoneNumber", "Message": "+12025550123"}]},
            REJECTED,
            "INVALID_PARAMETER",
        ),
        (400, "ValidationException", {}, REJECTED, "ValidationException"),
        (400, "ThrottlingException", {}, DEFERRED, "ThrottlingException"),
        (500, "InternalServerException", {}, UNKNOWN, "InternalServerException"),
    ],
)  # fmt: skip
def test_refusals_of_one_text(
    status: int, code: str, fields: dict[str, Any], meaning: ReceiptStatus, word: str
) -> None:
    """By code and reason."""
    with model_server(SERVICE, {"SendTextMessage": (status, code, fields)}) as (server, url):
        adapter = adapter_at(url)
        receipt = adapter.deliver(TEXT)
        adapter.close()
    assert (receipt.status, len(server.calls)) == (meaning, 1)
    assert receipt.provider_status.startswith(word)
    assert receipt.address_fault is (AddressFault.OPTED_OUT if "OPTED_OUT" in str(fields) else None)
    assert "2025550123" not in receipt.provider_status


@pytest.mark.parametrize(
    ("status", "code", "fields"),
    [
        (409, "ConflictException", {"Reason": "RESOURCE_NOT_ACTIVE"}),
        (404, "ResourceNotFoundException", {"ResourceType": "configuration-set"}),
        (400, "ServiceQuotaExceededException", {"Reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"}),
        (400, "ValidationException", {"Reason": "INVALID_PARAMETER", "Fields": [{"Name": "OriginationIdentity"}]}),
        (403, "AccessDeniedException", {"Reason": "ACCOUNT_DISABLED"}),
    ],
)
def test_faults_of_the_account_stop_the_run(status: int, code: str, fields: dict[str, Any]) -> None:
    """They would meet every text."""
    with model_server(SERVICE, {"SendTextMessage": (status, code, fields)}) as (_, url):
        adapter = adapter_at(url)
        with pytest.raises(DeliveryError) as caught:
            adapter.deliver(TEXT)
        adapter.close()
    assert not caught.value.retriable


def test_what_is_no_text_or_no_number_is_not_sent() -> None:
    """Rejected before anything leaves."""
    for wrong in (replace(TEXT, address="0301234567"), replace(sample_envelope(), address="+12025550123")):
        with pytest.raises(Setback) as caught:
            build(wrong, "", EndUserMessagingSettings())
        assert caught.value.status is REJECTED


@pytest.mark.parametrize("settings", [{"message_type": "loud"}, {"time_to_live_seconds": "9999999"}])
def test_wrong_settings_are_named(settings: dict[str, str]) -> None:
    """Before anything is sent."""
    with pytest.raises(DeliveryError, match=next(iter(settings))):
        EndUserMessagingAdapter.from_settings("mine", settings, root="/")


def test_nothing_personal_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG."""
    with caplog.at_level(logging.DEBUG), model_server(SERVICE, ANSWERS) as (_, url):
        adapter = adapter_at(url)
        adapter.deliver(TEXT)
        adapter.close()
    assert "2025550123" not in caplog.text
    assert "Grüße" not in caplog.text
