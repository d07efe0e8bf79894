"""What one message may say: its facts, the customer's data, the campaign's parameters and the brand's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ccm.check.comparable import comparable, comparable_line, stands_in
from ccm.check.facts.authored import Authored
from ccm.check.facts.statements import Said, Statement
from ccm.check.facts.told import is_right_to_left
from ccm.model.records import Composed
from ccm.model.values import Money

_WORD = re.compile(r"[a-z0-9]+")
_RUN = re.compile(r"[a-z]+|\d+")
_PART = re.compile(r"[^/?&=#.\-_%+~:@]+")


class Known:
    """Explains statements of one communication. Looks into the facts first; the rest is gathered when asked for."""

    def __init__(self, composed: Composed, authored: Authored) -> None:
        self._composed = composed
        self._communication = composed.communication
        self.authored = self._authored = authored
        self._answers: dict[tuple[Said, str], bool] = {}
        self.personal = False  # whether an answer leaned on this customer's data beside the facts

    def explains(self, statement: Statement) -> bool:
        """Tell whether a statement follows from facts, data, parameters, what was worked out from them, or the brand."""
        key = (statement.said, statement.text)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._explained(statement)
        if answer and not self.personal:
            self.personal = not self._holds_for_all(statement)
        return answer

    def _holds_for_all(self, statement: Statement) -> bool:
        """Tell whether a statement is a fact as it is written, or the author's own words."""
        if statement.said is Said.LINK:
            token = self._communication.unsubscribe_token or self._communication.communication_id
            own = (pattern.replace("{token}", token) for pattern in self._authored.personal_links)
            return statement.text in self._authored.links or statement.text in (*self._written_facts, *own)
        if statement.said is Said.CODE and statement.text.lower() in self._authored.words:
            return True
        return statement.text.rstrip(".") in self._written_facts or stands_in(statement.text, self._authored.texts)

    @cached_property
    def _written_facts(self) -> frozenset[str]:
        texts = (fact.text for fact in self._composed.facts)
        return frozenset(form for text in texts for form in (text, comparable_line(text).rstrip(".")))

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
        if statement.said in (Said.CODE, Said.DATE) and is_right_to_left(text):
            runs = _RUN.findall(statement.text.lower())
            return all(run in self._all_texts or run in self._digits or run in self._authored.words for run in runs)
        return False

    def written_in(self, statement: Statement) -> str:
        """Return the file in which authors wrote a statement out; empty if nobody did."""
        return self._authored.written.get(statement.text, "")

    # ── amounts, shares, dates ───────────────────────────────────────────────

    def _is_amount(self, value: Decimal, codes: frozenset[str]) -> bool:
        if any((value, code) in self._fact_money for code in codes):
            return True
        if any((value, code) in self._money for code in codes):
            return True
        return self._authored.bare_money and value in self._numbers

    def _is_word_and_number(self, statement: Statement) -> bool:
        """Tell whether a currency code is a word of the data before a number of its own: "RED HEART CUP 12"."""
        code, _, number = statement.text.partition(" ")
        plain = code.isascii() and code.isalpha() and code.lower() in self._words
        amounts = (reading[0] for reading in statement.readings)  # type: ignore[index]
        return plain and number.isdecimal() and any(amount in self._numbers for amount in amounts)

    @cached_property
    def _fact_money(self) -> frozenset[tuple[Decimal, str]]:
        values = (fact.value for fact in self._composed.facts)
        return frozenset((value.amount, value.currency) for value in values if isinstance(value, Money))

    @cached_property
    def _money(self) -> frozenset[tuple[Decimal, str]]:
        return frozenset((value.amount, value.currency) for value in self._values if isinstance(value, Money))

    @cached_property
    def _numbers(self) -> frozenset[Decimal]:
        money = (value.amount for value in self._values if isinstance(value, Money))
        return frozenset((*money, *(Decimal(value) for value in self._values if isinstance(value, (Decimal, int)))))

    def _is_share(self, value: Decimal) -> bool:
        exponent = value.as_tuple().exponent
        step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
        return any(_rounded(known, step) == abs(value) for known in self._shares)

    @cached_property
    def _shares(self) -> frozenset[Decimal]:
        return frozenset(abs(value) for value in self._values if isinstance(value, Decimal) and value.is_finite())

    def _is_date(self, year: int, month: int, day: int) -> bool:
        return any(
            known.month == month and (not year or known.year == year) and (not day or known.day == day)
            for known in self._dates
        )

    @cached_property
    def _dates(self) -> frozenset[date]:
        return frozenset(day for value in self._values if isinstance(value, date) for day in self._days(value))

    def _days(self, value: date) -> Iterator[date]:
        if not isinstance(value, datetime):
            yield value
            return
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

    @cached_property
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
        if target in self._links:
            return True
        for base in self._authored.bases:
            if target.startswith(base):
                rest = _PART.findall(target[len(base) :].lower())
                return all(part in self._authored.words or part in self._all_texts for part in rest)
        return False

    @cached_property
    def _links(self) -> frozenset[str]:
        token = self._communication.unsubscribe_token or self._communication.communication_id
        own = (pattern.replace("{token}", token) for pattern in self._authored.personal_links)
        return frozenset((*own, *(value.strip() for value in self._strings if "://" in value or "@" in value)))

    # ── everything ───────────────────────────────────────────────────────────

    @cached_property
    def _values(self) -> tuple[object, ...]:
        communication = self._communication
        facts = (fact.value for fact in self._composed.facts)
        data = self._composed.data if self._composed.data is not None else communication.data
        message = (communication.issued_at, *(communication.period or ()))
        return tuple(_flat((facts, data, communication.parameters, self._composed.computed, message)))

    @cached_property
    def _strings(self) -> tuple[str, ...]:
        one = self._communication
        ids = (one.communication_id, one.campaign, one.occurrence, *(piece.piece_id for piece in one.pieces))
        return (*(value for value in self._values if isinstance(value, str)), *ids)

    @cached_property
    def _texts(self) -> str:
        """Every text of data and brand, comparable; numbers inside it are the data's and the brand's own words."""
        return comparable("\n".join(self._strings)) + " \x1f " + self._authored.texts

    @cached_property
    def _all_texts(self) -> str:
        return self._texts.lower()

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._all_texts))

    @cached_property
    def _digits(self) -> frozenset[str]:
        """Whole numbers, and the parts of dates, as a template may join them into a code."""
        numbers = {str(value) for value in self._values if isinstance(value, int)}
        for day in self._dates:
            numbers |= {f"{day:%Y}", f"{day:%m}", f"{day:%d}", f"{day:%y}", f"{day:%Y%m%d}", f"{day:%Y%m}"}
        return frozenset(numbers)


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, ROUND_HALF_UP)


def _flat(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        kind = type(value)
        if kind is str or kind is Money or kind is date:
            yield value
        elif kind is dict or isinstance(value, Mapping):
            yield from _flat(value.values())  # type: ignore[attr-defined]  # a mapping
        elif kind is tuple or (isinstance(value, Iterable) and not isinstance(value, str)):
            yield from _flat(value)  # type: ignore[arg-type]  # as above
        elif value is not None and kind is not bool:
            yield value
