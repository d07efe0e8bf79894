"""The authored forms read from top to bottom: fixed words in one language, and the places where values stand.

Why: What a fact stands beside is decided where it is written. Reading that off composed output would believe the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes

from ccm.check.comparable import comparable
from ccm.check.markup import visible_text
from ccm.model.definitions import Channel
from ccm.model.workspace import Catalogue, ContentLibrary, Fragment, Template, Variant, VariantPart

_FIRST = 0xF0000  # private letters stand for values, one for each place
_GAP = "\U000ffffd"  # where what is printed hangs on the data: a condition, a loop, a call
_TITLE = re.compile(r"<(mj-title|title)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_PREVIEW = re.compile(r"<mj-preview\b[^>]*>(.*?)</mj-preview\s*>", re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"<mj-head\b.*?</mj-head\s*>", re.DOTALL | re.IGNORECASE)
_VARIABLE = re.compile(r"%\((\w+)\)s|%%")
_GETTEXT = frozenset({"_", "gettext"})


@dataclass(frozen=True)
class Slot:
    """A place where a value is printed.

    path: Names from the root, such as ("facts", "total"); empty where it is no plain field.
    filters: What the value goes through, in order, such as "money" or "date(long"; `salutation` for a greeting.
    always: It stands in no condition and no loop.
    """

    path: tuple[str, ...]
    filters: tuple[str, ...] = ()
    always: bool = True


@dataclass(frozen=True)
class AuthoredPart:
    """One part of one channel in one language.

    name: html, text, subject or body, as in `Reading.parts`.
    text: Visible text; each slot is one private letter, and a gap stands where the text is not sure.
    unseen: Slots that are told somewhere without being visible in `text`, such as the lines of an address.
    """

    channel: str
    language: str
    name: str
    text: str
    slots: Mapping[str, Slot]
    unseen: tuple[Slot, ...] = ()


def is_gap(letter: str) -> bool:
    """Tell whether a letter of an authored part stands for what only the data decides."""
    return letter == _GAP


class Reader:
    """Reads the variants of one template."""

    def __init__(self, template: Template, fragments: Mapping[str, Fragment], library: ContentLibrary) -> None:
        self._template = template
        self._fragments = fragments
        self._library = library
        self._environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"], autoescape=False)  # noqa: S701  # parses only, renders nothing
        self._environment.newstyle_gettext = True  # type: ignore[attr-defined]  # set by the i18n extension
        self._parsed: dict[str, nodes.Template] = {}

    def parts(self) -> Iterator[AuthoredPart]:
        """Yield every part of every channel in every language; a variant that cannot be parsed has none."""
        for (channel, part), variant in self._template.variants.items():
            if part not in (VariantPart.BODY, VariantPart.TEXT):
                continue
            for language in self._template.definition.locales:
                try:
                    yield from self._read(channel, part, variant, language)
                except TemplateSyntaxError:
                    continue  # load says where

    def _read(self, channel: Channel, part: VariantPart, variant: Variant, language: str) -> Iterator[AuthoredPart]:
        forms = _forms(channel, part, variant)
        walk = _Walk(self, forms, language)
        source = walk.text_of(variant.source, self._template.catalogues.get(language))

        def made(name: str, text: str) -> AuthoredPart:
            return AuthoredPart(channel.value, language, name, text, walk.slots, tuple(walk.unseen))

        if channel is Channel.EMAIL and part is VariantPart.BODY:
            title, preview = _TITLE.search(source), _PREVIEW.search(source)
            yield made("subject", title[2] if title else "")
            yield made("preheader", preview[1] if preview else "")
            body = visible_text(_HEAD.sub(" ", _PREVIEW.sub(" ", source)))
            yield made("html", body)
            if (channel, VariantPart.TEXT) not in self._template.variants:
                yield made("text", body)
        elif part is VariantPart.TEXT:
            yield made("text", source)
        else:
            yield made("body", visible_text(source) if variant.path.endswith(".html") else source)

    def parsed(self, source: str) -> nodes.Template:
        """Return the syntax tree of a template text; every language reads the same one."""
        known = self._parsed.get(source)
        if known is None:
            known = self._parsed[source] = self._environment.parse(source)
        return known

    def fragment(self, name: str, forms: Iterable[str]) -> tuple[str, Fragment] | None:
        """Return a fragment's text in the first form that it has."""
        fragment = self._fragments.get(name.removeprefix("fragments/"))
        for form in forms if fragment else ():
            if fragment and form in fragment.forms:
                return self._library.text(fragment.forms[form]), fragment
        return None


def _forms(channel: Channel, part: VariantPart, variant: Variant) -> tuple[str, ...]:
    if channel is Channel.EMAIL:
        return ("email.txt",) if part is VariantPart.TEXT else (f"email.{variant.path.rpartition('.')[2]}",)
    if channel is Channel.DOCUMENT:
        return ("document.html",)
    return ("sms.txt",) if channel is Channel.SMS else (f"social.{channel}.txt", "social.txt")


