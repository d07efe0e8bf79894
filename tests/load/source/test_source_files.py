"""A source that names a file which is not there is told at its place, with a name that could help."""

from __future__ import annotations

from pathlib import Path

from run.small_workspace import people, small_workspace

from ccm.load import load_workspace


def remedy_of_missing(root: Path) -> str:
    """Return the cure of the one missing table."""
    _, diagnostics = load_workspace(root)
    (missing,) = [item for item in diagnostics if item.code == "missing-file"]
    assert missing.location.path == "data/people.yaml"
    return missing.remedy


def test_the_nearest_table_is_suggested_and_never_the_definition(tmp_path: Path) -> None:
    """people.csv is gone: people.yaml, the nearest name, is the source itself and would be a bad advice."""
    root = small_workspace(tmp_path / "w", people(1))
    table = root / "data" / "people.csv"
    table.rename(root / "data" / "peoples.csv")
    assert remedy_of_missing(root) == 'did you mean "peoples.csv"?'
    (root / "data" / "peoples.csv").unlink()
    assert remedy_of_missing(root) == "add data/people.csv, or correct the name"


def test_a_folder_is_not_suggested_in_its_own_place(tmp_path: Path) -> None:
    """A folder with the table's name is no table."""
    root = small_workspace(tmp_path / "w", people(1))
    table = root / "data" / "people.csv"
    table.unlink()
    table.mkdir()
    assert remedy_of_missing(root) == "add data/people.csv, or correct the name"
