"""Filters whose result is printed at once: what `{{ amount|money }}`, `{{ day|date }}`, `{{ count|number }}` write into markup.

Why: A statement prints a hundred amounts, fifty days, and often as many quantities and prices. Through the filter, then
    through printing, each is formatted, looked through for what no channel can carry, and escaped; the forms of an amount
    are known to have nothing of that.
"""

from __future__ import annotations

import datetime as clock
from collections.abc import Callable, Mapping
from decimal import Decimal

from ccm.compose.filters import date, money, number
from ccm.compose.formats.locale_formats import remember
from ccm.compose.printing import RENDERING, printed_markup
from ccm.model.values import Money

_LARGE = 10**15  # whole numbers from here on are not remembered


def printed_money(value: object) -> str:
    """Return what the filter `money` without arguments writes into markup."""
    rendering = RENDERING.get()
    if type(value) is Money and rendering.slots is None:
        write = rendering.formats.bare_amounts.get(value.currency)
        if write is not None:
            return write(value.amount)
    return printed_markup(money(value))


def printed_date(value: object, style: str = "medium") -> str:
    """Return what the filter `date` writes into markup."""
    rendering = RENDERING.get()
    if type(value) is not clock.date or rendering.slots is not None or style not in rendering.formats.printed_days:
        return printed_markup(date(value, style))
    known = rendering.formats.printed_days[style]
    text = known.get(value)
    if text is None:
        text = printed_markup(date(value, style))
        remember(known, value, text)
    return text


def printed_number(value: object) -> str:
    """Return what the filter `number` without arguments writes into markup."""
    rendering = RENDERING.get()
    plain = type(value) is Decimal or (type(value) is int and -_LARGE < value < _LARGE)
    if not plain or rendering.slots is not None:
        return printed_markup(number(value))
    known = rendering.formats.printed_numbers
    digits = str(value)  # 1.5 and 1.50 are equal, and not written alike
    text = known.get(digits)
    if text is None:
        text = printed_markup(number(value))
        remember(known, digits, text)
    return text


# By the filter's name: the function, and how many arguments it may have.
PRINTED_FILTERS: Mapping[str, tuple[Callable[..., str], int]] = {
    "money": (printed_money, 0), "date": (printed_date, 1), "number": (printed_number, 0),
}  # fmt: skip
