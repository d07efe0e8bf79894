"""Promise: raw texts become exact typed values, or a fault that names field and form and never the value."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from ccm.diagnostics import Location
from ccm.load.contract import MAX_FAULTS, contract_reader, type_record
from ccm.model.definitions import FieldDefinition, FieldType, TemplateDefinition
from ccm.model.values import Money

PLACE = Location("data/people.csv", 7)


def _contract(**fields: object) -> TemplateDefinition:
    return TemplateDefinition.model_validate(
        {
            "template": "t",
            "title": "T",
            "purpose": "legal",
            "locales": ["en"],
            "contract": fields,
            "channels": {"required": ["sms"]},
        }
    )


def _one(kind: object, raw: object) -> tuple[object, list[str]]:
    contract = _contract(field=kind).contract
    data, diagnostics = type_record({"field": raw}, contract, PLACE)
    return data["field"], [item.code for item in diagnostics]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", "Zoë", "Zoë"),
        ("text", "Zoe\u0308", "Zoë"),  # NFC
        ("text", "a\r\nb\rc", "a\nb\nc"),
        ("text", " kept ", " kept "),
        ("text", "NO", "NO"),
        ("text", 12, "12"),
        ("code", " 01234 ", "01234"),
        ("integer", "-12", -12),
        ("integer", 12.0, 12),
        ("integer", "123456789012345678901234567890", 123456789012345678901234567890),
        ("decimal", "1.10", Decimal("1.10")),
        ("decimal", 0.1, Decimal("0.1")),  # a database's float counts as the digits that it prints
        ("decimal", Decimal("12345678901234567890.12"), Decimal("12345678901234567890.12")),
        ("percent", "4.5", Decimal("4.5")),
        ({"type": "decimal", "decimals": 2}, "1.500", Decimal("1.500")),  # a zero at the end is no digit
        ({"type": "money", "currency": "EUR"}, "1234.50", Money(Decimal("1234.50"), "EUR")),
        ({"type": "money", "currency": "EUR"}, 9.95, Money(Decimal("9.95"), "EUR")),
        ({"type": "money", "currency": "JPY"}, "100", Money(Decimal("100"), "JPY")),
        ({"type": "money", "currency": "JPY"}, "100.00", Money(Decimal("100.00"), "JPY")),
        ({"type": "money", "currency": "KWD"}, "1.234", Money(Decimal("1.234"), "KWD")),
        ({"type": "money", "currency": "EUR", "decimals": 4}, "0.0042", Money(Decimal("0.0042"), "EUR")),
        ("date", "2026-10-31", date(2026, 10, 31)),
        ("date", "2009-01-01 00:00:00", date(2009, 1, 1)),
        ("date", datetime(2009, 1, 1), date(2009, 1, 1)),
        ("datetime", "2026-10-31T08:30:00+01:00", datetime(2026, 10, 31, 7, 30, tzinfo=UTC)),
        ("datetime", "2026-10-31 08:30", datetime(2026, 10, 31, 8, 30, tzinfo=UTC)),
        ("datetime", "2026-10-31T08:30:00Z", datetime(2026, 10, 31, 8, 30, tzinfo=UTC)),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", True, True),
        ("country", "de", "DE"),
        ("country", "XK", "XK"),
        ("link", "https://example.com/a?b=ü", "https://example.com/a?b=ü"),
        ({"type": "text", "values": ["a", "b"]}, "b", "b"),
        ("text?", "", None),
        ("text?", None, None),
        ("date?", "  ", None),
        ({"list": "integer"}, ["1", "2"], (1, 2)),
        ({"list": {"a": "date"}}, [], ()),
        ({"list": "text", "required": "false"}, None, ()),
        ({"record": {"a": "text", "b": "integer?"}}, {"a": "x"}, {"a": "x", "b": None}),
        ({"record": {"a": "text"}, "required": "false"}, {"a": ""}, None),
        ({"record": {"a": "text"}, "required": "false"}, None, None),
    ],
)
def test_a_good_value_is_typed_exactly(kind: object, raw: object, value: object) -> None:
    """Texts and a database's own types give the exact value."""
    found, codes = _one(kind, raw)
    assert codes == []
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("text", "", "missing-value"),
        ("text", " \t", "missing-value"),
        ("text", None, "missing-value"),
        ("text", "a\x00b", "control-character"),
        ("text", "a\x1bb", "control-character"),
        ("text", "a\x85b", "control-character"),
        ("text", "a\ud800b", "control-character"),
        ("text", "a\uffffb", "control-character"),
        ("text", ["a"], "invalid-value"),
        ("code", "a\nb", "invalid-value"),
        ("email", "a@b.example\nBcc: c@d.example", "invalid-value"),
        ("integer", "1.5", "invalid-value"),
        ("integer", "1e3", "invalid-value"),
        ("integer", "٣", "invalid-value"),
        ("integer", "9" * 31, "invalid-value"),
        ("decimal", "1,5", "invalid-value"),
        ("decimal", "1.234,50", "invalid-value"),
        ("decimal", "NaN", "invalid-value"),
        ("decimal", float("inf"), "invalid-value"),
        ("decimal", Decimal("NaN"), "invalid-value"),
        ("decimal", "1_000", "invalid-value"),
        ("decimal", True, "invalid-value"),
        ({"type": "decimal", "decimals": 2}, "1.505", "invalid-value"),
        ({"type": "money", "currency": "EUR"}, "1.505", "currency-precision"),
        ({"type": "money", "currency": "JPY"}, "100.5", "currency-precision"),
        ({"type": "money", "currency": "EUR"}, "1,50 EUR", "invalid-value"),
        ({"type": "money", "currency": "customer.currency"}, "1.50", "missing-value"),
        ("date", "31.10.2026", "invalid-value"),
        ("date", "2026-02-30", "invalid-value"),
        ("date", "20261031", "invalid-value"),
        ("date", "2026-10-31T08:30:00", "invalid-value"),
        ("datetime", "2026-10-31", "invalid-value"),
        ("datetime", "0001-01-01T00:00:00+14:00", "invalid-value"),
        ("boolean", "maybe", "invalid-value"),
        ("boolean", "2", "invalid-value"),
        ("country", "Germany", "invalid-value"),
        ("country", "QX", "invalid-value"),
        ("link", "http://example.com", "insecure-link"),
        ("link", "javascript:alert(1)", "insecure-link"),
        ("link", "https://", "insecure-link"),
        ("link", "https://bank.example@evil.example", "insecure-link"),
        ("link", 'https://example.com/"><b>', "insecure-link"),
        ("link", "https://[bad", "insecure-link"),
        ({"type": "text", "values": ["a"]}, "b", "invalid-value"),
        ({"list": "integer"}, "1", "wrong-shape"),
        ({"list": "integer"}, ["1", ""], "missing-value"),
        ({"record": {"a": "text"}}, "x", "wrong-shape"),
        ({"list": {"a": "date"}}, None, "missing-value"),
    ],
)
def test_a_bad_value_is_a_fault(kind: object, raw: object, code: str) -> None:
    """What is not of the form is refused with its code."""
    assert _one(kind, raw)[1] == [code]


