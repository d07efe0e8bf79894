"""Objects below a prefix of an S3 bucket, written once; archive and release store share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

REMEDY = "check the bucket's name, the credentials (AWS_PROFILE or AWS_ACCESS_KEY_ID) and the network"

_MISSING = {"404", "NoSuchKey", "NotFound"}
_TAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}


class BucketRefused(Exception):
    """S3 said no, or did not answer; carries its code and nothing of the request."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Bucket:
    """A bucket and a prefix in it. May be shared by threads. Every method raises `BucketRefused`."""

    def __init__(self, client: Any, name: str, prefix: str) -> None:
        """Use a bucket.

        Args:
            client: A boto3 S3 client.
            prefix: Without slashes at the ends; empty for the bucket's root.
        """
        self._client = client
        self.name = name
        self._prefix = f"{prefix}/" if prefix else ""

    @classmethod
    def at(cls, address: str) -> Self | None:
        """Open `s3://bucket/prefix` with what the environment says about AWS (also AWS_ENDPOINT_URL_S3).

        Returns:
            None if the address names no bucket.
        """
        name, _, prefix = address.removeprefix("s3://").partition("/")
        if not name:
            return None
        import boto3  # takes most of a second
        from botocore.config import Config

        # Repeating is safe here: the same bytes under the same key, and never over another's.
        config = Config(retries={"total_max_attempts": 4, "mode": "standard"}, connect_timeout=10, read_timeout=60)
        return cls(boto3.client("s3", config=config), name, prefix.strip("/"))

    def place(self, key: str = "") -> str:
        """Return an s3:// address."""
        return f"s3://{self.name}/{self._prefix}{key}".rstrip("/")

    def create(self, key: str, content: bytes, **more: str) -> bool:
        """Write a key unless it is there; tells whether it was written."""
        try:
            self._ask("put_object", Key=self._prefix + key, Body=content, IfNoneMatch="*", **more)
        except BucketRefused as refused:
            if refused.code in _TAKEN:
                return False
            raise
        return True

    def replace(self, key: str, content: bytes, **more: str) -> None:
        """Write a key, whatever is there."""
        self._ask("put_object", Key=self._prefix + key, Body=content, **more)

    def read(self, key: str) -> bytes | None:
        """Return a key's bytes; None if it is not there."""
        try:
            return bytes(self._ask("get_object", Key=self._prefix + key)["Body"].read())
        except BucketRefused as refused:
            if refused.code in _MISSING:
                return None
            raise

    def holds(self, key: str) -> bool:
        """Tell whether a key is there."""
        try:
            self._ask("head_object", Key=self._prefix + key)
        except BucketRefused as refused:
            if refused.code in _MISSING:
                return False
            raise
        return True

    def remove(self, key: str) -> None:
        """Take a key away; refused while Object Lock holds it."""
        self._ask("delete_object", Key=self._prefix + key)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """List keys, page by page."""
        more: dict[str, str] = {}
        while True:
            answer = self._ask("list_objects_v2", Prefix=self._prefix + prefix, **more)
            for item in answer.get("Contents", ()):
                yield item["Key"].removeprefix(self._prefix)
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _ask(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(Bucket=self.name, **arguments)
        except ClientError as error:
            raise BucketRefused(str(error.response.get("Error", {}).get("Code", "unknown"))) from None
        except BotoCoreError as error:
            raise BucketRefused(type(error).__name__) from None
