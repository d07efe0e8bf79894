"""Which tables a source is made of, where their columns go, and what is wrong with them before any run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ccm.diagnostics import Diagnostic, Location, Severity, nearest, suggest
from ccm.load.source.csv_rows import CsvTable
from ccm.load.source.json_rows import JsonTable
from ccm.load.source.parquet_rows import ParquetTable
from ccm.load.source.sql_rows import SqlTable
from ccm.load.source.tables import FileTable, SourceUnreadable, Table
from ccm.model.definitions import FieldDefinition, FieldType, SourceDefinition, TableDefinition
from ccm.model.workspace import Template, Workspace

Fields = Mapping[str, FieldDefinition]

_FORMATS: Mapping[str, type[FileTable]] = {
    ".csv": CsvTable,
    ".tsv": CsvTable,
    ".jsonl": JsonTable,
    ".ndjson": JsonTable,
    ".parquet": ParquetTable,
}


def open_table(workspace: Workspace, source: SourceDefinition, definition: TableDefinition) -> Table:
    """Return a table of a source; nothing is read yet.

    Raises:
        SourceUnreadable: If no reader knows the file's ending.
    """
    folder = Path(workspace.root) / "data"  # relative paths count from the source's own file
    if definition.file is None:
        return SqlTable(definition, folder, f"data/{source.source}.yaml")
    path = folder / definition.file
    label = _label(path, Path(workspace.root))
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise SourceUnreadable(
            "unknown-format",
            f'no reader for files that end in "{path.suffix}"',
            f"use one of: {', '.join(_FORMATS)}; or a url with a table",
            Location(label),
        )
    return kind(definition, path, label)


def place_of(column: str, contract: Fields, record: str) -> tuple[str, ...] | None:
    """Return the path in the data contract that a column fills; None when it fills none.

    A column `a.b` fills field b of record a. A plain column fills a field of `record` (empty: of the row itself), and
    a field of the contract's root when the record has none of that name.
    """
    if "." not in column and record:
        owner = contract.get(record)
        if owner is not None and column in owner.fields:
            return (record, column)
    path = tuple(column.split("."))
    return path if field_at(contract, path) is not None else None


def field_at(contract: Fields, path: Iterable[str]) -> FieldDefinition | None:
    """Return the field under a path of nested records."""
    fields, found = contract, None
    for name in path:
        found = fields.get(name)
        if found is None:
            return None
        fields = found.fields
    return found


def check_source(workspace: Workspace, source: SourceDefinition, template: Template) -> tuple[Diagnostic, ...]:
    """Compare the columns of every table with what the source and the data contract need. Reads headers only."""
    contract = template.definition.contract
    readers = _readers(workspace, source, template)
    found: list[Diagnostic] = []
    filled: set[tuple[str, ...]] = set()
    header, label = _header(workspace, source, source.rows, found)
    if header is not None:
        found += _absent(header, _parent_columns(source), label)
        filled |= {place for name in header if (place := place_of(name, contract, source.record))}
        found += _unknown(header, readers, source.record, _parent_columns(source), label)
    for name, child in source.children.items():
        if name not in contract and any(name in reader for reader in readers):
            continue  # rows for another template that shares this source
        columns = (child.key, *child.order, *((child.period,) if child.period else ()))
        found += _check_child(workspace, source, child.rows, columns, name, contract, child.single)
        filled.add((name,))
    if header is not None:
        found += _missing(contract, filled, label)
    if source.suppressions is not None:
        listed, listing = _header(workspace, source, source.suppressions, found)
        if listed is not None:
            found += _absent(listed, ("address",), listing)
    return tuple(found)


def _readers(workspace: Workspace, source: SourceDefinition, template: Template) -> tuple[Fields, ...]:
    """Return the data contracts that rows of a source are typed by: this template's and the other campaigns'."""
    contracts = {template.name: template.definition.contract}
    for campaign in workspace.campaigns.values():
        other = workspace.templates.get(campaign.template_name)
        if campaign.audience.source == source.source and other is not None:
            contracts[other.name] = other.definition.contract
    return tuple(contracts.values())


def _check_child(
    workspace: Workspace,
    source: SourceDefinition,
    rows: TableDefinition,
    columns: tuple[str, ...],
    name: str,
    contract: Fields,
    single: bool,
) -> Iterator[Diagnostic]:
    problems: list[Diagnostic] = []
    header, label = _header(workspace, source, rows, problems)
    yield from problems
    field = contract.get(name)
    if field is None:
        yield Diagnostic(
            "unknown-child",
            f'the data contract has no field "{name}" for these rows',
            suggest(name, contract),
            Location(f"data/{source.source}.yaml"),
        )
        return
    if (field.type is FieldType.RECORD) != single:
        yield Diagnostic(
            "child-shape",
            f'the data contract says that "{name}" is a {field.type.value}, the source joins a {"record" if single else "list"}',
            f"set single: {'false' if single else 'true'}",
            Location(f"data/{source.source}.yaml"),
        )
        return
    if header is not None:
        fields = field.fields if single else field.of.fields if field.of else {}
        yield from _absent(header, columns, label)
        yield from _unknown(header, (fields,), "", columns, label)
        yield from _missing(fields, {place for column in header if (place := place_of(column, fields, ""))}, label)


def _header(
    workspace: Workspace, source: SourceDefinition, definition: TableDefinition, found: list[Diagnostic]
) -> tuple[tuple[str, ...] | None, str]:
    """Return our names of the columns, or None with the reason appended to `found`."""
    try:
        table = open_table(workspace, source, definition)
        raw = table.raw_header()
    except SourceUnreadable as error:
        found.append(error.diagnostic)
        return None, error.diagnostic.location.path
    if isinstance(table, FileTable) and not isinstance(table, JsonTable):
        found.extend(_absent(raw, tuple(definition.columns.values()), table.label))
    return table.header(), table.label


def _parent_columns(source: SourceDefinition) -> tuple[str, ...]:
    columns = source.recipient
    named = [source.key, source.recipient_id, columns.email, columns.phone, columns.locale, columns.country]
    named += [columns.zone, columns.channels]
    for consent in columns.consent.values():
        named += [consent.email, consent.sms, consent.document]
    return tuple(name for name in named if name)


def _absent(header: tuple[str, ...], needed: Iterable[str], label: str) -> Iterator[Diagnostic]:
    """Find columns that a table lacks.

    Why: Where not one of them is there, the first row may be a customer's, and must not be quoted.
    """
    names = tuple(dict.fromkeys(needed))
    absent = [one for one in names if one not in header and not any(one.startswith(f"{column}.") for column in header)]
    for name in absent:
        guess = nearest(name, header)
        if len(absent) < len(names):
            remedy = suggest(name, header)
        else:
            remedy = f'did you mean "{guess}"?' if guess else "let the first row of the table name the columns"
        yield Diagnostic(
            "missing-column",
            f'the source names the column "{name}", which the table does not have',
            remedy,
            Location(label, 1),
        )


def _unknown(
    header: tuple[str, ...], contracts: tuple[Fields, ...], record: str, used: tuple[str, ...], label: str
) -> Iterator[Diagnostic]:
    """Find columns that look like a misspelt field which nothing fills.

    Why: Extracts carry columns that a message does not need, and a source may serve several templates; naming
    all of them would hide the one that matters.
    """
    places = [place_of(name, item, record) for item in contracts for name in header]
    filled = {place for place in places if place}
    free = {".".join(path) for item in contracts for path in _leaves(item) if path not in filled}
    free |= {name.removeprefix(f"{record}.") for name in free}
    for name in header:
        known = name in used or any(place_of(name, item, record) for item in contracts)
        meant = None if known else nearest(name, free)
        if meant:
            yield Diagnostic(
                "unknown-column",
                f'the column "{name}" fills no field of the data contract',
                f'did you mean "{meant}"? rename it in the table or under columns',
                Location(label, 1),
                Severity.WARNING,
            )


def _leaves(fields: Fields, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the path of every field that a column may fill."""
    for name, field in fields.items():
        if field.type is FieldType.RECORD:
            yield from _leaves(field.fields, (*above, name))
        elif field.type is not FieldType.LIST and field.derive is None:
            yield (*above, name)


def _missing(
    fields: Fields, filled: set[tuple[str, ...]], label: str, above: tuple[str, ...] = ()
) -> Iterator[Diagnostic]:
    """Find required fields that no column fills."""
    for name, field in fields.items():
        path = (*above, name)
        if path in filled or field.derive is not None or not field.required:
            continue
        if field.type is FieldType.RECORD:
            yield from _missing(field.fields, filled, label, path)
            continue
        yield Diagnostic(
            "missing-column",
            f'the data contract requires "{".".join(path)}", and no column fills it',
            f'add a column "{".".join(path)}", map one under columns, or mark the field as optional with "?"',
            Location(label, 1),
        )


def _label(path: Path, root: Path) -> str:
    """Write a path as the author knows it."""
    resolved = path.resolve()
    return resolved.relative_to(root.resolve()).as_posix() if resolved.is_relative_to(root.resolve()) else path.name
