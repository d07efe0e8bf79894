"""Many rows typed at once, column by column; whatever is not plain is left to the reader of single records.

A child table has dozens of rows with the same few columns. Their values are looked at together where that is possible:
one pattern over all amounts, one look into a table of known days. A column that holds anything out of the ordinary makes
the whole list go the way of `contract.ContractReader`, which says what is wrong and where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias
from unicodedata import is_normalized

from ccm.load.contract_values import (
    Reader,
    WrongValue,
    checked_currency,
    currency_at,
    read_code,
    read_decimal,
    read_integer,
    read_text,
    reader_of,
)
from ccm.model.definitions import FieldDefinition, FieldType
from ccm.model.values import amounts_in, minor_digits

Column: TypeAlias = Sequence[object]
# Values of a column as the table has them → typed ones; None for what is empty.
ColumnReader: TypeAlias = Callable[[Column], list[object]]

_MOST_KNOWN = 4096  # values of one column that are remembered: eleven years of days
_REPEATED = frozenset((FieldType.DATE, FieldType.DATETIME, FieldType.BOOLEAN, FieldType.COUNTRY))
_INTEGERS = re.compile(r"[+-]?+[0-9]{1,30}+(?:\n[+-]?+[0-9]{1,30}+)*+")
_DECIMALS = re.compile(r"[+-]?+[0-9]{1,30}+(?:\.[0-9]{1,20}+)?+(?:\n[+-]?+[0-9]{1,30}+(?:\.[0-9]{1,20}+)?+)*+")


class NotPlain(Exception):
    """The rows have something that only the reader of single records knows to tell."""


class RowsReader:
    """Reads the rows of one list of records."""

    def __init__(self, fields: Mapping[str, FieldDefinition]) -> None:
        self._order = tuple(name for name, field in fields.items() if field.derive is None)
        self._required = frozenset(name for name in self._order if fields[name].required)
        self._plain = {name: _column_reader(fields[name]) for name in self._order if not _is_money(fields[name])}
        self._amounts = {name: _Amounts(fields[name]) for name in self._order if _is_money(fields[name])}

    @classmethod
    def of(cls, field: FieldDefinition) -> RowsReader | None:
        """Return the reader of a field's rows; None if it is no list of records of single values."""
        if field.type is not FieldType.LIST or field.of is None or field.of.type is not FieldType.RECORD:
            return None
        own = [one for one in field.of.fields.values() if one.derive is None]
        nested = any(one.type in (FieldType.RECORD, FieldType.LIST) for one in own)
        return cls(field.of.fields) if own and not nested and field.of.required else None

    def read(
        self, columns: Mapping[str, Column], count: int, root: Mapping[str, object]
    ) -> tuple[dict[str, object], ...]:
        """Return typed rows, the same that reading them one by one gives.

        Args:
            columns: Raw values by field.
            count: Of the rows.
            root: Raw record that the list is a field of; amounts may take their currency from it.
        Raises:
            NotPlain: If the reader of single records must look: a value is wrong, missing, or no text.
        """
        if not count:
            return ()
        read: list[Column] = []
        try:
            for name in self._order:
                values = columns.get(name)
                required = name in self._required
                if values is None:
                    found: Column = [None] * count
                elif name in self._amounts:
                    read.append(self._amounts[name].read(values, columns, root, required=required))
                    continue
                else:
                    found = self._plain[name](values)
                if required and None in found:
                    raise NotPlain
                read.append(found)
        except (WrongValue, TypeError):
            raise NotPlain from None
        order = self._order
        return tuple([dict(zip(order, row)) for row in zip(*read)])  # noqa: B905  # of one length; this is every row


def _is_money(field: FieldDefinition) -> bool:
    return field.type is FieldType.MONEY


def _column_reader(field: FieldDefinition) -> ColumnReader:
    read = reader_of(field)
    if field.values or field.type in _REPEATED:
        return _remembered(read)
    if read is read_text:
        return _texts
    if read is read_code:
        return _codes
    if read is read_integer:
        return _integers
    if read is read_decimal:
        return _decimals
    return lambda values: _each(read, values)


def _each(read: Reader, values: Column) -> list[object]:
    """Read one value after the other."""
    return [
        None if value is None or value == "" or (type(value) is str and value.isspace()) else read(value)
        for value in values
    ]


