"""Filters whose result is printed at once: what `{{ amount|money }}` and `{{ day|date }}` write into markup, in one step.

Why: A statement prints a hundred amounts and fifty days. Through the filter, then through printing, each is formatted,
    looked through for what no channel can carry, and escaped; the forms of an amount are known to have nothing of that.
"""

from __future__ import annotations

import datetime as clock
from collections.abc import Callable, Mapping

from ccm.compose.filters import date, money
from ccm.compose.formats.locale_formats import remember
from ccm.compose.printing import RENDERING, printed_markup
from ccm.model.values import Money


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


# By the filter's name: the function, and how many arguments it may have.
PRINTED_FILTERS: Mapping[str, tuple[Callable[..., str], int]] = {"money": (printed_money, 0), "date": (printed_date, 1)}
