"""Promise: a folder and an S3 bucket keep releases alike, and neither ever replaces anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deliver.aws_servers import s3_bucket
from run.small_workspace import people, small_workspace

from ccm.load import load_workspace
from ccm.release import ReleaseError, ReleaseStore, StoreUnusable, find_release, open_store, verify
from ccm.release.layout import object_key, parse_release_key
from ccm.testing.releases import release_everything

KEYS = ("notice/plain/1.0.0.json", "notice/plain/1.0.0.approved.json", "other/plain/1.0.0.json", object_key("ab" * 32))


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A real S3 endpoint on this machine, and a bucket in it."""
    with s3_bucket("messages") as name:
        yield f"s3://{name}/releases"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ReleaseStore:
    if request.param == "folder":
        return open_store("releases", str(tmp_path))
    address = request.getfixturevalue("bucket")
    return open_store(f"{address}/{tmp_path.name}", str(tmp_path))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keys_are_created_once(store: ReleaseStore) -> None:
    """The second write is refused and changes nothing."""
    for key in KEYS:
        with pytest.raises(KeyError):
            store.read(key)
        assert store.create(key, b"first") is True
        assert store.create(key, b"second") is False
        assert store.read(key) == b"first"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lists_leave_objects_out_unless_asked(store: ReleaseStore) -> None:
    """Sorted, below a prefix, and empty where there is nothing."""
    assert store.listed() == ()
    assert store.listed("notice/") == ()
    for key in KEYS:
        store.create(key, b"x")
    assert store.listed() == tuple(sorted(KEYS[:3]))
    assert store.listed("notice/plain/") == tuple(sorted(KEYS[:2]))
    assert store.listed("_objects/ab/") == (KEYS[3],)
    assert store.place(KEYS[0]).endswith(KEYS[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_releases_work_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    """Released, approved, read back and verified; a changed object is named."""
    settings = f"workspace: small\nreleases: {bucket}/{tmp_path.name}\nproviders: {{outbox: {{adapter: outbox}}}}\n"
    root = small_workspace(tmp_path, people(1), released=False, ccm_dot_yaml=settings)
    (release,) = release_everything(root)
    assert not (root / "releases").exists()
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    store = open_store(workspace.definition.releases, workspace.root)
    assert find_release(store, "notice@1.0.0") == release
    assert verify(store, release) == ()
    import boto3

    path, sha256 = next(iter(release.files.items()))
    boto3.client("s3").put_object(Bucket="messages", Key=f"releases/{tmp_path.name}/{object_key(sha256)}", Body=b"x")
    (problem,) = verify(store, release)
    assert problem.code == "release-changed"
    assert path in problem.message


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_bucket_that_is_not_there_is_an_outside_matter(bucket: str) -> None:
    """With the bucket's address and what to check."""
    with pytest.raises(StoreUnusable, match="s3://nowhere"):
        open_store("s3://nowhere/releases", "").listed()
    with pytest.raises(ReleaseError):
        open_store("s3://", "")


def test_a_folder_that_cannot_be_written_is_an_outside_matter(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "releases").write_text("")
    with pytest.raises(StoreUnusable, match="releases"):
        open_store("releases", str(tmp_path)).create("notice/plain/1.0.0.json", b"x")


@pytest.mark.parametrize(
    ("key", "parsed"),
    [
        ("notice/plain/1.0.0.json", ("notice", "plain", "1.0.0")),
        ("notice/plain/1.0.0.approved.json", None),
        ("_objects/ab/abcd", None),
        ("notice/1.0.0.json", None),
        ("../plain/1.0.0.json", None),
    ],
)
def test_keys_of_releases(key: str, parsed: tuple[str, str, str] | None) -> None:
    """Only a release's own file is one."""
    assert parse_release_key(key) == parsed
