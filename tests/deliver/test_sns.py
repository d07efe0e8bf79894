"""SNS: each text goes to its number, from the brand's sender, at the price and of the kind that the settings say."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deliver.aws_servers import REGION, aws_environment, empty_moto, error_answer_xml

from ccm.deliver.aws import Refusal
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.phone import OPTED_OUT
from ccm.deliver.sns import SnsAdapter, SnsSettings, build, judge, origin
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus
from ccm.model.refusals import AddressFault
from ccm.testing import AdapterContract, FaultServer, HttpAnswer, HttpFault, HttpFaultContract, sample_envelope

__all__ = ["aws_environment"]
pytestmark = [
    pytest.mark.usefixtures("aws_environment"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto, in its threads
]

TEXT = sample_envelope(Channel.SMS)


def adapter_at(url: str, **settings: str) -> SnsAdapter:
    return SnsAdapter.from_settings("mine", {"endpoint_url": url, "timeout_seconds": "5"} | settings, root="/")


def texts() -> list[tuple[str, str, Any]]:
    """Return number, text and attributes of what moto's SNS took; its server runs in this process."""
    from moto.backends import get_backend

    return list(get_backend("sns")["123456789012"][REGION].sms_messages.values())


class TestContract(AdapterContract):
    def open(self, folder: Path) -> Adapter:
        return adapter_at(empty_moto())

    def received(self, folder: Path) -> int:
        return len(texts())

    def broken(self, folder: Path) -> Adapter:
        return adapter_at("http://127.0.0.1:9")


class TestFaults(HttpFaultContract):
    channel = Channel.SMS

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_at(url, timeout_seconds="0.5")

    def refusal(self, status: int) -> HttpAnswer:
        codes = {400: "InvalidParameter", 403: "AuthorizationError", 429: "Throttled"}
        return error_answer_xml(status, codes.get(status, "InternalError"))


def test_the_text_goes_to_the_number() -> None:
    """As it was composed."""
    adapter = adapter_at(empty_moto())
    receipt = adapter.deliver(TEXT)
    adapter.close()
    assert [text[:2] for text in texts()] == [("+12025550123", "Grüße")]
    assert (receipt.status, bool(receipt.provider_id)) == (ReceiptStatus.ACCEPTED, True)


def test_attributes_tell_sender_kind_and_price() -> None:
    """AWS would take promotional by default, which night and filters stop."""
    given = build(TEXT, origin("mine", "Northwind"), SnsSettings(max_price="0.05"))["MessageAttributes"]
    assert {name: item["StringValue"] for name, item in given.items()} == {
        "AWS.SNS.SMS.SMSType": "Transactional",
        "AWS.SNS.SMS.SenderID": "Northwind",
        "AWS.SNS.SMS.MaxPrice": "0.05",
    }
    assert origin("mine", "+12025550100") == {"AWS.MM.SMS.OriginationNumber": "+12025550100"}
    assert origin("mine", "") == {}


@pytest.mark.parametrize("sender", ["Northwind Bank", "NorthwindBank", "Müller", "12345", "a-b", "+49"])
def test_a_sender_that_no_network_carries_is_the_brands_fault(sender: str) -> None:
    """Found before any text leaves."""
    with pytest.raises(DeliveryError, match="sender"):
        origin("mine", sender)


@pytest.mark.parametrize(
    "address", ["", "0301234567", "+49 30 1234567", "+493012345678901234", "ann@example.org", "+1\n2025550123"]
)
def test_a_number_is_one_number_or_nothing_is_sent(address: str) -> None:
    """E.164, nothing around it."""
    with pytest.raises(Setback) as caught:
        build(replace(TEXT, address=address), {}, SnsSettings())
    assert caught.value.status is ReceiptStatus.REJECTED


def test_only_texts_go_by_sns() -> None:
    """Another kind of rendition is refused for good."""
    with pytest.raises(Setback, match="text"):
        build(replace(sample_envelope(Channel.EMAIL), address="+12025550123"), {}, SnsSettings())


def test_refusals_of_the_service() -> None:
    """Opted out is about the recipient, sign-up about the account."""
    answer = judge(Refusal("mine", "OptedOut", 400, "", {}))
    assert isinstance(answer, Setback)
    assert (answer.status, OPTED_OUT in answer.text) == (ReceiptStatus.REJECTED, True)
    assert answer.receipt("p-1", "mine").address_fault is AddressFault.OPTED_OUT
    assert isinstance(judge(Refusal("mine", "OptInRequired", 403, "", {})), DeliveryError)
    assert judge(Refusal("mine", "InvalidParameter", 400, "Invalid", {})) is None


def test_verify_tells_refused_credentials() -> None:
    """Before a run."""
    with FaultServer(
        HttpFault.FORBIDDEN,
        prepares=lambda request: None,
        refusal=lambda status: error_answer_xml(status, "InvalidClientTokenId"),
    ) as server:
        adapter = adapter_at(server.url)
        with pytest.raises(DeliveryError, match="InvalidClientTokenId"):
            adapter.verify()
        adapter.close()


@pytest.mark.parametrize(
    "settings", [{"message_type": "loud"}, {"max_price": "cheap"}, {"region": "eu-central-1", "access_key": "x"}]
)
def test_wrong_settings_are_named(settings: dict[str, str]) -> None:
    """Keys of an account are no settings: they come from AWS's own chain."""
    with pytest.raises(DeliveryError, match=list(settings)[-1]):
        SnsAdapter.from_settings("mine", settings, root="/")


def test_nothing_personal_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG."""
    with caplog.at_level(logging.DEBUG):
        adapter = adapter_at(empty_moto())
        adapter.deliver(TEXT)
        adapter.close()
    assert "2025550123" not in caplog.text
    assert "Grüße" not in caplog.text
