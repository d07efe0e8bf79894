"""Every archive of ours keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deliver.aws_servers import s3_bucket

from ccm.archive.folder import FolderArchive
from ccm.archive.interface import Archive, ArchiveError
from ccm.archive.s3 import S3Archive
from ccm.testing import ArchiveContract, MemoryArchive


@pytest.fixture(scope="module")
def kept_bucket() -> Iterator[str]:
    """A real S3 endpoint on this machine, and a bucket in it."""
    with s3_bucket("kept") as name:
        yield name


class TestMemoryArchive(ArchiveContract):
    def open(self, folder: Path) -> Archive:
        return MemoryArchive()

    def damage(self, archive: Archive, folder: Path, sha256: str) -> None:
        assert isinstance(archive, MemoryArchive)
        archive.kept[sha256] += b"!"


class TestFolderArchive(ArchiveContract):
    def open(self, folder: Path) -> Archive:
        return FolderArchive(folder)

    def damage(self, archive: Archive, folder: Path, sha256: str) -> None:
        path = folder / sha256[:2] / sha256[2:4] / sha256
        path.write_bytes(path.read_bytes()[:-1] + b"!")


class TestS3Archive(ArchiveContract):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _endpoint(cls, kept_bucket: str) -> None:
        cls.bucket = kept_bucket

    bucket: str

    def open(self, folder: Path) -> Archive:
        return S3Archive.at(f"s3://{self.bucket}/{folder.name}")

    def damage(self, archive: Archive, folder: Path, sha256: str) -> None:
        import boto3

        key = f"{folder.name}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
        boto3.client("s3").put_object(Bucket=self.bucket, Key=key, Body=b"other")


def test_an_s3_archive_without_a_bucket_is_told() -> None:
    """The sentence names ccm.yaml; an endpoint that does not answer is told without the request."""
    with pytest.raises(ArchiveError, match="ccm"):
        S3Archive.at("s3://")


class TestFolderArchiveThatAlwaysWaits(TestFolderArchive):
    def open(self, folder: Path) -> Archive:
        return FolderArchive(folder, sync_every_put=True)
