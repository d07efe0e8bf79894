"""What authors wrote, as the proof needs it: constants of the brand, links, words, and where each fact is told.

Made once per template and brand, before any data is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ccm.check.comparable import comparable
from ccm.check.facts.labels import Label, Needed, labels_of, needed_of
from ccm.check.facts.outline import AuthoredPart, Reader
from ccm.check.facts.proved import Proved
from ccm.check.facts.statements import Said, statements
from ccm.check.markup import visible_text
from ccm.check.texts import texts_in
from ccm.model.definitions import FactDefinition
from ccm.model.workspace import Brand, ContentLibrary, Fragment, Template

_URL = re.compile(r"(?:https?://|mailto:|tel:|www\.)[^\s<>\"'`)]+")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = re.compile(r"[A-Za-z0-9]+")
_BARE_MONEY = re.compile(r"\bmoney\s*\(\s*[\"'A-Za-z]")


_Place = tuple[str, str, str]  # channel, language, part


@dataclass(frozen=True)
class Labels:
    """Words beside which a fact is told, looked for when a message of that language is there: most processes meet few."""

    parts: Mapping[_Place, AuthoredPart] = field(default_factory=dict)
    facts: Mapping[str, FactDefinition] = field(default_factory=dict)
    _known: dict[_Place, tuple[Label, ...]] = field(default_factory=dict, compare=False, repr=False)

    def get(self, place: _Place) -> tuple[Label, ...]:
        """Return the labels of a channel's part in a language; none where there is no such part."""
        known = self._known.get(place)
        if known is None:
            part = self.parts.get(place)
            known = self._known[place] = () if part is None else labels_of(part, self.facts)
        return known


@dataclass(frozen=True)
class Authored:
    """The author's side of the proof. Picklable.

    texts: Constants of the brand, comparable: what stands in them may be said.
    words: Words of letters and digits that authors wrote, without case.
    links: Whole addresses that authors wrote.
    bases: Beginnings of addresses that data completes, longest first.
    personal_links: Addresses with {token} in place of the communication's id.
    bare_money: Templates print plain numbers as money and name the currency themselves.
    written: File by statement that authors wrote out: amounts, shares and dates in texts.
    labels: Words beside which a fact is told, by channel, language and part.
    needed: What every message of a channel must tell, by channel and part.
    printed_paths: Names and paths of the fields among them.
    proved: What is left of messages that were proved already; see `alike`.
    """

    texts: str = ""
    words: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    bases: tuple[str, ...] = ()
    personal_links: tuple[str, ...] = ()
    bare_money: bool = False
    written: Mapping[str, str] = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)
    needed: Mapping[tuple[str, str], tuple[Needed, ...]] = field(default_factory=dict)
    printed_paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    proved: Proved = field(default_factory=Proved, compare=False, repr=False)

    @classmethod
    def of(
        cls, template: Template, brand: Brand, fragments: Mapping[str, Fragment], library: ContentLibrary
    ) -> Authored:
        """Read a template with its fragments and its brand."""
        sources = tuple(_sources(template, fragments, library))
        constants = tuple(texts_in(brand.definition.model_dump(mode="json")))
        links, bases = _links((*sources, *constants))
        personal = tuple(text for text in constants if "{token}" in text)
        parts = tuple(Reader(template, fragments, library).parts())
        needed = {(part.channel, part.name): needed_of(part) for part in parts if part.language == parts[0].language}
        return cls(
            texts=comparable("\n".join(constants)),
            words=frozenset(word.lower() for text in (*sources, *constants) for word in _WORD.findall(text)),
            links=links,
            bases=bases,
            personal_links=personal,
            bare_money=any(_BARE_MONEY.search(text) for text in sources),
            written=dict(_written(template, fragments, library)),
            labels=Labels(
                {(part.channel, part.language, part.name): part for part in parts}, template.definition.facts
            ),
            needed=needed,
            printed_paths=_printed(needed),
        )


def _printed(
    needed: Mapping[tuple[str, str], tuple[Needed, ...]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    fields = (one.path for some in needed.values() for one in some if not one.as_fact and one.path[0] != "facts")
    return tuple((".".join(path), path) for path in dict.fromkeys(fields))


def _sources(template: Template, fragments: Mapping[str, Fragment], library: ContentLibrary) -> Iterator[str]:
    yield from (variant.source for variant in template.variants.values())
    yield from (library.text(path) for one in fragments.values() for path in one.forms.values())
    for catalogues in (template.catalogues, *(one.catalogues for one in fragments.values())):
        for catalogue in catalogues.values():
            yield from (text for forms in catalogue.messages.values() for text in forms)


def _written(
    template: Template, fragments: Mapping[str, Fragment], library: ContentLibrary
) -> Iterator[tuple[str, str]]:
    """Yield the statements that stand written out in variants and catalogues, with their files."""
    source = template.definition.locales[0]
    texts = [(variant.source, variant.path, source) for variant in template.variants.values()]
    texts += [(library.text(path), path, source) for one in fragments.values() for path in one.forms.values()]
    for catalogues in (template.catalogues, *(one.catalogues for one in fragments.values())):
        for language, catalogue in catalogues.items():
            texts += [(text, catalogue.path, language) for forms in catalogue.messages.values() for text in forms]
    for text, path, language in texts:
        for line in visible_text(text).split("\n"):
            for statement in statements(comparable(line), language, language):
                if statement.said not in (Said.CODE, Said.LINK):
                    yield statement.text, path


def _links(texts: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return whole addresses, and beginnings of addresses: a link of the brand, or what stands before {{ … }}."""
    whole: set[str] = set()
    bases: set[str] = set()
    for text in texts:
        for match in _URL.finditer(text):
            address, _, rest = match[0].partition("{{")
            address = address.rstrip(".,;:!?")
            (bases if rest or address.endswith("/") else whole).add(address)
            if text == match[0]:
                bases.add(address.rstrip("/") + "/")
        whole.update(match[0] for match in _ADDRESS.finditer(text))
    return frozenset(whole), tuple(sorted(bases, key=len, reverse=True))
