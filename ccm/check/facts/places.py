"""A part made of shared pieces, read as one that was proved: what stood in each place then must stand there now.

A fact or a printed field of this customer stands where that customer's stood; every other value is read and must follow from
this customer's data by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from ccm.check.facts.known import Known
from ccm.check.facts.marks import OwnValues, light
from ccm.check.facts.meaning import Meanings, Sort, unescaped
from ccm.check.facts.torn import Torn
from ccm.check.facts.traced import Traced
from ccm.check.facts.woven import Woven, link_of

_Getter: TypeAlias = Callable[[Sequence[Any]], tuple[Any, ...]]
_Forms: TypeAlias = list["bytes | str"]

_WORDS = "words"
_MOST = 4096  # ways in which the values of one line may be written


class NotLearnt(Exception):
    """A message tells its values in a way that only the whole proof can read."""


class Places:
    """The places of one part.

    Args:
        part: Of a message that was proved.
        own: The values that this message told by name.
    """

    def __init__(self, part: Woven, own: OwnValues) -> None:
        self._escaped, frame = part.escaped, part.frame
        self._light: list[tuple[int, int]] = []
        self._around: list[tuple[int, str, int, str]] = []
        exact: list[tuple[int, int]] = []
        self._alike: set[tuple[int, int]] = set()
        for place, kind in enumerate(part.kinds):
            if kind:
                self._name(place, kind, part.fillings[place], own, exact)
        self._exact = _getter([place for place, _ in exact])
        self._wanted = _getter([number for _, number in exact])
        self._attributes = _getter(sorted(frame.attributes))
        self._traced: dict[int, Traced] = {}
        self._targets = [one for one in frame.targets if not part.loose.keys().isdisjoint(one.slots)]
        mixed = [(number, line) for number, line in frame.mixed if not part.loose.keys().isdisjoint(line.slots)]
        self._mixed = mixed
        safe: list[set[tuple[bytes | str, ...]]] = [set() for _ in mixed]
        getters = [_getter([slot for slot in line.slots if slot in part.loose]) for _, line in mixed]
        self._lines = list(zip(getters, safe, strict=True))

    def _name(self, place: int, kind: str, value: str, own: OwnValues, exact: list[tuple[int, int]]) -> None:
        """Remember which value stands in a place, and in which form."""
        texts = own.escaped if self._escaped else own.texts
        first, *others = numbers_of(kind, own)
        self._alike.update((first, other) for other in others)
        if kind[0] == "=":
            before, found, after = value.partition(texts[first])
            if not found or texts[first] in after:
                raise NotLearnt
            self._around.append((place, before, first, after))
        elif value == texts[first]:
            exact.append((place, first))
        elif self._in_light(value) == own.light[first]:
            self._light.append((place, first))
        else:
            raise NotLearnt

    def learn(self, part: Woven, torn: Torn, meanings: Meanings, known: Known) -> None:
        """Remember what else was found of a message with the same names in the same places."""
        forms: _Forms = [*torn.masks]
        for place, meaning in part.loose.items():
            if place not in self._traced:
                self._traced[place] = Traced(meaning, known.origins)
            forms[place] = self._form(place, torn, meanings)
        for (number, line), (getter, safe) in zip(self._mixed, self._lines, strict=True):
            key = getter(forms)
            if all(form == _WORDS for form in key) or part.is_safe(number, line, known):
                if len(safe) >= _MOST:
                    safe.clear()
                safe.add(key)

    def hold(self, torn: Torn, own: OwnValues, meanings: Meanings, known: Known) -> bool:
        """Tell whether a part says what the proved one said, with this customer's own values."""
        return self._named(torn.fillings, own) and self._explained(torn, meanings, known)

    def _named(self, fillings: Sequence[str], own: OwnValues) -> bool:
        texts = own.escaped if self._escaped else own.texts
        if self._exact(fillings) != self._wanted(texts) or any("'" in one for one in self._attributes(fillings)):
            return False
        for place, before, number, after in self._around:
            if fillings[place] != before + texts[number] + after:
                return False
        for place, number in self._light:
            if self._in_light(fillings[place]) != own.light[number]:
                return False
        return all(own.texts[one] == own.texts[other] for one, other in self._alike)

    def _in_light(self, value: str) -> str:
        return light(unescaped(value) if self._escaped else value)

    def _explained(self, torn: Torn, meanings: Meanings, known: Known) -> bool:
        fillings, masks, digits = torn
        forms: _Forms = [*masks]
        ways = (meanings.written_escaped if self._escaped else meanings.written).get
        known_values = (meanings.known_escaped if self._escaped else meanings.known).get
        for place, traced in self._traced.items():
            way = ways(masks[place])
            if way is None:
                meaning = known_values(fillings[place]) or self._meaning(fillings[place], meanings)
                if meaning.sort is Sort.WORDS:
                    forms[place] = _WORDS
                elif not traced.explains(meaning, known):
                    return False
                else:
                    forms[place] = self._form(place, torn, meanings)
            elif (
                way.signs
                and not traced.is_amount(int(digits[place]), way, known)
                and not traced.explains(self._meaning(fillings[place], meanings), known)
            ):
                return False
        for getter, safe in self._lines:
            if getter(forms) not in safe:
                return False
        if self._targets:
            plain = list(map(unescaped, fillings)) if self._escaped else fillings
            return all(known.explains(link_of(target.filled(plain))) for target in self._targets)
        return True

    def _meaning(self, value: str, meanings: Meanings) -> Any:
        return meanings.of_escaped(value) if self._escaped else meanings.of(value)

    def _form(self, place: int, torn: Torn, meanings: Meanings) -> bytes | str:
        """Return what two values share that read alike in every line."""
        value, mask = torn.fillings[place], torn.masks[place]
        meaning = self._meaning(value, meanings)
        if meaning.sort in (Sort.AMOUNT, Sort.NUMBER) and meanings.remember(mask, value, escaped=self._escaped):
            return mask
        return str(meaning.form)


def numbers_of(kind: str, own: OwnValues) -> list[int]:
    """Return which values of a message a kind names; all of them have one text.

    Raises:
        NotLearnt: If they do not, or if it names more than one.
    """
    told = kind.split("\x01")[1::2] if kind[0] == "=" else [kind.lstrip("~")]
    if len(told) != 1:
        raise NotLearnt
    numbers = [own.names.index(name) for name in dict.fromkeys(told[0].split("|"))]
    if len({own.texts[number] for number in numbers}) != 1:
        raise NotLearnt
    return numbers


def _getter(places: Iterable[int]) -> _Getter:
    """Return a function that picks some of many, as a tuple."""
    match list(places):
        case []:
            return lambda _: ()
        case [one]:
            return lambda many: (many[one],)
        case some:
            return itemgetter(*some)
