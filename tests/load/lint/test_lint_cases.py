"""Promise: every mistake in authors' files is reported at its place before any data is seen, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from lint_workspace import CASES, FILE_NAMES, ROOT, expected_in, small_workspace

from ccm.load.lint import lint_templates

AREAS = ("jinja", "mjml", "css", "html", "facts")


def _cases() -> list[Path]:
    return sorted(path for area in AREAS for path in (CASES / area).iterdir())


def _replaces(case: Path) -> str:
    return next(name for name in FILE_NAMES if case.name.endswith("." + name))


def test_there_are_cases_in_every_area() -> None:
    """The folders are not empty, so that the other tests prove something."""
    assert {path.parent.name for path in _cases()} == set(AREAS)
    assert len(_cases()) >= 40


def test_the_base_workspace_is_clean() -> None:
    """Files without a mistake get no diagnostic."""
    assert [str(item) for item in lint_templates(small_workspace())] == []


@pytest.mark.parametrize("case", _cases(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_case_gets_its_diagnostics_and_no_others(case: Path) -> None:
    """What is reported about a file is what its comments expect, line by line."""
    text = case.read_text("utf-8")
    replaced = _replaces(case)
    expected = expected_in(text)
    found = lint_templates(small_workspace({replaced: text}))
    columns = {(line, severity, code) for line, severity, code, column in expected if not column}
    here = f"{ROOT}/{replaced}"
    got = []
    for item in found:
        place = item.trace[-1] if item.trace else item.location
        assert place.path == here, str(item)
        key = (place.line or 1, str(item.severity), item.code)
        got.append((*key, 0 if key in columns else place.column))
    assert sorted(got) == expected, "\n".join(str(item) for item in found)


def test_every_diagnostic_has_a_remedy() -> None:
    """An error without a remedy is half an error."""
    for case in _cases():
        for item in lint_templates(small_workspace({_replaces(case): case.read_text("utf-8")})):
            assert item.remedy, str(item)
