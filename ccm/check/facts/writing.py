"""How a locale writes numbers, currencies and months, as a reader knows it: tables of our own, made from CLDR.

Why: Composing has tables of its own. Reading with the same ones would repeat their mistakes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import UnsupportedNumberingSystemError, get_decimal_symbol, get_group_symbol, list_currencies

from ccm.check.comparable import comparable

_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Writing:
    """The tables of one language and locale.

    marks: Pairs of group and decimal sign that a number may have, the locale's own first.
    currencies: Codes by sign, name or code, in comparable form without a final dot and without case for words.
    months: Number of the month by its name, comparable and without case.
    month: Finds the name of a month; None when the language writes months as numbers only.
    sign_first: The currency stands before the number.
    arabic_comma: It parts the groups of a number; elsewhere it parts words.
    plain_months: All names of months are single words of letters.
    order: Letters of day, month and year in all-numeric dates, such as "dMy".
    """

    marks: tuple[tuple[str, str], ...]
    currencies: Mapping[str, frozenset[str]]
    months: Mapping[str, int]
    month: re.Pattern[str] | None
    order: str
    sign_first: bool
    arabic_comma: bool
    plain_months: bool


def _locale(tag: str) -> Locale:
    for attempt in (tag, tag.partition("-")[0], "en"):
        try:
            return Locale.parse(attempt, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel always knows English")


@lru_cache(maxsize=256)
def writing_of(language: str, locale: str) -> Writing:
    """Return the tables for texts in one language to a recipient with a locale of their own."""
    text, data = _locale(language), _locale(locale)
    locales = (data, text) if text.language == data.language else (text, data)
    months = {name: number for one in locales for name, number in _months(one)}
    marks = tuple(dict.fromkeys(_marks(data)))
    return Writing(
        tuple((group.replace("،", ","), decimal) for group, decimal in marks),
        _currencies(text, data),
        months,
        _any_of(months),
        _order(data),
        _sign_first(data),
        any(group == "،" for group, _ in marks),
        all(map(_LETTERS.fullmatch, months)),
    )


def _marks(data: Locale) -> Iterator[tuple[str, str]]:
    for system in (data.default_numbering_system, "latn"):
        try:
            group = get_group_symbol(data, numbering_system=system)
            decimal = get_decimal_symbol(data, numbering_system=system)
        except UnsupportedNumberingSystemError:
            group, decimal = ",", "."
        yield comparable(group) or " ", comparable(decimal)


def _currencies(text: Locale, data: Locale) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for code in list_currencies():
        found.setdefault(code, set()).add(code)
        for one in (text, data):
            for word in _words_for(one, code):
                found.setdefault(word, set()).add(code)
    for sign in ("$", "€", "£", "¥", "円", "元", "원", "₽", "zł"):  # as people write them by hand
        found.setdefault(sign, set()).update(_HAND_WRITTEN[sign])
    return {word: frozenset(codes) for word, codes in found.items() if word}


_HAND_WRITTEN = {
    "$": ("USD", "CAD", "AUD", "MXN"), "€": ("EUR",), "£": ("GBP", "EGP"), "¥": ("JPY", "CNY"), "円": ("JPY",),
    "元": ("CNY",), "원": ("KRW",), "₽": ("RUB",), "zł": ("PLN",),
}  # fmt: skip


def _words_for(locale: Locale, code: str) -> Iterator[str]:
    symbol = locale.currency_symbols.get(code)
    if symbol:
        yield comparable(symbol).rstrip(".").replace(" ", "")
    names = [locale.currencies.get(code, ""), *locale._data["currency_names_plural"].get(code, {}).values()]
    for name in names:
        word = comparable(name).casefold()
        if word and " " not in word:  # "euros", not "US dollars": the word alone would be any dollar
            yield word


def _months(locale: Locale) -> Iterator[tuple[str, int]]:
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[context][width].items():
                word = comparable(name).lower().rstrip(".")
                if any(unicodedata.category(letter).startswith("L") for letter in word) and not word[0].isdecimal():
                    yield word, number


def _any_of(names: Mapping[str, int]) -> re.Pattern[str] | None:
    if not names:
        return None
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])")


def _sign_first(data: Locale) -> bool:
    pattern = re.sub(r"'[^']*'", "", data.currency_formats["standard"].pattern)
    return pattern.find("¤") < pattern.find("0")


def _order(data: Locale) -> str:
    pattern = str(data.datetime_skeletons.get("yMd", "dMy"))
    letters = [letter for letter in re.sub(r"'[^']*'", "", pattern) if letter in "dMyL"]
    return "".join(dict.fromkeys("M" if letter == "L" else letter for letter in letters))
