"""Derived fields and declared facts: what is computed once and told alike on every channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from jinja2.exceptions import UndefinedError

from ccm.compose.engine import Engine
from ccm.compose.expressions import Derived, Formula, RowsFunction, amount_of, as_rows_function
from ccm.compose.failure import ComposeFailure
from ccm.compose.formats.locale_formats import Formats
from ccm.compose.printing import RENDERING, Printable, Rendering, Voice, as_text, clean
from ccm.diagnostics import Location
from ccm.model.definitions import Channel, FactDefinition, FactKind, FieldDefinition, FieldType, TemplateDefinition
from ccm.model.records import FactValue
from ccm.model.values import Money

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


@dataclass(frozen=True, slots=True)
class _Told:
    """One declared fact.

    channels: That tell it.
    """

    name: str
    fact: FactDefinition
    channels: tuple[Channel, ...]
    formula: Formula


class Statements:
    """The derived fields and facts of one template, compiled once."""

    def __init__(self, definition: TemplateDefinition, root: str, engine: Engine) -> None:
        self._path = f"{root}/template.yaml"
        self._definition = definition
        self._engine = engine
        self._known = engine.environment.globals
        self._formulas: dict[str, Formula] = {}
        self._derivation = _Derivation.of(definition.contract, self._formula)
        every = [
            _Told(name, fact, fact.channels or definition.channels.all, self._formula(fact.value))
            for name, fact in definition.facts.items()
        ]
        self._for_networks = [one for one in every if any(channel.is_social for channel in one.channels)]
        self._for_customers = [one for one in every if not all(channel.is_social for channel in one.channels)]

    def derived(self, data: Mapping[str, object], voice: Voice) -> dict[str, object]:
        """Return the data with derived fields computed, on a copy; rows see their siblings and the root.

        Raises:
            ComposeFailure: fact-failed, naming the field.
        """
        if self._derivation is None:
            return dict(data)
        rendering = Rendering(voice)
        token = RENDERING.set(rendering)
        try:
            return self._filled(self._derivation, data, None, self._known, rendering)
        finally:
            RENDERING.reset(token)

    def _filled(
        self,
        plan: _Derivation,
        record: Mapping[str, object],
        root: dict[str, object] | None,
        around: Mapping[str, Any],
        rendering: Rendering,
    ) -> dict[str, object]:
        """Return a record with its derived fields.

        Args:
            root: The customer's data; None for the root itself.
            around: What a formula sees where the record has no such field: the root, and what every template knows.
        """
        made = dict(record)
        for name, inner in plan.inner:
            value = made.get(name)
            top, beneath = (made, {**around, **made}) if root is None else (root, around)
            if isinstance(value, Mapping):
                made[name] = self._filled(inner, value, top, beneath, rendering)
            elif isinstance(value, (tuple, list)):
                made[name] = self._rows(inner, value, top, beneath, rendering)
        for field in plan.fields:
            before = rendering.mark()
            try:
                value = field.typed(field.formula.function(made, around), made, around)
                made[field.name] = tuple(value) if isinstance(value, list) else value
            except Exception:  # the full way says what is wrong
                rendering.return_to(before)
                seen = made if root is None else {**root, **made}
                value = self._value(f'the derived field "{field.name}"', field.formula, seen, rendering)
                made[field.name] = _typed(value, field.definition, seen)
        return made

    def _rows(
        self,
        plan: _Derivation,
        rows: Sequence[Mapping[str, object]],
        root: dict[str, object],
        around: Mapping[str, Any],
        rendering: Rendering,
    ) -> tuple[dict[str, object], ...]:
        """Return rows with their derived fields: all in one function if it can, else one by one."""
        before = rendering.mark()
        try:
            return plan.together(self._engine)(rows, around)
        except Exception:  # the way of each row says what is wrong
            rendering.return_to(before)
            return tuple([self._filled(plan, row, root, around, rendering) for row in rows])

    def _formula(self, source: str) -> Formula:
        formula = self._formulas.get(source)
        if formula is None:
            formula = self._formulas[source] = Formula(source, self._path, self._engine)
        return formula

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
        for told in self._for_networks if broadcast else self._for_customers:
            try:
                value = self._told(told.name, told.formula, variables, rendering)
                text = clean(_written(told.fact.kind, value, voice.formats))
                values.append(FactValue(told.name, told.fact.kind, value, text, told.channels, told.fact.total))
            except ComposeFailure as failure:
                failures.append((self._as_fact_failure(told.name, failure), told.channels))
            except UndefinedError as error:  # a field that is not there, found when it is written
                missing = ComposeFailure("missing-value", error.message or "it is missing", "add it to the data")
                failures.append((self._as_fact_failure(told.name, missing), told.channels))
        return tuple(values), tuple(failures)

    def _told(self, name: str, formula: Formula, variables: Mapping[str, Any], rendering: Rendering) -> Any:
        before = rendering.mark()
        token = RENDERING.set(rendering)
        try:
            return formula.function(variables, self._known)
        except Exception:  # the full way says what is wrong
            rendering.return_to(before)
            return self._value(f'the fact "{name}"', formula, variables, rendering)
        finally:
            RENDERING.reset(token)

    def _value(self, what: str, formula: Formula, variables: Mapping[str, Any], rendering: Rendering) -> Any:
        """Return what a formula gives, by way of its template.

        Raises:
            ComposeFailure: fact-failed, naming the field or the fact.
        """
        formula.compile()
        try:
            return formula.in_full(variables, rendering)
        except ComposeFailure as failure:
            raise ComposeFailure(
                "fact-failed", f"{what} cannot be computed: {failure.message}", failure.remedy, Location(self._path)
            ) from None

    def _as_fact_failure(self, name: str, failure: ComposeFailure) -> ComposeFailure:
        if failure.code == "fact-failed":
            return failure
        message = f'the fact "{name}" cannot be written: {failure.message}'
        return ComposeFailure("fact-failed", message, failure.remedy, Location(self._path))


def views(facts: tuple[FactValue, ...]) -> dict[str, FactView]:
    """Return `facts` as templates see them."""
    return {fact.name: FactView(fact.value, fact.text) for fact in facts}


@dataclass(frozen=True, slots=True)
class _DerivedField:
    """One derived field."""

    name: str
    definition: FieldDefinition
    formula: Formula

    def typed(self, value: Any, record: Mapping[str, Any], around: Mapping[str, Any]) -> object:
        """Return a computed value with its type.

        Raises:
            TypeError: For what is not plain; `_typed` knows all.
        """
        if self.definition.type is FieldType.MONEY:
            code = self.definition.currency or ""
            return amount_of(value, code if _is_code(code) else _at(code, record, around))
        return _whole(value) if self.definition.type is FieldType.INTEGER else value

    def as_derived(self) -> Derived:
        """Return the field as rows are compiled from it."""
        kind = self.definition.type
        code = self.definition.currency or ""
        currency = (repr(code) if _is_code(code) else code) if kind is FieldType.MONEY else ""
        return Derived(self.name, self.formula.source, currency, _whole if kind is FieldType.INTEGER else None)


@dataclass(slots=True)
class _Derivation:
    """The derived fields of one record, and of the records and rows inside it."""

    fields: tuple[_DerivedField, ...]
    inner: tuple[tuple[str, _Derivation], ...]
    _together: RowsFunction | None = None

    @classmethod
    def of(cls, fields: Mapping[str, FieldDefinition], formula: Callable[[str], Formula]) -> _Derivation | None:
        """Return what is to be derived; None if nothing is."""
        inner = []
        for name, field in fields.items():
            below = cls.of(field.of.fields if field.of is not None else field.fields, formula)
            if below is not None:
                inner.append((name, below))
        own = tuple(
            _DerivedField(name, field, formula(field.derive))
            for name, field in fields.items()
            if field.derive is not None
        )
        return cls(own, tuple(inner)) if own or inner else None

    def together(self, engine: Engine) -> RowsFunction:
        """Return the function of all rows, compiled when it is first asked for; it raises where there is none."""
        if self._together is None:
            for field in self.fields:
                field.formula.compile()
            made = (
                None if self.inner else as_rows_function([one.as_derived() for one in self.fields], engine.environment)
            )
            self._together = made or _one_by_one
        return self._together


def _one_by_one(rows: Iterable[Mapping[str, Any]], around: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    raise TypeError("not plain rows")


def _at(path: str, record: Mapping[str, Any], around: Mapping[str, Any]) -> Any:
    first, *rest = path.split(".")
    value: Any = record[first] if first in record else around.get(first)
    for name in rest:
        value = value[name]
    return value


def _whole(value: Any) -> Any:
    """Return a computed number as a whole one if it is one."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _typed(value: Any, field: FieldDefinition, record: Mapping[str, object]) -> object:
    """Return a computed value with the type that the contract says."""
    if field.type is FieldType.MONEY and isinstance(value, (int, Decimal)):
        return Money(Decimal(value), _currency(field.currency or "", record))
    value = _whole(value) if field.type is FieldType.INTEGER else value
    return tuple(value) if isinstance(value, list) else value


def _is_code(currency: str) -> bool:
    return len(currency) == 3 and currency.isupper()


def _currency(source: str, record: Mapping[str, object]) -> str:
    value: Any = record
    if _is_code(source):
        return source
    for name in source.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        raise ComposeFailure(
            "fact-failed", "a derived amount has no currency", "check the field that holds the currency"
        )
    return value


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
