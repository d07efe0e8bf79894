"""Releases in an S3 bucket, create-only: no key is ever replaced."""

from __future__ import annotations

from typing import Any, Self

from ccm.release.interface import ReleaseError, ReleaseStore, StoreUnusable
from ccm.release.layout import OBJECTS

_REMEDY = "check the bucket's name, the credentials (AWS_PROFILE or AWS_ACCESS_KEY_ID) and the network"
_MISSING = {"404", "NoSuchKey", "NotFound"}
_TAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}


class S3Store(ReleaseStore):
    """Keeps every key below a prefix of a bucket; writes with `If-None-Match: *`."""

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
            ReleaseError: If the address names no bucket.
        """
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        if not bucket:
            raise ReleaseError(
                "invalid-value", f'"{address}" names no bucket', "write s3://bucket/prefix under releases", "ccm.yaml"
            )
        import boto3  # takes most of a second
        from botocore.config import Config

        # Repeating is safe here: the same bytes under the same key, and never over another's.
        config = Config(retries={"total_max_attempts": 4, "mode": "standard"}, connect_timeout=10, read_timeout=60)
        return cls(boto3.client("s3", config=config), bucket, prefix.strip("/"))

    def create(self, key: str, content: bytes) -> bool:
        """Write a key unless it is there."""
        if key.startswith(f"{OBJECTS}/") and self._is_there(key):
            return False  # fonts are large; the condition would be answered after the upload only
        try:
            self._ask("put_object", Key=self._prefix + key, Body=content, IfNoneMatch="*")
        except _Refused as refused:
            if refused.code in _TAKEN:
                return False
            raise self._unusable(refused) from None
        return True

    def read(self, key: str) -> bytes:
        """Return a key's bytes."""
        try:
            answer = self._ask("get_object", Key=self._prefix + key)
        except _Refused as refused:
            if refused.code in _MISSING:
                raise KeyError(key) from None
            raise self._unusable(refused) from None
        return bytes(answer["Body"].read())

    def listed(self, prefix: str = "") -> tuple[str, ...]:
        """List keys page by page; objects only when the prefix asks for them."""
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            try:
                answer = self._ask("list_objects_v2", Prefix=self._prefix + prefix, **more)
            except _Refused as refused:
                raise self._unusable(refused) from None
            found += [item["Key"].removeprefix(self._prefix) for item in answer.get("Contents", ())]
            if not answer.get("IsTruncated"):
                return tuple(sorted(key for key in found if prefix or not key.startswith(f"{OBJECTS}/")))
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def place(self, key: str = "") -> str:
        """Return an s3:// address."""
        return f"s3://{self._bucket}/{self._prefix}{key}".rstrip("/")

    def _is_there(self, key: str) -> bool:
        try:
            self._ask("head_object", Key=self._prefix + key)
        except _Refused as refused:
            if refused.code in _MISSING:
                return False
            raise self._unusable(refused) from None
        return True

    def _ask(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(Bucket=self._bucket, **arguments)
        except ClientError as error:
            raise _Refused(str(error.response.get("Error", {}).get("Code", "unknown"))) from None
        except BotoCoreError as error:
            raise _Refused(type(error).__name__) from None

    def _unusable(self, refused: _Refused) -> StoreUnusable:
        return StoreUnusable(self.place(), refused.code, _REMEDY)


class _Refused(Exception):
    """S3 said no, or did not answer; carries its code and nothing of the request."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
