"""docs/errors.md names every code that the source can report, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from guards.reading import KEBAB, SOURCE, modules, page, sections, tree_of

from ccm.diagnostics import ExitCode
from ccm.model.records import ExclusionReason

# Words with a dash that are no codes. A new one fails the guard until it stands here or on the page.
NOT_CODES = frozenset(
    {
        # of HTML, CSS, MJML, fonts and PDF
        "aria-hidden", "aria-label", "at-rule", "background-url", "color-profile", "counter-style", "css-class",
        "font-face", "font-family", "mj-all", "mj-attributes", "mj-carousel-image", "mj-class", "mj-html-attribute",
        "mj-html-attributes", "mj-image", "mj-include", "mj-selector", "mj-style", "qualified-rule",
        "relative-colorimetric", "sans-serif", "system-ui",
        # of styles that filling looks at
        "border-box", "first-child", "flow-root", "last-child", "nth-last-child", "only-child", "pre-line",
        "table-cell", "table-footer-group", "table-header-group", "table-row", "table-row-group", "text-align-last",
        "word-spacing", "align-content", "arabic-indic", "avoid-page", "bookmark-level", "box-sizing", "content-box",
        "flex-end", "flex-start", "pre-wrap", "self-end", "self-start", "space-between", "aria-describedby", "aria-labelledby",
        "fill-opacity", "fill-rule", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
        "stroke-opacity", "stroke-width",
        # why a document is in no print stream, which has a section of its own
        "no-snapshot",
        # names of font weights in design tokens
        "demi-bold", "extra-black", "extra-bold", "extra-light", "semi-bold", "ultra-black", "ultra-bold",
        "ultra-light",
        # forms of months in CLDR
        "stand-alone",
        # why an entry of the suppression list was lifted, in the audit log
        "secret-lost",
        # of mails, web pages and Amazon's events; where somebody said something
        "detail-type", "no-referrer", "no-store", "one-click", "opt-out", "opt-out-list", "preference-page", "same-origin",
        # encodings and JSON Schema
        "date-time", "utf-16-be", "utf-16-le", "utf-8", "utf-8-sig",
        # headers and names of HTTP
        "accept-encoding", "ccm-engine", "content-length", "content-type", "linkedin-version", "ratelimit-reset",
        "retry-after", "transfer-encoding", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp",
        "x-rate-limit-reset", "x-ratelimit-reset", "x-restli-id", "x-restli-protocol-version",
        # a service of Amazon's
        "pinpoint-sms-voice-v2",
        # distributions of the engine lock
        "css-inline", "mjml-python", "zxing-cpp",
        # names of our own: classes in drawings, threads, an image, a command
        "ccm-barcode", "ccm-chart-label", "ccm-chart-value", "ccm-lease", "ccm-qr", "ccm-send", "ccm-write",
        "logo-dark",
        "explain-speed", "where-used",
    }
)  # fmt: skip

# Reasons of held pieces; the page lists them in the table of the left out.
HELD_DETAILS = frozenset(
    {
        "answer-lost",
        "content-changed",
        "looked-up",
        "not-composed",
        "provider-unusable",
        "resend-ordered",
    }
)


def codes(path: Path) -> Iterator[str]:
    """Yield the words of a module that may be codes: not the events of its log, not the members of its enums."""
    tree = tree_of(path)
    apart: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if ast.unparse(owner) in ("log", "log()", "_log()"):
                apart |= {id(argument) for argument in node.args}
        elif isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "StrEnum" for base in node.bases):
            apart |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        word = node.value if isinstance(node, ast.Constant) and id(node) not in apart else None
        if isinstance(word, str) and KEBAB.fullmatch(word):
            yield word


def families(path: Path) -> Iterator[str]:
    """Yield the beginnings of codes that are put together, such as "unknown-" of f"unknown-{kind}"."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.JoinedStr):
            first = node.args[0].values[0]
            if ast.unparse(node.func) in ("Diagnostic", "Finding") and isinstance(first, ast.Constant):
                yield str(first.value)


def source_codes() -> dict[str, str]:
    """Return every word that may be a code, with the module that has it."""
    found: dict[str, str] = {}
    for path in modules():
        if "testing" not in path.parts:
            for code in codes(path):
                found.setdefault(code, path.relative_to(SOURCE).as_posix())
    assert len(found) > 100
    return found


def test_every_code_has_a_section() -> None:
    """Whoever meets a code finds out what it means and what to do."""
    documented = sections("errors.md")
    assert len(documented) > 100
    missing = {
        code: where
        for code, where in source_codes().items()
        if code not in documented and code not in NOT_CODES and code not in HELD_DETAILS
    }
    assert not missing


def test_every_section_is_a_code_of_the_source() -> None:
    """A code that nobody reports any more leaves the page."""
    found = source_codes()
    beginnings = {name for path in modules() for name in families(path)}
    assert "unknown-" in beginnings
    stale = [code for code in sections("errors.md") if code not in found and not code.startswith(tuple(beginnings))]
    assert not stale


def test_words_that_are_no_codes_are_still_in_the_source() -> None:
    """The list of exceptions does not outlive what it excuses."""
    found = source_codes()
    assert not sorted((NOT_CODES | HELD_DETAILS) - set(found))


def test_every_section_says_cause_and_cure() -> None:
    """Two lines each, cause first; a section without a cure is half a section."""
    for code, text in sections("errors.md").items():
        lines = [line for line in text.splitlines() if line.strip()]
        assert lines[0].startswith("**Cause** "), code
        assert lines[1].startswith("**Cure** "), code


def test_sections_are_in_order_and_stand_once() -> None:
    """A code is found by its first letter under its room."""
    seen: list[str] = []
    rooms = page("errors.md").split("\n## ")[1:]
    assert len(rooms) > 6
    for room in rooms:
        names = [line[4:] for line in room.splitlines() if line.startswith("### ")]
        assert names == sorted(names), room.splitlines()[0]
        seen += names
    assert len(seen) == len(set(seen))


def test_reasons_for_leaving_somebody_out_are_explained() -> None:
    """Every word that a report may count stands in the table."""
    table = page("errors.md").partition("## Why a recipient or a channel was left out")[2]
    assert table
    for reason in (*ExclusionReason, *HELD_DETAILS):
        assert f"| `{reason}` |" in table, reason


def test_exit_codes_are_listed() -> None:
    """Programs that call ccm find every exit code."""
    table = page("errors.md").partition("## Errors that end a command")[2]
    for code in ExitCode:
        assert f"| {int(code)} |" in table, code
