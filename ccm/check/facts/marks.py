"""The values that a message tells by name: its facts, the fields that its variants print, its own ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

from ccm.check.comparable import comparable_line
from ccm.check.once import once

# One for each name; none is a blank, and composing leaves none in a text.
_SIGNS = [chr(code) for code in (*range(1, 9), *range(14, 28))]


class Mark(NamedTuple):
    """A value as lines tell it.

    name: Of the fact or field; of all that have this text.
    sign: Stands for it in the form of a line.
    """

    text: str
    name: str
    sign: str


_LONG = 5


class OwnValues:
    """The values of one message with their names, in the same order for all messages that have the same ones.

    texts: As they are written.
    """

    def __init__(self, names: tuple[str, ...], texts: Sequence[str]) -> None:
        self.names = names
        self.texts = texts

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self.names, self.texts, strict=True)

    @once
    def escaped(self) -> list[str]:
        """As HTML holds them."""
        return list(map(_escaped, self.texts))

    @once
    def light(self) -> list[str]:
        """With plain blanks and plain minus signs: where two texts agree in this form, their comparable forms agree."""
        return list(map(light, self.texts))


def light(text: str) -> str:
    """Return a text with plain blanks and plain minus signs."""
    if text.isascii():
        return text
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-")


@dataclass(frozen=True)
class Marks:
    """Names of values, by their text.

    texts: As they are written.
    escaped: As HTML holds them.
    folded: Comparable and without case.
    lines: Comparable, longest first, so that no value tears another.
    long: Written texts that are words and not a number, to be looked for in other values.
    """

    texts: Mapping[str, str]
    escaped: Mapping[str, str]
    folded: Mapping[str, str]
    lines: tuple[Mark, ...]
    long: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[tuple[str, str]]) -> Marks:
        """Take names with their values; of two that are alike, the name is of both."""
        texts: dict[str, str] = {}
        folded: dict[str, str] = {}
        lines: dict[str, Mark] = {}
        for (name, text), sign in zip(values, (*_SIGNS, *repeat("", 100)), strict=False):
            simple = text.isascii() and "  " not in text and text.isprintable()
            form = (text if simple else comparable_line(text)).strip()
            if not form:
                continue
            case = form.casefold()
            if text in texts or case in folded:
                _join(texts, text, name)
                _join(folded, case, name)
                before = lines.get(form)
                lines[form] = Mark(form, f"{before.name}|{name}" if before else name, before.sign if before else sign)
            else:
                texts[text] = folded[case] = name
                lines[form] = Mark(form, name, sign)
        escaped = {_escaped(text): name for text, name in texts.items()}
        signed = (mark for mark in lines.values() if mark.sign)
        long = tuple(text for text in texts if len(text) >= _LONG and text[0].isalpha())
        return cls(texts, escaped, folded, tuple(sorted(signed, key=_longest_first)), long)


def _longest_first(mark: Mark) -> int:
    return -len(mark.text)


def _join(names: dict[str, str], text: str, name: str) -> None:
    before = names.get(text)
    names[text] = name if before is None else f"{before}|{name}"


def _escaped(text: str) -> str:
    if "&" in text or "<" in text or ">" in text or "\u00a0" in text:
        return text.replace("&", "&amp;").replace("\u00a0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")
    return text
