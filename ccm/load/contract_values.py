"""Readers of single values: raw text or a database's own type in, exact typed value out.

Every reader takes a value that is not empty and raises `WrongValue`, which never repeats the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

from babel import Locale
from babel.numbers import list_currencies

from ccm.model.definitions import FieldDefinition, FieldType
from ccm.model.values import Money, minor_digits

Reader: TypeAlias = Callable[[object], object]

# C0 and C1 controls but tab and line ends, lone surrogates, and what XML and PDF metadata cannot hold.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("[\t\n\x0b\x0c\r\u2028\u2029]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,20})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ]00:00(:00(\.0+)?)?(Z|\+00:00)?)?")
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})


class WrongValue(ValueError):
    """A value is not what the contract asks for.

    what: Ends the sentence "<field> …"; free of the value.
    """

    def __init__(self, what: str, remedy: str, code: str = "invalid-value") -> None:
        self.code = code
        self.what = what
        self.remedy = remedy
        super().__init__(what)


def read_text(value: object) -> str:
    """Return text in NFC; line ends become "\\n". Whatever is legal Unicode stays."""
    text = value if isinstance(value, str) else _plain(value)
    if text.isascii() and text.isprintable():
        return text
    if _CONTROL.search(text):
        raise WrongValue("holds a control character", "remove it from the data", "control-character")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", text)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal, date)):
        return str(value)
    raise WrongValue("is not a text", "give one text, not a list or a record")


def read_code(value: object) -> str:
    """Return an identifier: one line, without spaces around it."""
    if type(value) is str and value.isascii() and value.isprintable():
        return value.strip()
    text = read_text(value).strip()
    if _LINE_END.search(text):
        raise WrongValue("is not one line", "remove tabs and line ends")
    return text


def read_integer(value: object) -> int:
    """Return a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if type(value) is str and len(value) <= 30 and value.isascii() and value.isdigit():
        return int(value)
    number = read_decimal(value, "is not a whole number", "write digits only, such as 12")
    if number != number.to_integral_value():
        raise WrongValue("is not a whole number", "write digits only, such as 12")
    return int(number)


def read_decimal(
    value: object, what: str = "is not a decimal number", remedy: str = "write digits and a point, such as 1234.50"
) -> Decimal:
    """Return an exact decimal; a float of a database counts as the digits that it prints."""
    if isinstance(value, str):
        text = value.strip()
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    elif isinstance(value, Decimal):
        if value.is_finite():
            return value
    elif isinstance(value, float):
        number = Decimal(repr(value))
        if number.is_finite():
            return number
    elif isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise WrongValue(what, remedy)


def read_boolean(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise WrongValue("is neither true nor false", "write true or false, yes or no, 1 or 0")


def read_date(value: object) -> date:
    """Return a date; midnight behind it, as databases write it, is dropped."""
    if isinstance(value, datetime):
        if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
            return value.date()
    elif isinstance(value, date):
        return value
    elif isinstance(value, str) and (match := _DATE.fullmatch(value.strip())):
        try:
            return date.fromisoformat(match[1])
        except ValueError:
            pass
    raise WrongValue("is not a date", "write it as 2026-10-31")


def read_datetime(value: object) -> datetime:
    """Return an aware time in UTC; a time without offset is UTC."""
    moment: datetime | None = None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:", text := value.strip()):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
    if moment is None:
        raise WrongValue("is not a date with time", "write it as 2026-10-31T08:30:00+01:00")
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise WrongValue("is not a date with time", "write it as 2026-10-31T08:30:00+01:00") from None


def read_link(value: object) -> str:
    """Return an https address with a host, and without a user name in front of it."""
    text = read_code(value)
    try:
        parts = urlsplit(text)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        good = False
    if not good or any(char in ' <>"\\^`{|}' for char in text):
        raise WrongValue("is not an https address", "write it as https://example.com/page", "insecure-link")
    return text


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha())


