"""Segment rules: CEL expressions, typed by the data contract before any data is seen.

What an expression sees:

| contract | in CEL |
|---|---|
| text, code, link, email, phone, country | string |
| integer | int |
| decimal, percent | double |
| money | two values: `customer.balance.amount` (double) and `customer.balance.currency` (string) |
| date | string such as "2026-10-31", which compares in the order of the calendar |
| datetime | timestamp; inside lists a string such as "2026-10-31T08:30:00Z" |
| boolean | bool |
| list of records | list of maps: `transactions.exists(t, t.amount.amount > 100.0)` |
| optional field | the same or null: `customer.note != null` |

Doubles are for choosing recipients only; what is printed stays exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from ccm.diagnostics import Diagnostic, Location
from ccm.load.segment_errors import Mistake, item_mistakes, mask_texts, type_mistakes
from ccm.model.definitions import CampaignDefinition, FieldDefinition, FieldType, TemplateDefinition
from ccm.model.values import Money
from ccm.model.workspace import Template

_CEL_TYPES = {
    FieldType.INTEGER: "int",
    FieldType.DECIMAL: "double",
    FieldType.PERCENT: "double",
    FieldType.BOOLEAN: "bool",
    FieldType.DATETIME: "timestamp",
}
_NULLABLE = {
    "string": "google.protobuf.StringValue",
    "int": "google.protobuf.Int64Value",
    "double": "google.protobuf.DoubleValue",
    "bool": "google.protobuf.BoolValue",
}
_ALIKE = frozenset((str, int, bool, type(None)))  # of one field, values of these that are equal are the same to a rule
_MOST_ANSWERS = 1024
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


class SegmentError(Exception):
    """The rule gave no answer for a recipient: an empty value was compared, or a division by zero."""

    def __init__(self) -> None:
        super().__init__("the segment rule has no answer for this recipient; guard optional fields with `!= null`")


@dataclass(frozen=True, slots=True)
class Variable:
    """One name that expressions may use.

    cel: CEL's type.
    steps: Way to the value in the typed data; `amount` and `currency` of money are its last step.
    optional: Whether it may be null.
    """

    name: str
    cel: str
    steps: tuple[str, ...]
    optional: bool
    field: FieldDefinition


def variables(contract: Mapping[str, FieldDefinition]) -> dict[str, Variable]:
    """Return every name that an expression over a contract may use, by dotted name."""
    return {item.name: item for item in _variables(contract, (), False)}


def _variables(fields: Mapping[str, FieldDefinition], before: tuple[str, ...], optional: bool) -> Iterator[Variable]:
    for name, field in fields.items():
        if field.derive is not None:
            continue
        steps = (*before, name)
        dotted = ".".join(steps)
        may_miss = optional or not field.required
        if field.type is FieldType.RECORD:
            yield from _variables(field.fields, steps, may_miss)
        elif field.type is FieldType.MONEY:
            yield Variable(f"{dotted}.amount", "double", (*steps, "amount"), may_miss, field)
            yield Variable(f"{dotted}.currency", "string", (*steps, "currency"), may_miss, field)
        elif field.type is FieldType.LIST:
            yield Variable(
                dotted, "list<map<string, dyn>>" if _holds_records(field) else "list<dyn>", steps, False, field
            )
        else:
            yield Variable(dotted, _CEL_TYPES.get(field.type, "string"), steps, may_miss, field)


def _holds_records(field: FieldDefinition) -> bool:
    return field.of is not None and field.of.type in (FieldType.RECORD, FieldType.MONEY)


class Segment:
    """A compiled rule; call it with a recipient's typed data. Travels to other processes as its text."""

    def __init__(self, expression: str, contract: Mapping[str, FieldDefinition]) -> None:
        self.expression = expression
        self.contract = contract
        self._rules: dict[frozenset[str], tuple[Any, Any]] = {}
        self._answers: dict[tuple[object, ...], bool] = {}
        self._always = {"true": True, "false": False}.get(expression.strip())

    def __reduce__(self) -> tuple[type[Segment], tuple[str, Mapping[str, FieldDefinition]]]:
        return Segment, (self.expression, self.contract)

    def __call__(self, data: Mapping[str, object]) -> bool:
        """Tell whether the campaign is for this recipient.

        Raises:
            SegmentError: If the rule has no answer.
        """
        if self._always is not None:
            return self._always
        given = {name: read(data) for name, read in self._readers}
        key = self._key(given)
        known = self._answers.get(key) if key else None
        return self._answer(given, key) if known is None else known

    def _key(self, given: Mapping[str, object]) -> tuple[object, ...]:
        """Return what an answer depends on, if it is little; nothing otherwise.

        Why: Many rules ask for a country or whether there are rows. Their answers are few, and CEL takes much longer than a look.
        """
        parts: list[object] = []
        for name, value in given.items():
            if type(value) is list and name in self._sizes:
                parts.append(len(value))
            elif type(value) in _ALIKE:
                parts.append(value)
            else:
                return ()
        return tuple(parts)

    def _answer(self, given: Mapping[str, object], key: tuple[object, ...]) -> bool:
        rule, boolean = self._rule(frozenset(name for name in self._times if given[name] is None))
        try:
            result = rule.eval(data=given)
            answer = result.value() if result.type() == boolean else None
        except (RuntimeError, ValueError, TypeError, OverflowError):
            # CEL's own words may quote the data.
            raise SegmentError from None
        if answer is None:
            raise SegmentError
        if key:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[key] = bool(answer)
        return bool(answer)

    def mistakes(self) -> tuple[Mistake, ...]:
        """Check names and types against the contract."""
        from cel_expr_python import cel

        known = variables(self.contract)
        masked = mask_texts(self.expression)
        found = list(item_mistakes(masked, self.contract))
        env = cel.NewEnv(variables={item.name: cel.Type(_checked(item)) for item in known.values()})
        try:
            compiled = env.compile(self.expression)
        except RuntimeError as error:
            found += type_mistakes(str(error), self.expression, known, self.contract)
        else:
            if compiled.return_type() != cel.Type.BOOL:
                kind = str(compiled.return_type()).lower()
                what = f"the segment gives {kind} and not true or false"
                found.append(Mistake("segment-type", what, "compare it with something, such as > 0", 1, 1))
        return tuple(found)

    def _rule(self, absent: frozenset[str]) -> tuple[Any, Any]:
        """Return the rule compiled for running, and CEL's type of true and false.

        Args:
            absent: Optional times that are null.
        Why: CEL takes null only for values of any type, and times only for values of type timestamp; so there is
            one compiled rule for each combination of absent times that comes up.
        """
        known = self._rules.get(absent)
        if known is None:
            from cel_expr_python import cel

            types = {item.name: cel.Type(_running(item, item.name in absent)) for item in self._used}
            known = (cel.NewEnv(variables=types).compile(self.expression), cel.Type.BOOL)
            self._rules[absent] = known
        return known

    @cached_property
    def _readers(self) -> tuple[tuple[str, Callable[[Mapping[str, object]], object]], ...]:
        masked = mask_texts(self.expression)
        return tuple((item.name, _reader(item, masked)) for item in self._used)

    @cached_property
    def _sizes(self) -> frozenset[str]:
        masked = mask_texts(self.expression)
        return frozenset(item.name for item in self._used if _only_size(item, masked))

    @cached_property
    def _times(self) -> tuple[str, ...]:
        return tuple(item.name for item in self._used if item.optional and item.cel == "timestamp")

    @cached_property
    def _used(self) -> list[Variable]:
        """Return the variables that the expression names, and no others: unused ones cost time for every row."""
        names = set(_NAME.findall(mask_texts(self.expression)))
        prefixes = {".".join(name.split(".")[:count]) for name in names for count in range(1, name.count(".") + 2)}
        return [item for name, item in variables(self.contract).items() if name in prefixes]


