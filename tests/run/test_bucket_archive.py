"""Promise: an archive in a bucket does what one in a folder does, from the run to the erasure."""

from __future__ import annotations

from pathlib import Path

import pytest
from deliver.aws_servers import REGION, aws_environment, empty_moto, moto_client
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, CCM, people, small_workspace

__all__ = ["aws_environment"]


@pytest.mark.usefixtures("aws_environment")
def test_an_archive_in_a_bucket_from_run_to_erasure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, get, verify, erase, verify, thin: the bucket's objects go with their customer, the others' stay readable."""
    address = empty_moto()
    client = moto_client("s3")
    client.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    root = small_workspace(tmp_path, people(2), ccm_dot_yaml=f"{CCM}archive: s3://kept/letters\n")

    def objects() -> int:
        return int(client.list_objects_v2(Bucket="kept", Prefix="letters/").get("KeyCount", 0))

    with ForkedCcm() as ccm:
        ran = ccm("run", "news", "--as-of", AS_OF, cwd=root)
        assert ran.code == 0, ran.stderr
        full = objects()
        assert full >= 6  # two pieces and a snapshot for each customer
        piece = ccm("history", "P-001", "--json", cwd=root).json[0]["piece"]
        got = ccm("archive", "get", piece, "-o", str(tmp_path / "piece"), cwd=root)
        assert got.code == 0, got.stderr
        assert (tmp_path / "piece").read_bytes()
        assert ccm("verify", "news.once", cwd=root).stdout.strip() == "4 identical"
        erased = ccm("erase", "P-001", "--yes", "--json", cwd=root)
        assert erased.code == 0, erased.stderr
        assert objects() == full - 3
        gone = ccm("archive", "get", piece, "-o", str(tmp_path / "again"), cwd=root)
        assert gone.code != 0
        assert "erased" in gone.stderr
        assert ccm("verify", "news.once", cwd=root).stdout.strip() == "2 identical"
        assert "erased" in ccm("verify", piece, cwd=root).stdout
        thinned = ccm("archive", "--thin", "news.once", "--yes", cwd=root)
        assert thinned.code == 0, thinned.stderr
        assert ccm("verify", "news.once", cwd=root).stdout.strip() == "2 identical"
