"""Reads statements out of text: amounts, percentages, dates, codes, links. Knows the locale, never the data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import cast

from ccm.check.facts.writing import Writing, writing_of
from ccm.check.shape import tells


class Said(StrEnum):
    """What sort of statement was read."""

    AMOUNT = "amount"  # a number with a currency
    PERCENT = "percentage"
    DATE = "date"  # day, month and year
    DAY = "day"  # day and month
    MONTH = "month"  # month and year
    CODE = "code"  # letters and digits, or a long run of digits
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text.

    text: As it stands there, comparable.
    readings: What it may mean; more than one where the writing leaves it open, none where it fits no reading.
        Amounts are (number, currency codes), dates (year, month, day) with 0 for what is not said.
    """

    said: Said
    text: str
    readings: tuple[object, ...]

    def narrower(self) -> Iterator[Statement]:
        """Yield the amount without its first groups of digits, which may be another column's."""
        head, _, _ = self.text.partition(",")
        groups = re.findall(r"\d+(?= )", head)
        for count in range(1, len(groups) + 1):
            factor = Decimal(1000) ** (len(groups) - count + 1)
            amounts = cast("tuple[tuple[Decimal, frozenset[str]], ...]", self.readings)
            readings = tuple((abs(value) % factor, codes) for value, codes in amounts)
            yield Statement(self.said, self.text.split(" ", count)[-1], readings)


_LINK = re.compile(
    r"(?:https?|ftp)://[^\s<>\"']+|(?<![\w.])www\.[^\s<>\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
)
_LINK_END = ".,;:!?)]}»。、）،؛」'"
CODE = re.compile(r"[A-Za-z0-9]+(?:[-/_.][A-Za-z0-9]+)*")
_ISO = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])")
_NUMBER = re.compile(r"\d+(?:[.,'٫٬]\d+)*")
_GROUPS = re.compile(r"(?<![\d.,'])\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)")
_THREE = re.compile(
    r"(?<![\d.,/-])(\d{4}|\d{1,2})(\. ?|[-/] ?|年 ?|년 ?)(\d{1,2})(\. ?|[-/] ?|月 ?|월 ?)(\d{4}|\d{1,2})(?![\d/-]|\.\d)(?:日|일|\.)?"
)
_YEAR_MONTH = re.compile(r"(?<!\d)(\d{4})(?:年|년) ?(\d{1,2})(?:月|월)")
_MONTH_DAY = re.compile(r"(?<!\d)(\d{1,2})(?:月|월) ?(\d{1,2})(?:日|일)")
# Around the name of a month: "30.", "1er", "30 de", "d'", ", 2026", "de 2026".
_DAY_BEFORE = re.compile(r"(?<![\d.,])(\d{1,2})(?:\.|º|°|er|st|nd|rd|th)?(?:[ -]{0,2}(?:de |of |d'|d’|-a )?)$")
_YEAR_AFTER = re.compile(r"\.?,?[ -](?:de |del |ค\.ศ\. )?(\d{4})(?!\d)")
_DAY_AFTER = re.compile(r"\.? (\d{1,2})(?:\.|st|nd|rd|th)?(?![\d.,%]\d|\d)(?:, ?| (?:de )?)?(\d{4})?(?!\d)")
_YEAR_BEFORE = re.compile(r"(?<!\d)(\d{4})(?:\.| m\.|\. gada|\. g\.)? $")
_PERCENT_AFTER = re.compile(
    r" ?[%٪]|(?: (?:percent|per cent|prozent|pour cent|por ciento|por cento|procent)\b)", re.IGNORECASE
)
_PERCENT_BEFORE = re.compile(r"[%٪] ?$")
_WORD_AFTER = re.compile(r" ?(-|[^\s\d,;:()\[\]/|+*·•-]{1,10})")
_WORD_BEFORE = re.compile(r"([^\s\d,;:()\[\]/|*·•]{1,10})(?: ?-| )?$")
_MINUS_BEFORE = re.compile(r"(?:^|[^\w)%-])- ?$")
_ARABIC_COMMA = re.compile(r"(?<=\d)،(?=\d)")
_MEASURE = re.compile(r"\d+(?:[.,]\d+)?[a-zµ][A-Za-z]{0,4}")


