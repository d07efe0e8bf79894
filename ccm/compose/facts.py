"""Derived fields and declared facts: what is computed once and told alike on every channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from jinja2.environment import TemplateExpression

from ccm.compose.engine import Engine, evaluate
from ccm.compose.failure import ComposeFailure
from ccm.compose.formats.locale_formats import Formats
from ccm.compose.printing import Printable, Rendering, Voice, as_text, clean
from ccm.diagnostics import Location
from ccm.model.definitions import Channel, FactDefinition, FactKind, FieldDefinition, FieldType, TemplateDefinition
from ccm.model.records import FactValue
from ccm.model.values import Money

_PATH = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)*")  # most facts are no more than the name of a field

FactFailure: TypeAlias = tuple[ComposeFailure, tuple[Channel, ...]]  # and the channels that must tell the fact


@dataclass(frozen=True, slots=True)
class FactView(Printable):
    """`facts.<name>`: prints the fact; `.value` is what it was made of."""

    value: object
    text: str
    shown: ClassVar[frozenset[str]] = frozenset({"value", "text"})

    def printed(self) -> str:
        """Return the fact in the recipient's locale."""
        return self.text


class Statements:
    """The derived fields and facts of one template, compiled once."""

    def __init__(self, definition: TemplateDefinition, root: str, engine: Engine) -> None:
        self._path = f"{root}/template.yaml"
        self._definition = definition
        self._engine = engine
        self._expressions: dict[str, TemplateExpression] = {}
        self._derivation = _Derivation.of(definition.contract)

    def derived(self, data: Mapping[str, object], voice: Voice) -> dict[str, object]:
        """Return the data with derived fields computed, on a copy; rows see their siblings and the root.

        Raises:
            ComposeFailure: fact-failed, naming the field.
        """
        if self._derivation is None:
            return dict(data)
        return self._filled(self._derivation, data, {}, Rendering(voice))

    def _filled(
        self, plan: _Derivation, record: Mapping[str, object], root: dict[str, object], rendering: Rendering
    ) -> dict[str, object]:
        made = dict(record)
        root = root or made
        for name, inner in plan.inner:
            value = made.get(name)
            if isinstance(value, Mapping):
                made[name] = self._filled(inner, value, root, rendering)
            elif isinstance(value, (tuple, list)):
                made[name] = tuple(self._filled(inner, row, root, rendering) for row in value)
        for name, field in plan.fields:
            seen = made if root is made else {**root, **made}
            value = self._value(f'the derived field "{name}"', field.derive or "", seen, rendering)
            made[name] = _typed(value, field, seen)
        return made

    def facts(
        self, variables: Mapping[str, Any], voice: Voice, *, broadcast: bool
    ) -> tuple[tuple[FactValue, ...], tuple[FactFailure, ...]]:
        """Evaluate the facts.

        Args:
            variables: Data, parameters, brand and message.
            broadcast: Only facts that a social channel tells.
        Returns:
            Facts in declared order, and what failed.
        """
        rendering = Rendering(voice)
        values: list[FactValue] = []
        failures: list[FactFailure] = []
        for name, fact in self._definition.facts.items():
            channels = fact.channels or self._definition.channels.all
            if broadcast and not any(channel.is_social for channel in channels):
                continue
            if not broadcast and all(channel.is_social for channel in channels):
                continue
            try:
                value = self._value(f'the fact "{name}"', fact.value, variables, rendering)
                values.append(_fact(name, fact, value, channels, voice.formats))
            except ComposeFailure as failure:
                failures.append((self._as_fact_failure(name, failure), channels))
        return tuple(values), tuple(failures)

    def _value(self, what: str, source: str, variables: Mapping[str, Any], rendering: Rendering) -> Any:
        if _PATH.fullmatch(source):
            found = _followed(source, variables)
            if found is not None:
                return found
        expression = self._expressions.get(source)
        if expression is None:
            expression = self._expressions[source] = self._engine.expression(source, self._path)
        try:
            return evaluate(expression, variables, rendering)
        except ComposeFailure as failure:
            raise ComposeFailure(
                "fact-failed", f"{what} cannot be computed: {failure.message}", failure.remedy, Location(self._path)
            ) from None

    def _as_fact_failure(self, name: str, failure: ComposeFailure) -> ComposeFailure:
        if failure.code == "fact-failed":
            return failure
        message = f'the fact "{name}" cannot be written: {failure.message}'
        return ComposeFailure("fact-failed", message, failure.remedy, Location(self._path))


def _followed(path: str, variables: Mapping[str, Any]) -> Any:
    """Return what a plain path of fields leads to, or None where it does not: then Jinja says why."""
    value: Any = variables
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def views(facts: tuple[FactValue, ...]) -> dict[str, FactView]:
    """Return `facts` as templates see them."""
    return {fact.name: FactView(fact.value, fact.text) for fact in facts}


@dataclass(frozen=True)
class _Derivation:
    """The derived fields of one record, and of the records and rows inside it."""

    fields: tuple[tuple[str, FieldDefinition], ...]
    inner: tuple[tuple[str, _Derivation], ...]

    @classmethod
    def of(cls, fields: Mapping[str, FieldDefinition]) -> _Derivation | None:
        """Return what is to be derived; None if nothing is."""
        inner = []
        for name, field in fields.items():
            below = cls.of(field.of.fields if field.of is not None else field.fields)
            if below is not None:
                inner.append((name, below))
        own = tuple((name, field) for name, field in fields.items() if field.derive is not None)
        return cls(own, tuple(inner)) if own or inner else None


def _typed(value: Any, field: FieldDefinition, record: Mapping[str, object]) -> object:
    """Return a computed value with the type that the contract says."""
    if field.type is FieldType.MONEY and isinstance(value, (int, Decimal)):
        return Money(Decimal(value), _currency(field.currency or "", record))
    if field.type is FieldType.INTEGER and isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return tuple(value) if isinstance(value, list) else value


def _currency(source: str, record: Mapping[str, object]) -> str:
    value: Any = record
    if len(source) == 3 and source.isupper():
        return source
    for name in source.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        raise ComposeFailure(
            "fact-failed", "a derived amount has no currency", "check the field that holds the currency"
        )
    return value


def _fact(name: str, fact: FactDefinition, value: object, channels: tuple[Channel, ...], formats: Formats) -> FactValue:
    return FactValue(name, fact.kind, value, clean(_written(fact.kind, value, formats)), channels, fact.total)


def _written(kind: FactKind, value: object, formats: Formats) -> str:
    """Return the fact as every variant tells it."""
    if kind is FactKind.MONEY:
        return formats.money(value)
    if kind is FactKind.DATE:
        return formats.date(value, "long")
    if kind is FactKind.PERCENT:
        return formats.percent(value)
    if kind is FactKind.NUMBER:
        return formats.number(value)
    return as_text(value, formats)
