"""Recipients of a campaign, one by one, with their child rows and typed data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from ccm.diagnostics import Diagnostic, Location
from ccm.load.contract import Fault, TypedRows, contract_reader
from ccm.load.contract_columns import NotPlain
from ccm.load.layout import Layout, item_fields
from ccm.load.source.addressing import AddressReader
from ccm.load.source.headers import open_table
from ccm.load.source.orphans import ParentKeys, orphans_among
from ccm.load.source.scratch import SeenKeys
from ccm.load.source.staging import ChildRows, child_rows, drop_staged
from ccm.load.source.tables import Match, RawRow, RowBatch, RowBlock, Table, reach
from ccm.model.definitions import CampaignDefinition, ChildTable, OccurrenceEach, SourceDefinition
from ccm.model.orphans import OrphanRows
from ccm.model.records import Recipient
from ccm.model.workspace import Workspace

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def load_recipients(
    workspace: Workspace,
    campaign: CampaignDefinition,
    *,
    period: tuple[date, date] | None,
    only: str | None = None,
    tell_orphans: Callable[[tuple[OrphanRows, ...]], None] | None = None,
    orphans_first: bool = False,
) -> Iterator[Recipient]:
    """Read the recipients of a campaign in the order of their table.

    Args:
        period: First and last day, both inclusive, of the child rows to join; None joins all.
        only: The id of one customer, or the key of one row; nothing else is read.
        tell_orphans: Gets the child rows that belong to nobody, once all rows of the main table were read.
        orphans_first: Tell them before the first recipient; the keys of the main table are read beforehand for that.
    Returns:
        One recipient per row, each with the faults of its row and its child rows. A row whose key cannot be
        trusted comes as `row:<line>`, so that it never stands for a customer whom it may not mean.
    Raises:
        SourceUnreadable: If a table cannot be read; its diagnostic says which and why.
    """
    source = workspace.sources[campaign.audience.source]
    folder = _staging(workspace)
    table = open_table(workspace, source, source.rows)
    contract = workspace.templates[campaign.template_name].definition.contract
    with ExitStack() as held:
        seen = SeenKeys(folder)
        held.callback(seen.close)
        children: dict[str, ChildRows] = {}
        for name, child in source.children.items():
            if name not in contract:
                continue  # rows for another template that shares this source
            rows = open_table(workspace, source, child.rows)
            staged = f"{source.source}-{name}"
            children[name] = child_rows(rows, child, period, folder=folder, name=staged, one=only is not None)
            held.callback(children[name].close)
        reader = _Reader(workspace, campaign, table, children, seen)
        parents = ParentKeys(seen)
        if tell_orphans and orphans_first:
            parents.note_all(table, source.key)
            tell_orphans(orphans_among(children, parents))
        for row in _parents(table, source, only):
            if row.trouble:
                parents.note(row, source.key)
            yield reader.recipient(row)
        if tell_orphans and not orphans_first:
            tell_orphans(orphans_among(children, parents))


def count_rows(workspace: Workspace, campaign: CampaignDefinition, most: int) -> int:
    """Count the rows of a campaign's main table, and stop when there are so many.

    Raises:
        SourceUnreadable: If the table cannot be read.
    """
    source = workspace.sources[campaign.audience.source]
    count = 0
    for piece in open_table(workspace, source, source.rows).pieces():
        count += len(piece.lines) if isinstance(piece, RowBlock) else 1
        if count >= most:
            return most
    return count


def drop_staged_rows(workspace: Workspace) -> None:
    """Take away the copies of child rows that readings keep on disk.

    Raises:
        SourceUnreadable: If one cannot be removed.
    """
    drop_staged(_staging(workspace))


def _staging(workspace: Workspace) -> Path:
    return Path(workspace.root) / ".ccm" / "staging"


def _parents(table: Table, source: SourceDefinition, only: str | None) -> Iterator[RawRow]:
    if only is None:
        yield from table.rows()
        return
    found = False
    for row in table.rows(Match(source.recipient_id or source.key, only)):
        found = True
        yield row
    if not found and source.recipient_id:
        yield from table.rows(Match(source.key, only))


class _Lines(NamedTuple):
    """Where child rows stand.

    label: Their table.
    """

    label: str
    lines: list[int]


class _Reader:
    """Turns rows of one source into recipients of one campaign."""

    def __init__(
        self,
        workspace: Workspace,
        campaign: CampaignDefinition,
        table: Table,
        children: Mapping[str, ChildRows],
        seen: SeenKeys,
    ) -> None:
        template = workspace.templates[campaign.template_name].definition
        self._source = workspace.sources[campaign.audience.source]
        self._campaign = campaign
        self._contract = contract_reader(template.contract)
        self._addresses = AddressReader(self._source, campaign.purpose, template.locales[0], table.label)
        self._table = table
        self._children = children
        self._seen = seen
        self._layout = Layout(template.contract, self._source.record)
        self._item_layouts = {name: Layout(item_fields(template.contract, name), "") for name in children}
        self._key_names_person = self._source.recipient_id in (None, self._source.key)
        # A cell before the key may be the one that is missing or too many; the first cell has none before it.
        self._key_is_first = table.header()[:1] == (self._source.key,)

    def recipient(self, row: RawRow) -> Recipient:
        """Build the recipient of a row, faults included."""
        place = Location(self._table.label, row.line)
        key = row.text(self._source.key)
        if row.trouble:
            key = key if self._key_is_first else ""
            return self._faulty(
                key if self._key_names_person else "",
                place,
                (_malformed(row.trouble, place), *self._repeated(place, key)),
            )
        if not key:
            return self._faulty("", place, (_blank(self._source.key, place),))
        addressing = self._addresses.read(row)
        raw = self._layout.record(row.cells)
        faults: list[Diagnostic] = []
        places = self._join(raw, key, faults)
        data, mistakes = self._contract.read(raw)
        recipient_id = row.text(self._source.recipient_id) if self._source.recipient_id else key
        if not recipient_id:
            faults.append(_blank(self._source.recipient_id or "", place))
        occurrence = self._occurrence(data, place, faults)
        faults += self._repeated(place, key, recipient_id, occurrence)
        return Recipient(
            recipient_id=recipient_id or f"row:{row.line}",
            occurrence_key=occurrence,
            locale=addressing.locale,
            zone=addressing.zone,
            country=addressing.country,
            email=addressing.email,
            phone=addressing.phone,
            preferred_channels=addressing.preferred_channels,
            consents=addressing.consents,
            data=data,
            location=place,
            faults=(*addressing.faults, *faults, *(_located(fault, place, places) for fault in mistakes)),
        )

    def _join(self, raw: dict[str, object], key: str, faults: list[Diagnostic]) -> dict[str, _Lines]:
        """Put the child rows into the raw record; returns where each of them stands."""
        places: dict[str, _Lines] = {}
        together: list[tuple[str, ChildRows, RowBatch]] = []
        for name, children in self._children.items():
            batch = children.batch(key) if name in self._contract.rows and not children.child.single else None
            if batch is not None:
                together.append((name, children, batch))
            else:
                places[name] = self._join_rows(raw, name, children, children.of(key), faults)
        for name, children, batch in together:  # when everything is there that their currencies may stand in
            ordered = _batch_in_order(batch, children.child)
            typed = self._typed(raw, name, ordered) if ordered is not None else None
            if ordered is not None and typed is not None:
                raw[name] = typed
                places[name] = _Lines(children.table.label, ordered.lines)
            else:
                places[name] = self._join_rows(raw, name, children, batch.rows(), faults)
        return places

    def _typed(self, raw: Mapping[str, object], name: str, batch: RowBatch) -> TypedRows | None:
        """Return rows typed together; None if they must be looked at one by one."""
        columns = self._item_layouts[name].columns(batch.columns)
        if columns is None:
            return None
        try:
            return TypedRows(self._contract.rows[name].read(columns, len(batch.lines), raw))
        except NotPlain:
            return None

    def _join_rows(
        self, raw: dict[str, object], name: str, children: ChildRows, found: list[RawRow], faults: list[Diagnostic]
    ) -> _Lines:
        label = children.table.label
        rows = []
        for row in found:
            if row.trouble:
                faults.append(_malformed(row.trouble, Location(label, row.line)))
            else:
                rows.append(row)
        rows = _ordered(rows, children.child)
        places = _Lines(label, [row.line for row in rows])
        items = [self._item_layouts[name].record(row.cells) for row in rows]
        if not children.child.single:
            raw[name] = items
        elif items:
            raw[name] = items[0]
            faults += [_second(name, Location(label, line)) for line in places.lines[1:]]
        return places

    def _occurrence(self, data: Mapping[str, object], place: Location, faults: list[Diagnostic]) -> str:
        """Return what makes a repeat lawful when the campaign writes for each value of a field."""
        each = self._campaign.occurrence
        if not isinstance(each, OccurrenceEach):
            return ""
        value = reach(data, each.each)
        if value is None or value == "":
            faults.append(_blank(each.each, place))
            return ""
        return str(value)

    def _repeated(
        self, place: Location, key: str, recipient_id: str = "", occurrence: str = ""
    ) -> tuple[Diagnostic, ...]:
        """Find out whether the key, or the same message to the same person, came before in this reading."""
        new = not key or self._seen.add("key", key)
        if recipient_id and (recipient_id, occurrence) != (key, ""):
            new = self._seen.add("message", recipient_id, occurrence) and new
        if new:
            return ()
        remedy = f'keep one row per "{self._source.key}" (and one per message to a customer)'
        return (Diagnostic("duplicate-key", "the key came before in the same source", remedy, place),)

    def _faulty(self, key: str, place: Location, faults: tuple[Diagnostic, ...]) -> Recipient:
        """Return a recipient that stands for a row which cannot be read."""
        return Recipient(
            recipient_id=key or f"row:{place.line}",
            occurrence_key="",
            locale=self._addresses.locale,
            zone=self._addresses.zone,
            country=None,
            email=None,
            phone=None,
            preferred_channels=(),
            consents=(),
            data={},
            location=place,
            faults=faults,
        )


def _located(fault: Fault, row: Location, places: Mapping[str, _Lines]) -> Diagnostic:
    """Place a fault at the child row it is in, or else at the recipient's own row."""
    name, *rest = fault.steps
    below = places.get(name) if isinstance(name, str) else None
    index = rest[0] if rest and isinstance(rest[0], int) else 0
    if below is not None and index < len(below.lines):
        row = Location(below.label, below.lines[index])
    return Diagnostic(fault.code, fault.message, fault.remedy, row)


