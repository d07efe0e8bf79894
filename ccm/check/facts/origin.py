"""Where in a customer's data a value comes from: remembered as a path, and looked at first for the next customer.

Why: Gathering all values of a customer to find one takes longer than everything else in the proof of a message. A path is
only a place to look: what stands there must be this customer's own, and must be what the message tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias, cast

from ccm.check.facts.meaning import Meaning, Sort
from ccm.check.facts.statements import Said, Statement
from ccm.model.values import Money

Path: TypeAlias = tuple["int | str", ...]  # from the roots: names of fields and numbers of rows
Roots: TypeAlias = tuple[object, ...]

_DAYS = (Said.DATE, Said.DAY, Said.MONTH)
_NONE: tuple[tuple[Path, object], ...] = ()


def value_on(roots: Roots, path: Path) -> object:
    """Return the value at a path; None where there is none."""
    value: object = roots
    try:
        for step in path:
            value = value[step]  # type: ignore[index]  # what holds nothing says so
    except (KeyError, IndexError, TypeError):
        return None
    return value


def follows(meaning: Meaning, value: object) -> bool:
    """Tell whether one value of the data explains all that a text tells: the amount, the day, or the text itself."""
    if type(value) is Money:
        return any(value.amount == told and value.currency in codes for told, codes in meaning.amounts)
    if meaning.sort is Sort.AMOUNT:
        return False
    if type(value) is date:
        return all(_is_of_day(one, value) for one in meaning.statements)
    if type(value) is Decimal:
        return all(_is_share(one, value) for one in meaning.statements)
    return type(value) is str and value == meaning.plain


def _is_of_day(statement: Statement, day: date) -> bool:
    told = ((day.year, day.month, day.day), (0, day.month, day.day), (day.year, day.month, 0))
    return statement.said in _DAYS and any(reading in told for reading in statement.readings)


def _is_share(statement: Statement, share: Decimal) -> bool:
    shares = cast("tuple[Decimal, ...]", statement.readings)
    return statement.said is Said.PERCENT and any(is_share(told, share) for told in shares)


def is_share(told: Decimal, share: Decimal) -> bool:
    """Tell whether a percentage is a share of the data, rounded as it is told; signs are not looked at."""
    exponent = told.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    return share.is_finite() and abs(share).quantize(step, ROUND_HALF_UP) == abs(told)


class Origins:
    """The values of one message's data, by what tells them."""

    def __init__(self, roots: Roots) -> None:
        self._known: dict[object, list[tuple[Path, object]]] = {}
        for path, value in _leaves(roots, ()):
            self._known.setdefault((type(value), _key(value)), []).append((path, value))

    def of(self, meaning: Meaning) -> tuple[Path, ...]:
        """Return the ways to the values that explain all that a text tells; none where that takes more than one value."""
        keys: list[object] = [(Money, amount) for amount, _ in meaning.amounts] or [(str, meaning.plain)]
        for one in meaning.statements:
            if one.said is Said.PERCENT:
                keys.append((Decimal, None))
            elif one.said in _DAYS:
                keys += [(date, reading[1]) for reading in one.readings]  # type: ignore[index]  # year, month and day
        found = [one for key in dict.fromkeys(keys) for one in self._known.get(key, _NONE)]
        return tuple(path for path, value in found if follows(meaning, value))


def _key(value: object) -> object:
    match value:
        case Money(amount=amount):
            return amount
        case date(month=month):
            return month
        case str():
            return value
    return None


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    if type(value) in (str, Money, date, Decimal):
        yield path, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, (tuple, list)):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, number))