def test_a_fault_names_the_field_and_never_the_value() -> None:
    """The message has the way to the field, counted from 1; what stood there is personal data."""
    contract = _contract(
        customer={"record": {"born_on": "date", "site": "link"}},
        lines={"list": {"amount": {"type": "money", "currency": "EUR"}}},
    ).contract
    raw = {"customer": {"born_on": "Secret1", "site": "Secret2"}, "lines": [{"amount": "1"}, {"amount": "Secret3"}]}
    _, diagnostics = type_record(raw, contract, PLACE)
    text = "\n".join(str(item) for item in diagnostics)
    assert "Secret" not in text
    assert [name in text for name in ('"customer.born_on"', '"customer.site"', '"lines[2].amount"')] == [True] * 3
    assert {item.location for item in diagnostics} == {PLACE}


@pytest.mark.parametrize("given", [["EUR"], {"code": "EUR"}, 978, "", None])
def test_a_currency_that_is_no_text_is_a_fault(given: object) -> None:
    """JSON may hold anything where the currency stands; only the row suffers."""
    fields = {
        "amount": FieldDefinition(type=FieldType.MONEY, currency="code"),
        "code": FieldDefinition(type=FieldType.CODE, required=False),
    }
    data, faults = type_record({"amount": "1.50", "code": given}, fields, Location("data/rows.jsonl", 1))
    assert data["amount"] is None
    assert faults


