"""What a filter gives, by what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from ccm.diagnostics import suggest
from ccm.load.lint.types import ANY, LINES, TEXT, Type, join, list_of, member, member_names, record
from ccm.model.vocabulary import FILTERS, FilterWord, Gives, Kind

if TYPE_CHECKING:
    from ccm.load.lint.expressions import Reading


def filter_type(reading: Reading, node: nodes.Filter, word: FilterWord, given: Type) -> Type:
    """Return the type of a filtered value, checking the arguments that name a field."""
    optional = given.optional and not word.missing
    _check_joined(reading, node, given)
    field = _field_type(reading, node, word, given)
    item = given.item or ANY if given.kind is Kind.LIST else ANY
    if isinstance(word.gives, Kind):
        return LINES.maybe(optional) if word.gives is Kind.LIST else Type(word.gives, optional=optional)
    match word.gives:
        case Gives.SAME:
            found = given
        case Gives.ITEM:
            found = TEXT if given.kind is Kind.TEXT else item
        case Gives.FIELD:
            found = field or item
        case Gives.OTHERWISE:
            found = _otherwise(reading, node, given)
        case Gives.MAPPED:
            found = list_of(field or _mapped(reading, node, item))
        case Gives.GROUPED:
            groups = record({"grouper": field or ANY, "list": given})
            found = list_of(Type(Kind.RECORD, fields=groups.fields, parts=(field or ANY, given)))
        case Gives.NESTED:
            found = list_of(given)
    return found.maybe(optional)


def _check_joined(reading: Reading, node: nodes.Filter, given: Type) -> None:
    """`list` joins texts as the language does; it is not Jinja's `list`."""
    if node.name == "list" and given.item is not None and given.item.kind is Kind.RECORD:
        remedy = 'leave it out, or name the field to join: | map(attribute="…") | list'
        reading.error(node, "wrong-type", 'the filter "list" joins texts; these items are records', remedy)


def _otherwise(reading: Reading, node: nodes.Filter, given: Type) -> Type:
    other = reading.type_of(node.args[0]) if node.args else TEXT
    return join(given.maybe(False), other.maybe(False)) if given.kind is not Kind.FACT else given.maybe(False)


def _mapped(reading: Reading, node: nodes.Filter, item: Type) -> Type:
    """`map("upper")` runs a filter over every item."""
    if not node.args:
        return ANY
    first = node.args[0]
    if not isinstance(first, nodes.Const) or not isinstance(first.value, str):
        return ANY
    word = FILTERS.get(first.value)
    if word is None:
        reading.error(first, "unknown-filter", f'there is no filter "{first.value}"', suggest(first.value, FILTERS))
        return ANY
    if word.takes and item.kind not in word.takes and item.kind is not Kind.ANY:
        takes = " or ".join(sorted(word.takes))
        message = f'the filter "{first.value}" takes {takes}; the items are {item.kind}'
        reading.error(first, "wrong-type", message, "name another filter")
        return ANY
    if isinstance(word.gives, Kind):
        return Type(word.gives)
    return item if word.gives is Gives.SAME else ANY


def _field_type(reading: Reading, node: nodes.Filter, word: FilterWord, given: Type) -> Type | None:
    """Return the type of the item's field that an argument names; None when none is named."""
    named = _naming_argument(node, word)
    if named is None or given.kind is not Kind.LIST or given.item is None:
        return None
    found = given.item
    for step in named.value.split("."):
        inner = member(found, step)
        if inner is None:
            message = f'the items have no "{step}"'
            reading.error(named, "unknown-field", message, suggest(step, member_names(found)))
            return ANY
        found = inner
    return found


def _naming_argument(node: nodes.Filter, word: FilterWord) -> nodes.Const | None:
    candidates: list[nodes.Expr] = [pair.value for pair in node.kwargs if pair.key == word.field_keyword]
    if word.field is not None:
        candidates += node.args[word.field : word.field + 1]
    for candidate in candidates:
        if isinstance(candidate, nodes.Const) and isinstance(candidate.value, str):
            return candidate
    return None
