"""Documents into an S3 bucket: each written once under its piece id, kept for a set time, fetched by a link."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import quote

from ccm.deliver.aws import AwsClient, AwsSettings, Refusal, in_doubt, known_settings, read_aws, rejected
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError, Forgotten
from ccm.deliver.links import GivesLinks
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, DocumentRendition, Envelope, Receipt, ReceiptStatus

_LARGEST_BYTES = 5 * 1024**3  # of one put
_LONGEST_LINK_DAYS = 7  # of a signature, version 4
_PIECE = "{piece}"
_NAME = re.compile(r"[A-Za-z0-9!_.*'()/-]*\{piece\}[A-Za-z0-9!_.*'()/-]*")  # what S3 calls safe characters
_SAFE_PIECE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_DAMAGED = frozenset({"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"})
_MODES = ("governance", "compliance")
_LOCKED = "Object Lock keeps it, or the right s3:DeleteObjectVersion or s3:ListBucketVersions is missing"


@dataclass(frozen=True)
class S3Settings(AwsSettings):
    """What an S3 provider may be told.

    object_name: Name of each document in the bucket, from the piece id alone, so that it can be found again.
    retention_days: How long Object Lock keeps a document from being deleted; 0 for no lock.
    retention_mode: governance (some may lift it) or compliance (nobody can).
    link_days: How long a link stays valid, 7 at most.
    """

    bucket: str = ""
    object_name: str = "{piece}.pdf"
    retention_days: int = 0
    retention_mode: str = "governance"
    link_days: int = 7


class AlreadyThere(Exception):
    """The bucket has an object of this name."""


class Absent(Exception):
    """The bucket has no such object, or there is no such bucket."""


class S3Adapter(Adapter, GivesLinks):
    """Puts each document on the condition that there is none of its name.

    A second hand-over of the same document is accepted as known, one of another document is refused; a lost answer can
    be asked for at any time.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        channels=(Channel.DOCUMENT,), max_bytes=_LARGEST_BYTES, deduplicates=True, looks_up=True, concurrency=8
    )
    how_to_look_up: ClassVar[str] = "nothing to do: the next execution asks the bucket for the document"

    def __init__(self, provider: str, settings: S3Settings) -> None:
        self._provider = provider
        self._settings = settings
        self._aws = AwsClient(provider, "s3", settings, judge)

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._settings.connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `S3Settings` lists the settings."""
        given = ProviderSettings(provider, settings, root=root, known=known_settings(S3Settings))
        name = given.optional("object_name", "{piece}.pdf")
        if not _NAME.fullmatch(name) or name.startswith("/"):
            raise given.wrong(
                "setting object_name is no name with {piece} in it, once", "such as object_name: statements/{piece}.pdf"
            )
        days = "retention_days"
        return cls(
            provider,
            S3Settings(
                **read_aws(given),
                bucket=given.required("bucket", "documents"),
                object_name=name,
                retention_days=given.count(days, 1, largest=36_500) if given.optional(days, "") else 0,
                retention_mode=given.choice("retention_mode", "governance", _MODES),
                link_days=given.count("link_days", _LONGEST_LINK_DAYS, largest=_LONGEST_LINK_DAYS),
            ),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        """Put one document."""
        now = datetime.now(UTC)  # noqa: TID251 - a lock ends on a date of the real calendar, whenever the run began
        try:
            payload = build(envelope, self._settings, now=now)
            try:
                answer = self._aws.ask("put_object", **payload)
            except AlreadyThere:
                return self._known(envelope.key, payload["ChecksumSHA256"])
            if not answer.get("ETag"):
                raise in_doubt("the answer names no object")
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)
        return self._accepted(envelope.key, "written")

    def look_up(self, key: str) -> Receipt | None:
        """Tell whether the piece's document is there; names are written once, so it is the piece's own."""
        if not _SAFE_PIECE.fullmatch(key):
            return None
        try:
            self._aws.ask("head_object", Bucket=self._settings.bucket, Key=object_key(key, self._settings))
        except Absent:
            return Receipt(key, ReceiptStatus.DEFERRED, self._provider, provider_status="not there")
        except Setback:
            return None
        return self._accepted(key, "known")

    def forget(self, pieces: Sequence[str]) -> Forgotten:
        """Delete the documents, in every version that the bucket keeps. One under Object Lock stays until its day."""
        removed, left = set(), {}
        for key in pieces:
            if not _SAFE_PIECE.fullmatch(key):
                continue
            try:
                if self._deleted(object_key(key, self._settings)):
                    removed.add(key)
            except Setback as setback:
                raise DeliveryError(
                    self._provider, f"deleting failed ({setback.text})", "try again later", retriable=True
                ) from None
            except DeliveryError as error:
                if error.retriable:
                    raise
                left[key] = f"bucket {self._settings.bucket} does not give it up: {_LOCKED}"
        return Forgotten(frozenset(removed), left)

    def link(self, provider_id: str) -> str:
        """Return an address at which anybody can fetch a document for `link_days`.

        It is made from the document's place and the credentials alone, so the document may come later. With the
        credentials of a role it ends when they do.
        """
        bucket, _, name = provider_id.removeprefix("s3://").partition("/")
        if not provider_id.startswith("s3://") or bucket != self._settings.bucket or not name:
            return ""
        seconds = self._settings.link_days * 86_400
        return self._aws.presigned("get_object", {"Bucket": bucket, "Key": name}, seconds)

    def place_of(self, key: str) -> str:
        """Return the place of a piece's document, as its receipt names it: s3://bucket/name."""
        return f"s3://{self._settings.bucket}/{object_key(key, self._settings)}"

    def verify(self) -> None:
        """Look at the bucket; with retention, at its lock."""
        try:
            self._aws.check("head_bucket", Bucket=self._settings.bucket)
            if self._settings.retention_days:
                self._aws.check("get_object_lock_configuration", Bucket=self._settings.bucket)
        except Absent:
            raise DeliveryError(
                self._provider, "there is no such bucket", "correct `bucket` and `region`, or make it", retriable=False
            ) from None

    def close(self) -> None:
        """Give back connections."""
        self._aws.close()

    def _deleted(self, name: str) -> bool:
        """Delete an object in all its versions; return whether there was one.

        Raises:
            DeliveryError, Setback: If the bucket refuses, or does not answer.
        """
        place = {"Bucket": self._settings.bucket}
        found = self._aws.ask("list_object_versions", **place, Prefix=name)
        versions = [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]
        mine = [one["VersionId"] for one in versions if one["Key"] == name]
        for version in mine:
            self._aws.ask("delete_object", **place, Key=name, VersionId=version)
        return bool(mine)

    def _known(self, key: str, checksum: str) -> Receipt:
        """Compare what is there with what was to be put."""
        place = {"Bucket": self._settings.bucket, "Key": object_key(key, self._settings)}
        try:
            found = self._aws.ask("head_object", **place, ChecksumMode="ENABLED")
        except Absent:
            return Receipt(key, ReceiptStatus.DEFERRED, self._provider, provider_status="removed meanwhile")
        if checksum in (found.get("ChecksumSHA256"), found.get("Metadata", {}).get("sha256")):
            return self._accepted(key, "known")
        return Receipt(
            key, ReceiptStatus.REJECTED, self._provider, provider_status="another document has this name already"
        )

    def _accepted(self, key: str, status: str) -> Receipt:
        return Receipt(key, ReceiptStatus.ACCEPTED, self._provider, self.place_of(key), status)


