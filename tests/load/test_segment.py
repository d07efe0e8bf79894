"""Promise: a segment rule is typed before any data is seen, and gives true, false or a held recipient."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ccm.load.segment import Segment, SegmentError, compile_segment
from ccm.model.definitions import CampaignDefinition, TemplateDefinition
from ccm.model.values import Money

TEMPLATE = TemplateDefinition.model_validate(
    {
        "template": "t",
        "title": "T",
        "purpose": "legal",
        "locales": ["en"],
        "contract": {
            "customer": {
                "record": {
                    "status": "text",
                    "note": "text?",
                    "age": "integer?",
                    "vip": "boolean",
                    "rate": "percent",
                    "joined_on": "date",
                    "seen_at": "datetime?",
                    "balance": {"type": "money", "currency": "EUR"},
                    "label": {"type": "text", "derive": "status"},
                }
            },
            "lines": {"list": {"amount": {"type": "money", "currency": "EUR"}, "on": "date", "title": "text"}},
            "tags": {"list": "text"},
        },
        "channels": {"required": ["sms"]},
    }
)
DATA: dict[str, Any] = {
    "customer": {
        "status": "active",
        "note": None,
        "age": None,
        "vip": True,
        "rate": Decimal("4.5"),
        "joined_on": date(2026, 1, 2),
        "seen_at": datetime(2026, 10, 1, tzinfo=UTC),
        "balance": Money(Decimal("12.50"), "EUR"),
    },
    "lines": ({"amount": Money(Decimal("3.10"), "EUR"), "on": date(2026, 2, 2), "title": "Tea"},),
    "tags": ("a", "b"),
}


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("true", True),
        ("false", False),
        ('customer.status == "active" && size(lines) > 0', True),
        ("size(lines) == 1 && size(tags) == 2", True),
        ("customer.balance.amount > 12.49", True),
        ('customer.balance.currency == "GBP"', False),
        ("customer.rate <= 4.5", True),
        ("customer.vip", True),
        ('customer.joined_on < "2026-01-03"', True),
        ('customer.seen_at > timestamp("2026-09-30T00:00:00Z")', True),
        ('customer.note != null && customer.note == "x"', False),
        ("customer.age == null || customer.age > 17", True),
        ("lines.exists(line, line.amount.amount > 3.0)", True),
        ('lines.all(line, line.on > "2026-02-02")', False),
        ('lines[0].title.startsWith("T")', True),
        ('lines.filter(x, x.title == "Tea").size() == 1', True),
        ('"a" in tags', True),
        ('customer.status == "customer.statsu"', False),  # a name inside a text is a text
        ('customer.status in ["active", "new"]', True),
    ],
)
def test_a_right_rule_answers(rule: str, answer: bool) -> None:
    """Every type of the contract can be asked."""
    segment = Segment(rule, TEMPLATE.contract)
    assert segment.mistakes() == ()
    assert segment(DATA) is answer


@pytest.mark.parametrize(
    ("rule", "code", "column", "said"),
    [
        ('customer.statsu == "x"', "unknown-field", 1, "customer.status"),
        ('size(lines) > 0 && custmer.status == "x"', "unknown-field", 20, "customer.status"),
        ("customer.balance > 3.0", "unknown-field", 1, "customer.balance.amount"),
        ("customer.balance.amount > 3", "segment-type", 25, "100.0"),
        ("customer.status > 3", "segment-type", 17, "same type"),
        ('customer.note == "x" && customer.note > 3', "segment-type", 39, "same type"),
        ("customer.status == null", "segment-type", 17, "optional"),
        ('customer.joined_on > timestamp("2026-01-01T00:00:00Z")', "segment-type", 20, "timestamp"),
        ('customer.label == "x"', "unknown-field", 1, "computed from"),
        ('customer == "x"', "unknown-field", 1, "customer.status"),
        ("size(lines)", "segment-type", 1, "> 0"),
        ('customer.status = "x"', "segment-syntax", 17, "=="),
        ("customer.status ==", "segment-syntax", 19, "quotes"),
        ("", "segment-syntax", 1, "quotes"),
        ("shout(customer.status)", "unknown-function", 1, "startsWith"),
        ("lines.exists(line, line.amuont.amount > 3.0)", "unknown-field", 25, "amount"),
        ("lines.exists(line, line.amount > 3.0)", "segment-type", 25, "line.amount.amount"),
        ('lines[0].titel == "x"', "unknown-field", 10, "title"),
    ],
)
def test_a_wrong_rule_is_told_at_its_place(rule: str, code: str, column: int, said: str) -> None:
    """Misspelt fields and types that do not fit have a column and a remedy that names what was meant."""
    mistakes = Segment(rule, TEMPLATE.contract).mistakes()
    assert [(item.code, item.column) for item in mistakes] == [(code, column)]
    assert said in mistakes[0].remedy + mistakes[0].message


@pytest.mark.parametrize("rule", ["customer.age > 17", "1 / (size(lines) - 1) > 0", "int(customer.status) > 3"])
def test_a_rule_without_an_answer_raises_and_tells_no_value(rule: str) -> None:
    """The recipient is held; nothing of their data is in the error."""
    segment = Segment(rule, TEMPLATE.contract)
    assert segment.mistakes() == ()
    with pytest.raises(SegmentError) as caught:
        segment(DATA)
    assert "active" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__cause__ is None


def test_a_rule_travels_to_other_processes() -> None:
    """Workers get the rule by its text."""
    segment = pickle.loads(pickle.dumps(Segment("size(lines) == 1", TEMPLATE.contract)))
    assert segment(DATA) is True


def test_the_phase_function_gives_rule_and_diagnostics() -> None:
    """Plan calls the rule; mistakes point at the campaign's file."""
    campaign = CampaignDefinition.model_validate(
        {
            "campaign": "c",
            "brand": "b",
            "template": "t",
            "purpose": "legal",
            "audience": {"source": "s", "segment": "customer.viq"},
            "channels": {"together": ["sms"]},
            "deliver": {"sms": "outbox"},
        }
    )
    _, diagnostics = compile_segment(campaign, TEMPLATE)
    assert [(item.code, item.location.path) for item in diagnostics] == [("unknown-field", "campaigns/c.yaml")]


