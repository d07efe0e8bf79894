"""Amounts are split and joined without losing a digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccm.ledger.amounts import exact, total_of
from ccm.ledger.interface import LedgerError
from ccm.model.definitions import FactKind
from ccm.model.records import FactValue
from ccm.model.values import Money


def fact(value: object) -> FactValue:
    return FactValue("due", FactKind.MONEY, value, "", (), total=True)


def test_amounts_are_split_into_whole_numbers() -> None:
    """-12.345 is -12 and -345,000,000 billionths."""
    total = total_of(fact(Money(Decimal("-12.345"), "EUR")))
    assert (total.currency, total.units, total.nanos) == ("EUR", -12, -345_000_000)
    assert total_of(fact(3)).currency == ""


@pytest.mark.parametrize(
    ("units", "nanos", "currency", "expected"),
    [
        (1, 100_000_000, "EUR", "1.10"),  # two digits at least
        (7, 0, "JPY", "7"),  # none for yen
        (1, 0, "KWD", "1.000"),  # three for dinar
        (0, 5_000_000, "EUR", "0.005"),  # more where they are there
        (10, -500_000_000, "EUR", "9.50"),  # sums may have mixed signs
        (0, 0, "", "0"),
    ],
)
def test_sums_are_joined_again(units: int, nanos: int, currency: str, expected: str) -> None:
    """At least the currency's digits, no idle zeros beyond."""
    assert str(exact(units, nanos, currency)) == expected


@given(st.lists(st.decimals(min_value=-(10**12), max_value=10**12, places=4), max_size=50))
def test_sums_equal_exact_arithmetic(amounts: list[Decimal]) -> None:
    """The sum of the parts is the sum of the amounts, to the last digit."""
    totals = [total_of(fact(Money(amount, "EUR"))) for amount in amounts]
    joined = exact(sum(total.units for total in totals), sum(total.nanos for total in totals), "EUR")
    assert joined == sum(amounts, Decimal(0))


@pytest.mark.parametrize(
    "value",
    [
        "10.00",
        1.5,
        True,
        None,
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E15"),
        Decimal("1E-10"),
        Decimal("-1E15"),
    ],
)
def test_what_cannot_be_exact_is_refused(value: object) -> None:
    """Text, floats, endless numbers, and what is too large or too fine."""
    with pytest.raises(LedgerError, match="due") as caught:
        total_of(fact(value))
    assert "10.00" not in str(caught.value)
