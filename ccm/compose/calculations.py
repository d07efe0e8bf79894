"""What the signs of arithmetic do in templates: exact for numbers and money, bounded for texts and lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from jinja2.exceptions import SecurityError

from ccm.compose.failure import LimitExceeded
from ccm.compose.printing import checked_size, noted
from ccm.model.values import Money

MAX_ITEMS = 100_000  # of one list made by a template
_MAX_BITS = 4096  # of one whole number


def _plus(left: Any, right: Any) -> Any:
    if type(left) in _FACTORS:
        return noted(left + right)
    if isinstance(left, (str, bytes)):
        return checked_size(left + right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        if len(left) + len(right) > MAX_ITEMS:
            raise LimitExceeded("items in one list", MAX_ITEMS)
        return tuple(left) + tuple(right)
    return noted(left + right)


def _minus(left: Any, right: Any) -> Any:
    return noted(left - right)


def _times(left: Any, right: Any) -> Any:
    if (type(left) is Decimal and type(right) in _FACTORS) or (type(left) is int and type(right) is Decimal):
        return noted(left * right)
    for value in (left, right):
        if not isinstance(value, (int, Decimal, Money)):
            raise SecurityError("only numbers and money can be multiplied")
    product = left * right
    if isinstance(product, int) and product.bit_length() > _MAX_BITS:
        raise LimitExceeded("bits in one number", _MAX_BITS)
    return noted(product)


def _divided(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        left = Decimal(left)
    return noted(left / right)


def _floor(left: Any, right: Any) -> Any:
    return noted(left // right)


def _remainder(left: Any, right: Any) -> Any:
    if not isinstance(left, (int, Decimal)):
        raise SecurityError("% gives the remainder of numbers; join texts with ~")
    return noted(left % right)


def _power(left: Any, right: Any) -> Any:
    if not isinstance(right, int) or not 0 <= right <= 64 or not isinstance(left, (int, Decimal)):
        raise SecurityError("powers go from 0 to 64")
    if isinstance(left, int) and left.bit_length() * right > _MAX_BITS:
        raise LimitExceeded("bits in one number", _MAX_BITS)
    return noted(left**right)


def _negated(value: Any) -> Any:
    return noted(-value)


_FACTORS = frozenset({int, Decimal, Money})
CALCULATIONS: Mapping[str, Callable[..., Any]] = {
    "+": _plus, "-": _minus, "*": _times, "/": _divided, "//": _floor, "%": _remainder, "**": _power, "neg": _negated,
}  # fmt: skip
