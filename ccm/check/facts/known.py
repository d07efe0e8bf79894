"""What one message may say: its facts, the customer's data, the campaign's parameters and the brand's own words."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ccm.check.comparable import comparable, stands_in
from ccm.check.facts.authored import Authored
from ccm.check.facts.marks import Marks, OwnValues
from ccm.check.facts.origin import Origins, Roots, is_share
from ccm.check.facts.statements import Said, Statement, statements
from ccm.check.facts.told import is_right_to_left
from ccm.check.once import once
from ccm.model.records import Composed
from ccm.model.values import Money

_WORD = re.compile(r"[a-z0-9]+")
_RUN = re.compile(r"[a-z]+|\d+")
_PART = re.compile(r"[^/?&=#.\-_%+~:@]+")


class Known:
    """Explains statements of one communication. Looks into the facts first; the rest is gathered when asked for."""

    def __init__(self, composed: Composed, authored: Authored) -> None:
        self._composed = composed
        self.communication = self._communication = composed.communication
        self.facts = composed.facts
        self.data = composed.data if composed.data is not None else composed.communication.data
        self.authored = self._authored = authored
        self._answers: dict[tuple[Said, str], bool] = {}

    def explains(self, statement: Statement) -> bool:
        """Tell whether a statement follows from facts, data, parameters, what was worked out from them, or the brand."""
        key = (statement.said, statement.text)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._explained(statement)
        return answer

    def has_amount(self, amounts: Iterable[tuple[Decimal, frozenset[str]]]) -> bool:
        """Tell whether one reading of an amount is an amount of the data, a fact, or worked out from them."""
        found = self._near
        if found.has_amount(amounts):
            return True
        return bool(found.later) and self._scanned.has_amount(amounts)

    def is_near_text(self, text: str) -> bool:
        """Tell whether a text is one of the data as it is written, outside of rows."""
        return text in self._near.texts

    def holds_for_all(self, statement: Statement) -> bool:
        """Tell whether a statement is a fact or printed field as it is written, or the author's own words."""
        authored, text = self._authored, statement.text
        if self.is_named(statement):
            return True
        if statement.said is Said.LINK:
            return text in authored.links or self._is_link_of(text, authored.words)
        if statement.said is Said.CODE and text.lower() in authored.words:
            return True
        return stands_in(text, authored.texts)

    def is_named(self, statement: Statement) -> bool:
        """Tell whether a statement is a fact or a printed field of this message, or a part of one."""
        return statement.text in self.personal_links or (statement.said, statement.readings) in self._told_by_name

    @once
    def _told_by_name(self) -> frozenset[tuple[Said, tuple[object, ...]]]:
        one = self.communication
        found = (statements(mark.text, one.language, one.locale) for mark in self.marks.lines)
        return frozenset((told.said, told.readings) for some in found for told in some)

    @once
    def marks(self) -> Marks:
        """The values that the message tells by name."""
        return Marks.of(self.own)

    @once
    def own(self) -> OwnValues:
        """The same as a list."""
        facts = [fact for fact in self.facts if fact.text]
        names, texts = [f"facts.{fact.name}" for fact in facts], [fact.text for fact in facts]
        for name, path in self.authored.printed_paths:
            value = value_at(self.data, path)
            if isinstance(value, str) and value:
                names.append(name)
                texts.append(value)
        for link in self.personal_links:
            names.append("link")
            texts.append(link)
        return OwnValues(tuple(names), texts)

    @once
    def origins(self) -> Origins:
        """The ways to all values of the data."""
        return Origins(self.roots)

    @once
    def roots(self) -> Roots:
        """What values may come from, as `origin` looks for them."""
        one = self.communication
        computed = tuple(self._composed.computed)
        facts = tuple([fact.value for fact in self.facts])
        return facts, self.data, one.parameters, computed, (one.issued_at, *(one.period or ()))

    @once
    def personal_links(self) -> tuple[str, ...]:
        """Addresses of the brand with this message's token in them."""
        token = self.communication.unsubscribe_token or self.communication.communication_id
        return tuple(pattern.replace("{token}", token) for pattern in self._authored.personal_links)

    def _explained(self, statement: Statement) -> bool:
        match statement.said:
            case Said.AMOUNT:
                found = any(self._is_amount(*reading) for reading in statement.readings)  # type: ignore[misc]
                found = found or self._is_word_and_number(statement)
            case Said.PERCENT:
                found = any(self._is_share(reading) for reading in statement.readings)  # type: ignore[arg-type]
            case Said.CODE:
                found = self._is_code(statement.text.lower())
            case Said.LINK:
                found = self._is_link(statement.text)
            case _:
                found = any(self._is_date(*reading) for reading in statement.readings)  # type: ignore[misc]
        return found or stands_in(statement.text, self._texts)

    def explains_pieces(self, statement: Statement, text: str) -> bool:
        """Tell whether a statement of a document follows from known ones that its layout joined or turned round.

        Two columns may come out side by side ("2 150,00 zł" is 2 pieces at 150,00 zł); in a right-to-left document
        the parts of a code come out in another order.
        """
        if statement.said is Said.AMOUNT and " " in statement.text:
            return any(self.explains(one) for one in statement.narrower())
        if statement.said is Said.DAY:  # "SET 6": a word of the data beside a number of the data
            return all(word in self._words or word in self._digits for word in _WORD.findall(statement.text.lower()))
        if statement.said in (Said.CODE, Said.DATE, Said.LINK) and is_right_to_left(text):
            runs = _RUN.findall(statement.text.lower())
            return all(run in self._all_texts or run in self._digits or run in self._authored.words for run in runs)
        return False

    def written_in(self, statement: Statement) -> str:
        """Return the file in which authors wrote a statement out; empty if nobody did."""
        return self._authored.written.get(statement.text, "")

    # ── amounts, shares, dates ───────────────────────────────────────────────

    def _is_amount(self, value: Decimal, codes: frozenset[str]) -> bool:
        return self.has_amount(((value, codes),)) or (self._authored.bare_money and value in self._numbers)

    def _is_word_and_number(self, statement: Statement) -> bool:
        """Tell whether a currency code is a word of the data before a number of its own: "RED HEART CUP 12"."""
        code, _, number = statement.text.partition(" ")
        plain = code.isascii() and code.isalpha() and code.lower() in self._words
        amounts = (reading[0] for reading in statement.readings)  # type: ignore[index]
        return plain and number.lstrip("-−").isdecimal() and any(amount in self._numbers for amount in amounts)

    @once
    def _numbers(self) -> frozenset[Decimal]:
        return frozenset((*self._amounts, *self._scanned.shares, *map(Decimal, self._scanned.numbers)))

    def _is_share(self, value: Decimal) -> bool:
        return any(is_share(value, known) for known in self._shares)

    @once
    def _shares(self) -> frozenset[Decimal]:
        return frozenset(abs(value) for value in self._scanned.shares if value.is_finite())

    def _is_date(self, year: int, month: int, day: int) -> bool:
        if year and month and day and (year, month, day) in self._near_days:
            return True
        return (year, month, day) in self._days or (not year and not day and any(month == one[1] for one in self._days))

    @once
    def _near_days(self) -> frozenset[tuple[int, int, int]]:
        return frozenset((one.year, one.month, one.day) for one in self._near.days)

    @once
    def _dates(self) -> frozenset[date]:
        moments = (day for moment in self._scanned.moments for day in self._days_of(moment))
        return frozenset((*self._scanned.days, *moments))

    def _days_of(self, value: datetime) -> Iterator[date]:
        yield value.date()
        if value.tzinfo is not None:
            try:
                yield value.astimezone(ZoneInfo(self._communication.zone)).date()
            except (ZoneInfoNotFoundError, ValueError):
                return

    # ── codes and links ──────────────────────────────────────────────────────

    def _is_code(self, word: str) -> bool:
        known = word in self._authored.words or word in self._fact_texts
        return known or word in self._all_texts or self._parts_known(word)

    @once
    def _fact_texts(self) -> str:
        return "\n".join(fact.text for fact in self._composed.facts).lower()

    def _parts_known(self, text: str) -> bool:
        """Tell whether every part of a composed code or address is known, such as INV-2026/0012."""
        parts = _WORD.findall(text)
        return bool(parts) and all(
            part in self._authored.words or part in self._words or part in self._digits for part in parts
        )

    def _is_link(self, target: str) -> bool:
        if target in self._authored.links or any(target == fact.value for fact in self._composed.facts):
            return True
        return target in self._links or self._is_link_of(target, self._authored.words, self._all_texts)

    def _is_link_of(self, target: str, *known: Container[str]) -> bool:
        """Tell whether an address is one that authors began, completed with what is known."""
        for base in self._authored.bases:
            if target.startswith(base):
                rest = _PART.findall(target[len(base) :].lower())
                return all(any(part in one for one in known) for part in rest)
        return False

    @once
    def _links(self) -> frozenset[str]:
        return frozenset(
            (*self.personal_links, *(value.strip() for value in self._strings if "://" in value or "@" in value))
        )

    # ── everything ───────────────────────────────────────────────────────────

    @once
    def _amounts(self) -> Mapping[Decimal, set[str]]:
        return self._scanned.amounts

    @once
    def _days(self) -> frozenset[tuple[int, int, int]]:
        """Every date as it may be told: whole, day and month, month and year; 0 for what is not said."""
        return frozenset(
            told
            for day in self._dates
            for told in ((day.year, day.month, day.day), (0, day.month, day.day), (day.year, day.month, 0))
        )

    @once
    def _near(self) -> _Scan:
        """Values of facts, parameters, of what templates worked out, of the message itself, and of data outside of rows.

        Why by themselves: Many messages tell nothing else, and rows are most of the data.
        """
        found, one = _Scan(), self.communication
        found.take([fact.value for fact in self.facts])
        for values in (self.data, one.parameters, self._composed.computed, (one.issued_at, *(one.period or ()))):
            found.take(values)
        return found

    @once
    def _scanned(self) -> _Scan:
        """The same with the values of rows."""
        found = self._near
        found.take_rows()
        return found

    @once
    def own_texts(self) -> frozenset[str]:
        """Texts of the customer's data and of parameters, as they are written."""
        return frozenset(self._scanned.texts)

    @once
    def _strings(self) -> tuple[str, ...]:
        one = self._communication
        ids = (one.communication_id, one.campaign, one.occurrence, *(piece.piece_id for piece in one.pieces))
        return (*self._scanned.texts, *ids)

    @once
    def _texts(self) -> str:
        """Every text of data and brand, comparable; numbers inside it are the data's and the brand's own words."""
        return comparable("\n".join(self._strings)) + " \x1f " + self._authored.texts

    @once
    def _all_texts(self) -> str:
        return self._texts.lower()

    @once
    def _words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._all_texts))

    @once
    def _digits(self) -> frozenset[str]:
        """Whole numbers, and the parts of dates, as a template may join them into a code."""
        numbers = set(map(str, self._scanned.numbers))
        for day in self._dates:
            numbers |= {f"{day:%Y}", f"{day:%m}", f"{day:%d}", f"{day:%y}", f"{day:%Y%m%d}", f"{day:%Y%m}"}
        return frozenset(numbers)


