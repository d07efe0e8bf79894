"""Numbers, money, dates and lists as the recipient's locale writes them. Babel-exact, compiled once."""

from __future__ import annotations

import datetime as clock
import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from babel.units import UnknownUnitError, format_unit

from ccm.compose.failure import FormatRefused
from ccm.compose.formats import dates
from ccm.compose.formats.digits import number_layout, place_currency
from ccm.model.values import Money, minor_digits

_Asked = TypeVar("_Asked", clock.date, str)

_NUMBER = "\0"  # stands for the number among the words of a measure
_SMALL = 10**15  # whole numbers below are written as they are
_MOST_REMEMBERED = 4096  # of each kind: eleven years of days, the prices of a shop
_SAMPLE = Decimal(1_234_567_890)
_MEANS_SOMETHING = re.compile("[&<>\"'\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def parse_locale(tag: str) -> Locale:
    """Return Babel's locale for a BCP 47 tag; its language alone where the region is unknown, else English."""
    for attempt in (tag, tag.partition("-")[0], "en"):
        try:
            return Locale.parse(attempt, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel always knows English")


class Formats:
    """The written forms for one language, locale and time zone; make it with `formats_for`.

    text: Locale of the words.
    data: Locale of digits, separators and order; the recipient's own.
    zone: Times of day are told in it.
    direction: Of the text, ltr or rtl.
    same_language: False when the two speak different languages; then no word of `data` is used.
    bare_amounts: What writes amounts in the standard style, by currency, where nothing that it writes means anything in markup.
    printed_days: Days as they were printed into markup, by style.
    printed_numbers: Numbers as they were printed into markup, by their digits.
    """

    def __init__(self, language: str, locale: str, zone: str = "UTC") -> None:
        self.text = parse_locale(language)
        self.data = parse_locale(locale)
        self.zone = _zone(zone)
        self.direction = "rtl" if self.text.text_direction == "rtl" else "ltr"
        self.same_language = _speaks(self.text, self.data)
        self._numbering = "default" if self.same_language else "latn"
        self._keep_marks = self.direction == "rtl"
        self._money: dict[tuple[str, str], Callable[[Decimal], str]] = {}
        self._amounts: dict[str, Callable[[Decimal], str]] = {}  # by currency, in the standard style
        self.bare_amounts: dict[str, Callable[[Decimal], str]] = {}
        self.printed_days: dict[str, dict[clock.date, str]] = {style: {} for style in dates.STYLES}
        self.printed_numbers: dict[str, str] = {}
        self._number = number_layout(self.data, self.data.decimal_formats[None], self._numbering).writer()
        self._percent = number_layout(self.data, self.data.percent_formats[None], self._numbering).writer()
        self._days: dict[str, dict[clock.date, str]] = {style: {} for style in dates.STYLES}
        self._months: dict[clock.date, str] = {}

    def money(self, value: object, currency: str | None = None, style: str = "standard") -> str:
        """Write an amount with its currency.

        Args:
            value: Money, or a number when `currency` is given.
            currency: ISO 4217 code for a bare number.
            style: standard, or accounting (negative in brackets where the locale does so).
        Raises:
            FormatRefused: If it has more digits than the currency, or is not money.
        """
        if type(value) is Money:
            currency, amount = value.currency, value.amount
            write = self._amounts.get(currency)
            if write is not None and style == "standard":
                return write(amount)
        else:
            amount = _as_decimal(value, "money")
        write = self._money.get((currency or "", style))
        if write is None:
            write = self._money[currency or "", style] = self._compile_money(currency, style)
            if currency and style == "standard":
                self._amounts[currency] = write
        return write(amount)

    def _compile_money(self, currency: str | None, style: str) -> Callable[[Decimal], str]:
        if not currency:
            raise FormatRefused(
                "money-without-currency", "a bare number is printed as money", 'name its currency: money("EUR")'
            )
        patterns = self.data.currency_formats
        if style not in ("standard", "accounting"):
            raise FormatRefused("unknown-style", f'money has no style "{style}"', "use standard or accounting")
        pattern = patterns[style if style in patterns else "standard"]
        if "¤¤¤" in pattern.pattern or not pattern.number_pattern:
            return lambda amount: format_currency(amount, currency, locale=self.data, numbering_system=self._numbering)
        names = self.data if self.same_language else self.text
        symbol = names.currency_symbols.get(currency, currency)
        layout = number_layout(self.data, pattern, self._numbering)
        digits = minor_digits(currency)
        placed = place_currency(layout, symbol, currency, self._keep_marks)
        write = placed.exact_writer(digits, lambda: _too_precise(currency, digits))
        if style == "standard" and _is_bare(write):
            self.bare_amounts[currency] = write
        return write

    def number(self, value: object, decimals: int | None = None) -> str:
        """Write a number; with its own digits, or rounded half up to `decimals`."""
        if decimals is None:
            kind = type(value)
            if (kind is int and -_SMALL < value < _SMALL) or (kind is Decimal and value.is_finite()):  # type: ignore[operator,attr-defined]
                return self._number(value)
        amount = _as_decimal(value.amount if isinstance(value, Money) else value, "number")
        return self._number(_shortened(amount, decimals), decimals or 0)

    def percent(self, value: object, decimals: int | None = None) -> str:
        """Write a percentage: 4.5 is 4.5 %."""
        return self._percent(_shortened(_as_decimal(value, "percent"), decimals), decimals or 0)

    def date(self, value: object, style: str = "medium") -> str:
        """Write a date: short, medium, long, full or numeric."""
        if type(value) is clock.date and style in self._days:
            known = self._days[style]
            text = known.get(value)
            if text is None:
                text = dates.written_date(
                    value, style, self.data, words=self.same_language, keep_marks=self._keep_marks
                )
                remember(known, value, text)
            return text
        if not isinstance(value, clock.date):
            raise _not_a("date", value)
        local = _local(value, self.zone) if isinstance(value, clock.datetime) else value
        return dates.written_date(local, style, self.data, words=self.same_language, keep_marks=self._keep_marks)

    def datetime(self, value: object, style: str = "medium", zone: str | None = None) -> str:
        """Write a date with the time of day, in the zone of the recipient unless another is named."""
        if not isinstance(value, clock.datetime):
            raise _not_a("datetime", value)
        local = _local(value, _zone(zone) if zone else self.zone)
        return dates.written_moment(local, style, self.data, words=self.same_language, keep_marks=self._keep_marks)

    def month(self, value: object) -> str:
        """Write month and year."""
        if not isinstance(value, clock.date):
            raise _not_a("month", value)
        local = _local(value, self.zone) if isinstance(value, clock.datetime) else value
        first = clock.date(local.year, local.month, 1)
        text = self._months.get(first)
        if text is None:
            text = dates.written_month(first, self.data, words=self.same_language, keep_marks=self._keep_marks)
            remember(self._months, first, text)
        return text

    def list(self, values: object, style: str = "standard") -> str:
        """Join texts as the language of the text does: "A, B and C"; style standard, or, unit."""
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise _not_a("list", values)
        from ccm.compose.printing import as_text  # as_text needs Formats: the two describe each other

        if style not in ("standard", "or", "unit"):
            raise FormatRefused("unknown-style", f'a list has no style "{style}"', "use standard, or, unit")
        locale = self.data if self.same_language else self.text
        texts = [as_text(value, self) for value in values]
        return format_list(texts, style=style, locale=locale)  # type: ignore[arg-type]  # checked above

    def unit(self, value: object, unit: str, length: str = "short") -> str:
        """Write a measure, such as 12 km; units by their CLDR names (length-kilometer or kilometer)."""
        amount = _as_decimal(value, "unit")
        try:
            words = _unit(amount, unit, length, self.data if self.same_language else self.text)
        except (UnknownUnitError, ValueError):
            raise FormatRefused(
                "unknown-unit",
                f'there is no unit "{unit}"',
                "use a CLDR name such as kilometer, kilowatt-hour, gigabyte",
            ) from None
        return words.replace(_NUMBER, self.number(amount))


def _is_bare(write: Callable[[Decimal], str]) -> bool:
    """Tell whether amounts are written without anything that markup escapes, or that no channel can carry.

    Why two are enough: Every sign that a locale puts beside or between digits stands in one of them.
    """
    return not any(_MEANS_SOMETHING.search(write(sample)) for sample in (_SAMPLE, -_SAMPLE))


def remember(known: dict[_Asked, str], value: _Asked, text: str) -> None:
    """Keep the form of a day or a number, among as many as are worth it."""
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[value] = text


def _speaks(text: Locale, data: Locale) -> bool:
    return text.language == data.language and _script(text) == _script(data)


def _script(locale: Locale) -> str:
    """Return the script a locale is written in, as CLDR's likely subtags say."""
    if locale.script:
        return locale.script
    likely = get_global("likely_subtags")
    found = likely.get(f"{locale.language}_{locale.territory}") or likely.get(locale.language) or ""
    return found.split("_")[1] if found.count("_") == 2 else ""


@lru_cache(maxsize=2048)
def formats_for(language: str, locale: str, zone: str = "UTC") -> Formats:
    """Return the forms for texts in `language` to a recipient in `locale` who lives in `zone`."""
    return Formats(language, locale, zone)


def _too_precise(currency: str, digits: int) -> FormatRefused:
    return FormatRefused(
        "money-precision",
        f"an amount has more digits than {currency} has ({digits})",
        "round it in the data or in the contract's derive, so that lines and totals agree",
    )


def _as_decimal(value: object, wanted: str) -> Decimal:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise _not_a(wanted, value)
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise _not_a(wanted, value)


def _shortened(amount: Decimal, decimals: int | None) -> Decimal:
    if decimals is None:
        return amount
    if not 0 <= decimals <= 12:
        raise FormatRefused("bad-decimals", "a number has 0 to 12 digits after the point", "use a smaller number")
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _not_a(wanted: str, value: object) -> FormatRefused:
    return FormatRefused(
        "wrong-type",
        f"the filter {wanted} got a value of type {type(value).__name__}",
        "check the field's type in the contract",
    )


def _local(moment: clock.datetime, zone: ZoneInfo) -> clock.datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        raise FormatRefused(
            "impossible-date", "a time lies beyond the calendar where the recipient lives", "mend the time in the data"
        ) from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as Europe
        return ZoneInfo("UTC")


@lru_cache(maxsize=4096)
def _unit(amount: Decimal, unit: str, length: str, locale: Locale) -> str:
    """Return the words of a measure in the right plural, a sign standing for the number."""
    written = format_unit(amount, unit, length=length, locale=locale)  # type: ignore[arg-type]  # Babel checks it
    return written.replace(format_decimal(amount, locale=locale), _NUMBER)
