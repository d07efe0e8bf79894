"""Promise: a sent piece can be composed again, byte for byte, from release, snapshot and engine; what changed is named."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, people, small_workspace

from benchmarks.replay.altered import ALTERATIONS, Alteration, kept_pieces
from benchmarks.replay.judging import copy_kept, judge
from ccm.load import load_workspace
from ccm.model.records import PieceRecord
from ccm.model.workspace import Workspace
from ccm.run.comparison import Verdict
from ccm.run.verifying import UnknownTarget, verify

PEOPLE = 6


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace after a run, of which the working files are gone."""
    with ForkedCcm() as ccm:
        root = small_workspace(tmp_path_factory.mktemp("sent"), people(PEOPLE))
        assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
        yield copy_kept(root, tmp_path_factory.mktemp("elsewhere") / "w")


def opened(root: Path) -> Workspace:
    """Load what ccm.yaml says."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return workspace


@pytest.fixture(scope="module")
def pieces(kept: Path) -> tuple[PieceRecord, ...]:
    """The pieces of the run."""
    return kept_pieces(opened(kept))


def test_a_run_verifies_in_another_folder_without_its_working_files(kept: Path) -> None:
    """Only ccm.yaml, ledger, archive, releases and keys are there; in one process and in two."""
    for workers in (1, 2):
        found = Counter(result.verdict for result in verify(opened(kept), "news.once", workers=workers))
        assert found == {Verdict.IDENTICAL: 2 * PEOPLE}


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda one: one.__name__)
def test_every_alteration_is_named(kept: Path, pieces: tuple[PieceRecord, ...], alteration: Alteration) -> None:
    """What changed is told by its own kind and name, and nothing else is blamed."""
    judged = judge(kept, pieces, alteration, seed=20261122, here=True)
    assert judged.named, f"{judged.expected}\n{judged.said}"


def test_an_alteration_is_a_matter_of_one_piece(kept: Path, pieces: tuple[PieceRecord, ...], tmp_path: Path) -> None:
    """The others of the run stay identical."""
    root = copy_kept(kept, tmp_path / "w")
    address = pieces[0].archived
    (root / "archive" / address[:2] / address[2:4] / address).write_bytes(b"")
    found = Counter(result.verdict for result in verify(opened(root), "news.once"))
    assert found == {Verdict.IDENTICAL: 2 * PEOPLE - 1, Verdict.DIFFERENT: 1}


def test_the_command_says_what_it_found(kept: Path, pieces: tuple[PieceRecord, ...], tmp_path: Path) -> None:
    """Exit code 0 and one line when identical; 1 and the cause when not; a word about what it does not know."""
    root = copy_kept(kept, tmp_path / "w")
    with ForkedCcm() as ccm:
        fine = ccm("verify", "news.once", cwd=root)
        assert (fine.code, fine.stdout.strip()) == (0, f"{2 * PEOPLE} identical")
        shutil.rmtree(root / "archive")
        gone = ccm("verify", pieces[0].piece_id, cwd=root)
        assert gone.code == 1
        assert "snapshot: it is missing in the archive" in gone.stdout
        assert "archive: the rendition" in gone.stdout
        unknown = ccm("verify", "p-nothing", cwd=root)
        assert unknown.code == 3
        assert "ccm history" in unknown.stderr


def test_a_target_that_nobody_knows_is_told(kept: Path) -> None:
    """Neither a run nor a piece."""
    with pytest.raises(UnknownTarget):
        next(verify(opened(kept), "c-1"))


def test_a_wrong_master_key_stops_a_run_before_anything_is_sent(tmp_path: Path) -> None:
    """The key of the environment is taken; another one, or a broken one, sends nothing and says what to do."""
    root = small_workspace(tmp_path, people(2))
    right, wrong = "11" * 32, "22" * 32
    with ForkedCcm() as ccm:
        assert ccm("doctor", cwd=root, env={"CCM_ARCHIVE_KEY": right}).code == 0
        assert not (root / ".ccm" / "keys" / "master.key").exists()
        for key, words in ((wrong, "not the one"), ("too-short", "not 32 bytes"), (None, "no master key")):
            told = ccm("run", "news", "--as-of", AS_OF, cwd=root, env={"CCM_ARCHIVE_KEY": key} if key else {})
            assert told.code != 0
            assert words in told.stderr
            assert not list((root / "outbox").rglob("*.eml"))
        assert ccm("run", "news", "--as-of", AS_OF, cwd=root, env={"CCM_ARCHIVE_KEY": right}).code == 0
        assert ccm("verify", "news.once", cwd=root, env={"CCM_ARCHIVE_KEY": wrong}).code == 3
        assert ccm("verify", "news.once", cwd=root, env={"CCM_ARCHIVE_KEY": right}).code == 0