def _remembered(read: Reader) -> ColumnReader:
    """Return a reader of values that come again and again."""
    known: dict[object, object] = {}

    def column(values: Column) -> list[object]:
        try:
            return [known[value] for value in values]
        except KeyError:
            pass
        if len(known) >= _MOST_KNOWN:
            known.clear()
        found = _each(read, values)
        # By text alone: 1, 1.0 and True are one key, and are not the same value.
        known.update({value: one for value, one in zip(values, found, strict=True) if type(value) is str})
        return found

    return column


def _texts(values: Column) -> list[object]:
    if _are_plain(values):
        if all(values) and not any(map(str.isspace, values)):  # type: ignore[arg-type]  # texts
            return list(values)
        return [value if value.strip() else None for value in values]  # type: ignore[attr-defined]  # texts
    return _each(read_text, values)


def _codes(values: Column) -> list[object]:
    if _are_plain(values):
        return [value.strip() or None for value in values]  # type: ignore[attr-defined]  # texts
    return _each(read_code, values)


def _integers(values: Column) -> list[object]:
    return list(map(int, values)) if _match(_INTEGERS, values) else _each(read_integer, values)  # type: ignore[arg-type]  # texts


def _decimals(values: Column) -> list[object]:
    return list(map(Decimal, values)) if _match(_DECIMALS, values) else _each(read_decimal, values)  # type: ignore[arg-type]  # texts


def _match(pattern: re.Pattern[str], values: Column) -> bool:
    """Tell whether all of these are texts of a form, none with a line end in it."""
    try:
        together = "\n".join(values)  # type: ignore[arg-type]  # a TypeError says that these are no texts
    except TypeError:
        return False
    return pattern.fullmatch(together) is not None and together.count("\n") == len(values) - 1


def _are_plain(values: Column) -> bool:
    """Tell whether all of these are texts in NFC without controls; nothing composes with a blank, so they are joined by it.

    Raises:
        TypeError: If one is no text.
    """
    together = " ".join(values)  # type: ignore[arg-type]
    return together.isprintable() and (together.isascii() or _is_composed(together))


def _is_composed(text: str) -> bool:
    """Tell whether a text is in NFC; in Latin-1 there is nothing to be put together, which is seen at once."""
    try:
        text.encode("latin1")
    except UnicodeEncodeError:
        return is_normalized("NFC", text)
    return True


class _Amounts:
    """Reads a column of amounts of one currency."""

    def __init__(self, field: FieldDefinition) -> None:
        given = field.currency or ""
        self._fixed = given if given.isupper() and "." not in given else ""
        self._path = tuple(given.split("."))
        self._decimals = field.decimals

    def read(
        self, values: Column, columns: Mapping[str, Column], root: Mapping[str, object], *, required: bool
    ) -> list[object]:
        """Return amounts; None for what may be empty and is.

        Raises:
            NotPlain: If one is not of the usual form, or they have several currencies.
        """
        given = values if required else [value for value in values if value not in (None, "")]
        if not given:
            return [None] * len(values)
        currency = self._currency(columns, root)
        most = minor_digits(currency) if self._decimals is None else self._decimals
        together = "\n".join(given)  # type: ignore[arg-type]  # a TypeError says that these are no texts
        if not _amounts(most).fullmatch(together) or together.count("\n") != len(given) - 1:
            raise NotPlain
        amounts: list[object] = [*amounts_in(currency, map(Decimal, given))]  # type: ignore[arg-type]  # as above
        if len(given) == len(values):
            return amounts
        each = iter(amounts)
        return [next(each) if value else None for value in values]

    def _currency(self, columns: Mapping[str, Column], root: Mapping[str, object]) -> str:
        if self._fixed:
            return checked_currency(self._fixed)
        beside = columns.get(self._path[0], ()) if len(self._path) == 1 else ()
        if any(value != beside[0] for value in beside):
            raise NotPlain
        return checked_currency(currency_at(self._path, root, {self._path[0]: beside[0]} if beside else {}))


@lru_cache(maxsize=16)
def _amounts(most: int) -> re.Pattern[str]:
    """Return the pattern of amounts one below the other that need no further look."""
    one = rf"[+-]?+[0-9]{{1,30}}+(?:\.[0-9]{{1,{most}}}+)?+" if most else "[+-]?+[0-9]{1,30}+"
    return re.compile(rf"{one}(?:\n{one})*+")
