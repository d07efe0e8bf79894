"""The shape of the code: import contracts, sizes, pure rooms, tests beside their modules, no place of one machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from guards.reading import ROOT, SOURCE, modules, tree_of

PURE = ("plan", "compose", "check", "model", "reconcile.py")
FORBIDDEN_MODULES = {"boto3", "twilio", "sqlalchemy", "click", "smtplib", "subprocess", "socket", "sqlite3", "random", "secrets", "uuid", "time", "urllib.request", "http.client"}  # fmt: skip
FORBIDDEN_CALLS = {"open", "input", "print", "datetime.now", "datetime.utcnow", "date.today", "os.getenv", "Path.cwd"}

# Over 400 lines with a reason; the number may fall and not rise.
LONG = {
    "ccm/model/definitions.py": 620,  # everything authored, one class after the other: a page to look things up on
    "ccm/model/records.py": 750,  # everything that flows, the same
}


def name_of(path: Path) -> str:
    """Return a file's path from the root."""
    return path.relative_to(ROOT).as_posix()


def test_import_contracts_hold() -> None:
    """import-linter keeps every contract, and it looked at the whole package."""
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    analysed = re.search(r"Analyzed (\d+) files", done.stdout)
    kept = re.search(r"Contracts: (\d+) kept, 0 broken", done.stdout)
    assert analysed
    assert int(analysed[1]) > 50
    assert kept
    assert int(kept[1]) >= 2


def test_pure_rooms_import_nothing_impure() -> None:
    """No network, database, process, clock or chance in plan, compose, check, reconcile and model."""
    seen = 0
    for path in _pure():
        seen += 1
        for node in ast.walk(tree_of(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name not in FORBIDDEN_MODULES, (name_of(path), node.lineno)
                assert name.partition(".")[0] not in FORBIDDEN_MODULES, (name_of(path), node.lineno)
    assert seen > 40


def test_pure_rooms_open_no_file_and_read_no_clock() -> None:
    """Time, ids and content come in as arguments."""
    for path in _pure():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in FORBIDDEN_CALLS, (name_of(path), node.lineno)
                packaged = "files(" in called  # a file inside an installed package is code, not data
                touches = called.endswith((".read_text", ".read_bytes", ".write_text", ".write_bytes"))
                assert packaged or not touches, (name_of(path), node.lineno)
            elif isinstance(node, ast.Attribute):
                assert ast.unparse(node) != "os.environ", (name_of(path), node.lineno)


def _pure() -> list[Path]:
    return [path for path in modules() if path.relative_to(SOURCE).parts[0] in PURE]


def test_modules_are_short() -> None:
    """At most 400 lines; the two that list records may be longer."""
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert len(lengths) > 100
    assert not {name: lines for name, lines in lengths.items() if lines > LONG.get(name, 400)}
    assert not {name for name in LONG if lengths[name] <= 400}


def test_modules_say_what_they_are() -> None:
    """A docstring of one sentence at least."""
    for path in modules():
        assert ast.get_docstring(tree_of(path)), name_of(path)


def test_names_say_something() -> None:
    """No drawer for everything."""
    vague = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?|handlers?|services?|processors?)(_|\.py$)")
    assert not [name_of(path) for path in modules() if vague.search(path.name)]


def test_nothing_is_left_to_do() -> None:
    """No notes to ourselves and no stubs; `Printable` names the one method that each kind of it must write."""
    for path in modules():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text), name_of(path)


@pytest.mark.parametrize("folder", ["ccm", "docs", "tools", "tests", "benchmarks", "campaigns", "templates", "brands"])
def test_no_place_of_one_machine(folder: str) -> None:
    """No home folder and no working folder of somebody: everything works in any checkout."""
    place = re.compile(r"(?<![\w.])/(?:home|Users|work|root|mnt)/[a-z]")
    seen = 0
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".sh", ".html", ".css", ".mjml", ".txt", ".po", ".java"}:
            seen += 1
            found = place.search(path.read_text(encoding="utf-8"))
            assert found is None or path == Path(__file__), name_of(path)
    assert seen > 0
