"""Each module has its tests beside it, or is named here with the tests that reach it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from guards.reading import ROOT, SOURCE, modules, tree_of

SHORT = 40  # lines; below, a module is tested where it is used

# By module or room, the longest match counts. Named files must reach the module through imports. A folder stands for
# tests that reach it in other ways: they run `ccm` as a person would, or open a ledger.
COVERED_BY = {
    "ccm/__init__.py": ("tests/test_public_api.py",),
    "ccm/archive/interface.py": ("tests/contract/test_archives.py",),
    "ccm/archive/s3.py": ("tests/contract/test_archives.py",),
    "ccm/archive/vault/": ("tests/archive/vault/test_vault.py",),
    "ccm/bucket.py": ("tests/contract/test_archives.py", "tests/release/test_stores.py"),
    "ccm/check/": ("tests/check/test_inspection.py",),  # each rule by a seeded mutation
    "ccm/check/totals.py": ("tests/check/test_control_totals.py",),
    "ccm/cli/": ("tests/e2e/",),
    "ccm/compose/": ("tests/compose/test_composer.py", "tests/compose/test_injection.py"),
    "ccm/compose/document/": ("tests/compose/test_document.py", "tests/compose/test_document_leaks.py"),
    "ccm/compose/document/fill/": ("tests/compose/test_fill.py",),
    "ccm/compose/document/stream/": ("tests/compose/test_print_stream.py",),
    "ccm/compose/document/filling.py": ("tests/compose/test_fill.py",),
    "ccm/compose/document/fill/style/looks.py": ("tests/compose/test_lessons.py",),
    "ccm/compose/document/lessons.py": ("tests/compose/test_lessons.py",),
    "ccm/compose/email/": ("tests/compose/test_email.py",),
    "ccm/compose/figures/": ("tests/compose/test_figures.py", "tests/compose/test_charts.py"),
    "ccm/compose/figures/page_functions.py": ("tests/guards/test_template_guide.py",),
    "ccm/compose/formats/": ("tests/compose/test_formats.py",),
    "ccm/compose/formats/postal.py": ("tests/compose/test_composer.py",),
    "ccm/compose/formats/salutations.py": ("tests/compose/test_composer.py",),
    "ccm/compose/sms/": ("tests/compose/test_sms.py",),
    "ccm/compose/social/": ("tests/compose/test_social.py",),
    "ccm/deliver/interface.py": ("tests/contract/test_adapters.py",),
    "ccm/deliver/print_shop/": ("tests/deliver/print_shop/test_closing.py",),
    "ccm/deliver/print_shop/adapter.py": ("tests/deliver/print_shop/test_print_adapter.py",),
    "ccm/deliver/smtp_connection.py": ("tests/deliver/test_smtp.py",),
    "ccm/deliver/smtp_settings.py": ("tests/deliver/test_smtp.py",),
    "ccm/deliver/twilio_client.py": ("tests/deliver/test_twilio.py",),
    "ccm/diagnostics.py": ("tests/load/lint/test_lint_cases.py",),  # place, code and remedy of every case
    "ccm/events/ses.py": ("tests/events/test_ses_events.py",),  # tests of the adapters have the plain names
    "ccm/events/sns.py": ("tests/events/test_sns_events.py",),
    "ccm/events/twilio.py": ("tests/events/test_twilio_events.py",),
    "ccm/model/tokens.py": ("tests/model/test_link_tokens.py",),
    "ccm/ledger/": ("tests/contract/test_ledgers.py", "tests/ledger/test_sql.py"),
    "ccm/ledger/control.py": ("tests/run/test_manifest.py",),
    "ccm/ledger/erasing.py": ("tests/run/test_erasing.py",),
    "ccm/ledger/kept.py": ("tests/run/test_verifying.py",),
    "ccm/ledger/migrations/": ("tests/ledger/",),  # found by their folder; every ledger that is opened runs them
    "ccm/load/": ("tests/load/lint/test_lint_cases.py", "tests/load/test_load_workspace.py"),
    "ccm/load/lint/": ("tests/load/lint/test_lint_cases.py",),  # cases with the expected line and column
    "ccm/load/source/": ("tests/load/source/test_source_recipients.py", "tests/load/source/test_check.py"),
    "ccm/model/": ("tests/load/test_authored.py", "tests/load/test_schema.py", "tests/compose/test_formats.py"),
    "ccm/model/permissions.py": ("tests/model/test_standing.py",),
    "ccm/model/records.py": ("tests/plan/test_recipients.py",),
    "ccm/plan/": ("tests/plan/test_recipients.py",),
    "ccm/release/": ("tests/release/test_releasing.py",),
    "ccm/release/s3.py": ("tests/release/test_stores.py",),
    "ccm/run/": ("tests/e2e/",),
    "ccm/serve/": ("tests/serve/test_app.py",),
    "ccm/serve/opening.py": ("tests/e2e/",),
    "ccm/studio/": ("tests/e2e/",),
    "ccm/testing/": ("tests/contract/test_adapters.py", "tests/contract/test_archives.py", "tests/contract/test_ledgers.py"),
}  # fmt: skip


def long_modules() -> list[str]:
    """Return the modules that need tests of their own."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if len(path.read_text(encoding="utf-8").splitlines()) > SHORT
    ]


