"""An author's text with its places, and the list of what is wrong with it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from ccm.diagnostics import Diagnostic, Location, Severity

# Stands for one character of a printed Jinja value where the text around it is read as markup.
PRINTED = "\ue000"

# What is not closed reaches to the end of the text; so a match never fails and never starts over.
_JINJA = re.compile(
    r"\{%-?\s*raw\s*-?%\}.*?(?:\{%-?\s*endraw\s*-?%\}|\Z)"
    r"|\{\#.*?(?:\#\}|\Z)"
    r"|\{\{(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|.)*?(?:\}\}|\Z)"
    r"|\{%(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|.)*?(?:%\}|\Z)",
    re.DOTALL,
)
_BRANCH = re.compile(r"\{%-?\s*(if|for|else|elif|endif|endfor)\b")
_MAX_BRANCHES = 16  # readings of one text; later branches of a longer condition are read as Jinja only
_NOT_NEWLINE = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Source:
    """One authored text.

    path: From the workspace's root.
    text: With \\n as the only line end.
    trace: Places that included it, innermost first.
    """

    path: str
    text: str
    trace: tuple[Location, ...] = ()

    @classmethod
    def of(cls, path: str, text: str, trace: tuple[Location, ...] = ()) -> Source:
        """Make a source from text as read."""
        return cls(path, text.replace("\r\n", "\n").replace("\r", "\n"), trace)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def at(self, offset: int) -> Location:
        """Return the place of a character; offset from 0."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset)
        return Location(self.path, line, offset - self._starts[line - 1] + 1)

    def offset_of(self, line: int, column: int) -> int:
        """Return the offset of a place; line and column from 1."""
        line = max(1, min(line, len(self._starts)))
        return min(len(self.text), self._starts[line - 1] + max(0, column - 1))


@dataclass
class Findings:
    """What is wrong, every mistake once."""

    items: dict[tuple[str, Location, str], Diagnostic] = field(default_factory=dict)

    def add(
        self,
        source: Source,
        offset: int,
        code: str,
        message: str,
        remedy: str,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a mistake at a character of a source."""
        self.place(Diagnostic(code, message, remedy, source.at(offset), severity, source.trace))

    def warn(self, source: Source, offset: int, code: str, message: str, remedy: str) -> None:
        """Note something poor at a character of a source."""
        self.add(source, offset, code, message, remedy, severity=Severity.WARNING)

    @contextmanager
    def bounded(self, source: Source) -> Iterator[None]:
        """Turn nesting that is too deep for reading into a finding."""
        try:
            yield
        except RecursionError:
            self.add(source, 0, "nested-too-deeply", "the text nests too deeply to be read", "split it into fragments")

    def place(self, diagnostic: Diagnostic) -> None:
        """Note a finished diagnostic; the first at a place stands."""
        self.items.setdefault((diagnostic.code, diagnostic.location, diagnostic.message), diagnostic)

    def all(self) -> tuple[Diagnostic, ...]:
        """Return everything in the order of files and lines."""
        return tuple(sorted(self.items.values(), key=lambda item: (item.location, item.code, item.message)))


def without_jinja(text: str) -> str:
    """Return the text with Jinja's own parts blanked, every other character at its old place.

    Printed values become `PRINTED` characters, so that an attribute that holds one is not empty;
    statements and comments become spaces. Line ends stay.
    """

    def blank(match: re.Match[str]) -> str:
        whole = match.group()
        if whole.startswith("{{"):
            return _NOT_NEWLINE.sub(PRINTED, whole)
        if whole.startswith("{%") and "endraw" in whole:
            return whole
        return _NOT_NEWLINE.sub(" ", whole)

    return _JINJA.sub(blank, text)


def branches(text: str) -> Iterator[str]:
    """Yield the text as its conditions may leave it: all first branches, all second ones, and so on.

    Why: `{% if a %}<b>{% else %}<b class="x">{% endif %}` opens one element, not two.
    """
    blocks = _blocks(text)
    for number in range(min(_MAX_BRANCHES, max([1, *map(len, blocks)]))):
        kept = list(text)
        for spans in blocks:
            for index, (start, end) in enumerate(spans):
                if index != min(number, len(spans) - 1):
                    kept[start:end] = _NOT_NEWLINE.sub(" ", "".join(kept[start:end]))
        yield without_jinja("".join(kept))


def _blocks(text: str) -> list[list[tuple[int, int]]]:
    """Return the branches of every condition and loop, as spans of the text."""
    blocks: list[list[tuple[int, int]]] = []
    unfinished: list[tuple[int, list[tuple[int, int]]]] = []
    for match in _JINJA.finditer(text):
        word = _BRANCH.match(match.group())
        if not word:
            continue
        if word[1] in ("if", "for"):
            unfinished.append((match.end(), []))
        elif unfinished:
            start, spans = unfinished.pop()
            spans.append((start, match.start()))
            if word[1] in ("else", "elif"):
                unfinished.append((match.end(), spans))
            elif len(spans) > 1:
                blocks.append(spans)
    return blocks
