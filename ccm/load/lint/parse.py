"""Parses Jinja with exact places: every node's `lineno` is the offset of its first character.

Why: Jinja keeps line numbers only; an author needs the column too. Nodes copy the number of the token they
start with, so giving the tokens offsets gives the nodes offsets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import extract_from_ast
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from ccm.load.lint.source import Findings, Source

_EXTENSIONS = ("jinja2.ext.i18n", "jinja2.ext.loopcontrols")


class _PlacedEnvironment(Environment):
    """Parses only; nothing is ever rendered with it."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        placed = _with_offsets(source, self.lexer.tokeniter(source, name, filename, state))
        stream = self.lexer.wrap(placed, name, filename)
        for extension in self.iter_extensions():
            filtered = extension.filter_stream(TokenStream(stream, name, filename))
            stream = iter(filtered)
        return TokenStream(stream, name, filename)


def _with_offsets(source: str, tokens: Iterator[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    offset = 0
    try:
        for _, token, value in tokens:
            # Text before "{%-" comes without its trailing blanks; the next token is the next place it stands.
            found = source.find(value, offset)
            start = offset if found < 0 else found
            offset = start + len(value)
            yield start, token, value
    except TemplateSyntaxError as error:
        error.lineno = offset
        raise


@cache
def _environment() -> Environment:
    return _PlacedEnvironment(extensions=_EXTENSIONS, autoescape=False)


@dataclass(frozen=True)
class Text:
    """A text for translators: where it stands, its forms and its context."""

    offset: int
    msgid: str
    context: str


@dataclass(frozen=True)
class Parsed:
    """A parsed template."""

    tree: nodes.Template
    texts: tuple[Text, ...]


def parse(source: Source, findings: Findings) -> Parsed | None:
    """Parse a template; None and a `template-syntax` error where the syntax is broken."""
    try:
        tree = Parser(_environment(), source.text, source.path).parse()
    except TemplateSyntaxError as error:
        _report(source, findings, error)
        return None
    return Parsed(tree, _texts(tree))


def parse_expression(source: Source, expression: str, findings: Findings) -> nodes.Expr | None:
    """Parse one expression that stands outside a template, such as the value of a fact."""
    try:
        parser = Parser(_environment(), expression, source.path, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f"unexpected {parser.stream.current.value!r}", parser.stream.current.lineno)
    except TemplateSyntaxError as error:
        _report(source, findings, error)
        return None
    return tree


def _report(source: Source, findings: Findings, error: TemplateSyntaxError) -> None:
    message = (error.message or "broken syntax").rstrip(".")
    remedy = "mend the Jinja syntax here; every {% … %} and {{ … }} must be closed"
    if "unknown tag" in message:
        remedy = "use if, for, set, with, macro, call, include, trans or filter"
    findings.add(source, error.lineno or 0, "template-syntax", message[0].lower() + message[1:], remedy)


def _texts(tree: nodes.Template) -> tuple[Text, ...]:
    found = []
    for offset, function, strings in extract_from_ast(tree, babel_style=False):
        parts = [strings] if isinstance(strings, str) else [part for part in strings or () if isinstance(part, str)]
        context = parts.pop(0) if function in ("pgettext", "npgettext") and len(parts) > 1 else ""
        if parts and parts[0]:
            found.append(Text(offset, parts[0], context))
    return tuple(found)