@lru_cache(maxsize=4096)
def statements(text: str, language: str, locale: str) -> tuple[Statement, ...]:
    """Return the statements of one line or sentence, in comparable form.

    Args:
        text: Comparable; no line ends in it.
        language: Locale tag of the words.
        locale: Locale tag of digits, separators and order.
    """
    if not tells(text):
        return ()
    writing = writing_of(language, locale)
    found: list[Statement] = []
    text = text.replace("F CFA", "FCFA")  # the one sign with a blank in it
    if writing.arabic_comma:
        text = _ARABIC_COMMA.sub(",", text)
    left = _taken(_LINK, text, found, _link)
    if any(map(str.isdecimal, left)):
        left = _dates(left, writing, found)
        left = _taken(CODE, left, found, lambda match: _code(match[0], match.string[match.end() :][:1], writing))
        found += _amounts(left, writing)
    return tuple(found)


def _taken(pattern: re.Pattern[str], text: str, found: list[Statement], read: object) -> str:
    """Move what a pattern finds from the text to the statements; it leaves a gap that joins nothing."""

    def move(match: re.Match[str]) -> str:
        statement = read(match)  # type: ignore[operator]
        if statement is None:
            return match[0]
        found.append(statement)
        return "\x1f" * len(match[0])

    return pattern.sub(move, text)


def _link(match: re.Match[str]) -> Statement:
    target = match[0].rstrip(_LINK_END)
    return Statement(Said.LINK, target, (target,))


def _code(word: str, after: str, writing: Writing) -> Statement | None:
    """Read a word of letters and digits, or a long run of digits, as a code; `after` may end a sign such as US$."""
    digits = sum(map(str.isdecimal, word))
    letters = sum(map(str.isalpha, word))
    if not digits or (not letters and not word.isdecimal()):
        return None
    if not letters:
        return Statement(Said.CODE, word, (word,)) if digits >= 6 else None
    if len(word) < 4 or _MEASURE.fullmatch(word) or _is_amount(word, writing) or _is_amount(word + after, writing):
        return None
    return Statement(Said.CODE, word, (word,))


def _is_amount(word: str, writing: Writing) -> bool:
    stripped = word.strip("0123456789.,-")
    return stripped in writing.currencies and not any(map(str.isdecimal, stripped))


# ── dates ────────────────────────────────────────────────────────────────────


def may_date(text: str, writing: Writing) -> bool:
    """Tell whether a comparable text may hold a date: if not, texts with other digits in the same places hold none either."""
    named = writing.month is not None and writing.month.search(text.lower()) is not None
    return named or any(one.search(text) is not None for one in (_ISO, _THREE, _YEAR_MONTH, _MONTH_DAY))


def _dates(text: str, writing: Writing, found: list[Statement]) -> str:
    text = _taken(_ISO, text, found, lambda match: _date(match[0], [(int(match[1]), int(match[2]), int(match[3]))]))
    if writing.month is not None:
        text = _named_months(text, writing, found)
    text = _taken(_THREE, text, found, lambda match: _numeric(match, writing))
    text = _taken(_YEAR_MONTH, text, found, lambda m: Statement(Said.MONTH, m[0], ((int(m[1]), int(m[2]), 0),)))
    return _taken(_MONTH_DAY, text, found, lambda m: Statement(Said.DAY, m[0], ((0, int(m[1]), int(m[2])),)))