def _checked(item: Variable) -> str:
    """Return the type for checking: an optional field may be compared with null, and keeps its type."""
    return _NULLABLE.get(item.cel, item.cel) if item.optional else item.cel


def _running(item: Variable, absent: bool) -> str:
    """Return the type for running: what may be null must be of any type."""
    if item.cel == "timestamp":
        return "dyn" if absent else item.cel
    return "dyn" if item.optional else item.cel


# ── from typed data to CEL's values ──────────────────────────────────────────


def _reader(item: Variable, masked: str) -> Callable[[Mapping[str, object]], object]:
    steps = item.steps
    if item.field.type is FieldType.LIST:
        only_size = _only_size(item, masked)
        return lambda data: _items(_at(data, steps), only_size)
    return lambda data: _plain(_at(data, steps))


def _only_size(item: Variable, masked: str) -> bool:
    """Tell whether a rule asks of a list nothing but how long it is."""
    uses = len(re.findall(rf"(?<![\w.]){re.escape(item.name)}\b", masked))
    sizes = len(re.findall(rf"\bsize\(\s*{re.escape(item.name)}\s*\)", masked))
    return item.field.type is FieldType.LIST and uses == sizes


def _at(data: object, steps: tuple[str, ...]) -> object:
    for step in steps:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, Money):
            data = data.amount if step == "amount" else data.currency
        else:
            return None
    return data


def _items(value: object, only_size: bool) -> list[object]:
    if not isinstance(value, (list, tuple)):
        return []
    return [{}] * len(value) if only_size else [_nested(item) for item in value]


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value
    return value.isoformat() if isinstance(value, date) else value


def _nested(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _nested(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nested(item) for item in value]
    if isinstance(value, Money):
        return {"amount": float(value.amount), "currency": value.currency}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return _plain(value)


# ── for the other phases ─────────────────────────────────────────────────────


def compile_segment(
    campaign: CampaignDefinition, template: Template | TemplateDefinition
) -> tuple[Callable[[Mapping[str, object]], bool], tuple[Diagnostic, ...]]:
    """Compile a campaign's segment rule.

    Returns:
        The rule and its mistakes; with mistakes it must not be called. The rule raises `SegmentError`
        for a recipient that it has no answer for.
    """
    definition = template.definition if isinstance(template, Template) else template
    segment = Segment(campaign.audience.segment, definition.contract)
    place = Location(f"campaigns/{campaign.campaign}.yaml")
    found = tuple(Diagnostic(item.code, item.message, item.remedy, place) for item in segment.mistakes())
    return segment, found
