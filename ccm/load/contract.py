"""The data contract at work: raw records in, typed records and faults out.

A contract is compiled once into nested readers and then used for every row; see `ContractReader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ccm.diagnostics import Diagnostic, Location, suggest
from ccm.load.contract_columns import RowsReader
from ccm.load.contract_values import Reader, WrongValue, checked_currency, currency_at, read_money, reader_of
from ccm.model.definitions import FieldDefinition, FieldType

Steps: TypeAlias = tuple[str | int, ...]
MAX_FAULTS: Final = 20  # of one record; the twenty-first tells nobody anything new


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong value.

    steps: Way to it from the record's root: names, and indexes from 0.
    """

    steps: Steps
    code: str
    message: str
    remedy: str


def type_record(
    raw: Mapping[str, object], fields: Mapping[str, FieldDefinition], location: Location
) -> tuple[dict[str, object], tuple[Diagnostic, ...]]:
    """Type one record of customer data.

    Args:
        raw: Nested texts (or a database's own types) by field name; unknown names are ignored.
        fields: The contract; give the same object for every row, it is compiled once.
        location: The row.
    Returns:
        Typed values: text is str, money is `Money`, a record is dict, a list is tuple, an absent optional
        value is None. Fields with `derive` are left out: composing computes them. A diagnostic names field and
        expected form, never the value.
    """
    data, faults = contract_reader(fields).read(raw)
    if not faults:
        return data, ()
    return data, tuple(Diagnostic(fault.code, fault.message, fault.remedy, location) for fault in faults)


_READERS: dict[int, tuple[Mapping[str, FieldDefinition], ContractReader]] = {}


def contract_reader(fields: Mapping[str, FieldDefinition]) -> ContractReader:
    """Return the compiled reader of a contract; the same object is compiled once."""
    known = _READERS.get(id(fields))
    if known is not None and known[0] is fields:
        return known[1]
    if len(_READERS) >= 64:
        _READERS.clear()
    reader = ContractReader(fields)
    _READERS[id(fields)] = (fields, reader)
    return reader


class TypedRows:
    """Rows that a `RowsReader` typed, in a record that is not."""

    __slots__ = ("rows",)

    def __init__(self, rows: tuple[dict[str, object], ...]) -> None:
        self.rows = rows


class ContractReader:
    """A compiled contract; safe to share between threads."""

    def __init__(self, fields: Mapping[str, FieldDefinition]) -> None:
        self._read = _record_reader(fields)
        # Readers of the lists whose rows can be typed together, by field.
        self.rows = {name: made for name, field in fields.items() if (made := RowsReader.of(field)) is not None}

    def read(self, raw: Mapping[str, object]) -> tuple[dict[str, object], list[Fault]]:
        """Return typed values and at most `MAX_FAULTS` faults."""
        faults: list[Fault] = []
        data = self._read(raw, raw, (), faults)
        return data, faults[:MAX_FAULTS]


def unknown_fields(
    raw: Mapping[str, object], fields: Mapping[str, FieldDefinition], steps: Steps = ()
) -> Iterator[Fault]:
    """Yield a fault for each name that the contract does not have; for data that authors write."""
    for name, value in raw.items():
        here = (*steps, name)
        field = fields.get(name)
        if field is None:
            yield Fault(here, "unknown-field", f'the contract has no field "{show(here)}"', suggest(name, fields))
        elif field.derive is not None:
            remedy = "remove it; its value is computed"
            yield Fault(here, "unknown-field", f'"{show(here)}" is a derived field', remedy)
        elif field.type is FieldType.RECORD and isinstance(value, Mapping):
            yield from unknown_fields(value, field.fields, here)
        elif field.type is FieldType.LIST and field.of is not None and field.of.fields and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from unknown_fields(item, field.of.fields, (*here, index))


def show(steps: Sequence[str | int]) -> str:
    """Write steps as people do: `transactions[3].amount`, counted from 1."""
    text = ""
    for step in steps:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


# ── compiled readers ─────────────────────────────────────────────────────────

_Raw: TypeAlias = Mapping[str, object]
_RecordReader: TypeAlias = Callable[[_Raw, _Raw, Steps, list[Fault]], dict[str, object]]
# value, root record, record that the value stands in, where, faults so far → typed value
_NestedReader: TypeAlias = Callable[[object, _Raw, _Raw, Steps, list[Fault]], object]


