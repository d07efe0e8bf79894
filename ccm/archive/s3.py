"""The archive in an S3 bucket: create-only, and with Object Lock where the bucket has it."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Self

from ccm.archive.interface import Archive, ArchiveError, ContentChanged, ContentMissing
from ccm.model.records import ArchiveRef

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REMEDY = "check the bucket's name, the credentials (AWS_PROFILE or AWS_ACCESS_KEY_ID) and the network"
_MISSING = {"404", "NoSuchKey", "NotFound"}
_TAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}


class S3Archive(Archive):
    """Keeps content under `<prefix>/ab/cd/<sha256>`; writes with `If-None-Match: *`. May be shared by threads."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        """Use a bucket.

        Args:
            client: A boto3 S3 client.
            prefix: Without slashes at the ends; empty for the bucket's root.
        """
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @classmethod
    def at(cls, address: str) -> Self:
        """Open `s3://bucket/prefix` with what the environment says about AWS (also AWS_ENDPOINT_URL_S3).

        Raises:
            ArchiveError: If the address names no bucket.
        """
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        if not bucket:
            raise ArchiveError(f'"{address}" names no bucket', "write s3://bucket/prefix under archive in ccm.yaml")
        import boto3  # takes most of a second
        from botocore.config import Config

        # Repeating is safe here: the same bytes under the same key, and never over another's.
        config = Config(retries={"total_max_attempts": 4, "mode": "standard"}, connect_timeout=10, read_timeout=60)
        return cls(boto3.client("s3", config=config), bucket, prefix.strip("/"))

    def put(self, content: bytes, media_type: str) -> ArchiveRef:
        """Keep content; S3 answers when it is durable.

        Why the second put without condition: bytes at this address that differ were damaged; the right ones are at
        hand. A bucket with Object Lock keeps the damaged version beside it.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        wanted = {"Key": self._key(sha256), "Body": content, "ContentType": media_type}
        try:
            self._ask("put_object", **wanted, IfNoneMatch="*")
        except _Refused as refused:
            if refused.code not in _TAKEN:
                raise self._unusable(refused) from None
            if self._read(sha256) != content:
                try:
                    self._ask("put_object", **wanted)
                except _Refused as second:
                    raise self._unusable(second) from None
        return ArchiveRef(sha256, len(content), media_type)

    def get(self, sha256: str) -> bytes:
        """Return content after checking it against its hash."""
        if not _SHA256.fullmatch(sha256):
            raise ArchiveError("the archive was asked for something that is no SHA-256", "give 64 hex digits")
        content = self._read(sha256)
        if content is None:
            raise ContentMissing(f"the archive has no {sha256}", "restore it from a backup or an older version")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ContentChanged(f"the bytes of {sha256} changed in the archive", "restore it from a backup")
        return content

    def remove(self, sha256: str) -> bool:
        """Take content out; refused while Object Lock holds it."""
        try:
            if self._read(sha256) is None:
                return False
            self._ask("delete_object", Key=self._key(sha256))
        except _Refused as refused:
            raise self._unusable(refused) from None
        return True

    def _read(self, sha256: str) -> bytes | None:
        try:
            return bytes(self._ask("get_object", Key=self._key(sha256))["Body"].read())
        except _Refused as refused:
            if refused.code in _MISSING:
                return None
            raise self._unusable(refused) from None

    def _key(self, sha256: str) -> str:
        return f"{self._prefix}{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _ask(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(Bucket=self._bucket, **arguments)
        except ClientError as error:
            raise _Refused(str(error.response.get("Error", {}).get("Code", "unknown"))) from None
        except BotoCoreError as error:
            raise _Refused(type(error).__name__) from None

    def _unusable(self, refused: _Refused) -> ArchiveError:
        return ArchiveError(f"the archive in s3://{self._bucket} cannot be used ({refused.code})", _REMEDY)


class _Refused(Exception):
    """S3 said no, or did not answer; carries its code and nothing of the request."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