def test_an_optional_time_may_be_there_or_not() -> None:
    """The same rule serves those who were seen and those who never were."""
    segment = Segment(
        'customer.seen_at != null && customer.seen_at > timestamp("2026-09-30T00:00:00Z")', TEMPLATE.contract
    )
    assert segment.mistakes() == ()
    assert segment(DATA) is True
    assert segment({**DATA, "customer": {**DATA["customer"], "seen_at": None}}) is False


def test_answers_are_remembered_for_what_they_depend_on() -> None:
    """A rule over few values answers for each of them as a new one does, also when it has no answer."""
    rule = "size(lines) > 1 && customer.status == 'active' && customer.age > 17"
    segment = Segment(rule, TEMPLATE.contract)
    line = DATA["lines"][0]
    for _ in range(2):
        for count in (0, 1, 2, 3):
            for status in ("active", "Active"):
                for age in (None, 1, 17, 18):
                    data = {**DATA, "customer": {**DATA["customer"], "status": status, "age": age}}
                    data["lines"] = (line,) * count
                    assert _answer(segment, data) == _answer(Segment(rule, TEMPLATE.contract), data)


def test_answers_over_the_rows_themselves_are_not_remembered() -> None:
    """As many rows with other amounts may have another answer."""
    segment = Segment("size(lines) > 0 && lines.exists(one, one.amount.amount > 3.0)", TEMPLATE.contract)
    cheap = {**DATA["lines"][0], "amount": Money(Decimal(1), "EUR")}
    assert [segment({**DATA, "lines": lines}) for lines in (DATA["lines"], (cheap,), DATA["lines"])] == [
        True,
        False,
        True,
    ]


def _answer(segment: Segment, data: dict[str, Any]) -> bool | None:
    try:
        return segment(data)
    except SegmentError:
        return None
