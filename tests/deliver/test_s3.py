"""S3: a document is written once and never over another, kept as long as it was told, and found again by its piece."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from deliver.aws_servers import REGION, aws_environment, empty_moto, error_answer_xml, moto_client

from ccm.deliver.aws import Refusal
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.s3 import S3Adapter, S3Settings, build, judge
from ccm.model.definitions import Channel
from ccm.model.records import DocumentRendition, Envelope, ReceiptStatus
from ccm.testing import AdapterContract, FaultServer, HttpAnswer, HttpFault, HttpFaultContract, sample_envelope

__all__ = ["aws_environment"]
pytestmark = [
    pytest.mark.usefixtures("aws_environment"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto, in its threads
]

ACCEPTED, REJECTED, DEFERRED = ReceiptStatus.ACCEPTED, ReceiptStatus.REJECTED, ReceiptStatus.DEFERRED
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PDF = sample_envelope(Channel.DOCUMENT)


def adapter_at(url: str, **settings: str) -> S3Adapter:
    given = {"endpoint_url": url, "timeout_seconds": "5", "bucket": "documents"} | settings
    return S3Adapter.from_settings("mine", given, root="/")


def empty_bucket(*, lock: bool = False) -> str:
    """Make the bucket in an empty S3 and return the server's address."""
    url = empty_moto()
    where = {"LocationConstraint": REGION}
    moto_client("s3").create_bucket(
        Bucket="documents", CreateBucketConfiguration=where, ObjectLockEnabledForBucket=lock
    )
    return url


def with_content(envelope: Envelope, content: bytes) -> Envelope:
    rendition = envelope.rendition
    assert isinstance(rendition, DocumentRendition)
    return replace(envelope, rendition=replace(rendition, content=content))


class TestContract(AdapterContract):
    def open(self, folder: Path) -> Adapter:
        return adapter_at(empty_bucket())

    def received(self, folder: Path) -> int:
        return int(moto_client("s3").list_objects_v2(Bucket="documents")["KeyCount"])

    def broken(self, folder: Path) -> Adapter:
        return adapter_at("http://127.0.0.1:9")


class TestFaults(HttpFaultContract):
    channel = Channel.DOCUMENT

    def open(self, url: str, folder: Path) -> Adapter:
        return adapter_at(url, timeout_seconds="0.5")

    def refusal(self, status: int) -> HttpAnswer:
        codes = {400: "InvalidArgument", 403: "AccessDenied", 429: "TooManyRequestsException"}
        return error_answer_xml(status, codes.get(status, "InternalError"))


def test_a_document_lies_there_as_it_was_composed() -> None:
    """Bytes, kind, name for the reader, and what it belongs to."""
    adapter = adapter_at(empty_bucket(), object_name="statements/{piece}.pdf")
    receipt = adapter.deliver(PDF)
    adapter.close()
    found = moto_client("s3").get_object(Bucket="documents", Key="statements/p-sample.pdf")
    assert found["Body"].read() == PDF.rendition.content
    assert (found["ContentType"], found["ContentDisposition"]) == (
        "application/pdf",
        "inline; filename*=UTF-8''statement.pdf",
    )
    assert found["Metadata"]["piece"] == "p-sample"
    assert (receipt.status, receipt.provider_id, receipt.provider_status) == (
        ACCEPTED,
        "s3://documents/statements/p-sample.pdf",
        "written",
    )


def test_the_same_again_is_known_and_another_is_refused() -> None:
    """Nothing is ever written over."""
    adapter = adapter_at(empty_bucket())
    first, again = adapter.deliver(PDF), adapter.deliver(PDF)
    other = adapter.deliver(with_content(PDF, b"%PDF-1.7 other"))
    adapter.close()
    assert [item.status for item in (first, again, other)] == [ACCEPTED, ACCEPTED, REJECTED]
    assert [item.provider_status for item in (first, again)] == ["written", "known"]
    found = moto_client("s3").get_object(Bucket="documents", Key="p-sample.pdf")
    assert found["Body"].read() == PDF.rendition.content


def test_look_up_tells_there_from_not_there() -> None:
    """What is not there was provably not accepted."""
    adapter = adapter_at(empty_bucket())
    adapter.deliver(PDF)
    there, absent, nonsense = adapter.look_up("p-sample"), adapter.look_up("p-never"), adapter.look_up("../x")
    adapter.close()
    assert there is not None
    assert (there.status, there.provider_id) == (ACCEPTED, "s3://documents/p-sample.pdf")
    assert absent is not None
    assert absent.status is DEFERRED
    assert nonsense is None


def test_look_up_does_not_guess() -> None:
    """When S3 does not say, nor does it."""
    with FaultServer(HttpFault.ERROR, prepares=lambda _: None, refusal=lambda status: HttpAnswer(status)) as server:
        adapter = adapter_at(server.url)
        assert adapter.look_up("p-sample") is None
        adapter.close()


def test_every_version_of_an_erased_document_goes() -> None:
    """Also what somebody put over it, or deleted: a bucket with versions keeps all of that."""
    adapter = adapter_at(empty_bucket())
    client = moto_client("s3")
    client.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    for key in ("p-1", "p-10"):
        assert adapter.deliver(sample_envelope(Channel.DOCUMENT, key)).status is ReceiptStatus.ACCEPTED
    client.put_object(Bucket="documents", Key="p-1.pdf", Body=b"again")
    client.delete_object(Bucket="documents", Key="p-1.pdf")
    told = adapter.forget(["p-1"])
    assert told.removed == {"p-1"}
    assert not told.left
    found = client.list_object_versions(Bucket="documents")
    assert [one["Key"] for one in found["Versions"]] == ["p-10.pdf"]
    assert "DeleteMarkers" not in found


