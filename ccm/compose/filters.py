"""The filters and functions of templates. `ccm.model.vocabulary` lists their names for authors and linting."""

from __future__ import annotations

import datetime as clock
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import wraps
from typing import Any

from jinja2 import pass_environment
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.runtime import Undefined
from markupsafe import Markup

from ccm.compose.calculations import MAX_ITEMS
from ccm.compose.failure import FormatRefused, LimitExceeded
from ccm.compose.formats.postal import address_lines
from ccm.compose.formats.salutations import greeting
from ccm.compose.internal_filters import counted
from ccm.compose.printing import RENDERING, Lines, as_text, checked_size, noted
from ccm.model.values import Money

MAX_RANGE = 1000
_NUMBERS = frozenset({int, Decimal})  # by their very type: nothing else is asked of them
_WAYS = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
_FIELD = re.compile(r"[A-Za-z_]\w*")
_STEPS = tuple(Decimal(1).scaleb(-digits) for digits in range(13))


# ── written in the recipient's locale ────────────────────────────────────────


def money(value: object, currency: str | None = None, style: str = "standard") -> str:
    """Write an amount: 1.234,50 €. A bare number needs its currency."""
    return RENDERING.get().formats.money(value if type(value) is Money else _present(value), currency, style)


def number(value: object, decimals: int | None = None) -> str:
    """Write a number with the locale's separators."""
    return RENDERING.get().formats.number(value if type(value) in _NUMBERS else _present(value), decimals)


def percent(value: object, decimals: int | None = None) -> str:
    """Write a percentage; 4.5 is 4.5 %."""
    return RENDERING.get().formats.percent(_present(value), decimals)


def date(value: object, style: str = "medium") -> str:
    """Write a date: short, medium, long, full or numeric."""
    return RENDERING.get().formats.date(value if type(value) is clock.date else _present(value), style)


def datetime(value: object, style: str = "medium", zone: str | None = None) -> str:
    """Write date and time in the recipient's zone, or in the one named."""
    return RENDERING.get().formats.datetime(_present(value), style, zone)


def month(value: object) -> str:
    """Write month and year."""
    return RENDERING.get().formats.month(_present(value))


def list_of(values: object, style: str = "standard") -> str:
    """Join texts as the language does: A, B and C."""
    return RENDERING.get().formats.list(_present(values), style)


def unit(value: object, name: str, length: str = "short") -> str:
    """Write a measure: 12 km."""
    return RENDERING.get().formats.unit(_present(value), name, length)


def address(record: Any, home: str | None = None) -> Lines:
    """Lay out a postal address by its country; lines to print or to loop over."""
    return Lines(address_lines(_present(record), RENDERING.get().formats.text, home=home))


