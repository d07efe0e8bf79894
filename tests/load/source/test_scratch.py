"""Keys seen in a reading: each is new once, and those that never came are told."""

from __future__ import annotations

from pathlib import Path

from ccm.load.source.scratch import SeenKeys


def test_keys_are_new_once_and_kinds_are_apart(tmp_path: Path) -> None:
    """A key of one kind says nothing about another kind."""
    seen = SeenKeys(tmp_path)
    assert seen.add("key", "C-1")
    assert not seen.add("key", "C-1")
    assert seen.add("message", "C-1")
    assert seen.missing("key", ["C-3", "C-1", "C-2"]) == ["C-3", "C-2"]
    assert seen.missing("message", ["C-1"]) == []
    assert seen.missing("key", []) == []
    seen.close()


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    """Even while it is open its file has no name: a kill leaves nothing."""
    seen = SeenKeys(tmp_path / "staging")
    assert list((tmp_path / "staging").iterdir()) == []
    seen.close()
