"""Expressions as functions give what their templates give: the same value, the same error, the same amounts noted."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from ccm.compose import expressions, facts
from ccm.compose.engine import Engine, OutputKind
from ccm.compose.expressions import Formula, as_function
from ccm.compose.facts import Statements
from ccm.compose.failure import ComposeFailure
from ccm.compose.formats.locale_formats import formats_for
from ccm.compose.printing import RENDERING, Rendering, Voice
from ccm.compose.translations import Texts
from ccm.load import load_workspace
from ccm.model.definitions import FieldDefinition, FieldType, TemplateDefinition
from ccm.model.values import Money
from ccm.model.workspace import ContentLibrary

ROOT = Path(__file__).resolve().parents[2]
WORKSPACES = (ROOT, ROOT / "benchmarks" / "oracle" / "workspace")

# What a field may hold when the data are not what the author thought of.
HOSTILE: tuple[object, ...] = (
    None, 0, 1, -7, True, 10**30, Decimal(0), Decimal("2.5"), Decimal("-0.005"), Decimal("1E+20"), Decimal("NaN"), "",
    "C536379", "0", "<b>&'\"", "\u202eevil", "a" * 500, "{{ 7 * 7 }}", Money(Decimal("12.345"), "EUR"), (), [],
    Money(Decimal(0), "JPY"), date(2026, 2, 28), datetime(2026, 2, 28, 23, 59, tzinfo=UTC), ({"credit": True},), {}, {"currency": "EUR"},
)  # fmt: skip

EXPRESSIONS = (
    "a", "b.c", "b['c']", "b.c.d", "a + n", "a - n", "a * n", "a / n", "a // n", "a % n", "a ** n", "-a", "+a", "not a",
    "n / 0", "a // 0", "a == n", "a != b", "a < n", "1 < n <= 3", "a in rows", "a is defined", "missing", "missing.x",
    "missing is defined", "a is none", "n is divisibleby(2)", "a if n > 1 else b", "a if n > 1", "a and b", "a or n",
    "rows|length", "rows|first", "rows[0]", "rows[0].x", "rows[n].x", "rows[:2]", "rows[1:]|total('x')", "rows|last",
    "rows|sum(attribute='x')", "rows|total('x')", "rows|total('y')", "rows|total", "rows|selectattr('on')|total('x')",
    "rows|rejectattr('on')|list", "rows|selectattr('x', 'gt', 2)|length", "rows|selectattr('nested.deep')|length",
    "rows|selectattr('0')|length", "rows|map(attribute='x')|max", "rows|map('string')|first", "rows|map('total', 'x')|first",
    "rows|groupby('on')|first", "rows|sort(attribute='x')|first", "a|round", "a|round(2)", "n|round(2, 'floor')", "a|round(13)",
    "n|abs", "a|upper", "a|default('x')", "missing|default(n)", "a ~ n", "'x' ~ a", "1.10 * n", "0.1 + 0.2", "a|money('EUR')",
    "a|date('long')", "n|number(1)", "n|percent", "a|replace('C', n)", "[a, n]|join('-')", "(a, n)", "[a]", "day.year", "amount.amount * 2",
    "amount.currency", "amount * 2", "2 * amount", "amount + amount", "amount - amount", "amount / 2", "a[:1] == 'C'", "range(3)|length",
    "salutation(a)", "_('Hello')", "{'k': a}.k", "namespace(x=1).x", "a.__class__", "a|attr('x')", "''.__class__", "loop", "self", "a.upper()",
)  # fmt: skip


def engine() -> Engine:
    return Engine(OutputKind.TEXT, forms=(), fragments={}, library=ContentLibrary({}), functions={})


def voice() -> Voice:
    formats = formats_for("en", "en-GB")
    return Voice("en", "ltr", formats, Texts(None, {}))


def told(make: Any, rendering: Rendering) -> tuple[object, ...]:
    """What came of it: value or error, amounts noted, steps spent."""
    try:
        value = repr(make())
    except ComposeFailure as failure:
        value = repr((failure.code, failure.message, failure.remedy, failure.location))
    return value, tuple(map(repr, rendering.voice.computed)), rendering.steps_left


def test_every_sort_of_expression_gives_what_its_template_gives() -> None:
    """The function and the template agree on every expression and every value; only calls have no function."""
    compiling = engine()
    plain = 0
    draw = random.Random(3)
    for source in EXPRESSIONS:
        try:
            formula = Formula(source, "template.yaml", compiling)
            formula.compile()
        except ComposeFailure:
            continue  # a filter that does not exist
        for _ in range(60):
            a, b, n, x = (draw.choice(HOSTILE) for _ in range(4))
            rows = draw.choice(
                [(), ({"x": x, "on": a},), ({"x": Decimal(2), "on": True}, {"x": Decimal("0.5"), "on": n}), b, None]
            )
            seen = {
                "a": a,
                "b": b,
                "n": n,
                "rows": rows,
                "day": date(2026, 2, 28),
                "amount": Money(Decimal("9.99"), "EUR"),
            }
            full = Rendering(voice())
            expected = told(lambda: formula.in_full(seen, full), full)  # noqa: B023  # called at once
            quick = Rendering(voice())
            token = RENDERING.set(quick)
            try:
                value = repr(formula.function(seen, compiling.environment.globals))
            except Exception:  # whatever it raises, the template is asked
                continue
            finally:
                RENDERING.reset(token)
            assert (value, tuple(map(repr, quick.voice.computed)), quick.steps_left) == expected, (source, seen)
            plain += 1
    assert plain > 2_000


def test_calls_and_lookups_of_the_sandbox_have_no_function() -> None:
    """What needs a context is left to the template."""
    environment = engine().environment
    for source in ("range(3)", "_('Hello')", "salutation('x')|upper", "{'k': 1}"):
        assert as_function(source, environment) is None
    assert as_function("a.__class__", environment) is not None
    function = as_function("a.__class__", environment)
    assert function is not None
    with pytest.raises(Exception, match="has no attribute"):
        str(function({"a": "text"}, {}))


def test_names_are_found_in_the_record_then_around_it() -> None:
    """A row hides the customer's field of the same name; a field with no value hides it too."""
    function = as_function("x", engine().environment)
    assert function is not None
    assert function({"x": 1}, {"x": 2}) == 1
    assert function({"x": None}, {"x": 2}) is None
    assert function({}, {"x": 2}) == 2