def _batch_in_order(batch: RowBatch, child: ChildTable) -> RowBatch | None:
    """Sort rows as `_ordered` does; None where a column to sort by is not one of plain texts."""
    if not child.order:
        return batch
    keys = []
    for column in child.order:
        values = batch.columns.get(column, [None])
        if not all(type(value) is str for value in values):
            return None
        keys.append([_sort_key(value.strip()) for value in values])  # type: ignore[attr-defined]  # texts
    places = range(len(batch.lines))
    order = sorted(places, key=list(zip(*keys, strict=True)).__getitem__)
    if order == list(places):
        return batch
    columns = {name: [values[place] for place in order] for name, values in batch.columns.items()}
    return RowBatch([batch.lines[place] for place in order], columns)


def _ordered(rows: list[RawRow], child: ChildTable) -> list[RawRow]:
    """Sort child rows by the columns that the source names; numbers by value, all else as text (ISO dates sort right)."""
    if not child.order:
        return rows
    return sorted(rows, key=lambda row: [_sort_key(row.text(column)) for column in child.order])


def _sort_key(text: str) -> tuple[bool, Decimal, str]:
    return (False, Decimal(text), "") if _NUMBER.fullmatch(text) else (True, Decimal(0), text)


def _malformed(trouble: str, place: Location) -> Diagnostic:
    return Diagnostic("malformed-row", f"the row cannot be trusted: {trouble}", "mend this row in the file", place)


def _blank(column: str, place: Location) -> Diagnostic:
    return Diagnostic("blank-key", f'column "{column}" is blank', f'give every row a value for "{column}"', place)


def _second(name: str, place: Location) -> Diagnostic:
    message = f'a second row of "{name}" belongs to the same key, and the source allows one'
    return Diagnostic("several-rows", message, "remove one of them, or set single: false", place)
