"""A part without shared pieces, such as a subject or a text message, read as one that was proved.

Its named values are looked for in the order in which they stood there; what is left must be what was left, but for digits.
"""

from __future__ import annotations

from ccm.check.comparable import plain
from ccm.check.facts.known import Known
from ccm.check.facts.marks import OwnValues, light
from ccm.check.facts.meaning import Meanings, Sort, masked
from ccm.check.facts.places import NotLearnt, numbers_of
from ccm.check.facts.proved import Span
from ccm.check.facts.runs import Run, stand_in_for
from ccm.check.facts.traced import Traced

_BETWEEN = "\x1f"
_FIRST = 0xF0000  # private letters stand for values while the order of these is found
_MOST = 512  # forms of one phrase


class Phrase:
    """The order of named values, and what stands around them.

    Args:
        part: Of a message that was proved.
        text: As it stands there.
    """

    def __init__(self, part: Run, text: str, own: OwnValues) -> None:
        self._alike: set[tuple[int, int]] = set()
        self._traced: dict[int, Traced] = {}
        self._forms: dict[str, tuple[Span, ...]] = {}  # by what is left, digits masked
        self._known: dict[str, tuple[Span, ...]] = {}  # by what is left
        left = light(text)
        for mark in sorted(part.told, key=lambda mark: -len(mark.text)):
            first, *others = numbers_of(mark.name, own)
            self._alike.update((first, other) for other in others)
            if own.light[first]:
                left = stand_in_for(left, own.light[first], chr(_FIRST + first))
        self._order = [ord(letter) - _FIRST for letter in left if ord(letter) >= _FIRST]
        if any(number >= len(own.texts) for number in self._order):
            raise NotLearnt

    def learn(self, part: Run, text: str, own: OwnValues, meanings: Meanings, known: Known) -> None:
        """Remember what is left of a message with the same names in the same order, and where other values stand in it."""
        found = self._left(text, own)
        if found is None:
            raise NotLearnt
        left = plain(found)
        spans: list[Span] = []
        at = 0
        for said in part.other_values():
            start = left.find(said, at)
            if start < 0:
                raise NotLearnt
            at = start + len(said)
            spans.append((start, at))
        for number, (start, end) in enumerate(spans):
            if number not in self._traced:
                self._traced[number] = Traced(meanings.of(left[start:end]), known.origins)
        if len(self._forms) >= _MOST:
            self._forms.clear()
        self._forms[masked(left)] = tuple(spans)

    def hold(self, text: str, own: OwnValues, meanings: Meanings, known: Known) -> bool:
        """Tell whether a text says what the proved one said, with this customer's own values."""
        left = self._left(text, own)
        if left is None:
            return False
        spans = self._known.get(left)
        if spans is None:
            spans = self._forms.get(masked(plain(left)))
            if spans is None:
                return False
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[left] = spans
        left = plain(left) if spans else left
        for number, (start, end) in enumerate(spans):
            meaning = meanings.of(left[start:end])
            if meaning.sort not in (Sort.AMOUNT, Sort.OTHER) or not self._traced[number].explains(meaning, known):
                return False
        return not self._alike or all(own.texts[one] == own.texts[other] for one, other in self._alike)

    def _left(self, text: str, own: OwnValues) -> str | None:
        """Put the named values out of a text; None where one is not there."""
        text = light(text)
        pieces, at = [], 0
        for number in self._order:
            value = own.light[number]
            found = text.find(value, at)
            if found < 0:
                return None
            pieces.append(text[at:found])
            at = found + len(value)
        pieces.append(text[at:])
        return _BETWEEN.join(pieces)