ROWS_CONTRACT = """
{template: rows, title: Rows, purpose: transactional, locales: [en], channels: {required: [sms]},
 contract: {
  code: code, customer: {record: {currency: code}}, n: integer,
  lines: {list: {
    a: decimal, b: integer, own: code,
    twice: {type: decimal, derive: a * 2}, again: {type: decimal, derive: twice + twice}, n: {type: integer, derive: 'b / 2'},
    halved: {type: integer, derive: n}, in_euro: {type: money, currency: EUR, derive: again|round(2)},
    theirs: {type: money, currency: customer.currency, derive: b}, named: {type: money, currency: code, derive: a},
    rowed: {type: money, currency: own, derive: a}, pair: {type: text, derive: '[a, b]'}}},
  deep: {list: {a: integer, inner: {list: {b: integer, sum: {type: integer, derive: a + b + n}}}}},
  total: {type: money, currency: EUR, derive: 'lines|total("in_euro")'}}}
"""


def test_rows_filled_together_are_rows_filled_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields that hang on each other, currencies from everywhere, names of the row that hide the customer's."""
    definition = TemplateDefinition.model_validate(yaml.safe_load(ROWS_CONTRACT))
    draw = random.Random(29)
    cases = [record(definition.contract, draw, hostile) for hostile in (0.0, 0.01, 0.05) for _ in range(150)]
    for case in cases:
        case["code"], case["customer"] = draw.choice(["EUR", "JPY", None]), {"currency": draw.choice(["USD", 3])}
    with monkeypatch.context() as patch:
        patch.setattr(expressions, "as_function", lambda source, environment: None)
        patch.setattr(facts, "as_rows_function", lambda fields, environment: None)
        full = Statements(definition, "templates/rows", engine())
        expected = [outcome(full, case) for case in cases]
    together = Statements(definition, "templates/rows", engine())
    for case, wanted in zip(cases, expected, strict=True):
        assert outcome(together, case) == wanted, case
    assert together._derivation is not None
    assert dict(together._derivation.inner)["lines"].together(engine()) is not facts._one_by_one
    assert sum("fact-failed" in wanted for wanted in expected) > 50
    assert sum("in_euro" in wanted for wanted in expected) > 20


