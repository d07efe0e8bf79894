"""Exact amounts as two whole numbers that any database can sum. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ccm.ledger.interface import LedgerError
from ccm.model.records import FactValue
from ccm.model.values import Money, minor_digits

_NANO = 10**9
_LARGEST = 10**15  # a thousand rows of this size still sum within 64 bits


@dataclass(frozen=True, slots=True)
class Total:
    """One fact's contribution to a control total.

    units, nanos: Whole part and 10^-9 parts, of the same sign.
    currency: Empty for a plain number.
    Why: Floats lose cents and text cannot be summed; two integers are exact in every database.
    """

    fact: str
    currency: str
    units: int
    nanos: int


def total_of(fact: FactValue) -> Total:
    """Split a total fact into whole numbers.

    Raises:
        LedgerError: If the value is no exact number, has more than nine decimals, or is 10^15 or larger.
    """
    value = fact.value
    currency = value.currency if isinstance(value, Money) else ""
    amount = value.amount if isinstance(value, Money) else value
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)) or not Decimal(amount).is_finite():
        raise LedgerError(
            f'fact "{fact.name}" is summed up but is no exact number', "declare it as money or take `total` off"
        )
    numerator, denominator = amount.as_integer_ratio()
    scaled, rest = divmod(abs(numerator) * _NANO, denominator)
    if rest or scaled >= _LARGEST * _NANO:
        raise LedgerError(
            f'fact "{fact.name}" is too fine or too large to be summed exactly',
            "round it to at most nine decimals below 10^15 in the template",
        )
    sign = -1 if numerator < 0 else 1
    units, nanos = divmod(scaled, _NANO)
    return Total(fact.name, currency, sign * units, sign * nanos)


def exact(units: int, nanos: int, currency: str) -> Decimal:
    """Join sums of units and nanos again; at least as many decimals as the currency has, no idle zeros beyond."""
    total = units * _NANO + nanos
    digits = minor_digits(currency) if currency else 0
    decimals = 9
    while decimals > digits and total % 10 == 0:
        total //= 10
        decimals -= 1
    return Decimal(f"{total}e-{decimals}")
