"""Digits, separators and patterns of numbers: CLDR's layout compiled to a function."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from babel import Locale
from babel.numbers import (
    NumberPattern,
    UnsupportedNumberingSystemError,
    get_decimal_symbol,
    get_group_symbol,
)

# First digit of each numbering system that CLDR makes the default of some locale.
# Source: Unicode, numberingSystems.xml.
_ZERO = {
    "adlm": 0x1E950, "arab": 0x0660, "arabext": 0x06F0, "beng": 0x09E6, "cakm": 0x11136, "deva": 0x0966,
    "hmnp": 0x1E140, "mtei": 0xABF0, "mymr": 0x1040, "nkoo": 0x07C0, "olck": 0x1C50, "tibt": 0x0F20,
}  # fmt: skip

BIDI_MARKS = re.compile("[\u200e\u200f\u061c]")
_QUOTED = re.compile("'([^']*)'")
_NUMBER = "\0"  # stands for the digits while prefix and suffix are put together


def digit_table(numbering: str) -> dict[int, str]:
    """Return the translation of ASCII digits into a numbering system; empty for Latin digits."""
    zero = _ZERO.get(numbering)
    return {} if zero is None else {ord("0") + value: chr(zero + value) for value in range(10)}


@dataclass(frozen=True)
class NumberLayout:
    """How one locale writes one sort of number.

    positive, negative: Text before and after the digits.
    grouping: Digits of the last group and of every other one.
    table: Translation of `1,234.5` into the locale's own signs.
    digits: Translation of the digits alone.
    """

    positive: tuple[str, str]
    negative: tuple[str, str]
    grouping: tuple[int, int]
    table: dict[int, str]
    digits: dict[int, str]

    def writer(self) -> Callable[..., str]:
        """Return the function that writes numbers with all their digits: `write(amount, fraction_digits=0)`.

        fraction_digits: At least so many digits after the point.
        """
        (first, other), (comma, point), digits = self.grouping, self._separators(), self.digits
        (before, after), (minus_before, minus_after) = self.positive, self.negative

        def written(amount: Decimal | int, fraction_digits: int = 0) -> str:
            text = str(amount)
            if "E" in text:
                text = f"{amount:f}"
            negative = text[0] == "-"
            whole, _, fraction = (text[1:] if negative else text).partition(".")
            number = whole if len(whole) <= first else _grouped(whole, comma, first, other)
            if fraction or fraction_digits:
                fraction = fraction.rstrip("0").ljust(fraction_digits, "0")
                number = f"{number}{point}{fraction}" if fraction else number
            if digits:
                number = number.translate(digits)
            if negative and amount:
                return f"{minus_before}{number}{minus_after}"
            return f"{before}{number}{after}"

        return written

    def exact_writer(self, places: int, refusal: Callable[[], Exception]) -> Callable[[Decimal], str]:
        """Return the function that writes amounts with exactly `places` digits after the point.

        Args:
            refusal: Makes the exception for an amount that has more.
        """
        (first, other), (comma, point), digits = self.grouping, self._separators(), self.digits
        (before, after), (minus_before, minus_after) = self.positive, self.negative
        point = point if places else ""
        short, longer = (
            first + 1,
            first + other + 1,
        )  # signs of a whole number without and with one separator, and a minus

        def any_amount(amount: Decimal) -> str:
            text = str(amount)
            whole, _, fraction = text.partition(".")
            if len(fraction) > places or "E" in text:
                whole, _, fraction = _padded(f"{amount:f}", places, refusal).partition(".")
            elif len(fraction) < places:
                fraction = fraction.ljust(places, "0")
            negative = whole[0] == "-"
            if negative:
                whole = whole[1:]
            if len(whole) > first:
                whole = _grouped(whole, comma, first, other)
            number = f"{whole}{point}{fraction}"
            if digits:
                number = number.translate(digits)
            if negative and amount:
                return f"{minus_before}{number}{minus_after}"
            return f"{before}{number}{after}"

        def written(amount: Decimal) -> str:
            """Write what nearly all amounts are, with as many digits as the currency has, and at most one separator."""
            text = str(amount)
            whole, _, fraction = text.partition(".")
            size = len(whole)
            if len(fraction) != places or size > longer or "E" in text or not amount:
                return any_amount(amount)
            if whole[0] == "-":
                if size <= short:
                    return f"{minus_before}{whole[1:]}{point}{fraction}{minus_after}"
                return f"{minus_before}{whole[1:-first]}{comma}{whole[-first:]}{point}{fraction}{minus_after}"
            if size < short:
                return f"{before}{whole}{point}{fraction}{after}"
            if size < longer:
                return f"{before}{whole[:-first]}{comma}{whole[-first:]}{point}{fraction}{after}"
            return any_amount(amount)

        return any_amount if digits else written

    def _separators(self) -> tuple[str, str]:
        return self.table.get(ord(","), ","), self.table.get(ord("."), ".")


def _padded(text: str, places: int, refusal: Callable[[], Exception]) -> str:
    """Return a plain number with exactly `places` digits after the point, and no point where there are none."""
    whole, _, fraction = text.partition(".")
    if fraction[places:].strip("0"):
        raise refusal()
    return f"{whole}.{fraction[:places].ljust(places, '0')}" if places else whole


def _grouped(whole: str, comma: str, first: int, other: int) -> str:
    left, last = whole[:-first], whole[-first:]
    if len(left) <= other:
        return f"{left}{comma}{last}"
    groups = [last]
    while len(left) > other:
        groups.append(left[-other:])
        left = left[:-other]
    return comma.join([left, *reversed(groups)])


def number_layout(locale: Locale, pattern: NumberPattern, numbering: str) -> NumberLayout:
    """Compile a CLDR number pattern.

    Args:
        numbering: `default` for the locale's own digits, `latn` for Latin ones.
    """
    system = locale.default_numbering_system if numbering == "default" else numbering
    try:
        point = get_decimal_symbol(locale, numbering_system=system)
        comma = get_group_symbol(locale, numbering_system=system)
    except UnsupportedNumberingSystemError:
        point, comma = ".", ","
    digits = digit_table(system)
    signs = {} if (comma, point) == (",", ".") else {ord(","): comma, ord("."): point}
    sides = [_sides(pattern.prefix[sign], pattern.suffix[sign]) for sign in (0, 1)]
    return NumberLayout(sides[0], sides[1], pattern.grouping, signs | digits, digits)


def place_currency(layout: NumberLayout, symbol: str, currency: str, keep_marks: bool) -> NumberLayout:
    """Return the layout with the currency's sign in its place.

    Args:
        keep_marks: False drops direction marks, which would turn a left-to-right text around.
    """

    def placed(sides: tuple[str, str]) -> tuple[str, str]:
        before, after = (side.replace("¤¤", currency).replace("¤", symbol) for side in sides)
        return (before, after) if keep_marks else (BIDI_MARKS.sub("", before), BIDI_MARKS.sub("", after))

    return replace(layout, positive=placed(layout.positive), negative=placed(layout.negative))


def _sides(prefix: str, suffix: str) -> tuple[str, str]:
    """Return prefix and suffix with CLDR's quotes taken off, as Babel does."""
    text = _QUOTED.sub(lambda match: match[1] or "'", prefix + _NUMBER + suffix)
    before, _, after = text.partition(_NUMBER)
    return before, after
