"""Where a printed value may stand in markup: not in scripts, not unquoted, and in styles only the brand's values.

Why: escaping protects text and quoted attributes; a customer's name inside CSS or a script is code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ccm.load.lint.markup import Tag, tags_in
from ccm.load.lint.source import PRINTED, Findings, Source, without_jinja

# Names whose values authors wrote themselves.
_AUTHORED = ("tokens", "brand", "locale", "asset")
_REMEDY_QUOTES = 'put the whole value between double quotes: attribute="{{ … }}"'
_REMEDY_STYLE = "print only tokens, brand and locale in styles; show data as text or choose a class by {% if %}"
_PRINTED_RUN = re.compile(rf"{PRINTED}[{PRINTED}\n]*")
_STRINGS = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_WORDS = re.compile(r"(?<![\w.])(?<!\|)[A-Za-z_]\w*(?!\s*=[^=])")
_OPERATORS = frozenset(("if", "else", "and", "or", "not", "in", "is", "none", "true", "false", "defined", "loop"))


def check_places(source: Source, findings: Findings) -> None:
    """Report printed values in places that cannot be made safe."""
    text = without_jinja(source.text)
    for tag in tags_in(text):
        for attribute in tag.attributes:
            if PRINTED not in attribute.value and PRINTED not in attribute.name:
                continue
            name = attribute.name.lower()
            at = attribute.value_offset if PRINTED in attribute.value else attribute.offset
            if PRINTED in attribute.name or not attribute.quote:
                message = "a value is printed outside quotes"
                findings.add(source, at, "unsafe-place", message, _REMEDY_QUOTES)
            elif name.startswith("on"):
                message = f'a value is printed in the script attribute "{attribute.name}"'
                findings.add(source, at, "unsafe-place", message, "leave the attribute out; messages run no scripts")
            elif name == "style":
                _check_style(source, attribute.value, at, findings)
        _check_content(source, text, tag, findings)


def _check_content(source: Source, text: str, tag: Tag, findings: Findings) -> None:
    if tag.kind != "start" or not tag.content_end:
        return
    content = text[tag.inside : tag.content_end]
    if tag.name.lower() == "script":
        for found in _PRINTED_RUN.finditer(content):
            message = "a value is printed inside <script>"
            findings.add(
                source,
                tag.inside + found.start(),
                "unsafe-place",
                message,
                "leave the script out; messages run no scripts",
            )
    else:
        _check_style(source, content, tag.inside, findings)


def _check_style(source: Source, content: str, offset: int, findings: Findings) -> None:
    for found in _PRINTED_RUN.finditer(content):
        start = offset + found.start()
        for expression in _expressions(source.text[start : start + len(found.group())]):
            if not _is_authored(expression):
                findings.add(source, start, "unsafe-place", "customer data is printed inside a style", _REMEDY_STYLE)
                break


def _expressions(text: str) -> Iterator[str]:
    for part in text.split("{{")[1:]:
        yield part.partition("}}")[0].strip(" -")


def _is_authored(expression: str) -> bool:
    words = [word for word in _WORDS.findall(_STRINGS.sub('""', expression)) if word not in _OPERATORS]
    return bool(words) and all(word in _AUTHORED for word in words)
