"""What the guards look at: our modules, our pages, and the words in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "ccm"
DOCS = ROOT / "docs"

KEBAB = re.compile(r"[a-z]+(?:-[a-z0-9]+)+")
_SECTION = re.compile(r"^### (\S+)$\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)


@cache
def modules() -> tuple[Path, ...]:
    """Return our source files; the sample that a wheel carries is not code of ours."""
    return tuple(sorted(SOURCE.rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def pages() -> tuple[Path, ...]:
    """Return everything that people read: the pages beside the README and under docs/."""
    return (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))


def page(name: str) -> str:
    """Return a page's text."""
    return (DOCS / name).read_text(encoding="utf-8")


def sections(name: str) -> dict[str, str]:
    """Return the third-level sections of a page by title."""
    return {match[1]: match[2] for match in _SECTION.finditer(page(name))}


def fenced(text: str) -> Iterator[str]:
    """Yield the lines inside fenced blocks."""
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside:
            yield line
