"""Releases in an S3 bucket, create-only: no key is ever replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from ccm.bucket import REMEDY, Bucket, BucketRefused
from ccm.release.interface import ReleaseError, ReleaseStore, StoreUnusable
from ccm.release.layout import OBJECTS


class S3Store(ReleaseStore):
    """Keeps every key below a prefix of a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Use a bucket."""
        self._bucket = bucket

    @classmethod
    def at(cls, address: str) -> Self:
        """Open `s3://bucket/prefix`.

        Raises:
            ReleaseError: If the address names no bucket.
        """
        bucket = Bucket.at(address)
        if bucket is None:
            raise ReleaseError(
                "invalid-value", f'"{address}" names no bucket', "write s3://bucket/prefix under releases", "ccm.yaml"
            )
        return cls(bucket)

    def create(self, key: str, content: bytes) -> bool:
        """Write a key unless it is there."""
        with self._told():
            if key.startswith(f"{OBJECTS}/") and self._bucket.holds(key):
                return False  # fonts are large; the condition would be answered after the upload only
            return self._bucket.create(key, content)

    def read(self, key: str) -> bytes:
        """Return a key's bytes."""
        with self._told():
            content = self._bucket.read(key)
        if content is None:
            raise KeyError(key)
        return content

    def listed(self, prefix: str = "") -> tuple[str, ...]:
        """List keys; objects only when the prefix asks for them."""
        with self._told():
            found = sorted(self._bucket.keys(prefix))
        return tuple(key for key in found if prefix or not key.startswith(f"{OBJECTS}/"))

    def place(self, key: str = "") -> str:
        """Return an s3:// address."""
        return self._bucket.place(key)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BucketRefused as refused:
            raise StoreUnusable(self.place(), refused.code, REMEDY) from None