def value_at(data: object, path: tuple[str, ...]) -> object:
    """Return the value at a path; None where there is none."""
    for name in path:
        data = data.get(name) if type(data) is dict or isinstance(data, Mapping) else None
    return data


class _Scan:
    """Values by their type: gathered in one go, because this is done for nearly every message."""

    __slots__ = ("_rows_too", "amounts", "days", "later", "moments", "numbers", "shares", "texts")

    def __init__(self) -> None:
        self.later: list[object] = []  # rows that were not looked at yet
        self._rows_too = False
        self.amounts: dict[Decimal, set[str]] = {}  # currencies by amount
        self.days: set[date] = set()
        self.moments: list[datetime] = []
        self.shares: list[Decimal] = []
        self.numbers: list[int] = []
        self.texts: list[str] = []

    def take(self, values: object) -> None:
        """Take every value below a mapping or sequence."""
        amounts, texts = self.amounts, self.texts.append
        if type(values) is dict or (type(values) is not tuple and isinstance(values, Mapping)):
            values = values.values()
        for value in values:  # type: ignore[attr-defined]  # a sequence, or what a mapping holds
            kind = type(value)
            if kind is str:
                texts(value)
            elif kind is Money:
                codes = amounts.get(value.amount)
                if codes is None:
                    amounts[value.amount] = {value.currency}
                else:
                    codes.add(value.currency)
            elif kind is Decimal:
                self.shares.append(value)
            elif kind is int:
                self.numbers.append(value)
            elif kind is date:
                self.days.add(value)
            elif kind is dict or isinstance(value, Mapping):
                self.take(value)
            elif kind is tuple or isinstance(value, (list, tuple, set, frozenset)):
                if self._rows_too:
                    self.take(value)
                else:
                    self.later.append(value)
            elif value is not None and kind is not bool:
                self._take_other(value)

    def take_rows(self) -> None:
        """Take every value of the rows that were left for later."""
        self._rows_too = True
        for rows in self.later:
            self.take(rows)
        self.later = []

    def has_amount(self, amounts: Iterable[tuple[Decimal, frozenset[str]]]) -> bool:
        """Tell whether one reading of an amount is there."""
        known = self.amounts
        for value, codes in amounts:
            told = known.get(value)
            if told is not None and not codes.isdisjoint(told):
                return True
        return False

    def _take_other(self, value: object) -> None:
        match value:
            case datetime():
                self.moments.append(value)
            case date():
                self.days.add(value)
            case Decimal():
                self.shares.append(value)
            case int():
                self.numbers.append(value)
            case str():
                self.texts.append(value)
