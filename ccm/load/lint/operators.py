"""Which kinds of value can be added, multiplied and compared, and what that gives."""

from __future__ import annotations

from ccm.load.lint.types import ANY, MONEY, NUMBER, Type
from ccm.model.vocabulary import Kind

NUMERIC = (Kind.NUMBER, Kind.PERCENT)
# Kinds whose arithmetic is known.
SURE = (Kind.TEXT, Kind.NUMBER, Kind.MONEY, Kind.PERCENT, Kind.DATE, Kind.DATETIME, Kind.BOOLEAN)


def in_words(kind: Kind) -> str:
    """Return a kind with its article: "a date", "money"."""
    return str(kind) if kind in (Kind.TEXT, Kind.MONEY, Kind.MARKUP) else f"a {kind}"


def comparable(left: Type, right: Type) -> bool:
    """Tell whether < and > work: numbers, percents and amounts with each other, the others within their kind."""
    if left.kind not in SURE or right.kind not in SURE or left.kind is right.kind:
        return True
    ranked = (*NUMERIC, Kind.MONEY)
    return left.kind in ranked and right.kind in ranked


def total(left: Type, right: Type) -> Type | None:
    """Return what + gives; None where it does not work."""
    if left.kind in NUMERIC and right.kind in NUMERIC:
        return NUMBER
    if left.kind is right.kind and left.kind in (Kind.MONEY, Kind.TEXT):
        return left
    return ANY if _has_moment(left, right) else None


def difference(left: Type, right: Type) -> Type | None:
    """Return what - gives."""
    return None if left.kind is Kind.TEXT else total(left, right)


def product(left: Type, right: Type) -> Type | None:
    """Return what * gives."""
    kinds = {left.kind, right.kind}
    if kinds <= set(NUMERIC):
        return NUMBER
    return MONEY if Kind.MONEY in kinds and kinds & set(NUMERIC) else None


def quotient(left: Type, right: Type) -> Type | None:
    """Return what / and // give."""
    return NUMBER if left.kind in NUMERIC and right.kind in NUMERIC else None


def _has_moment(left: Type, right: Type) -> bool:
    return bool({left.kind, right.kind} & {Kind.DATE, Kind.DATETIME}) and Kind.TEXT not in (left.kind, right.kind)
