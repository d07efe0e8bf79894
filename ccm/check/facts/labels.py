"""What a fact stands beside: the words before or after its place in the authored form.

"Balance on {{ day }}: {{ balance }}" says that after "Balance on" comes the day, and after "Balance on …:" the balance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ccm.check.comparable import comparable
from ccm.check.facts.outline import AuthoredPart, Slot, is_gap
from ccm.model.definitions import FactDefinition

_LETTERS = 3  # a label has at least so many letters, or one CJK word of two
_CUT = 48  # characters of a label that count
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af]")
_BETWEEN = r"[\s:;,.()\"'»«。、：،|·+]{0,4}(?:- )?"  # a dash with a blank parts; one without is a minus
_AS_FACTS = (("money",), ("date(long",), ("percent",))  # how facts of these kinds are written
_ANY_VALUE = r".{1,60}?"


@dataclass(frozen=True)
class Label:
    """Words beside which one fact is told.

    before: Pattern of what stands right before the fact, comparable.
    words: The words a person knows it by.
    last: Fixed text right before the fact where another value stands between it and the words; otherwise empty.
    count: How often the authored part has it.
    """

    fact: str
    before: re.Pattern[str]
    words: str
    count: int
    last: str = ""


@dataclass(frozen=True)
class Needed:
    """A field that every message of a channel prints.

    path: From the root of the data; facts stand under "facts".
    count: How often at least.
    as_fact: The field is written as facts of its kind are; it counts where its value is the value of a fact.
    """

    path: tuple[str, ...]
    count: int
    as_fact: bool = False


def needed_of(part: AuthoredPart) -> tuple[Needed, ...]:
    """Return the fields that a part prints as they are, in no condition and no loop."""
    visible = [part.slots[letter] for letter in part.text if letter in part.slots]
    slots = (*visible, *part.unseen)
    counts = Counter(slot.path for slot in slots if _is_needed(slot))
    alike = Counter(slot.path for slot in slots if slot.always and slot.path and slot.filters in _AS_FACTS)
    return (
        *(Needed(path, count) for path, count in counts.items()),
        *(Needed(path, count, as_fact=True) for path, count in alike.items()),
    )


def _is_needed(slot: Slot) -> bool:
    if not slot.always or not slot.path or slot.path[0] in ("brand", "message", "locale", "tokens", "parameters"):
        return False
    if slot.path[0] == "facts":
        return len(slot.path) == 2 and not slot.filters
    return slot.filters in ((), ("salutation",), ("address",))


def labels_of(part: AuthoredPart, facts: Mapping[str, FactDefinition]) -> tuple[Label, ...]:
    """Return the labels of a part that stand beside one fact and beside nothing else."""
    found = [one for one in _beside(part) if _weight(one[1])]
    text = comparable("".join("\n" if letter in part.slots or is_gap(letter) else letter for letter in part.text))
    labels = []
    for before, count in Counter(before for _, before in found).items():
        told = {slot.path for slot, other in found if other == before}
        path = next(iter(told))
        named = len(path) == 2 and path[0] == "facts" and path[1] in facts
        words = _words(before)
        if len(told) == 1 and named and text.count(words) <= count:
            slot_filters = {slot.filters for slot, other in found if other == before}
            if slot_filters == {()}:
                labels.append(Label(path[1], _pattern(before), words, count, before[-1] if before[1:] else ""))
    return tuple(labels)


_Before = tuple[str, ...]  # pieces of fixed text; between two of them stands a value


def _beside(part: AuthoredPart) -> Iterator[tuple[Slot, _Before]]:
    """Yield each place with the fixed text before it: of its own line, or the line above if that holds no value."""
    above = ""
    for line in part.text.split("\n"):
        pieces: list[str] = [""]
        sure = True
        for letter in line:
            if is_gap(letter):
                pieces, sure = [""], False
            elif letter in part.slots:
                yield part.slots[letter], _nearest(pieces, above if sure else "")
                pieces.append("")
            else:
                pieces[-1] += letter
        if line.strip():
            plain = not any(is_gap(letter) or letter in part.slots for letter in line)
            above = line if plain else ""


def _nearest(pieces: list[str], above: str) -> _Before:
    """Return the shortest run of pieces before a place that has letters enough."""
    own = [comparable(piece) for piece in pieces]
    for start in range(len(own) - 1, -1, -1):
        if _weight(tuple(own[start:])):
            return tuple(own[start:])
    return (comparable(above), *own[1:]) if len(own) == 1 and not own[0] and above else ()


def _weight(before: _Before) -> bool:
    letters = [letter for piece in before[:1] for letter in piece if letter.isalpha()]
    return len(letters) >= (2 if any(map(_WIDE.match, letters)) else _LETTERS)


def _words(before: _Before) -> str:
    return before[0][-_CUT:].strip()


def _pattern(before: _Before) -> re.Pattern[str]:
    pieces = [re.escape(_words(before)), *(re.escape(piece) for piece in before[1:])]
    edge = r"(?<!\w)" if pieces[0][:1].isalpha() and len(before[0]) <= _CUT and not _WIDE.match(before[0]) else ""
    return re.compile(edge + rf"\s*{_ANY_VALUE}\s*".join(pieces) + _BETWEEN)
