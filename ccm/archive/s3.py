"""The archive in an S3 bucket: create-only, and with Object Lock where the bucket has it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from ccm.archive.interface import Archive, ArchiveError, ContentChanged, ContentMissing
from ccm.bucket import REMEDY, Bucket, BucketRefused
from ccm.model.records import ArchiveRef

_SHA256 = re.compile(r"[0-9a-f]{64}")


class S3Archive(Archive):
    """Keeps content under `<prefix>/ab/cd/<sha256>`. May be shared by threads."""

    def __init__(self, bucket: Bucket) -> None:
        """Use a bucket."""
        self._bucket = bucket

    @classmethod
    def at(cls, address: str) -> Self:
        """Open `s3://bucket/prefix`.

        Raises:
            ArchiveError: If the address names no bucket.
        """
        bucket = Bucket.at(address)
        if bucket is None:
            raise ArchiveError(f'"{address}" names no bucket', "write s3://bucket/prefix under archive in ccm.yaml")
        return cls(bucket)

    def put(self, content: bytes, media_type: str) -> ArchiveRef:
        """Keep content; S3 answers when it is durable.

        Why the second put without condition: bytes at this address that differ were damaged; the right ones are at
        hand. A bucket with Object Lock keeps the damaged version beside it.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        key = _key(sha256)
        with self._told():
            if not self._bucket.create(key, content, ContentType=media_type) and self._bucket.read(key) != content:
                self._bucket.replace(key, content, ContentType=media_type)
        return ArchiveRef(sha256, len(content), media_type)

    def get(self, sha256: str) -> bytes:
        """Return content after checking it against its hash."""
        if not _SHA256.fullmatch(sha256):
            raise ArchiveError("the archive was asked for something that is no SHA-256", "give 64 hex digits")
        with self._told():
            content = self._bucket.read(_key(sha256))
        if content is None:
            raise ContentMissing(f"the archive has no {sha256}", "restore it from a backup or an older version")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ContentChanged(f"the bytes of {sha256} changed in the archive", "restore it from a backup")
        return content

    def remove(self, sha256: str) -> bool:
        """Take content out; refused while Object Lock holds it."""
        with self._told():
            if not self._bucket.holds(_key(sha256)):
                return False
            self._bucket.remove(_key(sha256))
        return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BucketRefused as refused:
            message = f"the archive in s3://{self._bucket.name} cannot be used ({refused.code})"
            raise ArchiveError(message, REMEDY) from None


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
