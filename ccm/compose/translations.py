"""Texts from the template's gettext catalogues, in every plural, with values that stay values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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

    def find(self, template: str | None, context: str, singular: str, plural: str = "", number: int = 1) -> str:
        """Return the translation; the source text where there is none.

        Args:
            template: Name of the template or fragment that asks.
        """
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


def _rule(catalogue: Catalogue) -> Callable[[int], int]:
    try:
        return c2py(catalogue.plural_rule or _GERMANIC)
    except ValueError:  # loading reports the wrong header; English plurals until it is mended
        return c2py(_GERMANIC)


def translating_functions(
    texts: Callable[[], Texts], printer: Printer, *, markup: bool
) -> dict[str, Callable[..., Any]]:
    """Return `_`, `gettext`, `ngettext`, `pgettext` and `npgettext` for one kind of output.

    Args:
        texts: Gives the catalogues of the rendering at hand.
        printer: Prints a value into the output; while capturing it gives a slot.
        markup: Whether the output is HTML: then texts may hold tags, and values are escaped.
    Why: Jinja's own would put values into the text before anybody sees them: they could not be slots.
    """

    def filled(text: str, values: Mapping[str, object]) -> str:
        if markup and "&" in text:
            text = _BARE_AMPERSAND.sub("&amp;", text)
        if not values and "%" not in text:
            return Markup(text) if markup else StaticText(text)  # noqa: S704  # catalogues are authored

        def place(match: re.Match[str]) -> str:
            if match[2]:
                return "%"
            if match[1] not in values:
                raise ComposeFailure(
                    "unknown-placeholder",
                    f'a text wants "{match[1]}", which it is not given',
                    "use the placeholders of the source text",
                )
            printed = printer(values[match[1]])
            return str(Markup.escape(printed)) if markup else printed

        filled_text = _PLACE.sub(place, text)
        return Markup(filled_text) if markup else StaticText(filled_text)  # noqa: S704  # values are escaped above

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
