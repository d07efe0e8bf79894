"""Checks the CSS of documents: what the layout engine would ignore or not tag, tokens, files and fonts that do not exist.

Why: WeasyPrint passes over a misspelt property with a line in a log that nobody reads.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

import tinycss2

from ccm.diagnostics import suggest
from ccm.load.lint.layout import judge, judge_selector
from ccm.load.lint.markup import tags_in
from ccm.load.lint.scope import Surroundings
from ccm.load.lint.source import PRINTED, Findings, Source, without_jinja
from ccm.model.workspace import Brand

_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_GENERIC_FONTS = frozenset(
    [
        "serif",
        "sans-serif",
        "monospace",
        "cursive",
        "fantasy",
        "system-ui",
        "math",
        "emoji",
        "inherit",
        "initial",
        "unset",
        "revert",
    ]
)
_NESTING_RULES = frozenset(("media", "supports", "layer", "container"))
_PAGE_RULES = frozenset(("page", "font-face", "counter-style", "footnote", "color-profile"))
_OWN_VARIABLE = re.compile(r"(?<![\w-])(--[\w-]+)\s*:")


def check_css(around: Surroundings, source: Source, findings: Findings) -> None:
    """Check one style sheet."""
    at = source.text.find("{{")
    if at >= 0:
        remedy = "use var(--color-brand-primary) for tokens; data has no place in a style sheet"
        findings.add(source, at, "unsafe-place", "a style sheet cannot print values", remedy)
        return
    _Sheet(around, source, 0, source.text, findings).check()


def check_style_blocks(around: Surroundings, source: Source, findings: Findings) -> None:
    """Check the <style> elements and style attributes of an HTML text."""
    text = without_jinja(source.text)
    card = source.path.endswith("card.html")  # becomes a picture
    drawings = 0  # that are open: each is one picture, with one tag for all that is in it
    for tag in tags_in(text):
        tagged = not card and not drawings
        if tag.content_end and tag.name.lower() == "style":
            content = text[tag.inside : tag.content_end]
            _Sheet(around, source, tag.inside, content, findings, tagged=tagged).check()
        style = tag.get("style")
        if style is not None and PRINTED not in style.value:
            sheet = _Sheet(around, source, style.value_offset, style.value, findings, tagged=tagged)
            sheet.declarations(tinycss2.parse_blocks_contents(style.value, skip_comments=True, skip_whitespace=True))
        if tag.name.lower() == "svg":
            drawings = max(0, drawings + {"start": 1, "end": -1}.get(tag.kind, 0))


class _Sheet:
    """One piece of CSS at a place of a source."""

    def __init__(
        self, around: Surroundings, source: Source, offset: int, text: str, findings: Findings, *, tagged: bool = True
    ) -> None:
        self.around = around
        self.source = source
        self.offset = offset
        self.text = text
        self.findings = findings
        self.tagged = tagged
        self.piece = Source(source.path, self.text)
        self.own = set(_OWN_VARIABLE.findall(self.text))
        self.variables = _variables(around.brands)
        self.fonts = {font.family.lower(): font.family for brand in around.brands for font in brand.definition.fonts}

    def check(self) -> None:
        """Check all rules."""
        self.rules(tinycss2.parse_stylesheet(self.text, skip_comments=True, skip_whitespace=True))

    def at(self, node: Any) -> int:
        """Return the place of a CSS node in the source."""
        return self.offset + self.piece.offset_of(node.source_line, node.source_column)

    def rules(self, rules: Iterable[Any]) -> None:
        """Check rules and what is inside them."""
        for rule in rules:
            if rule.type == "error":
                self._broken(rule)
            elif rule.type == "qualified-rule":
                self._selector(rule)
                self.declarations(
                    tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
                )
            elif rule.type == "at-rule":
                self._at_rule(rule)

    def _broken(self, node: Any) -> None:
        remedy = "look for a missing colon, semicolon or bracket here and in front of it"
        self.findings.add(self.source, self.at(node), "css-syntax", f"this is not CSS: {node.message}", remedy)

    def _selector(self, rule: Any) -> None:
        problem = judge_selector(rule.prelude)
        if problem is not None:
            message = f"this selector is not supported: {problem}"
            self.findings.warn(self.source, self.at(rule), "unsupported-css", message, "use a simpler selector")

    def _at_rule(self, rule: Any) -> None:
        name = rule.lower_at_keyword
        if name == "import":
            remedy = "write the rules into this file"
            self.findings.add(self.source, self.at(rule), "unsupported-css", "@import is not allowed", remedy)
        elif rule.content is None:
            return
        elif name in _NESTING_RULES:
            self.rules(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))
        elif name in _PAGE_RULES:
            inside = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
            self.declarations(inside, descriptors=name not in ("page", "footnote"))
        else:
            known = sorted(f"@{each}" for each in _NESTING_RULES | _PAGE_RULES)
            message = f"@{rule.at_keyword} is not supported"
            self.findings.warn(self.source, self.at(rule), "unsupported-css", message, suggest(f"@{name}", known))

    def declarations(self, nodes: Iterable[Any], *, descriptors: bool = False) -> None:
        """Check the declarations of one block, and rules nested in it."""
        for node in nodes:
            if node.type == "error":
                self._broken(node)
            elif node.type == "qualified-rule":
                self.rules([node])
            elif node.type == "at-rule":
                if node.content is not None:  # margin boxes of @page, or @media inside a rule
                    inside = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
                    self.declarations(inside)
            elif node.type == "declaration":
                self._values(node.value)
                if node.lower_name == "font-family" and not descriptors:
                    self._fonts(node)
                if not descriptors and not node.name.startswith("--"):
                    self._property(node)

    # ── values ───────────────────────────────────────────────────────────────

    def _values(self, tokens: Iterable[Any]) -> None:
        for token in tokens:
            if token.type == "url":
                self._address(token, token.value)
            elif token.type == "function":
                if token.lower_name == "url" and token.arguments and token.arguments[0].type == "string":
                    self._address(token, token.arguments[0].value)
                if token.lower_name == "var":
                    self._variable(token)
                self._values(token.arguments)
            elif token.type.endswith("block"):
                self._values(token.content)

    def _variable(self, token: Any) -> None:
        arguments = [part for part in token.arguments if part.type not in ("whitespace", "comment")]
        name = arguments[0].value if arguments and arguments[0].type == "ident" else ""
        if not name.startswith("--") or name in self.own:
            return
        if name not in self.variables:
            message = f'no token gives the variable "{name}"'
            self.findings.add(self.source, self.at(token), "unknown-token", message, suggest(name, self.variables))
        elif lacking := [brand.name for brand in self.around.brands if name not in _variables([brand])]:
            message = f'brand "{lacking[0]}" has no token for "{name}"'
            remedy = "add the token to that brand, or use one that every brand has"
            self.findings.add(self.source, self.at(token), "unknown-token", message, remedy)

    def _address(self, token: Any, address: str) -> None:
        scheme = address.partition(":")[0].lower() if ":" in address else ""
        if address.startswith("#") or scheme == "data":
            return
        if scheme or address.startswith("//"):
            message = "documents load nothing from outside the workspace"
            self.findings.add(self.source, self.at(token), "missing-file", message, "put the file beside the template")
            return
        folder = posixpath.dirname(self.source.path)
        path = posixpath.normpath(posixpath.join(folder, address.partition("?")[0].partition("#")[0]))
        files = self.around.workspace.library.files
        if path not in files and address.lstrip("/") not in files:
            known = [name.removeprefix(f"{folder}/") for name in files if name.startswith(f"{folder}/")]
            message = f'there is no file "{address}"'
            self.findings.add(self.source, self.at(token), "missing-file", message, suggest(address, known))

    def _fonts(self, node: Any) -> None:
        for start, family in _families(node.value):
            if family.lower() not in self.fonts and family.lower() not in _GENERIC_FONTS and self.fonts:
                message = f'no brand has the font "{family}"'
                remedy = suggest(family, self.fonts.values())
                self.findings.warn(self.source, self.at(start), "unknown-font", message, remedy)

    def _property(self, node: Any) -> None:
        """Report what the layout engine would ignore or not tag, judged with the tokens' values in place of var()."""
        if PRINTED in tinycss2.serialize(node.value):
            return
        judged = judge(node, self.variables, tagged=self.tagged)
        if judged is not None:
            self.findings.warn(self.source, self.at(node), *judged)


def _families(tokens: Iterable[Any]) -> Iterator[tuple[Any, str]]:
    words: list[Any] = []
    for token in [*tokens, None]:
        if token is not None and token.type == "string":
            yield token, token.value
        elif token is not None and token.type == "ident":
            words.append(token)
        elif token is None or token.type == "literal":
            if words:
                yield words[0], " ".join(word.value for word in words)
            words = []


def _variables(brands: Iterable[Brand]) -> dict[str, str]:
    """Return the CSS variables that brands' tokens give: --color-brand-primary for color.brand.primary."""
    return {"--" + _UNSAFE_NAME.sub("-", path): token.value for brand in brands for path, token in brand.tokens.items()}