def initials(value: object) -> str:
    """Return the first letters of first and last word: Anna Maria Berg → AB."""
    if isinstance(value, Mapping):
        value = " ".join(str(value[part]) for part in ("first_name", "last_name") if value.get(part))
    words = [word for word in str(_present(value)).split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@pass_environment
def total(environment: Environment, values: Iterable[Any], attribute: str | None = None) -> Any:
    """Sum exactly, money or numbers; `attribute` names the field of each row."""
    if isinstance(values, str):
        raise FormatRefused("wrong-type", "the filter total got a text", "give it a list of rows")
    values = counted(values)
    rows = _fields(environment, values, attribute) if attribute else list(values)
    if not rows:
        return 0
    result = rows[0]
    if type(result) is Decimal:
        return noted(sum(rows[1:], result))
    for row in rows[1:]:
        result = result + row
    return noted(result)


def _fields(environment: Environment, rows: Iterable[Any], name: str) -> list[Any]:
    """Return one field of each row."""
    if type(name) is not str:
        return [environment.getitem(row, name) for row in rows]
    return [row[name] if type(row) is dict and name in row else environment.getitem(row, name) for row in rows]


def salutation(name: object = "") -> str:
    """Return the opening line with its punctuation; it never guesses a gender."""
    name = "" if name is None else str(_present(name))
    return greeting(RENDERING.get().formats.text.language, name)


def _present(value: Any) -> Any:
    return str(value) if isinstance(value, Undefined) else value  # raises UndefinedError, which names the field


# ── plain ones, bounded ──────────────────────────────────────────────────────


def limited_range(*bounds: int) -> range:
    """Return a range of at most 1,000 numbers."""
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        raise LimitExceeded("numbers in one range", MAX_RANGE)
    return numbers


def default(value: object, otherwise: object = "", boolean: bool = False) -> object:
    """Return the value, or `otherwise` when it is missing or empty."""
    if isinstance(value, Undefined) or value is None or (boolean and not value):
        return otherwise
    return value


def as_is(value: object) -> object:
    """Return the value: everything printed into HTML is escaped anyway."""
    return value


def text_of(value: object) -> str:
    """Return what printing the value gives."""
    return value if isinstance(value, str) else as_text(value, RENDERING.get().formats)


def absolute(value: Any) -> Any:
    """Return a number or an amount without its sign."""
    return noted(abs(value))


def sum_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return Jinja's `sum`, with its result noted."""

    @wraps(function)
    def summed(*args: Any, **kwargs: Any) -> Any:
        return noted(function(*args, **kwargs))

    return summed


def round_to(value: int | Decimal, digits: int = 0, method: str = "common") -> Decimal:
    """Round half up (common), up (ceil) or down (floor), exactly."""
    if method not in _WAYS or not 0 <= digits <= 12:
        raise SecurityError("round takes 0 to 12 digits and common, ceil or floor")
    number = value if type(value) is Decimal else Decimal(value)
    return noted(number.quantize(_STEPS[digits], _WAYS[method]))


def whole(value: Any, otherwise: int = 0) -> int:
    """Return the whole part of a number, `otherwise` where there is none."""
    try:
        return int(_parsed(value))
    except (ArithmeticError, ValueError):
        return otherwise


def decimal_of(value: Any, otherwise: str = "0") -> Decimal:
    """Return a text as an exact decimal."""
    try:
        return _parsed(value)
    except ArithmeticError:
        return Decimal(str(otherwise))


def _parsed(value: Any) -> Decimal:
    """Return a number.

    Raises:
        ArithmeticError: If the text is none, or one that would be written with thousands of digits.
    Why: Twelve letters such as 1E+999999999 would take hours and all memory.
    """
    number = Decimal(str(value)[:1000])
    if not number.is_finite() or abs(number.adjusted()) > 1000:
        raise InvalidOperation
    return number


def replace(text: Any, old: str, new: str, count: int = -1) -> str:
    """Replace a text; every time, or the first `count` times."""
    text, old, new = text_of(text), str(old), text_of(new)
    hits = text.count(old) if count < 0 else min(count, text.count(old))
    if len(text) + hits * max(0, len(new) - len(old)) > 100_000:
        raise LimitExceeded("characters in one replaced text", 100_000)
    return str(text.replace(old, new, count))


def indent(text: Any, width: int = 4, first: bool = False) -> str:
    """Indent lines by up to 40 blanks."""
    if not 0 <= width <= 40:
        raise LimitExceeded("blanks of indentation", 40)
    pad = " " * width
    lines = text_of(text).split("\n")
    return checked_size((pad if first else "") + ("\n" + pad).join(lines))


@pass_environment
def wordwrap(environment: Environment, text: Any, width: int = 79, break_long_words: bool = True) -> str:
    """Break a text into lines of at most `width` characters.

    Why: With Jinja's own fourth argument, what stands at every break, a short text grows to gigabytes.
    """
    if not 1 <= width <= MAX_RANGE:
        raise LimitExceeded("characters in one line", MAX_RANGE)
    return checked_size(DEFAULT_FILTERS["wordwrap"](environment, text_of(text), width, break_long_words, "\n"))


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a list filter that pays for its items before it touches them."""
    takes_first = hasattr(function, "jinja_pass_arg")

    @wraps(function)
    def paid(*args: Any, **kwargs: Any) -> Any:
        place = 1 if takes_first else 0
        if len(args) > place:
            args = (*args[:place], counted(args[place]), *args[place + 1 :])
        result = function(*args, **kwargs)
        # Jinja's own are generators, which have no length and can be read once only.
        return tuple(result) if isinstance(result, Iterator) else result

    return paid


def _by_field(function: Callable[..., Any], *, keep: bool) -> Callable[..., Any]:
    """Return `selectattr` or `rejectattr`, quick for the field of plain rows."""
    paid = _bounded(function)

    @wraps(function)
    def chosen(context: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) != 1 or kwargs or type(args[0]) is not str or not _FIELD.fullmatch(args[0]):
            return paid(context, values, *args, **kwargs)
        (name,), getitem = args, context.environment.getitem
        rows = []
        for row in counted(values) or ():
            field = row[name] if type(row) is dict and name in row else getitem(row, name)
            if bool(field) is keep:
                rows.append(row)
        return tuple(rows)

    return chosen


def _nested(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `batch` or `slice` with a bounded size."""
    paid = _bounded(function)
    place = 2 if hasattr(function, "jinja_pass_arg") else 1

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        sizes = [*args[place : place + 1], *(kwargs[name] for name in ("linecount", "slices") if name in kwargs)]
        if not all(1 <= size <= MAX_RANGE for size in sizes):
            raise LimitExceeded("items in one group", MAX_RANGE)
        return paid(*args, **kwargs)

    return bounded


def _joining(environment: Any, values: Any, d: str = "", attribute: str | None = None) -> str:
    rows = [environment.getitem(row, attribute) for row in counted(values)] if attribute else list(counted(values))
    parts = [text_of(row) for row in rows]
    if sum(map(len, parts)) + len(parts) * len(d) > MAX_ITEMS * 10:
        raise LimitExceeded("characters in one joined text", MAX_ITEMS * 10)
    if any(isinstance(part, Markup) for part in parts):
        return Markup.escape(d).join(parts)
    return str(d).join(parts)


_LIST_FILTERS = (
    "groupby", "map", "max", "min", "reject", "reverse", "select", "sort", "unique",
)  # fmt: skip
_PLAIN_FILTERS = (
    "capitalize", "count", "first", "last", "length", "lower", "striptags", "title", "trim", "truncate",
    "upper", "urlencode", "wordcount",
)  # fmt: skip

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _bounded(DEFAULT_FILTERS[name]) for name in _LIST_FILTERS},
    **{name: DEFAULT_FILTERS[name] for name in _PLAIN_FILTERS},
    **{name: _nested(DEFAULT_FILTERS[name]) for name in ("batch", "slice")},
    "selectattr": _by_field(DEFAULT_FILTERS["selectattr"], keep=True),
    "rejectattr": _by_field(DEFAULT_FILTERS["rejectattr"], keep=False),
    "abs": absolute, "sum": sum_of(_bounded(DEFAULT_FILTERS["sum"])),
    "money": money, "number": number, "percent": percent, "date": date, "datetime": datetime, "month": month,
    "list": list_of, "unit": unit, "address": address, "total": total, "initials": initials,
    "d": default, "default": default, "e": as_is, "escape": as_is, "string": text_of, "round": round_to,
    "int": whole, "float": decimal_of, "replace": replace, "indent": indent, "wordwrap": wordwrap,
    "join": pass_environment(_joining),
}  # fmt: skip

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "range": limited_range, "salutation": salutation,
}  # fmt: skip