class _Walk:
    """One reading of one variant in one language."""

    def __init__(self, reader: Reader, forms: tuple[str, ...], language: str) -> None:
        self._reader = reader
        self._forms = forms
        self._language = language
        self.slots: dict[str, Slot] = {}
        self.unseen: list[Slot] = []
        self._depth = 0
        self._local: frozenset[str] = frozenset()

    def text_of(self, source: str, catalogue: Catalogue | None) -> str:
        """Return fixed words and places of a template text."""
        return "".join(self._body(self._reader.parsed(source).body, catalogue))

    def _body(self, body: Iterable[nodes.Node], catalogue: Catalogue | None) -> Iterator[str]:
        for node in body:
            match node:
                case nodes.Output(nodes=children):
                    for child in children:
                        yield from self._printed(child, catalogue)
                case nodes.Include(template=nodes.Const(value=name)):
                    found = self._reader.fragment(str(name), self._forms)
                    if found is not None:
                        yield self.text_of(found[0], found[1].catalogues.get(self._language) or catalogue)
                case nodes.If():
                    yield from self._unsure((node.body, *(one.body for one in node.elif_), node.else_), catalogue)
                case nodes.For():
                    self._addressed(node)
                    yield from self._unsure((node.body, node.else_), catalogue, _names(node.target))
                case nodes.Assign(target=nodes.Name(name=name)):
                    self._local |= {name}
                case nodes.With():
                    self._local |= {one.name for one in node.targets if isinstance(one, nodes.Name)}
                    yield from self._body(node.body, catalogue)
                case nodes.CallBlock() | nodes.FilterBlock() | nodes.Scope() | nodes.Block():
                    yield from self._unsure((node.body,), catalogue)
                case _:
                    yield ""

    def _unsure(
        self, bodies: Iterable[Iterable[nodes.Node]], catalogue: Catalogue | None, names: frozenset[str] = frozenset()
    ) -> Iterator[str]:
        before = self._local
        self._local |= names
        self._depth += 1
        for body in bodies:
            yield _GAP
            yield from self._body(body, catalogue)
        yield _GAP
        self._depth -= 1
        self._local = before

    def _addressed(self, node: nodes.For) -> None:
        """A loop over the lines of a postal address tells the name in it."""
        if isinstance(node.iter, nodes.Filter) and node.iter.name == "address" and node.iter.node is not None:
            path = self._path(node.iter.node)
            if path and not self._depth:
                self.unseen.append(Slot((*path, "name"), ("address",)))

    def _printed(self, node: nodes.Expr, catalogue: Catalogue | None) -> Iterator[str]:
        if isinstance(node, nodes.TemplateData):
            yield node.data
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in _GETTEXT:
            yield self._translated(node, catalogue)
        elif isinstance(node, (nodes.MarkSafeIfAutoescape, nodes.MarkSafe)):
            yield from self._printed(node.expr, catalogue)
        else:
            yield self._slot(node)

    def _translated(self, call: nodes.Call, catalogue: Catalogue | None) -> str:
        if not call.args or not isinstance(call.args[0], nodes.Const):
            return _GAP
        msgid = str(call.args[0].value)
        forms = catalogue.messages.get(("", msgid), ()) if catalogue else ()
        values = {pair.key: pair.value for pair in call.kwargs}

        def value(match: re.Match[str]) -> str:
            if match[1] is None:
                return "%"
            return self._slot(values[match[1]]) if match[1] in values else _GAP

        return _VARIABLE.sub(value, (forms[0] if forms else "") or msgid)

    def _slot(self, node: nodes.Expr) -> str:
        filters: list[str] = []
        while isinstance(node, nodes.Filter) and node.node is not None:
            if not _is_cosmetic(node):
                filters.insert(
                    0,
                    "(".join([node.name, *(str(one.as_const()) for one in node.args if isinstance(one, nodes.Const))]),
                )
            node = node.node
        greets = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "salutation"
        if greets and isinstance(node, nodes.Call) and len(node.args) == 1:
            filters, node = ["salutation"], node.args[0]
        letter = chr(_FIRST + len(self.slots))
        self.slots[letter] = Slot(self._path(node), tuple(filters), self._depth == 0)
        return letter

    def _path(self, node: nodes.Node) -> tuple[str, ...]:
        names: list[str] = []
        while isinstance(node, nodes.Getattr):
            names.insert(0, node.attr)
            node = node.node
        if isinstance(node, nodes.Name) and node.name not in self._local:
            return (node.name, *names)
        return ()


def _is_cosmetic(filtered: nodes.Filter) -> bool:
    """Tell whether a filter leaves the comparable form alone but for case, such as replace("-", "−")."""
    if filtered.name in ("upper", "string", "trim", "e", "escape"):
        return True
    signs = [one.value for one in filtered.args if isinstance(one, nodes.Const)]
    return filtered.name == "replace" and len(signs) == 2 and comparable(str(signs[0])) == comparable(str(signs[1]))


def _names(target: nodes.Node) -> frozenset[str]:
    return frozenset(name.name for name in (target, *target.find_all(nodes.Name)) if isinstance(name, nodes.Name))
