"""The types of what templates see, worked out from definitions before there is any data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ccm.model.definitions import FieldDefinition, FieldType
from ccm.model.vocabulary import KIND_OF_FIELD, Kind


@dataclass(frozen=True, eq=False)
class Type:
    """What an expression gives.

    fields: Of a record. None: a record with fields that cannot be known.
    item: Of a list.
    parts: Of a pair that is unpacked.
    gives: Of a function, what calling it gives.
    optional: May be missing in the data.
    values: The only texts it can be; empty for any.
    absent: Fields that only some have, with who lacks them.
    prints: A list that prints itself, line by line.
    macro: The block that a call runs.
    """

    kind: Kind
    fields: Mapping[str, Type] | None = None
    item: Type | None = None
    parts: tuple[Type, ...] = ()
    gives: Type | None = None
    optional: bool = False
    values: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    prints: bool = False
    macro: Any = None

    def maybe(self, optional: bool = True) -> Type:
        """Return the type as one that may be missing, or that is sure to be there."""
        return self if self.optional == optional else replace(self, optional=optional)


ANY = Type(Kind.ANY)
TEXT = Type(Kind.TEXT)
NUMBER = Type(Kind.NUMBER)
MONEY = Type(Kind.MONEY)
DATE = Type(Kind.DATE)
BOOLEAN = Type(Kind.BOOLEAN)
LINES = Type(Kind.LIST, item=TEXT, prints=True)
MARKUP = Type(Kind.MARKUP)


def record(fields: Mapping[str, Type], *, absent: Mapping[str, str] | None = None) -> Type:
    """Return a record type with these fields and no others."""
    return Type(Kind.RECORD, fields=fields, absent=absent or {})


def list_of(item: Type) -> Type:
    """Return a list type."""
    return Type(Kind.LIST, item=item)


def function(gives: Type) -> Type:
    """Return the type of something to call."""
    return Type(Kind.FUNCTION, gives=gives)


def type_of_field(definition: FieldDefinition) -> Type:
    """Return the type of a field of the data contract."""
    optional = not definition.required and definition.derive is None
    if definition.type is FieldType.RECORD:
        return record(types_of_fields(definition.fields)).maybe(optional)
    if definition.type is FieldType.LIST:
        item = type_of_field(definition.of) if definition.of else ANY
        # A list that may be missing is read as an empty one, so it is never missing in a template.
        return list_of(item)
    return Type(KIND_OF_FIELD[definition.type], optional=optional, values=definition.values)


def types_of_fields(fields: Mapping[str, FieldDefinition]) -> dict[str, Type]:
    """Return the types of a contract's or a record's fields."""
    return {name: type_of_field(definition) for name, definition in fields.items()}


def join(one: Type, other: Type) -> Type:
    """Return a type that is either of two: what both branches of a condition may leave."""
    optional = one.optional or other.optional
    if one is other or other.kind is Kind.ANY:
        return one.maybe(optional) if one.kind is not Kind.ANY else ANY
    if one.kind is Kind.ANY:
        return other.maybe(optional)
    if one.kind is not other.kind:
        return ANY.maybe(optional)
    if one.kind is Kind.RECORD and one.fields is not None and other.fields is not None:
        return record({**one.fields, **other.fields}).maybe(optional)
    if one.kind is Kind.LIST:
        return list_of(join(one.item or ANY, other.item or ANY)).maybe(optional)
    return Type(one.kind, optional=optional)


_DATE_MEMBERS: Mapping[str, Type] = dict.fromkeys(("year", "month", "day"), NUMBER)

# Templates read items and these attributes, nothing else; no value has methods.
MEMBERS: Mapping[Kind, Mapping[str, Type]] = {
    Kind.MONEY: {"amount": NUMBER, "currency": TEXT},
    Kind.DATE: _DATE_MEMBERS,
    Kind.DATETIME: {**_DATE_MEMBERS, "hour": NUMBER, "minute": NUMBER},
}


def member(holder: Type, name: str) -> Type | None:
    """Return the type of a field or method, or None when the holder has none of that name."""
    if holder.kind is Kind.ANY:
        return ANY
    if holder.kind is Kind.RECORD and holder.fields is None:
        return ANY
    if holder.fields and name in holder.fields:
        return holder.fields[name]
    if holder.kind in (Kind.FACT, Kind.FUNCTION):
        return None if holder.fields is not None else ANY
    return MEMBERS.get(holder.kind, {}).get(name)


def member_names(holder: Type) -> tuple[str, ...]:
    """Return the names to suggest for a misspelt field."""
    return tuple(holder.fields) if holder.fields else tuple(MEMBERS.get(holder.kind, {}))


@dataclass
class Scope:
    """Names in force at a place.

    names: Own names; the outer scope is asked for the others.
    """

    names: dict[str, Type]
    outer: Scope | None = None

    def find(self, name: str) -> Type | None:
        """Return the type of a name, or None."""
        if name in self.names:
            return self.names[name]
        return self.outer.find(name) if self.outer else None

    def all(self) -> set[str]:
        """Return every name in force."""
        return set(self.names) | (self.outer.all() if self.outer else set())
