"""Where the cells of a row stand in the nested record that the data contract describes."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.load.source.headers import Fields, place_of
from ccm.model.definitions import FieldDefinition


class Layout:
    """Puts cells into their places; columns that the contract does not know are left out.

    Args:
        fields: Fields of the contract, or of a child's item.
        record: Record that plain columns go into; empty for none.
    """

    def __init__(self, fields: Fields, record: str) -> None:
        self._fields = fields
        self._record = record
        self._places: dict[str, tuple[str, ...] | None] = {}  # by column: rows of one table share their columns
        self._plain: dict[tuple[str, ...], tuple[tuple[str, str], ...] | None] = {}

    def columns(self, columns: Mapping[str, list[object]]) -> dict[str, list[object]] | None:
        """Return the columns of many rows by the field they fill; None if they are more than plain fields.

        Why None: what two columns fill together, or a part of, is put together row by row.
        """
        names = tuple(columns)
        if names not in self._plain:
            self._plain[names] = self._fields_of(names)
        pairs = self._plain[names]
        return None if pairs is None else {field: columns[name] for field, name in pairs}

    def _fields_of(self, names: tuple[str, ...]) -> tuple[tuple[str, str], ...] | None:
        places = {name: place_of(name, self._fields, self._record) for name in names}
        pairs = tuple((place[0], name) for name, place in places.items() if place is not None)
        nested = any(place is not None and len(place) != 1 for place in places.values())
        return None if nested or len({field for field, _ in pairs}) != len(pairs) else pairs

    def record(self, cells: Mapping[str, object]) -> dict[str, object]:
        """Return the nested record of a row, values still raw."""
        made: dict[str, object] = {}
        for column, value in cells.items():
            if column in self._places:
                place = self._places[column]
            else:
                place = self._places[column] = place_of(column, self._fields, self._record)
            if place is None:
                continue
            if type(value) is str and len(place) == 1:
                made[place[0]] = value
            else:
                _put(made, place, value)
        return made


def item_fields(contract: Fields, name: str) -> Mapping[str, FieldDefinition]:
    """Return the fields of a child's rows: of the list's items, or of the record when there is one row at most."""
    field = contract.get(name)
    if field is None:
        return {}
    return field.of.fields if field.of is not None else field.fields


def _put(record: dict[str, object], place: tuple[str, ...], value: object) -> None:
    """Set a value; a record that two columns fill holds the fields of both."""
    for name in place[:-1]:
        below = record.get(name)
        if not isinstance(below, dict):
            below = record[name] = {}
        record = below
    present = record.get(place[-1])
    record[place[-1]] = {**present, **value} if isinstance(present, dict) and isinstance(value, dict) else value
