"""Promise: erasing and the end of retention reach the copies that adapters keep, and say which ones they cannot reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from e2e.print_workspace import RUN, letters, print_workspace
from run.small_workspace import AS_OF, CCM, person, small_workspace

from ccm.load import load_workspace
from ccm.model.workspace import Workspace
from ccm.run.erasing import erase
from ccm.run.expiring import expire

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def opened(root: Path) -> Workspace:
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return workspace


@pytest.fixture(scope="module")
def ccm() -> Iterator[ForkedCcm]:
    """The command."""
    with ForkedCcm() as forked:
        yield forked


def ran(ccm: ForkedCcm, root: Path, *words: str) -> None:
    done = ccm("run", "news", "--as-of", AS_OF, "--workers", "1", *words, cwd=root)
    assert done.code == 0, done.stdout + done.stderr


def files_with(root: Path, text: str) -> list[str]:
    """Return every file of the workspace, its data aside, that holds a text or is named by it."""
    paths = [path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] != "data"]
    return [str(path) for path in paths if text.encode() in path.read_bytes() or text in path.name]


def test_no_file_of_the_outbox_or_of_a_draft_is_left(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Whoever was not erased keeps theirs; a second erasure finds nothing and fails at nothing."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    ran(ccm, root, "--draft")
    ran(ccm, root)
    assert any("draft" in path for path in files_with(root, "p001@example.org"))
    (erasure,) = erase(opened(root), ["P-001"], at=NOW).erasures
    assert (erasure.copies.removed, erasure.copies.left, erasure.copies.given) == ({"outbox": 2}, {}, {})
    assert files_with(root, "p001@example.org") == []
    assert len(list((root / "outbox").rglob("*.json"))) == 2
    (again,) = erase(opened(root), ["P-001"], at=NOW).erasures
    assert (again.copies.removed, again.copies.failed) == ({}, ())


def test_a_letter_in_the_spool_is_not_printed_any_more(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The command that makes batches misses nobody; what was handed over before is told, with where."""
    root = print_workspace(tmp_path / "w", letters(3), "drop: shop/in")
    ran(ccm, root)
    (first,) = erase(opened(root), ["P-000"], at=NOW).erasures
    assert first.copies.removed == {"printer": 1}
    made = ccm("print", RUN, "--json", cwd=root)
    assert (made.code, made.json["exceptions"], made.json["sent"]) == (0, [], [f"{RUN}.b001"])
    erased = ccm("erase", "P-001", "--yes", "--json", cwd=root)
    assert erased.code == 0, "who has a copy is told; giving the command again would not help"
    ((left,),) = (one["left"] for one in erased.json["erased"])
    assert (left["provider"], left["pieces"]) == ("printer", 1)
    assert "handed over to" in left["where"]
    assert "ask the print shop" in ccm("erase", "P-001", "--yes", cwd=root).stdout
    assert ccm("audit", "verify", cwd=root).code == 0


def test_a_provider_that_cannot_be_asked_is_asked_by_the_next_command(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The erasure goes through everywhere else, says what is missing, and finds the piece again although it is blanked."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    ran(ccm, root)
    settings = root / "ccm.yaml"
    settings.write_text(CCM.replace("folder: outbox", "folder: '${CCM_NOT_SET}'"))
    (erasure,) = erase(opened(root), ["P-001"], at=NOW).erasures
    assert "CCM_NOT_SET is not set" in erasure.copies.failed[0]
    assert erasure.key_destroyed
    assert files_with(root / "outbox", "p001@example.org")
    assert ccm("erase", "P-001", "--yes", cwd=root).code == 1
    settings.write_text(CCM)
    (again,) = erase(opened(root), ["P-001"], at=NOW).erasures
    assert (again.copies.removed, again.copies.failed) == ({"outbox": 2}, ())
    assert files_with(root, "p001@example.org") == []


RETAINED = "retention: {transactional: 1y, legal: 1y, marketing: 1y}\n"
MUCH_LATER = datetime.now(UTC) + timedelta(days=800)


def test_the_end_of_retention_reaches_the_outbox(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Counting takes nothing away; the command leaves no file that names anybody, and a second one finds nothing."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    (root / "ccm.yaml").write_text(CCM + RETAINED)
    ran(ccm, root)
    assert expire(opened(root), at=MUCH_LATER, really=False).pieces == {"transactional": 4}
    assert files_with(root / "outbox", "p001@example.org")
    expiry = expire(opened(root), at=MUCH_LATER)
    assert (expiry.pieces, expiry.waiting, expiry.copies.removed) == ({"transactional": 4}, 0, {"outbox": 4})
    assert files_with(root / "outbox", "p00") == []
    again = expire(opened(root), at=MUCH_LATER)
    assert (again.pieces, again.copies.removed) == ({}, {})


def test_the_end_of_retention_reaches_the_spool_and_names_the_print_shop(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A letter that waits is not printed any more; what was handed over is told, with where."""
    root = print_workspace(tmp_path / "w", letters(2), "drop: shop/in")
    settings = root / "ccm.yaml"
    settings.write_text(settings.read_text() + RETAINED)
    ran(ccm, root)
    assert ccm("print", RUN, cwd=root).code == 0
    expiry = expire(opened(root), at=MUCH_LATER)
    assert sum(expiry.pieces.values()) == 2
    assert {provider for provider, _ in expiry.copies.left} == {"printer"}
    assert sum(expiry.copies.left.values()) == 2


def test_retention_waits_for_a_provider_that_cannot_be_asked(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Nothing of its communications goes, the command says so and ends with 1; the next one takes them."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    ran(ccm, root)
    settings = root / "ccm.yaml"
    settings.write_text(CCM.replace("folder: outbox", "folder: '${CCM_NOT_SET}'") + RETAINED)
    expiry = expire(opened(root), at=MUCH_LATER)
    assert (expiry.pieces, expiry.waiting, expiry.keys) == ({}, 4, 0)
    assert "CCM_NOT_SET is not set" in expiry.copies.failed[0]
    settings.write_text(CCM + RETAINED)
    again = expire(opened(root), at=MUCH_LATER)
    assert (again.pieces, again.waiting, again.keys) == ({"transactional": 4}, 0, 2)
    assert files_with(root, "p001@example.org") == []
