"""SES: the message arrives as it was composed, at the one address, with tags that name the piece."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deliver.aws_servers import aws_environment, empty_moto, error_answer, model_server, moto_client, moto_data

from ccm.deliver.aws import Refusal
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.ses import SesAdapter, SesSettings, build, judge, tags
from ccm.model.definitions import Channel
from ccm.model.records import EmailRendition, ReceiptStatus
from ccm.testing import AdapterContract, HttpAnswer, HttpFaultContract, sample_envelope

__all__ = ["aws_environment"]
pytestmark = [
    pytest.mark.usefixtures("aws_environment"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto, in its threads
]

ACCOUNT = {"SendingEnabled": True, "SendQuota": {"Max24HourSend": 200, "SentLast24Hours": 3}}
SENT = {"MessageId": "m-{}"}
REJECTED, UNKNOWN = ReceiptStatus.REJECTED, ReceiptStatus.UNKNOWN


def adapter_at(url: str, **settings: str) -> SesAdapter:
    return SesAdapter.from_settings("mine", {"endpoint_url": url, "timeout_seconds": "5"} | settings, root="/")


def messages() -> list[dict[str, Any]]:
    """Return what moto's SES took."""
    found: list[dict[str, Any]] = moto_data()["ses"]["RawMessage"]
    return found


class TestContract(AdapterContract):
    """Against moto's server, which sends for verified domains only."""

    def open(self, folder: Path) -> Adapter:
        url = empty_moto()
        moto_client("ses").verify_domain_identity(Domain="northwind.example")
        return adapter_at(url)

    def received(self, folder: Path) -> int:
        return len(messages())

    def broken(self, folder: Path) -> Adapter:
        return adapter_at("http://127.0.0.1:9")

    def test_verify_sends_nothing(self, tmp_path: Path) -> None:
        """moto has no GetAccount; the server made of botocore's model does."""
        with model_server("sesv2", {"GetAccount": ACCOUNT}) as (server, url):
            adapter = adapter_at(url)
            adapter.verify()
            adapter.close()
        assert server.calls == [("GetAccount", {})]


class TestFaults(HttpFaultContract):
    channel = Channel.EMAIL

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_at(url, timeout_seconds="0.5")

    def refusal(self, status: int) -> HttpAnswer:
        codes = {400: "MessageRejected", 403: "AccessDeniedException", 429: "TooManyRequestsException"}
        return error_answer(status, codes.get(status, "InternalFailure"))


def test_the_message_arrives_as_it_was_composed() -> None:
    """Byte for byte, from the sender, at the address of the envelope."""
    url = empty_moto()
    moto_client("ses").verify_domain_identity(Domain="northwind.example")
    adapter, envelope = adapter_at(url), sample_envelope()
    receipt = adapter.deliver(envelope)
    adapter.close()
    (message,) = messages()
    assert message["raw_data"].encode() == envelope.rendition.content
    assert (message["source"], set(message["destinations"])) == (envelope.sender, {envelope.address})
    assert receipt.provider_id == message["id"]


def test_recipients_come_from_the_envelope_alone() -> None:
    """A header that names somebody else addresses nobody; configuration set and feedback address go along."""
    envelope = sample_envelope()
    rendition = envelope.rendition
    assert isinstance(rendition, EmailRendition)
    forged = replace(rendition, message=b"Bcc: eve@evil.example\r\n" + rendition.message)
    with model_server("sesv2", {"SendEmail": SENT}) as (server, url):
        adapter = adapter_at(url, configuration_set="events", feedback_address="bounces@northwind.example")
        receipt = adapter.deliver(replace(envelope, rendition=forged))
        adapter.close()
    ((operation, given),) = server.calls
    assert (operation, server.misfits, receipt.provider_id) == ("SendEmail", [], "m-1")
    assert given["Destination"] == {"ToAddresses": ["ann@example.org"]}
    assert given["Content"]["Raw"]["Data"] == forged.message
    assert given["ConfigurationSetName"] == "events"
    assert given["FeedbackForwardingEmailAddress"] == "bounces@northwind.example"


def test_tags_name_the_piece_in_legal_characters() -> None:
    """Every event brings them back."""
    envelope = replace(sample_envelope(), tags={"run": "täglich.2026/10", "campaign": "x" * 300, "occurrence": ""})
    given = {tag["Name"]: tag["Value"] for tag in tags(envelope)}
    assert given == {"piece": "p-sample", "run": "t_glich.2026_10", "campaign": "x" * 255}
    assert all(re.fullmatch(r"[A-Za-z0-9_\-.@]{1,255}", value) for value in given.values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"address": "jürgen@example.org"}, "ASCII"),
        ({"address": "ann@example.org,eve@evil.example"}, "address"),
        ({"address": "ann@example.org\r\nBcc: eve@evil.example"}, "address"),
        ({"rendition": sample_envelope(Channel.SMS).rendition}, "not an email"),
        (
            {"rendition": replace(sample_envelope().rendition, message=b"x" * (40 * 1024 * 1024 + 1))},  # type: ignore[type-var]
            "larger",
        ),
    ],
)
def test_what_ses_can_never_take_is_not_asked_for(change: dict[str, Any], reason: str) -> None:
    """Rejected before anything leaves."""
    with pytest.raises(Setback, match=reason) as caught:
        build(replace(sample_envelope(), **change), SesSettings())
    assert caught.value.status is REJECTED


