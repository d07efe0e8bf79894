"""Typed values that customer data is made of. Money is exact; it is never a float."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import repeat

from babel.numbers import get_currency_precision


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"cannot combine {one} with {other}; convert one of them in the data")


@lru_cache(maxsize=512)
def minor_digits(currency: str) -> int:
    """Return how many decimal digits a currency has (2 for EUR, 0 for JPY, 3 for KWD).

    Source: ISO 4217 through CLDR's currency data.
    """
    return get_currency_precision(currency)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency.

    amount: May carry more digits than the currency has (unit prices); `rounded` brings it back.
    currency: ISO 4217 code, upper case.
    """

    amount: Decimal
    currency: str

    def rounded(self) -> Money:
        """Return the amount in whole minor units, half away from zero, as invoices round."""
        exponent = Decimal(1).scaleb(-minor_digits(self.currency))
        return Money(self.amount.quantize(exponent, ROUND_HALF_UP), self.currency)

    def _with(self, other: Money) -> Decimal:
        if not isinstance(other, Money):
            raise TypeError(f"cannot combine money with {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount

    def __add__(self, other: Money | int) -> Money:
        if isinstance(other, int):
            if other:
                raise TypeError("money is added to money")
            return self  # sum() starts with 0
        return Money(self.amount + self._with(other), self.currency)

    __radd__ = __add__

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._with(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        if isinstance(factor, float) or not isinstance(factor, (int, Decimal)):
            raise TypeError("money is multiplied by an integer or a decimal")
        return Money(self.amount * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money | int) -> bool:
        return self.amount < (other if isinstance(other, (int, Decimal)) else self._with(other))

    def __gt__(self, other: Money | int) -> bool:
        return self.amount > (other if isinstance(other, (int, Decimal)) else self._with(other))

    def __le__(self, other: Money | int) -> bool:
        return not self > other

    def __ge__(self, other: Money | int) -> bool:
        return not self < other

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


_set_amount = vars(Money)["amount"].__set__
_set_currency = vars(Money)["currency"].__set__


def amounts_in(currency: str, amounts: Iterable[Decimal]) -> list[Money]:
    """Return a column of amounts in one currency.

    Why: What `Money(amount, currency)` does, for all of them at once: a statement has a hundred, and setting the fields of a
        frozen record one by one takes half the time of reading them.
    """
    values = list(amounts)
    made: list[Money] = list(map(object.__new__, repeat(Money, len(values))))
    deque(map(_set_amount, made, values), 0)
    deque(map(_set_currency, made, repeat(currency)), 0)
    return made
