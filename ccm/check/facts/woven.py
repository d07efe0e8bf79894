"""A part that is known to be shared pieces with values between them, each value told by name or read by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ccm.check.comparable import comparable, comparable_line, stands_in
from ccm.check.facts.frame import Frame
from ccm.check.facts.known import Known
from ccm.check.facts.marks import Marks
from ccm.check.facts.meaning import Meaning, Meanings, Sort, names_month, unescaped
from ccm.check.facts.statements import Said, Statement, statements
from ccm.check.shape import Pattern, tells

_GAP = "\x7f"
_MOST = 50_000  # lines remembered that tell no more than their values


class Woven:
    """One part of one message.

    left: The shared pieces' digest, and for each place the name of the fact or field there, or nothing.
    kinds: Those names. loose: What is told in the places that have none.
    """

    def __init__(
        self,
        frame: Frame,
        fillings: Sequence[str],
        marks: Marks,
        meanings: Meanings,
        *,
        escaped: bool,
    ) -> None:
        self.frame = frame
        self.fillings = fillings
        self.escaped = escaped
        self._meanings = meanings
        self._tags = meanings.tags
        self.loose: dict[int, Meaning] = {}
        named, known = (marks.escaped, meanings.known_escaped) if escaped else (marks.texts, meanings.known)
        self.kinds = [
            named.get(value) or self._kind(place, value, known.get(value), marks)
            for place, value in enumerate(fillings)
        ]
        self._join(marks)
        self.left = (frame.digest, *self.kinds)

    def _kind(self, place: int, value: str, meaning: Meaning | None, marks: Marks) -> str:
        """Return how a value that is told by no name of its own counts; remember those that are loose."""
        if meaning is None:
            if any(text in value for text in marks.long):  # a greeting: as it is new for everybody, it is not read
                folded = comparable_line(unescaped(value) if self.escaped else value).strip().casefold()
                name = marks.folded.get(folded)
                return f"~{name}" if name else "=" + _named(folded, marks)
            meaning = self._meanings.of_escaped(value) if self.escaped else self._meanings.of(value)
        name = marks.folded.get(meaning.folded)
        if name is not None:
            return f"~{name}"
        self.loose[place] = meaning
        return ""

    def _join(self, marks: Marks) -> None:
        """Name values that hold a fact or a field among other text, such as a greeting: they count as written."""
        together = "\x7f".join([meaning.folded for meaning in self.loose.values()])
        for text in marks.folded:
            if text in together:
                for place in [place for place, one in self.loose.items() if stands_in(text, one.folded)]:
                    self.kinds[place] = "=" + _named(self.loose.pop(place).folded, marks)

    def counts(self) -> Counter[str]:
        """Return how often each name stands there."""
        found: Counter[str] = Counter()
        for kind in self.kinds:
            if kind[:1] == "=":
                for part in kind.split("\x01")[1::2]:
                    found.update(part.split("|"))
            elif kind:
                found.update(kind.lstrip("~").split("|"))
        return found

    def explained(self, known: Known) -> bool:
        """Tell whether the loose values, alone and in their lines, follow from the data."""
        if not self.loose:
            return True
        telling = {place: one for place, one in self.loose.items() if one.sort is not Sort.WORDS}
        for meaning in telling.values():
            if meaning.sort is Sort.AMOUNT:
                if not known.has_amount(meaning.amounts):
                    return False
            elif not (
                not meaning.statements
                or known.is_near_text(meaning.plain)
                or all(map(known.explains, meaning.statements))
                or meaning.plain in known.own_texts
            ):
                return False
        loose = telling.keys()
        lines = [one for one in self.frame.mixed if not loose.isdisjoint(one[1].slots)]
        return all(self._line_explained(*line, known) for line in lines) and all(
            self.loose.keys().isdisjoint(target.slots) or known.explains(link_of(self._filled(target)))
            for target in self.frame.targets
        )

    def is_safe(self, number: int, line: Pattern, known: Known) -> bool:
        """Tell whether a line is known to tell just what its loose values tell by themselves."""
        return self._line_key(number, line) in known.authored.proved.safe

    def _line_key(self, number: int, line: Pattern) -> tuple[object, ...]:
        forms = tuple(self.loose[slot].form if slot in self.loose else self.kinds[slot] for slot in line.slots)
        return self.frame.digest, number, *self._tags, *forms

    def _line_explained(self, number: int, line: Pattern, known: Known) -> bool:
        key = self._line_key(number, line)
        safe = known.authored.proved.safe
        if key in safe:
            return True
        found = statements(comparable_line(self._filled(line)), *self._tags)
        if not all(map(known.explains, found)):
            return False
        if self._tells_no_more(line, found, known):
            if len(safe) >= _MOST:
                safe.clear()
            safe.add(key)
        return True

    def _tells_no_more(self, line: Pattern, found: tuple[Statement, ...], known: Known) -> bool:
        """Tell whether a line tells just what its loose values tell by themselves, beside what holds for everybody."""
        loose = [slot for slot in line.slots if slot in self.loose]
        if any(self._hangs_on_neighbours(self.loose[slot]) for slot in loose):
            return False
        alone = [one for slot in loose for one in statements(comparable(self._plain(slot)), *self._tags)]
        fixed = statements(comparable_line(self._filled(line, frozenset(loose))), *self._tags)
        return Counter(map(_said, found)) == Counter(map(_said, (*alone, *fixed))) and all(
            map(known.holds_for_all, fixed)
        )

    def _hangs_on_neighbours(self, meaning: Meaning) -> bool:
        """Tell whether digits or words beside a value may decide what both tell, such as 12 and 99 beside "May"."""
        return meaning.sort is Sort.OPEN and (tells(meaning.form) or names_month(meaning.form, self._meanings.writing))

    def settled(self, known: Known) -> bool:
        """Tell whether what is told beside the loose values holds for everybody."""
        loose = {place for place, one in self.loose.items() if one.sort is not Sort.WORDS}
        lines = [comparable_line(self._filled(line)) for _, line in self.frame.mixed if loose.isdisjoint(line.slots)]
        # A bare value that is named tells itself; one that has a name in it is told with its words.
        lines += (comparable_line(self._plain(place)) for place, kind in enumerate(self.kinds) if kind[:1] == "=")
        for text in (*lines, *self.frame.fixed):
            if not all(map(known.holds_for_all, statements(text, *self._tags))):
                return False
        return all(
            known.holds_for_all(link_of(self._filled(target)))
            for target in self.frame.targets
            if self.loose.keys().isdisjoint(target.slots)
        )

    def _plain(self, place: int) -> str:
        return unescaped(self.fillings[place]) if self.escaped else self.fillings[place]

    def _filled(self, pattern: Pattern, gaps: frozenset[int] = frozenset()) -> str:
        values = {slot: _GAP if slot in gaps else self._plain(slot) for slot in pattern.slots}
        parts = [pattern.pieces[0]]
        for piece, slot in zip(pattern.pieces[1:], pattern.slots, strict=True):
            parts += (values[slot], piece)
        return "".join(parts)


def _named(text: str, marks: Marks) -> str:
    found = sorted((folded for folded in marks.folded if folded in text), key=len, reverse=True)
    for number, folded in enumerate(found):  # signs first, so that no name is read as a value
        text = text.replace(folded, chr(0xF0000 + number))
    for number, folded in enumerate(found):
        text = text.replace(chr(0xF0000 + number), f"\x01{marks.folded[folded]}\x01")
    return text


def _said(statement: Statement) -> tuple[object, ...]:
    return (
        statement.said,
        statement.readings or statement.text,
    )  # a date may end its sentence: its text has the full stop


def link_of(target: str) -> Statement:
    """Return what a link tells."""
    address = target.strip().removeprefix("mailto:").removeprefix("tel:").removeprefix("sms:")
    text = address if "@" in address and "://" not in address else target.strip()
    return Statement(Said.LINK, text, (target,))