def _record_reader(fields: Mapping[str, FieldDefinition]) -> _RecordReader:
    plain: list[tuple[str, Reader, bool]] = []
    nested: list[tuple[str, _NestedReader, bool, bool]] = []
    order = tuple(name for name, field in fields.items() if field.derive is None)
    for name in order:
        field = fields[name]
        if field.type in (FieldType.RECORD, FieldType.LIST, FieldType.MONEY):
            nested.append((name, _nested_reader(field), field.required, field.type is FieldType.LIST))
        else:
            plain.append((name, reader_of(field), field.required))

    def read(raw: _Raw, root: _Raw, steps: Steps, faults: list[Fault]) -> dict[str, object]:
        data: dict[str, object] = dict.fromkeys(order)
        for name, reader, required in plain:
            value = raw.get(name)
            if value is None or value == "" or (type(value) is str and value.isspace()):
                if required:
                    faults.append(_missing((*steps, name)))
                continue
            try:
                data[name] = reader(value)
            except WrongValue as wrong:
                faults.append(_wrong((*steps, name), wrong))
        for name, into, required, is_list in nested:
            value = raw.get(name)
            if value is None or (type(value) is str and (not value or value.isspace())):
                if required:
                    faults.append(_missing((*steps, name)))
                data[name] = () if is_list else None
                continue
            data[name] = into(value, root, raw, (*steps, name), faults)
        return data

    return read


def _missing(steps: Steps) -> Fault:
    name = show(steps)
    remedy = f'fill it in, or write "{steps[-1]}: …?" in the contract if it may be missing'
    return Fault(steps, "missing-value", f'"{name}" is empty', remedy)


def _wrong(steps: Steps, wrong: WrongValue) -> Fault:
    return Fault(steps, wrong.code, f'"{show(steps)}" {wrong.what}', wrong.remedy)


def _nested_reader(field: FieldDefinition) -> _NestedReader:
    if field.type is FieldType.MONEY:
        return _money_reader(field)
    if field.type is FieldType.LIST and field.of is not None:
        return _list_reader(field.of)
    return _optional_record_reader(field)


def _optional_record_reader(field: FieldDefinition) -> _NestedReader:
    read_fields = _record_reader(field.fields)

    def read(value: object, root: _Raw, beside: _Raw, steps: Steps, faults: list[Fault]) -> object:
        if not isinstance(value, Mapping):
            faults.append(Fault(steps, "wrong-shape", f'"{show(steps)}" is not a record', "give its fields by name"))
            return None
        if not field.required and _is_empty(value):
            return None
        return read_fields(value, root, steps, faults)

    return read


def _is_empty(record: _Raw) -> bool:
    """Tell whether no field of a record has a value: columns of an optional record that are all empty."""
    for value in record.values():
        if isinstance(value, Mapping):
            if not _is_empty(value):
                return False
        elif value is not None and not (isinstance(value, str) and not value.strip()):
            return False
    return True


def _list_reader(item: FieldDefinition) -> _NestedReader:
    if item.type in (FieldType.RECORD, FieldType.LIST, FieldType.MONEY):
        into = _nested_reader(item)
    else:
        one = reader_of(item)

        def into(value: object, root: _Raw, beside: _Raw, steps: Steps, faults: list[Fault]) -> object:
            try:
                return one(value)
            except WrongValue as wrong:
                faults.append(_wrong(steps, wrong))
                return None

    def read(value: object, root: _Raw, beside: _Raw, steps: Steps, faults: list[Fault]) -> object:
        if type(value) is TypedRows:
            return value.rows
        if not isinstance(value, (list, tuple)):
            faults.append(Fault(steps, "wrong-shape", f'"{show(steps)}" is not a list', "give a list of items"))
            return ()
        items = []
        for index, entry in enumerate(value):
            if entry is None or entry == "":
                faults.append(_missing((*steps, index)))
            elif len(faults) < MAX_FAULTS:
                items.append(into(entry, root, beside, (*steps, index), faults))
        return tuple(items)

    return read


def _money_reader(field: FieldDefinition) -> _NestedReader:
    given, decimals = field.currency or "", field.decimals
    if given.isupper() and "." not in given:
        path: tuple[str, ...] = ()
    else:
        path = tuple(given.split("."))

    def read(value: object, root: _Raw, beside: _Raw, steps: Steps, faults: list[Fault]) -> object:
        try:
            currency = checked_currency(given if not path else currency_at(path, root, beside))
            return read_money(value, currency, decimals)
        except WrongValue as wrong:
            faults.append(_wrong(steps, wrong))
            return None

    return read
