"""Altering a copy of a kept workspace and asking `ccm verify` what changed."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.replay.altered import Alteration, Expected, Place
from ccm.cli.verify import result_as_json
from ccm.model.records import PieceRecord
from ccm.run.verifying import verify

KEPT = ("ccm.yaml", ".ccm", "archive", "releases")  # all that verifying reads


@dataclass(frozen=True)
class Judged:
    """What one alteration led to.

    said: What `ccm verify` printed about the piece.
    """

    name: str
    named: bool
    expected: Expected
    said: str


def copy_kept(root: Path, to: Path) -> Path:
    """Copy what verifying reads to another folder; nothing of the working folder goes along."""
    to.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        source = root / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, to / name)
    return to


def judge(
    root: Path, pieces: tuple[PieceRecord, ...], alteration: Alteration, seed: int, *, here: bool = False
) -> Judged:
    """Alter a copy, verify the altered piece, and compare what is said with what was done.

    Args:
        here: Verify in this process where the alteration allows it, which is faster; otherwise by the command.
    """
    with tempfile.TemporaryDirectory(prefix="ccm-replay-") as folder:
        place = Place(copy_kept(root, Path(folder) / "copy"), Path(folder), random.Random(seed), pieces)
        expected = alteration(place)
        if expected.environment is None and here:
            answer = _verified_here(place, expected.piece_id)
        else:
            answer = ccm_verify(place.root, expected.piece_id, expected.environment or {})
    if expected.kind == "locked":
        said = answer.stderr
        named = answer.returncode not in (0, 1) and all(name in said for name in expected.names)
    else:
        said = answer.stdout
        named = _named(expected, answer)
    return Judged(alteration.__name__, named, expected, said)


def _named(expected: Expected, answer: subprocess.CompletedProcess[str]) -> bool:
    try:
        differing = json.loads(answer.stdout)["differing"]
    except ValueError:
        return False
    found = next((one for one in differing if one["piece"] == expected.piece_id), None)
    if found is None:
        return False
    if expected.kind == "note":
        texts, code = found["notes"], 0
    else:
        texts, code = [one["what"] for one in found["causes"] if one["kind"] == expected.kind], 1
    right_kinds = {one["kind"] for one in found["causes"]} <= {expected.kind}
    return (
        answer.returncode == code
        and right_kinds
        and all(any(name in text for text in texts) for name in expected.names)
    )


def _verified_here(place: Place, piece_id: str) -> subprocess.CompletedProcess[str]:
    results = list(verify(place.workspace, piece_id))
    code = int(any(result.causes for result in results))
    said = json.dumps({"differing": [result_as_json(result) for result in results]})
    return subprocess.CompletedProcess([], code, said, "")


def ccm_verify(
    root: Path, target: str, environment: dict[str, str] | object, *more: str
) -> subprocess.CompletedProcess[str]:
    """Run `ccm verify --json` as another person on another machine would: other folder, language, time zone, home."""
    repository = Path(__file__).resolve().parents[2]
    given = dict(environment)  # type: ignore[call-overload]
    path = os.pathsep.join(filter(None, (given.pop("PYTHONPATH", ""), str(repository))))
    return subprocess.run(
        [sys.executable, "-P", "-m", "ccm", "verify", target, "--json", "-w", str(root), *more],
        env={
            "PATH": os.environ["PATH"], "PYTHONPATH": path, "TZ": "Pacific/Auckland", "LC_ALL": "C", "HOME": str(root),
            "PYTHONHASHSEED": "7", **given,
        },
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
