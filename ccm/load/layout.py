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