def _date(text: str, readings: list[tuple[int, int, int]]) -> Statement | None:
    valid = tuple(reading for reading in readings if _is_day(*reading))
    return Statement(Said.DATE, text, valid) if valid else None


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _numeric(match: re.Match[str], writing: Writing) -> Statement | None:
    """Read three numbers in the locale's order; with the year first where that has four digits."""
    first, second, third = match[1], match[3], match[5]
    if match[2].strip() != match[4].strip() and not unicodedata.name(match[2][0]).startswith(("CJK", "HANGUL")):
        return None
    if len(first) == 4:
        return _date(match[0], [(int(first), int(second), int(third))])
    if len(third) == 1:
        return None
    values = dict(zip(writing.order, map(int, (first, second, third)), strict=False))
    if len(third) == 4 and writing.order.startswith("y"):
        values = {"d": int(first), "M": int(second), "y": int(third)}
    year = values["y"] + (2000 if values["y"] < 100 else 0)
    return _date(match[0], [(year, values["M"], values["d"])]) or Statement(Said.DATE, match[0], ())


def _named_months(text: str, writing: Writing, found: list[Statement]) -> str:
    """Take out dates that name their month: 30 November 2026, November 30, October 2026."""
    assert writing.month is not None
    lower = text.lower()
    if len(lower) != len(text):
        return text
    for match in reversed(list(writing.month.finditer(lower))):
        read = _around_month(lower, match.start(), match.end())
        if read is None:
            continue
        start, end, year, day = read
        said = Said.DATE if year and day else Said.DAY if day else Said.MONTH
        reading = (year, writing.months[match[0]], day)
        valid = not day or _is_day(year or 2000, reading[1], day)
        found.append(Statement(said, text[start:end], (reading,) if valid else ()))
        text = text[:start] + "\x1f" * (end - start) + text[end:]
        lower = lower[:start] + "\x1f" * (end - start) + lower[end:]
    return text


def _around_month(text: str, start: int, end: int) -> tuple[int, int, int, int] | None:
    """Return where a date with a named month begins and ends, its year and its day; 0 for what it does not say."""
    before, after = text[max(0, start - 18) : start], text[end : end + 16]
    day, year = _DAY_BEFORE.search(before), _YEAR_AFTER.match(after)
    edge = start - len(before)
    if day:
        first = None if year else _YEAR_BEFORE.search(before[: day.start()])
        begin = edge + (first or day).start()
        said = year or first
        return begin, end + (year.end() if year else 0), int(said[1]) if said else 0, int(day[1])
    if year:
        return start, end + year.end(), int(year[1]), 0
    first, after_month = _YEAR_BEFORE.search(before), _DAY_AFTER.match(after)
    if after_month and 1 <= int(after_month[1]) <= 31:
        said_year = after_month[2] or (first[1] if first else "0")
        begin = edge + first.start() if first and not after_month[2] else start
        return begin, end + after_month.end(), int(said_year), int(after_month[1])
    return (edge + first.start(), end, int(first[1]), 0) if first else None


# ── amounts and percentages ──────────────────────────────────────────────────


def _amounts(text: str, writing: Writing) -> Iterator[Statement]:
    blank_groups = any(group == " " for group, _ in writing.marks)
    at = taken = 0
    while match := _NUMBER.search(text, at):
        wide = _GROUPS.match(text, match.start()) if blank_groups else None
        number = wide or match
        statement, end = _amount(text, number.start(), number.end(), taken, writing)
        if wide and (statement is None or not statement.readings):
            number = match
            statement, end = _amount(text, match.start(), match.end(), taken, writing)
        at = number.end()
        if statement is not None:
            taken = end
            yield statement


def _amount(text: str, start: int, end: int, taken: int, writing: Writing) -> tuple[Statement | None, int]:
    """Read one number with what stands around it; nothing before `taken` belongs to it."""
    before, after = text[max(taken, start - 14) : start], text[end : end + 16]
    sign = _PERCENT_AFTER.match(after)
    if sign or _PERCENT_BEFORE.search(before):
        stop = end + (sign.end() if sign else 0)
        begin = start if sign else start - len(before) + before.rindex(before.strip()[-1])
        return Statement(Said.PERCENT, text[begin:stop], tuple(_values(text[start:end], writing))), stop
    width, size, codes = _currency_beside(before, after, writing)
    begin, stop = start - width, end + size
    if not codes:
        return None, end
    if width > 1 and text[begin:start].endswith("-"):
        signs: tuple[int, ...] = (-1,)
    else:
        signs = _signs(text[max(0, begin - 3) : begin], before, text[stop : stop + 2], after)
    readings = tuple((sign * value, codes) for value in _values(text[start:end], writing) for sign in signs)
    return Statement(Said.AMOUNT, text[begin:stop].strip(), readings), stop


