"""Splits a variant's source into what is built (skeleton), what is said (copy) and how it is coloured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<comment>\{#.*?#\}|<!--.*?-->)|(?P<statement>\{%.*?%\})|(?P<printed>\{\{.*?\}\})"
    r"|(?P<style><(?P<kind>style|mj-style)\b[^>]*>(?P<css>.*?)</(?P=kind)\s*>)"
    r"|(?P<tag></?[A-Za-z!](?:\{\{.*?\}\}|\{%.*?%\}|\"[^\"]*\"|'[^']*'|[^<>\"'{]|\{)*>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""([\w:-]+)(?:\s*=\s*("(?:\{\{.*?\}\}|[^"])*"|'(?:\{\{.*?\}\}|[^'])*'|[^\s>]+))?""", re.DOTALL
)
_TRANSLATED = re.compile(r"""(\b(?:_|gettext|ngettext|pgettext)\s*\()((?:\s*,?\s*(?:"[^"]*"|'[^']*'))+)""")
_LITERAL = re.compile(r""""([^"]*)"|'([^']*)'""")
_COMMENT = re.compile(r"/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_DECLARATION = re.compile(r"([\w-]+)\s*:\s*((?:\{\{.*?\}\}|[^;{}])*)", re.DOTALL)
_COLOUR_NAME = re.compile(r"(^|-)(color|fill|stroke|shadow)$|^background$")
_COLOUR = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\([^)]*\)|var\(\s*--color[\w-]*\s*\)|\{\{[^}]*\bcolor\b[^}]*\}\}"
)
_SAID = {"alt", "title", "href", "aria-label", "content", "lang"}  # attributes that are read or followed, not seen


@dataclass(frozen=True)
class Skeleton:
    """The three layers of a source.

    structure: Tags, attributes, statements, expressions and layout declarations, in order.
    copy: Texts as written, in order, white space folded.
    """

    structure: tuple[str, ...]
    copy: tuple[str, ...]


def markup(source: str) -> Skeleton:
    """Split MJML, HTML or text with Jinja in it."""
    structure: list[str] = []
    copy: list[str] = []
    end = 0
    for match in _TOKEN.finditer(source):
        copy += _said(source[end : match.start()])
        end = match.end()
        if match["statement"] or match["printed"]:
            bare, said = _without_texts(match[0])
            structure.append(bare)
            copy += said
        elif match["style"]:
            structure += [f"<{match['kind']}>", *style(match["css"]).structure]
        elif match["tag"]:
            bare, said = _tag(match["tag"])
            structure.append(bare)
            copy += said
    copy += _said(source[end:])
    return Skeleton(tuple(structure), tuple(copy))


def style(source: str) -> Skeleton:
    """Split CSS: rules and layout declarations; colours are left out."""
    text = _COMMENT.sub(" ", source)
    rules = []
    for part in re.split(r"(?<!\{)([{}])(?![{}])", text):
        kept = [
            f"{name}:{_COLOUR.sub('colour', _folded(value))}"
            for name, value in _DECLARATION.findall(part)
            if not _COLOUR_NAME.search(name)
        ]
        selector = _folded(_DECLARATION.sub("", part)).strip("; ")
        rules += [item for item in (selector, *kept) if item]
    return Skeleton(tuple(rules), ())


def _tag(tag: str) -> tuple[str, list[str]]:
    """Return a tag without what it says and how it is coloured, and what it says."""
    name, _, rest = tag[1:-1].partition(" ") if not re.match(r"</?[^\s>]+\s", tag) else _named(tag)
    kept, said = [], []
    for attribute, value in _ATTRIBUTE.findall(rest):
        plain = value.strip("\"'")
        if attribute in _SAID:
            kept.append(attribute)
            said.append(_folded(plain))
        elif attribute == "style":
            kept += [f"style {item}" for item in style(plain).structure]
        elif _COLOUR_NAME.search(attribute):
            continue
        else:
            kept.append(f"{attribute}={_COLOUR.sub('colour', _folded(plain))}")
    return f"<{name} {' '.join(sorted(kept))}>", [item for item in said if item]


def _named(tag: str) -> tuple[str, str, str]:
    name, rest = re.split(r"\s", tag[1:-1], maxsplit=1)
    return name, " ", rest


def _without_texts(code: str) -> tuple[str, list[str]]:
    """Return a Jinja tag with its translatable texts taken out, and those texts."""
    said: list[str] = []

    def taken(match: re.Match[str]) -> str:
        said.extend(_folded(one or two) for one, two in _LITERAL.findall(match[2]))
        return match[1] + '""'

    return _folded(_TRANSLATED.sub(taken, code)), said


def _said(text: str) -> Iterator[str]:
    folded = _folded(text)
    if folded:
        yield folded


def _folded(text: str) -> str:
    return " ".join(text.split())