def test_a_locked_document_stays_and_is_told() -> None:
    """Nobody can delete it before its day; the answer says what keeps it."""
    adapter = adapter_at(empty_bucket(lock=True), retention_days="30", retention_mode="compliance")
    adapter.deliver(sample_envelope(Channel.DOCUMENT, "p-1"))
    told = adapter.forget(["p-1"])
    assert told.removed == frozenset()
    assert "Object Lock keeps it" in told.left["p-1"]
    assert adapter.look_up("p-1") is not None


def test_a_bucket_out_of_reach_is_asked_again() -> None:
    """An address where nobody listens is no answer about anything."""
    with pytest.raises(DeliveryError) as caught:
        adapter_at("http://127.0.0.1:9").forget(["p-1"])
    assert caught.value.retriable


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_retention_locks_the_document(mode: str) -> None:
    """For as many days as the settings say, counted from the hand-over."""
    adapter = adapter_at(empty_bucket(lock=True), retention_days="3650", retention_mode=mode)
    adapter.verify()
    before = datetime.now(UTC)
    assert adapter.deliver(PDF).status is ACCEPTED
    adapter.close()
    client = moto_client("s3")
    lock = client.head_object(Bucket="documents", Key="p-sample.pdf")
    assert lock["ObjectLockMode"] == mode.upper()
    assert abs(lock["ObjectLockRetainUntilDate"] - before - timedelta(days=3650)) < timedelta(minutes=5)
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(Bucket="documents", Key="p-sample.pdf", VersionId=lock["VersionId"])


def test_a_bucket_without_lock_cannot_keep_what_it_should() -> None:
    """Told before a run, and by the first document."""
    adapter = adapter_at(empty_bucket(), retention_days="30")
    with pytest.raises(DeliveryError, match="retention_days"):
        adapter.verify()
    with pytest.raises(DeliveryError, match="retention_days"):
        adapter.deliver(PDF)
    adapter.close()
    message = "Bucket is missing Object Lock Configuration"
    assert isinstance(judge(Refusal("mine", "InvalidRequest", 400, message, {})), DeliveryError)
    assert judge(Refusal("mine", "InvalidRequest", 400, "something else", {})) is None


def test_a_link_gives_the_document_to_its_holder() -> None:
    """Made before the document is there; valid for the days that the settings say."""
    adapter = adapter_at(empty_bucket(), link_days="2")
    link = adapter.link(adapter.place_of("p-sample"))
    assert adapter.deliver(PDF).provider_id == adapter.place_of("p-sample")
    assert (
        adapter.link("s3://other/p-sample.pdf")
        == adapter.link("archive/x.pdf")
        == adapter.link("s3://documents/")
        == ""
    )
    adapter.close()
    assert httpx2.get(link, trust_env=False).content == PDF.rendition.content
    assert "X-Amz-Expires=172800" in link
    assert "testing-secret" not in link


def test_a_missing_bucket_is_named() -> None:
    """Before a run, and by the first document; not blamed on the document."""
    adapter = adapter_at(empty_bucket(), bucket="elsewhere")
    with pytest.raises(DeliveryError, match="bucket"):
        adapter.verify()
    with pytest.raises(DeliveryError, match="bucket"):
        adapter.deliver(PDF)
    adapter.close()


@pytest.mark.parametrize(
    ("code", "status"), [("ConditionalRequestConflict", 409), ("BadDigest", 400), ("SlowDown", 503)]
)
def test_what_may_come_again(code: str, status: int) -> None:
    """Two writers at once, bytes damaged on the way, too fast: provably not there."""
    with FaultServer(
        HttpFault.BAD_REQUEST, prepares=lambda _: error_answer_xml(status, code), refusal=HttpAnswer
    ) as server:
        adapter = adapter_at(server.url)
        receipt = adapter.deliver(PDF)
        adapter.close()
    assert (receipt.status, receipt.provider_status) == (DEFERRED, code)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"rendition": sample_envelope(Channel.SMS).rendition}, "document"), ({"key": "../../p"}, "name")],
)
def test_what_is_no_document_is_not_put(change: dict[str, Any], reason: str) -> None:
    """Rejected before anything leaves."""
    with pytest.raises(Setback, match=reason) as caught:
        build(replace(PDF, **change), S3Settings(bucket="b"), now=NOW)
    assert caught.value.status is REJECTED


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "bucket"),
        ({"bucket": "b", "object_name": "all.pdf"}, "object_name"),
        ({"bucket": "b", "object_name": "{piece}{piece}"}, "object_name"),
        ({"bucket": "b", "object_name": "{run}/{piece}.pdf"}, "object_name"),
        ({"bucket": "b", "object_name": "/{piece}.pdf"}, "object_name"),
        ({"bucket": "b", "link_days": "30"}, "link_days"),
        ({"bucket": "b", "retention_mode": "forever"}, "retention_mode"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Before anything is sent."""
    with pytest.raises(DeliveryError, match=named):
        S3Adapter.from_settings("mine", settings, root="/")