def _signs(before: str, beside: str, behind: str, after: str) -> tuple[int, ...]:
    """Return the signs an amount may have: brackets may mean minus or nothing."""
    if _MINUS_BEFORE.search(before) or _MINUS_BEFORE.search(beside) or before == "-" or beside == "-":
        return (-1,)
    if after.startswith("-") and not after[1:2].isdecimal():
        return (-1,)
    if before.endswith("(") and behind.startswith(")"):
        return (1, -1)
    return (1,)


def _values(digits: str, writing: Writing) -> Iterator[Decimal]:
    """Yield what a number may be in this locale."""
    for group, decimal in writing.marks:
        whole, point, fraction = digits.partition(decimal)
        parts = whole.split(group) if group else [whole]
        if not all(map(str.isdecimal, parts)) or (point and not fraction.isdecimal()):
            continue
        if len(parts) > 1 and not (1 <= len(parts[0]) <= 3 and all(len(part) in (2, 3) for part in parts[1:])):
            continue
        try:
            yield Decimal("".join(parts) + (f".{fraction}" if point else ""))
        except InvalidOperation:
            continue
        return


def _currency_beside(before: str, after: str, writing: Writing) -> tuple[int, int, frozenset[str]]:
    """Return how many characters before and after a number are its currency, and the codes it may be.

    Where the locale writes the sign first, one before another number belongs to that: "U2 $0.99" is no 2 dollars.
    """
    if not writing.sign_first:
        size, codes = _currency_after(after, writing)
        if codes:
            return 0, size, codes
    width, codes = _currency_before(before, writing)
    if codes or not writing.sign_first:
        return width, 0, codes
    size, codes = _currency_after(after, writing)
    if codes and after[size:].lstrip(" +-")[:1].isdecimal():
        return 0, 0, frozenset()
    return 0, size, codes


def _currency_after(after: str, writing: Writing) -> tuple[int, frozenset[str]]:
    match = _WORD_AFTER.match(after)
    if match is None or match[1] == "-":
        return 0, frozenset()
    word = match[1].rstrip(".!?。、،\x1f")
    for size in (len(word), *_heads(word)):
        codes = writing.currencies.get(word[:size]) or writing.currencies.get(word[:size].casefold())
        if codes:
            return match.start(1) + size, codes
    return 0, frozenset()


def _heads(word: str) -> Iterator[int]:
    """Yield how much of a word may be a currency: a sign, or the first letters where no blank ends a word."""
    if not word or (word[0].isascii() and word[0].isalpha()):
        return
    if unicodedata.category(word[0]) == "Sc" or ord(word[0]) > 0x2E80:
        yield 1


def _currency_before(before: str, writing: Writing) -> tuple[int, frozenset[str]]:
    match = _WORD_BEFORE.search(before)
    if match is None:
        return 0, frozenset()
    word = match[1]
    blank = len(before) - match.end(1)
    bare = word.rstrip("+-").lstrip("+-\x1f")
    for tail in dict.fromkeys((bare, bare[-3:], bare[-2:], bare[-1:])):
        if not tail or (tail != bare and tail[0].isalpha() and tail[0].isascii() and bare[-len(tail) - 1].isalpha()):
            continue
        if tail != bare and not any(unicodedata.category(sign) == "Sc" for sign in tail):
            continue
        codes = writing.currencies.get(tail.rstrip(".")) or writing.currencies.get(tail.rstrip(".").casefold())
        if codes:
            width = len(tail) + blank + (len(word) - len(word.rstrip("+-")))
            return width, codes
    return 0, frozenset()
