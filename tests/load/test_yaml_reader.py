"""Promise: YAML keeps texts as they are written, tells every mistake's place, and cannot be used to stall a run."""

from __future__ import annotations

import time

import pytest

from ccm.load.yaml_reader import MAX_DEPTH, read_yaml

# What YAML 1.1 readers turn into something else: the text must come back as it was written.
TRAPS = [
    "NO", "no", "yes", "on", "Off", "y", "true", "010", "0o17", "0x1F", "1_000", "12:30", "12:30:45", "190:20:30",
    "1.10", "1e3", "1.", ".5", ".inf", ".nan", "+14155550100", "2026-10-31", "2026-10-31T08:30:00Z", "=", "0b11",
]  # fmt: skip


@pytest.mark.parametrize("text", TRAPS)
def test_a_plain_scalar_stays_text(text: str) -> None:
    """No scalar changes its type or its digits."""
    file, diagnostics = read_yaml(f"value: {text}\n{text}: key", "a.yaml")
    assert diagnostics == ()
    assert file.data == {"value": text, text: "key"}


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_only_null_is_resolved(text: str) -> None:
    """YAML 1.2 core null is None; in quotes it is a text."""
    assert read_yaml(f"value: {text}", "a.yaml")[0].data == {"value": None}
    assert read_yaml(f'value: "{text}"', "a.yaml")[0].data == {"value": text}


def test_places_are_kept_for_keys_and_values() -> None:
    """Line and column count from 1; a missing part points at its parent's key."""
    file, _ = read_yaml("a: 1\nb:\n  - x\n  - {c: Ä, d: [e]}\n", "a.yaml")
    assert str(file.at(("a",))) == "a.yaml:1:4"
    assert str(file.at(("b",), key=True)) == "a.yaml:2:1"
    assert str(file.at(("b", 1, "d", 0))) == "a.yaml:4:16"
    assert str(file.at(("b", 1, "d"), key=True)) == "a.yaml:4:12"
    assert str(file.at(("b", 1, "missing"))) == "a.yaml:4:5"


def test_every_duplicate_key_is_reported() -> None:
    """A second value never wins silently."""
    file, diagnostics = read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", "a.yaml")
    assert [(item.code, str(item.location)) for item in diagnostics] == [
        ("duplicate-key", "a.yaml:2:11"),
        ("duplicate-key", "a.yaml:3:1"),
    ]
    assert file.data == {"a": "1", "b": {"c": "1"}}


def test_anchors_and_merge_keys_work_within_the_limit() -> None:
    """Repetition is allowed; an own key wins over a merged one, and places point at what was merged."""
    text = (
        "base: &base {a: 1, b: 2}\nother: &other {c: 3}\none:\n  <<: [*base, *other]\n  a: 9\ntwo: *base\n'<<': text\n"
    )
    file, diagnostics = read_yaml(text, "a.yaml")
    assert diagnostics == ()
    assert file.data == {
        "base": {"a": "1", "b": "2"},
        "other": {"c": "3"},
        "one": {"a": "9", "b": "2", "c": "3"},
        "two": {"a": "1", "b": "2"},
        "<<": "text",
    }
    assert str(file.at(("one", "b"))) == "a.yaml:1:23"


def _laughs(width: int, depth: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, depth)]
    return "\n".join(lines)


def _merges(width: int, depth: int) -> str:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * width)}]}}" for n in range(1, depth)]
    return "\n".join(lines)


BOMBS = {
    "billion laughs": _laughs(9, 12),
    "merge keys": _merges(10, 10),
    "merge keys of 429 bytes": _merges(6, 12)[:429],
    "deep flow": "[" * 50_000,
    "deep mappings": "{a: " * 50_000,
    "deep block": "- " * 50_000,
    "deep keys": "? " * 50_000,
    "too large": "# " + "x" * 3_000_000,
    "own anchor": "a: &a [*a]",
    "many documents": "--- a\n" * 50_000,
    "many tags": "a: !!python/object/apply:os.system [id]",
    "key that is a list": "? [a, b]\n: c",
    "tab": "a:\n\t- b",
    "control character": "a: \x07",
    "unfinished text": 'a: "' + "x" * 100_000,
    "alias without anchor": "a: *nothing",
    "merge of a text": "a: {<<: text}",
    "broken utf-8": b"a: \xff",
    "utf-16": "a: b".encode("utf-16"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_fast_with_its_line(name: str) -> None:
    """Hostile YAML costs less than 0.2 seconds and gives a diagnostic with a line."""
    start = time.process_time()
    _, diagnostics = read_yaml(BOMBS[name], "a.yaml")
    assert time.process_time() - start < 0.2
    assert diagnostics, name
    assert all(item.remedy for item in diagnostics)
    assert diagnostics[0].location.line > 0 or name == "too large"


def test_the_depth_limit_is_not_in_the_way_of_people() -> None:
    """What people nest is allowed; one level more than the limit is not."""
    fine = "[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH
    assert read_yaml(fine, "a.yaml")[1] == ()
    assert [item.code for item in read_yaml(f"[{fine}]", "a.yaml")[1]] == ["yaml-limit"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_file_is_no_mistake_of_yaml(text: str) -> None:
    """Nothing in, None out; what that means is for the caller to say."""
    file, diagnostics = read_yaml(text, "a.yaml")
    assert (file.data, diagnostics) == (None, ())
