"""The files of tests that begin first are there."""

from __future__ import annotations

from pathlib import Path

from weights import SECONDS


def test_every_weight_is_of_a_file(project: Path) -> None:
    """A file that was renamed would be one of the last again."""
    names = {path.stem for path in (project / "tests").rglob("test_*.py")}
    assert len(names) > 100
    assert set(SECONDS) <= names