# ── every expression of the sample templates and of the oracle's ─────────────


def definitions() -> Iterator[tuple[str, TemplateDefinition]]:
    for root in WORKSPACES:
        workspace, diagnostics = load_workspace(root)
        assert workspace is not None, diagnostics
        for name, template in workspace.templates.items():
            yield name, template.definition


def made_up(field: FieldDefinition, draw: random.Random, hostile: float) -> object:
    """A value of the field's type; sometimes anything, sometimes nothing."""
    if draw.random() < hostile:
        return draw.choice(HOSTILE)
    if field.of is not None:
        return tuple(
            record(field.of.fields, draw, hostile) if field.of.fields else "x" for _ in range(draw.randint(0, 4))
        )
    if field.fields:
        return record(field.fields, draw, hostile)
    number = Decimal(draw.randint(-99_999, 999_999)).scaleb(-draw.randint(0, 4))
    return {
        FieldType.INTEGER: draw.randint(-3, 400), FieldType.DECIMAL: number, FieldType.PERCENT: number,
        FieldType.MONEY: Money(number, "EUR"), FieldType.BOOLEAN: draw.random() < 0.5, FieldType.DATE: date(2026, 1, draw.randint(1, 31)),
        FieldType.DATETIME: datetime(2026, 1, 2, 3, tzinfo=UTC), FieldType.COUNTRY: "DE",
    }.get(field.type, draw.choice(["EUR", "C100", "text"]))  # fmt: skip


def record(fields: Mapping[str, FieldDefinition], draw: random.Random, hostile: float) -> dict[str, object]:
    given = [(name, field) for name, field in fields.items() if field.derive is None]
    return {name: made_up(field, draw, hostile) for name, field in given if draw.random() >= hostile / 4}


def test_derived_fields_and_facts_of_all_templates_are_those_of_the_full_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers as the contract wants them and as nobody wants them: equal data, facts, failures and noted amounts."""
    draw = random.Random(11)
    compared = failed = 0
    for name, definition in definitions():
        quick = Statements(definition, f"templates/{name}", engine())
        with monkeypatch.context() as patch:
            patch.setattr(expressions, "as_function", lambda source, environment: None)
            patch.setattr(facts, "as_rows_function", lambda fields, environment: None)
            full = Statements(definition, f"templates/{name}", engine())
            cases = [record(definition.contract, draw, hostile) for hostile in (0.0, 0.02, 0.1, 0.3) for _ in range(60)]
            expected = [outcome(full, case) for case in cases]
        for case, wanted in zip(cases, expected, strict=True):
            assert outcome(quick, case) == wanted, (name, case)
            compared += 1
            failed += "fact-failed" in wanted
    assert compared > 1_000
    assert failed > 100


def outcome(statements: Statements, data: Mapping[str, object]) -> str:
    """All that statements say of one customer."""
    speaking = voice()
    try:
        seen = statements.derived(data, speaking)
    except ComposeFailure as failure:
        return repr((failure.code, failure.message, failure.remedy, failure.location, speaking.computed))
    variables = {**seen, "parameters": {"discount": Decimal(5), "valid_until": date(2026, 3, 1)}, "facts": {}}
    values, failures = statements.facts(variables, speaking, broadcast=False)
    told_failures = [(one.code, one.message, one.remedy, one.location, channels) for one, channels in failures]
    return repr((seen, values, told_failures, speaking.computed))
