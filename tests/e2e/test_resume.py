"""Kills, interrupts and repeats: the same command finishes a run, repeats nothing and loses nobody."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from e2e.forked_ccm import ForkedCcm, addresses
from run.small_workspace import AS_OF, people, small_workspace

RUN = ("run", "news", "--as-of", AS_OF, "--json")
COUNT = 6
EVERYBODY = [f"p{number:03}@example.org" for number in range(1, COUNT + 1)]
POINTS = 12


def files_of(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return time of change and content of all that was handed over or kept."""
    folders = (root / "outbox", root / "archive")
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_second_run_changes_nothing(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A run that ended, given again, sends nothing, touches no file and prints the same report, ended now."""
    root = small_workspace(tmp_path / "w", people(COUNT))
    first = ccm(*RUN, cwd=root)
    before = files_of(root)
    second = ccm(*RUN, cwd=root)
    assert (first.code, second.code) == (0, 0), first.stderr + second.stderr
    assert len(before) > 4 * COUNT
    assert files_of(root) == before
    assert {**first.json, "finished_at": ""} == {**second.json, "finished_at": ""}


def test_killed_anywhere_the_same_command_finishes(ccm: ForkedCcm, tmp_path: Path) -> None:
    """kill -9 at any call of our code: the next command finishes, everybody once, nobody unknown."""
    whole = ccm(*RUN, cwd=small_workspace(tmp_path / "whole", people(COUNT)), count=True)
    assert whole.code == 0
    assert whole.calls > 500
    draw = random.Random(20261102)
    reached = 0  # the last calls differ from run to run: threads do not take turns in the same order
    for point in sorted(draw.sample(range(1, whole.calls), POINTS)):
        root = small_workspace(tmp_path / str(point), people(COUNT))
        killed = ccm(*RUN, cwd=root, die_at=point)
        assert killed.code in (-signal.SIGKILL, 0), killed.stderr
        reached += killed.code != 0
        assert set(addresses(root / "outbox")) <= set(EVERYBODY)
        again = ccm(*RUN, cwd=root)
        assert again.code == 0, f"killed at {point}: {again.stderr}"
        assert addresses(root / "outbox") == EVERYBODY, f"killed at {point}"
        assert again.json["outcomes"]["accepted"] == COUNT
        assert again.json["balanced"] is True
    assert reached >= POINTS * 2 // 3


def test_killed_again_and_again(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A run that dies twenty times on its way still reaches everybody once."""
    root = small_workspace(tmp_path / "w", people(COUNT))
    draw = random.Random(7)
    for _ in range(20):
        ccm(*RUN, cwd=root, die_at=draw.randrange(1, 2500))
        assert len(addresses(root / "outbox")) == len(set(addresses(root / "outbox")))
    assert ccm(*RUN, cwd=root).code == 0
    assert addresses(root / "outbox") == EVERYBODY
