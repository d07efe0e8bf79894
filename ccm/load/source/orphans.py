"""Finding child rows that belong to no row of the main table: nobody would get them, and nobody would miss them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import nsmallest
from itertools import islice

from ccm.diagnostics import Location
from ccm.load.source.scratch import SeenKeys
from ccm.load.source.staging import ChildRows, StagedChildRows
from ccm.load.source.tables import RawRow, Table
from ccm.model.orphans import OrphanRows

PLACES = 5  # keys whose place is told, of each table
_AT_ONCE = 500  # keys looked up by one question


class ParentKeys:
    """The keys of the main table, as a reading met them.

    Args:
        seen: Where readings note the keys of sound rows, under "key".
    """

    def __init__(self, seen: SeenKeys) -> None:
        self._seen = seen

    def note(self, row: RawRow, column: str) -> None:
        """Remember the key of a row; of one that cannot be trusted, all that may be it: its recipient is held and seen."""
        for key in row.candidates if row.trouble else (row.text(column),):
            if key:
                self._seen.add("parent", key)

    def note_all(self, table: Table, column: str) -> None:
        """Remember the keys of a whole table."""
        for row in table.rows():
            self.note(row, column)

    def without(self, keys: Iterator[str]) -> Iterator[str]:
        """Yield the keys that no row of the main table has; the empty one is nobody's."""
        while some := list(islice(keys, _AT_ONCE)):
            yield from self._seen.missing("parent", self._seen.missing("key", some))


def orphans_among(children: Mapping[str, ChildRows], parents: ParentKeys) -> tuple[OrphanRows, ...]:
    """Return what of each staged child table belongs to nobody; tables where all is well are left out."""
    found = (_of_table(name, rows, parents) for name, rows in children.items() if isinstance(rows, StagedChildRows))
    return tuple(one for one in found if one.rows)


def _of_table(name: str, children: StagedChildRows, parents: ParentKeys) -> OrphanRows:
    """Look at each key once, in the staged rows' own index."""
    count = 0
    firsts: list[int] = []
    doubtful: set[int] = set()  # rows that cannot be trusted; each is staged under every key that it may have
    nobodys: set[str] = set()  # keys of these
    for key in parents.without(children.all_keys()):
        certain, uncertain = children.lines(key)
        if uncertain:
            doubtful.update(uncertain)
            nobodys.add(key)
        if certain:
            count += len(certain)
            firsts = nsmallest(PLACES, [*firsts, min(certain)])
    if doubtful:  # one that may be somebody's holds them, and their outcome names it
        doubtful.difference_update(line for key, line in children.doubtful() if key not in nobodys)
    firsts = nsmallest(PLACES, [*firsts, *doubtful])
    return OrphanRows(name, count + len(doubtful), tuple(Location(children.table.label, line) for line in firsts))
