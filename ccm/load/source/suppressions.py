"""Addresses that must not be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from ccm.load.source.headers import open_table
from ccm.load.source.tables import RawRow, Table
from ccm.model.definitions import Channel, Purpose, SourceDefinition
from ccm.model.records import Suppression
from ccm.model.workspace import Workspace

# What planning can compare; a display name, a list or `mailto:` would match nobody, and nobody would notice.
_ADDRESS = re.compile(
    r"[^\s<>,;:\"@]+@[^\s<>,;:\"@]*[^\s<>,;:\"@.]|(?=(?:\D*\d){3})[+\d ().\-/\u00a0\u2010-\u2015\u2212]+"
)

_Word = TypeVar("_Word", Channel, Purpose)


def load_suppressions(workspace: Workspace, source: SourceDefinition) -> tuple[Suppression, ...]:
    """Read the suppression list of a source; empty if it has none.

    Raises:
        SourceUnreadable: If the list, or one row of it, cannot be understood. Why: A row that is skipped would let
            somebody be written to who must not be; nothing may be sent until it is mended.
    """
    if source.suppressions is None:
        return ()
    return tuple(_suppressions(open_table(workspace, source, source.suppressions)))


def _suppressions(table: Table) -> Iterator[Suppression]:
    if "address" not in table.header():
        raise table.unreadable(
            'the suppression list has no column "address"', "add it, or map one under columns", code="missing-column"
        )
    for row in table.rows():
        if row.trouble:
            raise _refused(table, row, row.trouble)
        address = row.text("address")
        if not _ADDRESS.fullmatch(address):
            raise _refused(table, row, "its address is neither one plain email address nor a telephone number")
        channel = _word(table, row, "channel", Channel)
        purpose = _word(table, row, "purpose", Purpose)
        yield Suppression(address, channel, purpose, row.text("reason") or "suppressed")


def _word(table: Table, row: RawRow, column: str, known: type[_Word]) -> _Word | None:
    """Read a channel or purpose; None means all of them."""
    text = row.text(column).lower()
    if not text:
        return None
    try:
        return known(text)
    except ValueError:
        allowed = ", ".join(word.value for word in known)
        raise _refused(table, row, f'its column "{column}" holds none of: {allowed}') from None


def _refused(table: Table, row: RawRow, trouble: str) -> Exception:
    return table.unreadable(
        f"a row of the suppression list cannot be used: {trouble}",
        "mend the row; nothing is sent before, so that nobody on the list is written to",
        code="malformed-row",
        line=row.line,
    )