def test_a_sender_that_is_no_address_is_the_brands_fault() -> None:
    """Not the recipient's."""
    adapter = adapter_at("http://127.0.0.1:9")
    with pytest.raises(DeliveryError, match="sender"):
        adapter.deliver(replace(sample_envelope(), sender="Northwind <post@northwind.example>"))
    adapter.close()


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (400, "AccountSuspendedException", "suspended"),
        (400, "SendingPausedException", "paused"),
        (400, "MailFromDomainNotVerifiedException", "verified"),
        (404, "NotFoundException", "configuration_set"),
        (403, "InvalidClientTokenId", "credentials"),
        (400, "UnrecognizedClientException", "credentials"),
        (400, "ExpiredTokenException", "credentials"),
        (404, "UnknownOperationException", "region"),
    ],
)
def test_faults_of_the_account_stop_the_run(status: int, code: str, word: str) -> None:
    """They would meet every message; none is blamed for them."""
    with model_server("sesv2", {"SendEmail": (status, code, {})}) as (server, url):
        adapter = adapter_at(url)
        with pytest.raises(DeliveryError, match=word) as caught:
            adapter.deliver(sample_envelope())
        adapter.close()
    assert not caught.value.retriable
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "MessageRejected", ReceiptStatus.REJECTED),
        (400, "BadRequestException", ReceiptStatus.REJECTED),
        (400, "LimitExceededException", ReceiptStatus.DEFERRED),
        (400, "Throttling", ReceiptStatus.DEFERRED),
        (429, "TooManyRequestsException", ReceiptStatus.DEFERRED),
        (503, "ServiceUnavailable", ReceiptStatus.UNKNOWN),
        (500, "InternalFailure", ReceiptStatus.UNKNOWN),
    ],
)
def test_refusals_of_one_message(status: int, code: str, meaning: ReceiptStatus) -> None:
    """By SES's code, which the receipt repeats."""
    with model_server("sesv2", {"SendEmail": (status, code, {"message": "ann@example.org is bad"})}) as (server, url):
        adapter = adapter_at(url)
        receipt = adapter.deliver(sample_envelope())
        adapter.close()
    assert (receipt.status, receipt.provider_status, len(server.calls)) == (meaning, code, 1)


def test_an_unverified_sender_stops_the_run() -> None:
    """SES calls it a rejected message; it would meet every one of them."""
    text = (
        "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: a@b.example"
    )
    assert isinstance(judge(Refusal("mine", "MessageRejected", 400, text, {})), DeliveryError)
    assert judge(Refusal("mine", "MessageRejected", 400, "Illegal content", {})) is None


@pytest.mark.parametrize(
    ("answer", "word", "retriable"),
    [
        ({"SendingEnabled": False}, "not enabled", False),
        ({"SendingEnabled": True, "SendQuota": {"Max24HourSend": 200, "SentLast24Hours": 200}}, "used up", True),
        ((403, "AccessDeniedException", {}), "credentials", False),
        ((429, "TooManyRequestsException", {}), "later", True),
    ],
)
def test_verify_says_why_nothing_could_be_sent(answer: Any, word: str, retriable: bool) -> None:
    """Before a run, in words."""
    with model_server("sesv2", {"GetAccount": answer}) as (_, url):
        adapter = adapter_at(url)
        with pytest.raises(DeliveryError, match=word) as caught:
            adapter.verify()
        adapter.close()
    assert caught.value.retriable is retriable


def test_an_unlimited_quota_is_fine() -> None:
    """SES writes it as -1."""
    quota = {"SendQuota": {"Max24HourSend": -1, "SentLast24Hours": 10}}
    with model_server("sesv2", {"GetAccount": ACCOUNT | quota}) as (_, url):
        adapter = adapter_at(url)
        adapter.verify()
        adapter.close()


def test_missing_credentials_are_found_before_anything_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """And named with where they are looked for."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with model_server("sesv2", {"SendEmail": SENT}) as (server, url):
        adapter = adapter_at(url)
        with pytest.raises(DeliveryError, match="AWS_ACCESS_KEY_ID"):
            adapter.deliver(sample_envelope())
        adapter.close()
    assert server.calls == []


def test_an_unknown_profile_is_named() -> None:
    """When the adapter is opened."""
    with pytest.raises(DeliveryError, match="ProfileNotFound"):
        adapter_at("http://127.0.0.1:9", profile="nobody")


def test_nothing_personal_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not at DEBUG either, where botocore writes whole requests."""
    with caplog.at_level(logging.DEBUG), model_server("sesv2", {"SendEmail": SENT}) as (_, url):
        adapter = adapter_at(url)
        adapter.deliver(sample_envelope())
        adapter.close()
    assert "ann@example.org" not in caplog.text
    assert "Statement" not in caplog.text


def test_as_many_hand_overs_as_connections() -> None:
    """The setting decides."""
    adapter = adapter_at("http://127.0.0.1:9", connections="3")
    assert adapter.concurrency == 3
    adapter.close()
