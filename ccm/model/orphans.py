"""Child rows that nobody of the source owns."""

from __future__ import annotations

from dataclasses import dataclass

from ccm.diagnostics import Location


@dataclass(frozen=True)
class OrphanRows:
    """Rows of one child table whose key is that of no row of the main table: no message tells them.

    table: Name of the child table in its source.
    rows: How many, of the occurrence's period.
    places: Where the first one of each key stands, of the first few keys, in the order of the table.
    """

    table: str
    rows: int
    places: tuple[Location, ...] = ()
