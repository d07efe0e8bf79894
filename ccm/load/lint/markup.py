"""Reads MJML and HTML with Jinja in it: tags and attributes with their places, nothing compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
# HTML lets these stay open.
OPTIONAL_END = frozenset(
    ("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "html", "body", "head", "colgroup")
)

_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<![^>]*>?|<\?[^>]*>?"
    r"|<(?P<end>/)?(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^\"'<>])*)(?P<close>>|(?=<)|\Z)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s=/\"'<>]+)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>]+)))?",
    re.DOTALL,
)
_RAW_TEXT = frozenset(("style", "script", "mj-style"))


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    offset: Of its name.
    value_offset: Of its value's first character, behind the quote.
    quote: The quote around the value, or "".
    """

    name: str
    value: str
    offset: int
    value_offset: int
    quote: str


@dataclass(frozen=True)
class Tag:
    """One tag as written.

    kind: start, end or empty (`<x/>` and HTML's void elements).
    offset: Of the "<".
    inside: Where the text behind the tag starts.
    content_end: For style and script: where their text ends.
    """

    name: str
    kind: str
    offset: int
    inside: int
    attributes: tuple[Attribute, ...]
    content_end: int = 0

    def get(self, name: str) -> Attribute | None:
        """Return an attribute, or None."""
        return next((attribute for attribute in self.attributes if attribute.name.lower() == name), None)


def tags_in(text: str) -> Iterator[Tag]:
    """Yield the tags of a text whose Jinja is blanked, in order; comments are passed over."""
    position = 0
    while found := _TAG.search(text, position):
        position = max(found.end(), found.start() + 1)
        if not found["name"]:
            continue
        tag = _tag(found)
        if tag.kind == "start" and tag.name.lower() in _RAW_TEXT:
            end = re.compile(rf"</{re.escape(tag.name)}\s*>|\Z", re.IGNORECASE).search(text, tag.inside)
            position = end.start() if end else len(text)
            tag = Tag(tag.name, tag.kind, tag.offset, tag.inside, tag.attributes, position)
        yield tag


def _tag(found: re.Match[str]) -> Tag:
    name, rest = found["name"], found["rest"]
    if found["end"]:
        return Tag(name, "end", found.start(), found.end(), ())
    closed = rest.rstrip().endswith("/")
    kind = "empty" if closed or name.lower() in VOID else "start"
    return Tag(name, kind, found.start(), found.end(), tuple(_attributes(rest, found.start("rest"))))


def _attributes(rest: str, offset: int) -> Iterator[Attribute]:
    for found in _ATTRIBUTE.finditer(rest):
        group = next((name for name in ("double", "single", "bare") if found[name] is not None), None)
        quote = {"double": '"', "single": "'"}.get(group or "", "")
        value = found[group] if group else ""
        start = found.start(group) if group else found.end()
        yield Attribute(found["name"], value, offset + found.start(), offset + start, quote)


@dataclass(frozen=True)
class Unbalanced:
    """A tag without its partner."""

    tag: Tag
    parent: str


def balance(tags: list[Tag]) -> tuple[list[Unbalanced], list[tuple[Tag, str | None]]]:
    """Match start and end tags.

    Returns:
        Tags without partner, and every element with the name of its parent (None outside of all).
    """
    stack: list[Tag] = []
    alone: list[Unbalanced] = []
    elements: list[tuple[Tag, str | None]] = []
    for tag in tags:
        if tag.kind != "end":
            elements.append((tag, stack[-1].name if stack else None))
            if tag.kind == "start":
                stack.append(tag)
            continue
        depth = next(
            (index for index in reversed(range(len(stack))) if stack[index].name.lower() == tag.name.lower()), None
        )
        if depth is None:
            if tag.name.lower() not in VOID and tag.name.lower() not in ("p",):
                alone.append(Unbalanced(tag, stack[-1].name if stack else ""))
            continue
        alone += [Unbalanced(left, "") for left in stack[depth + 1 :] if left.name.lower() not in OPTIONAL_END]
        del stack[depth:]
    alone += [Unbalanced(left, "") for left in stack if left.name.lower() not in OPTIONAL_END]
    return alone, elements
