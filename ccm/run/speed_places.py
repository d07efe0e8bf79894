"""Where in a template's files the reason for a full path is written: declarations and tags with their lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from ccm.diagnostics import Location
from ccm.model.definitions import Channel
from ccm.model.workspace import ContentLibrary, Template, VariantPart, Workspace

_STYLE = re.compile(r"<style[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\sstyle\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_DECLARATION = re.compile(r"(?<![\w-])([a-z-]+)\s*:\s*((?:\{\{.*?\}\}|[^;{}\"'])+?)\s*(?=;|\}|\"|'|\Z)", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|\{#.*?#\}|\{%.*?%\}", re.DOTALL)
_TAG = re.compile(r"<(/?[a-z][a-z0-9]*)")
_SET = re.compile(r'the block "(\w+)"')
_MOST_PROBES = 40  # pages that are laid out to find one declaration

_REMEDIES: tuple[tuple[str, str], ...] = (
    (r"filter works on a whole block", "filter the values inside the block, one by one"),
    (r"the block \"", "print the block where it is needed, and compare or measure the value itself"),
    (r"a macro or a text", "print it, and compare or measure the value itself"),
    (r"a value stands in", "print values as text or in links; choose styles and attributes by {% if %}"),
    (r"used up by the layout|hangs on the content", "print the value as text"),
    (r"fill is off", "take `fill: false` out of template.yaml"),
    (r"carries files", "leave document.attachments out, or live with the full path for this template"),
    (r"very long page", "divide the document"),
    (r"from right to left|script or sign", "nothing to do: these customers' language needs the layout engine"),
    (r"filling differs|stumbled", "report this with the template; nothing wrong went out"),
    (r"problems", "mend what `ccm check` and `ccm preview` say about the template"),
    (r"^<", "use blocks, lines of text and tables instead, or live with the full path"),
)
_REMEDY = "take it out or say it with plain blocks, lines and tables; the guide lists what is filled"


@dataclass(frozen=True)
class Place:
    """A place in an author's file, with what stands there."""

    location: Location
    text: str


@dataclass(frozen=True)
class _Declaration:
    path: str
    start: int
    end: int
    line: int
    name: str
    text: str


@dataclass(frozen=True)
class Sources:
    """The files that make one channel's layout, by path."""

    texts: Mapping[str, str]

    @classmethod
    def of(cls, template: Template, workspace: Workspace, channel: Channel) -> Sources:
        """Collect the template's own files and the fragments that they name."""
        texts = {
            one.path: one.source
            for (of, part), one in template.variants.items()
            if of is channel and part is not VariantPart.TEXT
        }
        named = set(re.findall(r"fragments/([a-z0-9-]+)", " ".join(texts.values())))
        for fragment in (one for name, one in workspace.fragments.items() if name in named):
            for path in fragment.forms.values():
                ending = path.rpartition("/")[2]
                if ending.startswith(str(channel)):
                    texts[path] = workspace.library.text(path)
        return cls(texts)

    def applied(self, template: Template, library: ContentLibrary) -> tuple[Template, ContentLibrary]:
        """Return template and library with these texts in place of their own."""
        variants = {
            key: replace(one, source=self.texts[one.path]) if one.path in self.texts else one
            for key, one in template.variants.items()
        }
        files = {**library.files, **{path: text.encode() for path, text in self.texts.items() if path in library.files}}
        return replace(template, variants=variants), ContentLibrary(files)

    def culprits(self, reason: str, persists: Callable[[Sources], bool]) -> tuple[tuple[Place, ...], bool]:
        """Return where a reason is written, and whether that was proved.

        Args:
            persists: Whether the reason is still there with other texts; costs one or two layouts.
        """
        told = self._tags(reason)
        if told:
            return told, False
        declarations = sorted(self._declarations(), key=lambda one: not _likely(one.name, reason))
        likely = [one for one in declarations if _likely(one.name, reason)]
        for one in likely[:3]:
            if not persists(self._without([one])):
                return (_place(one),), True
        if likely and not persists(self._without(likely)):
            return tuple(map(_place, likely)), True
        found = _smallest(declarations, lambda some: not persists(self._without(some)))
        return (tuple(map(_place, found)), True) if found else ((), False)

    def _without(self, taken: list[_Declaration]) -> Sources:
        texts = dict(self.texts)
        for one in taken:
            text = texts[one.path]
            texts[one.path] = text[: one.start] + re.sub(r"[^\n]", " ", text[one.start : one.end]) + text[one.end :]
        return Sources(texts)

    def _declarations(self) -> Iterator[_Declaration]:
        for path, text in self.texts.items():
            for start, end in _styles(path, text):
                css = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text[start:end])
                for match in _DECLARATION.finditer(css):
                    at = start + match.start()
                    line = text.count("\n", 0, at) + 1
                    shown = " ".join(match[0].split())
                    yield _Declaration(path, at, start + match.end(), line, match[1], shown)

    def _tags(self, reason: str) -> tuple[Place, ...]:
        """Return where the first tag that a reason names, or the block of a template, is written."""
        tag, block = _TAG.search(reason), _SET.search(reason)
        if tag is not None:
            pattern = rf"<{re.escape(tag[1])}[\s>/]"
        elif block is not None:
            pattern = rf"{{%-?\s*set\s+{block[1]}\b"
        elif "whole block" in reason:
            pattern = r"{%-?\s*(?:filter\b|set\s+\w+\s*\|)"
        else:
            return ()
        return tuple(
            Place(Location(path, text.count("\n", 0, match.start()) + 1), match[0].strip())
            for path, text in self.texts.items()
            for match in islice(re.finditer(pattern, text), 3)
        )


def remedy_for(channel: Channel, reason: str) -> str:
    """Return what an author can do about a reason."""
    return next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, reason)), _REMEDY)


def _styles(path: str, text: str) -> Iterator[tuple[int, int]]:
    if path.endswith(".css"):
        yield 0, len(text)
        return
    yield from (match.span(1) for match in _STYLE.finditer(text))
    yield from ((match.start(1) + 1, match.end(1) - 1) for match in _ATTRIBUTE.finditer(text))


def _likely(name: str, reason: str) -> bool:
    """Whether a property is named by a reason: itself, its shorthand, or one of its parts."""
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", reason.lower()))
    stems = {word.partition("-")[0].rstrip("s") for word in words if len(word) > 3}
    return name in words or name.partition("-")[0].rstrip("s") in stems


def _smallest(all_: list[_Declaration], gone_without: Callable[[list[_Declaration]], bool]) -> list[_Declaration]:
    """Return one declaration, or a few, without which the reason goes away; none if it stays without all of them."""
    if not all_ or not gone_without(all_):
        return []
    low, high = 0, len(all_)  # the reason stays without the first `low`, and goes without the first `high`
    probes = 0
    while high - low > 1 and probes < _MOST_PROBES:
        middle, probes = (low + high) // 2, probes + 1
        low, high = (low, middle) if gone_without(all_[:middle]) else (middle, high)
    one = all_[high - 1]
    return [one] if gone_without([one]) else all_[:high] if high <= 3 else [one]


def _place(one: _Declaration) -> Place:
    return Place(Location(one.path, one.line), one.text)