@pytest.mark.parametrize(
    "given",
    [
        {"list": "code", "values": ["A"]},
        {"record": {"a": "text"}, "values": ["A"]},
        {"type": "money", "currency": "EUR", "values": ["1.00"]},
        {"type": "decimal", "currency": "EUR"},
        {"type": "text", "decimals": 2},
    ],
)
def test_a_limit_that_would_have_no_effect_is_refused(given: object) -> None:
    """What an author writes down and nothing obeys would be believed."""
    with pytest.raises(ValidationError):
        FieldDefinition.model_validate(given)


def test_the_currency_comes_from_the_record_or_from_beside() -> None:
    """A path is looked up from the root; a name that is not there, beside the amount."""
    contract = _contract(
        customer={"record": {"currency": "code", "balance": {"type": "money", "currency": "customer.currency"}}},
        lines={"list": {"currency": "code", "amount": {"type": "money", "currency": "currency"}}},
    ).contract
    raw = {"customer": {"currency": "jpy", "balance": "5"}, "lines": [{"currency": "KWD", "amount": "1.234"}]}
    data, diagnostics = type_record(raw, contract, PLACE)
    assert diagnostics == ()
    assert data["customer"] == {"currency": "jpy", "balance": Money(Decimal(5), "JPY")}
    assert data["lines"] == ({"currency": "KWD", "amount": Money(Decimal("1.234"), "KWD")},)
    wrong = {"customer": {"currency": "XXY", "balance": "5"}, "lines": []}
    assert [item.code for item in type_record(wrong, contract, PLACE)[1]] == ["invalid-value"]


def test_derived_fields_are_left_to_composing_and_unknown_ones_are_ignored() -> None:
    """Data rows may carry columns that no message needs."""
    contract = _contract(a="text", b={"type": "text", "derive": "a"}).contract
    assert type_record({"a": "x", "c": "y"}, contract, PLACE) == ({"a": "x"}, ())


def test_a_hopeless_record_stops_complaining() -> None:
    """A thousand wrong lines give no thousand messages."""
    contract = _contract(lines={"list": {"a": "date"}}).contract
    _, diagnostics = type_record({"lines": [{"a": "x"}] * 1000}, contract, PLACE)
    assert len(diagnostics) == MAX_FAULTS


@pytest.mark.data
def test_naughty_strings_pass_unharmed_or_are_told_as_control_characters(shared_data: Path) -> None:
    """Hostile but legal Unicode stays as it is, in NFC; only control characters are refused."""
    import unicodedata

    strings = json.loads((shared_data / "vectors" / "naughty" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    contract = _contract(name="text").contract
    refused = 0
    for text in strings:
        data, diagnostics = type_record({"name": text}, contract, PLACE)
        if diagnostics:
            refused += 1
            codes = {item.code for item in diagnostics}
            assert codes <= {"control-character", "missing-value"}
        else:
            assert data["name"] == unicodedata.normalize("NFC", text)
    assert refused < 12


def test_typing_a_row_is_fast() -> None:
    """Ten fields take tens of microseconds; a hundred would make a million rows take minutes more."""
    contract = _contract(
        customer={
            "record": {
                "id": "code", "name": "text", "status": {"type": "text", "values": ["a", "b"]}, "currency": "code",
                "note": "text?", "age": "integer", "joined_on": "date", "country": "country", "site": "link",
                "balance": {"type": "money", "currency": "customer.currency"},
            }
        }
    ).contract  # fmt: skip
    raw = {
        "customer": {
            "id": "C-1", "name": "Zoë", "status": "a", "currency": "EUR", "note": "", "age": "33",
            "joined_on": "2026-01-02", "country": "DE", "site": "https://a.example/b", "balance": "1234.50",
        }
    }  # fmt: skip
    reader = contract_reader(contract)
    start = time.process_time()
    for _ in range(2000):
        reader.read(raw)
    assert (time.process_time() - start) / 2000 < 200e-6
