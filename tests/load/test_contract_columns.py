"""Promise: rows typed together are the rows that typing them one by one gives, or are left to that."""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from ccm.load.contract import TypedRows, contract_reader
from ccm.load.contract_columns import NotPlain, RowsReader
from ccm.model.definitions import FieldDefinition, FieldType, TemplateDefinition
from ccm.model.values import Money, amounts_in

FIELDS = {
    "day": "date", "text": "text", "note": "text?", "code": "code", "count": "integer?", "rate": "percent?", "at": "datetime?",
    "kind": {"type": "text", "values": ["credit", "debit", "Zoë"]}, "paid": "boolean?", "land": "country?", "site": "link?",
    "amount": {"type": "money", "currency": "customer.currency"},
    "fee": {"type": "money", "currency": "GBP", "required": False},
    "own": {"type": "money", "currency": "currency", "decimals": 4, "required": False},
    "currency": "code?", "sum": {"type": "money", "currency": "GBP", "derive": "amount + amount"},
}  # fmt: skip
PLAIN = {
    "day": "2026-10-03", "text": "Card payment, Café 12", "note": "", "code": " A-1 ", "count": "3", "rate": "4.5",
    "at": "2026-10-03T08:30:00+01:00", "kind": "debit", "paid": "yes", "land": "DE", "site": "https://a.example/b",
    "amount": "-1234.50", "fee": "", "own": "1.2345", "currency": "EUR",
}  # fmt: skip
ODD: tuple[object, ...] = (
    "", " ", "\xa0", "x", "0", "7", "-0.00", "+1.5", "1.005", "1e3", "1\n2", "12\n", "Zoe\u0308", "Zoë", "\u0338=", "≮", "a\rb",
    "\x07", "\u2028", "٣", "2026-02-30", "2026-10-31 00:00:00", "EUR", "eur ", "JPY", "GBP", "yes", "1", "true", "de",
    "http://a.example", 1, 1.0, True, Decimal("1.10"), None, ["1"], {"a": "b"},
)  # fmt: skip


def contract() -> Mapping[str, FieldDefinition]:
    return TemplateDefinition.model_validate(
        {
            "template": "t",
            "title": "T",
            "purpose": "legal",
            "locales": ["en"],
            "contract": {"customer": {"record": {"currency": "code"}}, "rows": {"list": FIELDS}},
            "channels": {"required": ["sms"]},
        }
    ).contract


def columns_of(rows: list[dict[str, object]]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def as_told(value: object) -> object:
    """Types too: 1 and True and Decimal(1) are equal to each other."""
    if isinstance(value, dict):
        return [(name, as_told(one)) for name, one in value.items()]
    if isinstance(value, tuple):
        return [as_told(one) for one in value]
    return type(value), repr(value)


def test_plain_rows_are_typed_together() -> None:
    """What nearly every statement is made of never needs the slower reader."""
    found = contract_reader(contract()).rows["rows"]
    read = found.read(columns_of([PLAIN] * 3), 3, {"customer": {"currency": "EUR"}})  # type: ignore[list-item]
    assert [row["amount"] for row in read] == [Money(Decimal("-1234.50"), "EUR")] * 3
    assert "sum" not in read[0]  # derived


def test_amounts_made_together_are_amounts() -> None:
    """Equal, hashed, pickled, summed and frozen as those that are made one by one."""
    amounts = [Decimal("1.50"), Decimal("-2"), Decimal("NaN")]
    made = amounts_in("EUR", iter(amounts))
    assert as_told(tuple(made)) == as_told(tuple(Money(amount, "EUR") for amount in amounts))
    assert made[:2] == [Money(Decimal("1.5"), "EUR"), Money(Decimal("-2.00"), "EUR")]
    assert hash(made[0]) == hash(Money(Decimal("1.50"), "EUR"))
    assert pickle.loads(pickle.dumps(made[:2])) == made[:2]
    assert sum(made[:2]) == Money(Decimal("-0.5"), "EUR")
    with pytest.raises(FrozenInstanceError):
        made[0].amount = Decimal(1)  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(400))
def test_rows_typed_together_are_those_typed_one_by_one(seed: int) -> None:
    """Whatever stands in the cells: the same values of the same types in the same order, or `NotPlain`."""
    draw = random.Random(seed)
    rows: list[dict[str, object]] = [dict(PLAIN) for _ in range(draw.randint(1, 4))]
    for _ in range(draw.choice([0, 1, 1, 2])):
        draw.choice(rows)[draw.choice(list(PLAIN))] = draw.choice(ODD)
    for name in draw.sample(list(PLAIN), draw.choice([0, 0, 1])):
        for row in rows:
            del row[name]
    customers: list[dict[str, object]] = [{"currency": "EUR"}] * 8
    customer = draw.choice([*customers, {"currency": "JPY"}, {"currency": ""}, {}, {"currency": ["EUR"]}])
    root: dict[str, object] = {"customer": customer, "currency": draw.choice(["", "GBP", None])}
    reader = contract_reader(contract())
    one_by_one, faults = reader.read({**root, "rows": rows})
    try:
        together = reader.rows["rows"].read(columns_of(rows), len(rows), root)
    except NotPlain:
        return
    assert as_told(together) == as_told(one_by_one["rows"])
    assert [fault for fault in faults if fault.steps[0] == "rows"] == []
    assert reader.read({**root, "rows": TypedRows(together)})[0] == one_by_one


def test_values_are_told_apart_that_python_thinks_equal() -> None:
    """A column that remembers what it read must not take 1 for "1", nor 1 for True."""
    reader = contract_reader(contract()).rows["rows"]
    for value in ("yes", True, 1, "1", "no"):
        rows: list[dict[str, object]] = [{**PLAIN, "paid": value}]
        read = reader.read(columns_of(rows), 1, {"customer": {"currency": "EUR"}})
        assert read[0]["paid"] is (value != "no")


@pytest.mark.parametrize(
    "field",
    [
        "text",
        {"record": {"a": "text"}},
        {"type": "list", "of": "text"},
        {"list": {"a": {"record": {"b": "text"}}}},
        {"list": {"a": {"type": "list", "of": "text"}}},
    ],
)
def test_lists_of_more_than_single_values_are_left_alone(field: object) -> None:
    """Records inside rows are put together row by row."""
    definition = {
        "template": "t",
        "title": "T",
        "purpose": "legal",
        "locales": ["en"],
        "channels": {"required": ["sms"]},
    }
    made = TemplateDefinition.model_validate({**definition, "contract": {"field": field}}).contract["field"]
    assert RowsReader.of(made) is None
    assert made.type in FieldType
