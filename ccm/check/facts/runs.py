"""A text without known pieces: its named values are put out of it, and where other numbers stand is remembered by its form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ccm.check.comparable import comparable_line, occurrences
from ccm.check.facts.known import Known
from ccm.check.facts.marks import Mark, Marks
from ccm.check.facts.meaning import Meaning, Meanings, Sort, masked
from ccm.check.facts.proved import Span, Ways
from ccm.check.facts.statements import Statement, statements

_SIGNS = [
    chr(code) for code in (*range(1, 9), *range(14, 28))
]  # one for each name; none is a blank, composing leaves none
_SIGN_ROOM = 3  # characters before an amount in which its sign may stand
_SHORT = 4


class Run:
    """One part of one message, line by line.

    left: Form of each line: names in place of named values, naughts in place of digits.
    """

    def __init__(self, text: str, marks: Marks, meanings: Meanings, ways: Ways) -> None:
        self._meanings = meanings
        self._tags = meanings.tags
        self._ways = ways
        self._marks = marks.lines
        self._told: dict[str, Mark] = {}  # by sign
        self._whole = [line for line in map(comparable_line, text.split("\n")) if line]
        self._lines = [self._signed(line) for line in self._whole]
        self._forms = list(map(masked, self._lines))
        self.left = (*self._forms, *(f"{sign}{self._told[sign].name}" for sign in sorted(self._told)))

    def _signed(self, line: str) -> str:
        """Put named values out of a line."""
        for mark in self._marks:
            if mark.text in line:
                signed = stand_in_for(line, mark.text, mark.sign)
                if signed != line:
                    self._told[mark.sign] = mark
                    line = signed
        return line

    @property
    def told(self) -> tuple[Mark, ...]:
        """The named values that stand there."""
        return tuple(self._told.values())

    def other_values(self) -> Iterator[str]:
        """Yield the other values in their order, once the part is settled."""
        for line, form in zip(self._lines, self._forms, strict=True):
            for start, end in sorted(self._ways.get((*self._tags, form), ())):
                yield line[start:end]

    def counts(self) -> Counter[str]:
        """Return how often each name stands there."""
        found: Counter[str] = Counter()
        for sign, mark in self._told.items():
            count = sum(line.count(sign) for line in self._lines)
            for name in mark.name.split("|") if count else ():
                found[name] += count
        return found

    def explained(self, known: Known) -> bool:
        """Tell whether what stands beside the named values follows from the data."""
        for line, form in zip(self._lines, self._forms, strict=True):
            spans = self._ways.get((*self._tags, form))
            if spans is None:
                return False
            for start, end in spans:
                meaning = self._meanings.of(line[start:end])
                if meaning.sort is Sort.AMOUNT:
                    if not known.has_amount(meaning.amounts):
                        return False
                elif meaning.sort is not Sort.OTHER or not all(map(known.explains, meaning.statements)):
                    return False
        return True

    def settled(self, known: Known) -> bool:
        """Tell whether the rest holds for everybody, and remember where other values stand."""
        for whole, line, form in zip(self._whole, self._lines, self._forms, strict=True):
            spans = self._spans(whole, line, known)
            if spans is None:
                return False
            self._ways[(*self._tags, form)] = spans
        return True

    def _spans(self, whole: str, line: str, known: Known) -> tuple[Span, ...] | None:
        """Return where values stand that are not named; None where that is not sure."""
        told = Counter((one.said, one.text, one.readings) for one in statements(whole, *self._tags))
        spans: list[Span] = []
        for one in statements(line, *self._tags):
            restored = self._restored(one.text)
            if restored != one.text:
                there = [key for key in told if key[0] is one.said and key[1] == restored]
                if not there or not known.holds_for_all(Statement(one.said, restored, (restored,))):
                    return None
                told.subtract(there[:1])
                continue
            told[one.said, one.text, one.readings] -= 1
            span = self._span(one, line, spans)
            if span is None:
                return None
            spans.append(span)
        if any(count < 0 for count in told.values()):
            return None
        named = [Statement(said, text, readings) for (said, text, readings), count in told.items() if count]
        return tuple(spans) if all(map(known.is_named, named)) else None

    def _restored(self, text: str) -> str:
        for sign, mark in self._told.items():
            text = text.replace(sign, mark.text)
        return text

    def _span(self, statement: Statement, line: str, taken: list[Span]) -> Span | None:
        """Return the place of a statement from which it reads as it does in its line."""
        start = line.find(statement.text)
        while start >= 0:
            end = start + len(statement.text)
            if all(end <= other or start >= after for other, after in taken):
                for begin in range(start, max(-1, start - _SIGN_ROOM), -1):
                    if _reads_as(statement, self._meanings.of(line[begin:end])):
                        return begin, end
            start = line.find(statement.text, start + 1)
        return None


def _reads_as(statement: Statement, meaning: Meaning) -> bool:
    if meaning.sort is Sort.AMOUNT:
        return statement.readings == meaning.amounts
    return meaning.sort is Sort.OTHER and [one.readings for one in meaning.statements] == [statement.readings]


def stand_in_for(line: str, text: str, sign: str) -> str:
    """Put a sign in place of a value; a short one must stand alone."""
    if len(text) >= _SHORT and not text.isdecimal():
        return line.replace(text, sign)
    at = line.find(text)
    while at >= 0:
        end = at + len(text)
        if occurrences(text, line[max(0, at - 2) : end + 2]):
            line, end = line[:at] + sign + line[end:], at + 1
        at = line.find(text, end)
    return line
