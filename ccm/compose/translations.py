"""Texts from the template's gettext catalogues, in every plural, with values that stay values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from gettext import c2py
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from ccm.compose.failure import ComposeFailure
from ccm.compose.printing import StaticText
from ccm.model.workspace import Catalogue

_PLACE = re.compile(r"%(?:\((\w+)\)s|(%))")
_BARE_AMPERSAND = re.compile(r"&(?!#?\w+;)")  # translators write plain text; HTML wants it escaped
_MAX_KNOWN = 4096  # texts without a plural that were looked up
_GERMANIC = "n != 1"  # English and most source languages

Printer = Callable[[object], str]


class Texts:
    """The catalogues of one language: the template's own, then those of its fragments.

    fragments: Catalogue by the name under which templates include the fragment.
    """

    def __init__(self, own: Catalogue | None, fragments: Mapping[str, Catalogue]) -> None:
        self._own = own
        self._fragments = fragments
        self._rules = {id(one): _rule(one) for one in (own, *fragments.values()) if one is not None}
        self._known: dict[tuple[str | None, str, str], str] = {}

    def find(self, template: str | None, context: str, singular: str, plural: str = "", number: int = 1) -> str:
        """Return the translation; the source text where there is none.

        Args:
            template: Name of the template or fragment that asks.
        """
        if plural:
            return self._found(template, context, singular, plural, number)
        key = (template, context, singular)
        text = self._known.get(key)
        if text is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            text = self._known[key] = self._found(template, context, singular, "", number)
        return text

    def _found(self, template: str | None, context: str, singular: str, plural: str, number: int) -> str:
        for catalogue in (self._own, self._fragments.get(template or "")):
            if catalogue is None:
                continue
            # Authors break long texts over lines; catalogues hold them in one.
            forms = catalogue.messages.get((context, singular)) or catalogue.messages.get(
                (context, " ".join(singular.split()))
            )
            if not forms:
                continue
            index = self._rules[id(catalogue)](number) if plural else 0
            if index < len(forms) and forms[index]:
                return forms[index]
        return plural if plural and number != 1 else singular


@lru_cache(maxsize=4096)
def _markup_pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pieces of an authored text that becomes HTML."""
    return _pieces(escaped_text(text))


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a text cut at its placeholders, and their names; a doubled percent sign is one."""
    pieces, names, at, piece = [], [], 0, ""
    for match in _PLACE.finditer(text):
        piece += text[at : match.start()]
        at = match.end()
        if match[2]:
            piece += "%"
        else:
            pieces.append(piece)
            names.append(match[1])
            piece = ""
    return (*pieces, piece + text[at:]), tuple(names)


def _unknown_placeholder(name: str) -> ComposeFailure:
    return ComposeFailure(
        "unknown-placeholder",
        f'a text wants "{name}", which it is not given',
        "use the placeholders of the source text",
    )


def escaped_text(text: str) -> str:
    """Return an authored text for HTML: its tags and entities stay, a bare ampersand is escaped."""
    return _BARE_AMPERSAND.sub("&amp;", text) if "&" in text else text


def _rule(catalogue: Catalogue) -> Callable[[int], int]:
    try:
        return c2py(catalogue.plural_rule or _GERMANIC)
    except ValueError:  # loading reports the wrong header; English plurals until it is mended
        return c2py(_GERMANIC)


def translating_functions(
    texts: Callable[[], Texts], printed: Printer, *, markup: bool
) -> dict[str, Callable[..., Any]]:
    """Return `_`, `gettext`, `ngettext`, `pgettext` and `npgettext` for one kind of output.

    Args:
        texts: Gives the catalogues of the rendering at hand.
        printed: Prints a value into the output, escaped if that is HTML; while capturing it gives a slot.
        markup: Whether the output is HTML: then texts may hold tags, and values are escaped.
    Why: Jinja's own would put values into the text before anybody sees them: they could not be slots.
    """

    cut, sort = (_markup_pieces, Markup) if markup else (_pieces, StaticText)

    def filled(text: str, values: Mapping[str, object]) -> str:
        pieces, names = cut(text)
        if not names:
            return sort(pieces[0])
        parts = [pieces[0]]
        for name, piece in zip(names, pieces[1:], strict=True):
            if name not in values:
                raise _unknown_placeholder(name)
            parts.append(printed(values[name]))
            parts.append(piece)
        return sort("".join(parts))

    @pass_context
    def gettext(__context: Context, __text: str, **values: object) -> str:
        return filled(texts().find(__context.name, "", str(__text)), values)

    @pass_context
    def ngettext(__context: Context, __singular: str, __plural: str, __number: int, **values: object) -> str:
        values.setdefault("num", __number)
        return filled(texts().find(__context.name, "", str(__singular), str(__plural), int(__number)), values)

    @pass_context
    def pgettext(__context: Context, __about: str, __text: str, **values: object) -> str:
        return filled(texts().find(__context.name, str(__about), str(__text)), values)

    @pass_context
    def npgettext(
        __context: Context, __about: str, __singular: str, __plural: str, __number: int, **values: object
    ) -> str:
        values.setdefault("num", __number)
        text = texts().find(__context.name, str(__about), str(__singular), str(__plural), int(__number))
        return filled(text, values)

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext, "pgettext": pgettext, "npgettext": npgettext}
