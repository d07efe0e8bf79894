"""What the layout engine would ignore in CSS, or draw without tags: WeasyPrint's own judgement, declaration by declaration.

WeasyPrint takes 0.7 s to import, so it is imported when there is CSS to judge and not before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tinycss2

from ccm.diagnostics import suggest
from ccm.layout_engine import load_layout_engine

_MAX_ALIASES = 8
# Relative addresses need something to be relative to; nothing is ever fetched.
_BASE = "https://workspace.invalid/"


def judge(node: Any, variables: Mapping[str, str], *, tagged: bool = True) -> tuple[str, str, str] | None:
    """Judge one declaration with the variables' values in place of var().

    Args:
        tagged: Whether what it applies to has tags of its own: not on a card, and not inside a drawing.
    Returns:
        Code, message and remedy; None where all is well or a variable is not known.
    """
    load_layout_engine()
    from weasyprint.css.validation import preprocess_declarations

    resolved = _resolved(node.value, variables)
    if resolved is None:
        return None
    node.value = resolved
    with _said_by_weasyprint() as said:
        values = list(preprocess_declarations(_BASE, [node]))
    if said:
        return _explained(node, said[0])
    return _untagged(values) if tagged else None


def judge_selector(prelude: Any) -> str | None:
    """Return why a selector is not supported, or None."""
    load_layout_engine()
    from weasyprint.css.validation import SelectorError, compile_selector_list

    try:
        compile_selector_list([part for part in prelude if part != "&"])
    except SelectorError as error:
        return str(error.args[-1])[:80] if error.args else "unknown"
    return None


def _explained(node: Any, reason: str) -> tuple[str, str, str]:
    if "unknown property" in reason:
        return "unknown-property", f'there is no property "{node.name}"', suggest(node.name, _properties())
    if "deprecated" in reason or "prefix" in reason:
        plain = node.name.lstrip("-").partition("-")[2]
        return "unknown-property", f'"{node.name}" is not supported', f'write "{plain}"'
    value = tinycss2.serialize(node.value).strip()[:60]
    message = f'"{node.name}" cannot be "{value}"; the layout engine ignores it'
    return "invalid-value", message, "give a value that the property takes, or leave it out"


def _untagged(values: Iterable[tuple[str, Any, bool]]) -> tuple[str, str, str] | None:
    """Report an opacity that takes words and pictures out of the tags.

    Why: WeasyPrint draws such an element as a group, a form XObject that no marked content refers to. Screen readers do not
    find what is in it, and PDF/UA-1 is broken (ISO 14289-1, 7.1). Backgrounds and borders alone would do no harm, but which
    elements have nothing else is not known before there is data.
    """
    for name, value, _ in values:
        if name == "opacity" and isinstance(value, (int, float)) and value < 1:
            message = (
                f'"opacity: {value:g}" takes words and pictures out of the tags, so that the document breaks PDF/UA-1'
            )
            remedy = "use a paler colour, or one with an alpha such as rgba(0, 0, 0, 0.5); fill-opacity in a drawing"
            return "untagged-opacity", message, remedy
    return None


def _properties() -> list[str]:
    from weasyprint.css.properties import INITIAL_VALUES
    from weasyprint.css.validation.expanders import EXPANDERS

    return [name.replace("_", "-") for name in INITIAL_VALUES] + list(EXPANDERS)


def _resolved(tokens: Iterable[Any], variables: Mapping[str, str], depth: int = 0) -> list[Any] | None:
    """Put the tokens' values in place of var(); None where a variable is not known."""
    found: list[Any] = []
    for token in tokens:
        if token.type == "function" and token.lower_name == "var":
            name = next((part.value for part in token.arguments if part.type == "ident"), "")
            value = variables.get(name)
            inner = (
                _resolved(tinycss2.parse_component_value_list(value), variables, depth + 1)
                if value and depth < 8
                else None
            )
            if inner is None:
                return None
            found += inner
        elif token.type == "function":
            arguments = _resolved(token.arguments, variables, depth)
            if arguments is None:
                return None
            token.arguments = arguments
            found.append(token)
        else:
            found.append(token)
    return found


@contextmanager
def _said_by_weasyprint() -> Iterator[list[str]]:
    """Gather WeasyPrint's warnings instead of printing them; its logger is as before afterwards."""
    said: list[str] = []
    logger = logging.getLogger("weasyprint")

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener = Listener(logging.WARNING)
    handlers, propagate = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [listener], False
    try:
        yield said
    finally:
        logger.handlers, logger.propagate = handlers, propagate