def read_country(value: object) -> str:
    """Return an ISO 3166-1 alpha-2 code in capitals."""
    text = read_code(value).upper()
    if text not in _countries():
        raise WrongValue("is not a country code", "write the two letters of ISO 3166, such as DE")
    return text


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def read_currency(value: object) -> str:
    """Return an ISO 4217 code in capitals."""
    text = str(value).strip().upper()
    if text not in _currencies():
        raise WrongValue("has no valid currency", "write the three letters of ISO 4217, such as EUR")
    return text


def currency_at(path: tuple[str, ...], root: Mapping[str, object], beside: Mapping[str, object]) -> object:
    """Return the text that the currency's path points at: from the root, else among the siblings."""
    for start in (root, beside):
        value: object = start
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value:
            return value
    raise WrongValue("has no currency", f"fill in {'.'.join(path)}", "missing-value")


_CHECKED: dict[str, str] = {}


def checked_currency(value: object) -> str:
    """Return an ISO 4217 code in capitals, of whatever the data have."""
    if not isinstance(value, str):  # JSON may hold a list or a record here
        raise WrongValue("has no valid currency", "write the three letters of ISO 4217, such as EUR")
    known = _CHECKED.get(value)
    if known is None:
        known = read_currency(value)
        _CHECKED[value] = known
    return known


def read_money(value: object, currency: str, decimals: int | None) -> Money:
    """Return an exact amount.

    Args:
        currency: A known ISO 4217 code.
        decimals: Most digits after the point; the currency's own number if None.
    """
    most = minor_digits(currency) if decimals is None else decimals
    if type(value) is str and _amount(most).fullmatch(value):
        return Money(Decimal(value), currency)  # what nearly every row has
    if isinstance(value, Money):
        amount, currency = value.amount, value.currency
    else:
        amount = read_decimal(value, "is not an amount", "write digits and a point, such as 1234.50")
    _limit_decimals(amount, most, "currency-precision")
    return Money(amount, currency)


@lru_cache(maxsize=16)
def _amount(most: int) -> re.Pattern[str]:
    """Return the pattern of amounts that need no further look."""
    return re.compile(rf"[+-]?[0-9]{{1,30}}(\.[0-9]{{1,{most}}})?" if most else "[+-]?[0-9]{1,30}")


def _limit_decimals(number: Decimal, most: int, code: str) -> None:
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > most and -int(number.normalize().as_tuple().exponent) > most:
        digits = "no digits" if most == 0 else "1 digit" if most == 1 else f"{most} digits"
        remedy = f"round it to {digits} after the point, or allow more with decimals in the contract"
        has = "has digits after the point and may have none" if most == 0 else f"has more than {digits} after the point"
        raise WrongValue(has, remedy, code)


def reader_of(field: FieldDefinition) -> Reader:
    """Return the reader of a field that holds one value and is not money."""
    read = _BY_TYPE[field.type]
    if field.type in (FieldType.DECIMAL, FieldType.PERCENT) and field.decimals is not None:
        read = _with_decimals(field.decimals)
    return _one_of(read, field.values) if field.values else read


def _with_decimals(most: int) -> Reader:
    def read(value: object) -> Decimal:
        number = read_decimal(value)
        _limit_decimals(number, most, "invalid-value")
        return number

    return read


def _one_of(read: Reader, values: tuple[str, ...]) -> Reader:
    allowed = {unicodedata.normalize("NFC", value) for value in values}
    remedy = f"use one of: {', '.join(values)}"

    def check(value: object) -> object:
        found = read(value.strip() if isinstance(value, str) else value)
        if str(found) not in allowed:
            raise WrongValue("is none of the allowed values", remedy)
        return found

    return check


_BY_TYPE: dict[FieldType, Reader] = {
    FieldType.TEXT: read_text,
    FieldType.INTEGER: read_integer,
    FieldType.DECIMAL: read_decimal,
    FieldType.PERCENT: read_decimal,
    FieldType.DATE: read_date,
    FieldType.DATETIME: read_datetime,
    FieldType.BOOLEAN: read_boolean,
    FieldType.CODE: read_code,
    FieldType.LINK: read_link,
    FieldType.EMAIL: read_code,
    FieldType.PHONE: read_code,
    FieldType.COUNTRY: read_country,
}
