"""The words that templates may use: filters, functions and tests, with the kinds of value they take and give.

Composing registers exactly these names and removes every other one; loading checks authors' files against
them before any data is seen. Two phases share the list, so it stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ccm.model.definitions import FactKind, FieldType


class Kind(StrEnum):
    """What sort of value an expression gives; coarser than `FieldType`."""

    TEXT = "text"
    NUMBER = "number"  # integer or exact decimal
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    RECORD = "record"  # named fields
    LIST = "list"
    MARKUP = "markup"  # SVG or HTML that our own functions made
    FACT = "fact"  # prints itself in the recipient's locale
    FUNCTION = "function"  # something to call: a function, a method, a macro
    ANY = "any"  # cannot be known before the data is


KIND_OF_FIELD: Mapping[FieldType, Kind] = {
    FieldType.TEXT: Kind.TEXT,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.DECIMAL: Kind.NUMBER,
    FieldType.MONEY: Kind.MONEY,
    FieldType.PERCENT: Kind.PERCENT,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.CODE: Kind.TEXT,
    FieldType.LINK: Kind.TEXT,
    FieldType.EMAIL: Kind.TEXT,
    FieldType.PHONE: Kind.TEXT,
    FieldType.COUNTRY: Kind.TEXT,
    FieldType.RECORD: Kind.RECORD,
    FieldType.LIST: Kind.LIST,
}

# What the expression of a fact may give.
KINDS_OF_FACT: Mapping[FactKind, frozenset[Kind]] = {
    FactKind.MONEY: frozenset({Kind.MONEY}),
    FactKind.DATE: frozenset({Kind.DATE, Kind.DATETIME}),
    FactKind.PERCENT: frozenset({Kind.PERCENT, Kind.NUMBER}),
    FactKind.NUMBER: frozenset({Kind.NUMBER}),
    FactKind.CODE: frozenset({Kind.TEXT, Kind.NUMBER}),
    FactKind.LINK: frozenset({Kind.TEXT}),
    FactKind.NAME: frozenset({Kind.TEXT}),
    FactKind.TEXT: frozenset({Kind.TEXT, Kind.NUMBER, Kind.MARKUP}),
}


class Gives(StrEnum):
    """What a filter gives, where that hangs on what it was given."""

    SAME = "same"  # the value's own type
    ITEM = "item"  # the type of the list's items
    FIELD = "field"  # the type of the item's named field
    OTHERWISE = "otherwise"  # the value or the argument, never missing
    MAPPED = "mapped"  # a list of what `map` makes of each item
    GROUPED = "grouped"  # a list of (grouper, list) pairs
    NESTED = "nested"  # a list of lists


@dataclass(frozen=True, slots=True)
class FilterWord:
    """One filter.

    takes: Kinds of value it can work on; empty for every kind.
    gives: Kind of the result, or how it follows from what was given.
    field: Position of the argument that names a field of the list's items, from 0; None if there is none.
    field_keyword: The same argument by keyword.
    missing: Whether it can work on a value that is missing.
    """

    takes: frozenset[Kind]
    gives: Kind | Gives
    field: int | None = None
    field_keyword: str = ""
    missing: bool = False


def _takes(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


_ANY: frozenset[Kind] = frozenset()
_NUMERIC = _takes(Kind.NUMBER, Kind.PERCENT)
_AMOUNT = _takes(Kind.NUMBER, Kind.PERCENT, Kind.MONEY)
_MOMENT = _takes(Kind.DATE, Kind.DATETIME)
_TEXT = _takes(Kind.TEXT, Kind.MARKUP)
_PRINTABLE = _takes(Kind.TEXT, Kind.MARKUP, Kind.NUMBER, Kind.PERCENT, Kind.MONEY, Kind.FACT)
_LIST = _takes(Kind.LIST)

# Written in the recipient's locale.
LOCALE_FILTERS: Mapping[str, FilterWord] = {
    "money": FilterWord(_takes(Kind.MONEY, Kind.NUMBER), Kind.TEXT),  # a bare number needs money("EUR")
    "number": FilterWord(_AMOUNT, Kind.TEXT),
    "percent": FilterWord(_NUMERIC, Kind.TEXT),
    "date": FilterWord(_MOMENT, Kind.TEXT),
    "datetime": FilterWord(_takes(Kind.DATETIME), Kind.TEXT),
    "month": FilterWord(_MOMENT, Kind.TEXT),
    "list": FilterWord(_LIST, Kind.TEXT),
    "unit": FilterWord(_NUMERIC, Kind.TEXT),
    "address": FilterWord(_takes(Kind.RECORD), Kind.LIST),
    "total": FilterWord(_LIST, Gives.FIELD, field=0, field_keyword="attribute"),
    "initials": FilterWord(_takes(Kind.TEXT, Kind.RECORD), Kind.TEXT),
}

# Jinja's own that stay. Left out for safety: attr, safe, format, pprint, random, xmlattr, urlize, tojson, center.
PLAIN_FILTERS: Mapping[str, FilterWord] = {
    "abs": FilterWord(_AMOUNT, Gives.SAME),
    "batch": FilterWord(_LIST, Gives.NESTED),
    "capitalize": FilterWord(_PRINTABLE, Kind.TEXT),
    "count": FilterWord(_takes(Kind.LIST, Kind.TEXT, Kind.RECORD), Kind.NUMBER),
    "d": FilterWord(_ANY, Gives.OTHERWISE, missing=True),
    "default": FilterWord(_ANY, Gives.OTHERWISE, missing=True),
    "e": FilterWord(_ANY, Gives.SAME),
    "escape": FilterWord(_ANY, Gives.SAME),
    "first": FilterWord(_takes(Kind.LIST, Kind.TEXT), Gives.ITEM),
    "float": FilterWord(_PRINTABLE, Kind.NUMBER),
    "groupby": FilterWord(_LIST, Gives.GROUPED, field=0, field_keyword="attribute"),
    "indent": FilterWord(_PRINTABLE, Kind.TEXT),
    "int": FilterWord(_PRINTABLE, Kind.NUMBER),
    "join": FilterWord(_LIST, Kind.TEXT, field=1, field_keyword="attribute"),
    "last": FilterWord(_takes(Kind.LIST, Kind.TEXT), Gives.ITEM),
    "length": FilterWord(_takes(Kind.LIST, Kind.TEXT, Kind.RECORD), Kind.NUMBER),
    "lower": FilterWord(_PRINTABLE, Kind.TEXT),
    "map": FilterWord(_LIST, Gives.MAPPED, field_keyword="attribute"),
    "max": FilterWord(_LIST, Gives.ITEM, field_keyword="attribute"),
    "min": FilterWord(_LIST, Gives.ITEM, field_keyword="attribute"),
    "reject": FilterWord(_LIST, Gives.SAME),
    "rejectattr": FilterWord(_LIST, Gives.SAME, field=0),
    "replace": FilterWord(_PRINTABLE, Kind.TEXT),
    "reverse": FilterWord(_takes(Kind.LIST, Kind.TEXT), Gives.SAME),
    "round": FilterWord(_NUMERIC, Gives.SAME),
    "select": FilterWord(_LIST, Gives.SAME),
    "selectattr": FilterWord(_LIST, Gives.SAME, field=0),
    "slice": FilterWord(_LIST, Gives.NESTED),
    "sort": FilterWord(_LIST, Gives.SAME, field_keyword="attribute"),
    "string": FilterWord(_PRINTABLE, Kind.TEXT),
    "striptags": FilterWord(_TEXT, Kind.TEXT),
    "sum": FilterWord(_LIST, Gives.FIELD, field=0, field_keyword="attribute"),
    "title": FilterWord(_PRINTABLE, Kind.TEXT),
    "trim": FilterWord(_PRINTABLE, Kind.TEXT),
    "truncate": FilterWord(_PRINTABLE, Kind.TEXT),
    "unique": FilterWord(_LIST, Gives.SAME, field_keyword="attribute"),
    "upper": FilterWord(_PRINTABLE, Kind.TEXT),
    "urlencode": FilterWord(_PRINTABLE, Kind.TEXT),
    "wordcount": FilterWord(_TEXT, Kind.NUMBER),
    "wordwrap": FilterWord(_TEXT, Kind.TEXT),
}

FILTERS: Mapping[str, FilterWord] = {**PLAIN_FILTERS, **LOCALE_FILTERS}

# Our own functions and the kind of what they give.
FUNCTIONS: Mapping[str, Kind] = {
    "asset": Kind.TEXT,
    "salutation": Kind.TEXT,
    "qr": Kind.MARKUP,
    "epc_qr": Kind.MARKUP,
    "barcode": Kind.MARKUP,
    "bar_chart": Kind.MARKUP,
}

# Texts for translators (`_`, `gettext`, …) and the harmless ones of Jinja. Removed: lipsum, cycler, joiner.
TRANSLATING: frozenset[str] = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})
PLAIN_FUNCTIONS: Mapping[str, Kind] = {
    **dict.fromkeys(TRANSLATING, Kind.TEXT),
    "range": Kind.LIST,  # bounded when composing
    "dict": Kind.RECORD,
    "namespace": Kind.RECORD,
}

# Jinja's tests that stay.
TESTS: frozenset[str] = frozenset(
    {
        "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "ge", "greaterthan", "gt", "in",
        "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number", "odd",
        "sameas", "sequence", "string", "true", "undefined", "upper", "==", "!=", "<", "<=", ">", ">=",
    }
)  # fmt: skip

# Removed for safety, with what to do instead.
BANNED: Mapping[str, str] = {
    "safe": "print the value as it is; it is escaped for its place",
    "attr": "write the field's name after a dot",
    "format": "use number, money, date or ~ to join texts",
    "pprint": "print the fields one by one",
    "random": "the same data must always give the same message; name the item",
    "xmlattr": "write the attributes out",
    "urlize": "write the link out",
    "tojson": "templates hold no scripts",
    "lipsum": "write the text out",
    "cycler": 'use loop.cycle("odd", "even")',
    "joiner": "use the filter join or list",
}