def own_test(module: str) -> Path:
    """Return where a module's own test stands: the same tree under tests/."""
    path = Path(module)
    return ROOT / "tests" / path.relative_to("ccm").parent / f"test_{path.stem}.py"


@pytest.mark.parametrize("module", [name for name in long_modules() if not own_test(name).exists()])
def test_a_module_without_its_own_test_is_reached_by_others(module: str) -> None:
    """Named above, and really imported by the tests that are named."""
    matches = [key for key in COVERED_BY if module == key or (key.endswith("/") and module.startswith(key))]
    assert matches, f"write {own_test(module).relative_to(ROOT)}, or name the tests that cover {module}"
    named = [ROOT / name for name in COVERED_BY[max(matches, key=len)]]
    assert all(path.exists() for path in named)
    if any(path.is_dir() for path in named):
        assert all(list(path.rglob("test_*.py")) for path in named)
        return
    assert any(SOURCE / Path(module).relative_to("ccm") in reached(path) for path in named), module


def test_the_list_is_not_longer_than_needed() -> None:
    """A room that has its own tests leaves the list."""
    left = [name for name in long_modules() if not own_test(name).exists()]
    assert len(long_modules()) > 80
    for key in COVERED_BY:
        assert any(name == key or name.startswith(key) for name in left), key


# ── what a test imports, and what that imports ───────────────────────────────


def reached(test: Path) -> frozenset[Path]:
    """Return every file of ours that a test imports, however far away."""
    seen: set[Path] = set()
    waiting = [test]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imported(path)
    return frozenset(seen)


@cache
def imported(path: Path) -> tuple[Path, ...]:
    """Return the files that one file imports; from inside functions too."""
    found: list[Path] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [place for alias in node.names for place in places(alias.name, path)]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += places(node.module, path)
            found += [place for alias in node.names for place in places(f"{node.module}.{alias.name}", path)]
    return tuple(found)


def places(name: str, importer: Path) -> list[Path]:
    """Return the file of a module of ours, or of a helper beside the tests."""
    relative = Path(*name.split("."))
    roots = (ROOT, ROOT / "tests", importer.parent) if "tests" in importer.relative_to(ROOT).parts else (ROOT,)
    candidates = [root / part for root in roots for part in (relative.with_suffix(".py"), relative / "__init__.py")]
    return [path for path in candidates if path.is_file()]


def test_imports_are_followed() -> None:
    """The guard would notice a module that nobody imports."""
    found = reached(ROOT / "tests" / "plan" / "test_recipients.py")
    assert SOURCE / "plan" / "permission.py" in found
    assert (SOURCE / "cli" / "terminal.py").exists()
    assert SOURCE / "cli" / "terminal.py" not in found