def object_key(key: str, settings: S3Settings) -> str:
    """Return the name of a piece's document in the bucket."""
    return settings.object_name.replace(_PIECE, key)


def build(envelope: Envelope, settings: S3Settings, *, now: datetime) -> dict[str, Any]:
    """Return the arguments of `PutObject`.

    Args:
        now: Aware; retention counts from here.
    Raises:
        Setback: REJECTED, if it is no document or its id is no name.
    """
    rendition = envelope.rendition
    if not isinstance(rendition, DocumentRendition):
        raise rejected("not a document")
    if not _SAFE_PIECE.fullmatch(envelope.key):
        raise rejected("the piece id cannot be part of a name")
    checksum = base64.b64encode(hashlib.sha256(rendition.content).digest()).decode()
    payload: dict[str, Any] = {
        "Bucket": settings.bucket,
        "Key": object_key(envelope.key, settings),
        "Body": rendition.content,
        "IfNoneMatch": "*",
        "ContentType": "application/pdf",
        "ContentDisposition": f"inline; filename*=UTF-8''{quote(rendition.filename, safe='')}",
        "ChecksumAlgorithm": "SHA256",
        "ChecksumSHA256": checksum,
        "Metadata": {"sha256": checksum, "piece": envelope.key, "run": quote(envelope.tags.get("run", ""))},
    }
    if settings.retention_days:
        payload["ObjectLockMode"] = settings.retention_mode.upper()
        payload["ObjectLockRetainUntilDate"] = now + timedelta(days=settings.retention_days)
    return payload


def judge(refusal: Refusal) -> Exception | None:
    """Tell what S3's own refusals mean."""
    match refusal.code:
        case "PreconditionFailed" | "412":
            return AlreadyThere()
        case "404" | "NoSuchKey" | "NotFound":
            return Absent()
        case "ConditionalRequestConflict" | "OperationAborted":
            return refusal.deferred()
        case "NoSuchBucket" | "InvalidBucketName" | "PermanentRedirect" | "IllegalLocationConstraintException":
            return refusal.unusable("the bucket cannot be used", "correct `bucket` and `region`")
        case "ObjectLockConfigurationNotFoundError":
            return refusal.unusable("the bucket has no Object Lock", "enable it, or leave `retention_days` out")
        case "InvalidRequest" if "Lock" in refusal.message:
            return refusal.unusable("the bucket has no Object Lock", "enable it, or leave `retention_days` out")
        case code if code in _DAMAGED:
            return refusal.deferred()
    return None
