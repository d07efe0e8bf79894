"""The data snapshot of a communication: everything needed to compose it again, exact for every type.

Form: JSON, UTF-8, version 1. Text, true, false, null, lists and objects are themselves; every other type is an
object with one key that begins with "$", so that 1.10 stays 1.10 and a date stays a date:

    {"$int": "12"}   {"$decimal": "1.10"}   {"$money": ["1.10", "EUR"]}   {"$date": "2026-10-31"}
    {"$datetime": ["2026-11-02T11:30:00+00:00", "Europe/Berlin" or ""]}   {"$object": [["$odd", …], …]}

Why not pickle: it breaks when a class moves, and reading it runs what it says. Why integers as text: programs
that read JSON numbers as floats lose digits beyond 2**53.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import orjson

from ccm.archive.interface import ArchiveError
from ccm.model.definitions import Channel, Purpose
from ccm.model.records import ChannelExclusion, Communication, ExclusionReason, PlannedPiece, ReleaseRef
from ccm.model.values import Money

VERSION = 1
MEDIA_TYPE = "application/vnd.ccm.snapshot+json"
_OBJECT = "$object"


class SnapshotUnreadable(ArchiveError):
    """A snapshot is of a later version or of another form; free of personal data."""

    def __init__(
        self, what: str, remedy: str = "verify it with the version of ccm that wrote it, or a later one"
    ) -> None:
        super().__init__(f"the snapshot cannot be read: {what}", remedy)


def write_snapshot(communication: Communication) -> bytes:
    """Return a communication as bytes; the same communication always gives the same bytes."""
    written = {item.name: _FIELDS.get(item.name, _PLAIN)[0](getattr(communication, item.name)) for item in _ALL}
    record = {"snapshot": VERSION, "communication": written}
    try:
        return orjson.dumps(record)
    except TypeError:  # half a character, which only Python's own writes; all else comes out the same
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def read_snapshot(content: bytes) -> Communication:
    """Return the communication that a snapshot was made of, equal in every value and type.

    Raises:
        SnapshotUnreadable: If it is of a later version or of another form.
    """
    try:
        record = json.loads(content.decode("utf-8", "surrogatepass"))
        version, given = record["snapshot"], record["communication"]
        if version != VERSION:
            raise SnapshotUnreadable(f"its form has the version {version!r}, and this ccm knows {VERSION}")
        known = {item.name for item in _ALL}
        later = sorted(set(given) - known)
        if later:
            raise SnapshotUnreadable(f'it has the field "{later[0]}", which this ccm does not know')
        missing = sorted(item.name for item in _ALL if item.name not in given and _required(item))
        if missing:
            raise SnapshotUnreadable(f'it has no field "{missing[0]}"', "restore it from a backup")
        return Communication(**{name: _FIELDS.get(name, _PLAIN)[1](value) for name, value in given.items()})
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        raise SnapshotUnreadable("it is of another form", "restore it from a backup") from None


def leaves(content: bytes) -> list[tuple[str, str]]:
    """Return every single value of a snapshot with its path, such as `data.customer.balance`."""
    found: list[tuple[str, str]] = []
    _collect("", _parsed(content)["communication"], found)
    return found


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:  # half a character, see `write_snapshot`
        return json.loads(content.decode("utf-8", "surrogatepass"))


def digests_of(content: bytes) -> str:
    """Return a short digest of every value with its path, in order: eight hexadecimal digits each.

    Why: A rendition carries them inside its seal. When its snapshot was exchanged for another one, they tell
    which fields differ. A checksum is enough for that: whoever could forge it holds the customer's key.
    """
    return "".join([f"{_digest(path, value):08x}" for path, value in leaves(content)])


def changed_fields(content: bytes, digests: str) -> tuple[str, ...]:
    """Return the paths of values that are not among the digests that a rendition carries."""
    known = {int(digests[start : start + 8], 16) for start in range(0, len(digests), 8)}
    return tuple(path for path, value in leaves(content) if _digest(path, value) not in known)


def _digest(path: str, value: str) -> int:
    return crc32(f"{path}\0{value}".encode("utf-8", "surrogatepass"))


def _collect(path: str, value: Any, found: list[tuple[str, str]]) -> None:
    if isinstance(value, str):
        found.append((path, value))
    elif isinstance(value, dict):
        if _is_typed(value):
            ((kind, inner),) = value.items()
            if kind != _OBJECT:
                found.append((path, f"{kind} {inner if isinstance(inner, str) else ' '.join(map(str, inner))}"))
                return
            value = dict(inner)
        for name, inner in value.items():
            _collect(f"{path}.{name}" if path else name, inner, found)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            _collect(f"{path}[{number}]", inner, found)
    else:
        found.append((path, f"$ {value}"))  # none, true or false: not the texts of these names


def _is_typed(value: Mapping[str, object]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


# ── values ───────────────────────────────────────────────────────────────────


def encode(value: object) -> object:
    """Return a value as JSON takes it.

    Raises:
        TypeError: If it is of a type that no data contract has.
    """
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    for kind, write in _WRITERS.items():  # enums, and records that are no plain dict
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"a snapshot cannot hold a {type(value).__name__}")


def _write_moment(value: datetime) -> object:
    zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key else ""
    return {"$datetime": [value.isoformat(), zone, value.fold] if value.fold else [value.isoformat(), zone]}


def _write_record(value: Mapping[Any, object]) -> object:
    written: dict[str, object] = {}
    odd = False
    for name, item in value.items():
        if not isinstance(name, str):
            raise TypeError("the names of a record are texts")
        odd = odd or name[:1] == "$"
        write = _WRITERS.get(type(item), encode)
        written[name] = write(item)
    return {_OBJECT: [[name, item] for name, item in written.items()]} if odd else written


def _same(value: object) -> object:
    return value


# Looked up by type, the common ones first for what is only a kind of them: a bool is an int, a time is a date.
_WRITERS: Mapping[type, Callable[[Any], object]] = {
    str: str,
    bool: _same,
    type(None): _same,
    Decimal: lambda value: {"$decimal": str(value)},
    Money: lambda value: {"$money": [str(value.amount), value.currency]},
    datetime: _write_moment,
    date: lambda value: {"$date": value.isoformat()},
    int: lambda value: {"$int": str(value)},
    tuple: lambda value: [_WRITERS.get(type(item), encode)(item) for item in value],
    dict: _write_record,
    Mapping: _write_record,
}


def decode(value: Any) -> Any:
    """Return the value that `encode` took."""
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    if not _is_typed(value):
        return {name: decode(item) for name, item in value.items()}
    ((kind, inner),) = value.items()
    match kind:
        case "$int":
            return int(inner)
        case "$decimal":
            return Decimal(inner)
        case "$money":
            return Money(Decimal(inner[0]), inner[1])
        case "$date":
            return date.fromisoformat(inner)
        case "$datetime":
            return _moment(*inner)
        case "$object":  # _OBJECT
            return {name: decode(item) for name, item in inner}
    raise SnapshotUnreadable(f'it has a value of the type "{kind}", which this ccm does not know')


def _moment(text: str, zone: str, fold: int = 0) -> datetime:
    moment = datetime.fromisoformat(text)
    if zone:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.replace(fold=fold) if fold else moment


# ── fields of a communication that are records of their own ──────────────────


def _write_piece(piece: PlannedPiece) -> object:
    return {
        "piece_id": piece.piece_id,
        "channel": str(piece.channel),
        "address": piece.address,
        "required": piece.required,
        "provider": piece.provider,
    }


def _read_piece(given: Any) -> PlannedPiece:
    return PlannedPiece(**{**given, "channel": Channel(given["channel"])})


def _read_exclusion(given: Any) -> ChannelExclusion:
    return ChannelExclusion(Channel(given["channel"]), ExclusionReason(given["reason"]), given["detail"])


def _pieces(given: tuple[PlannedPiece, ...]) -> object:
    return [_write_piece(item) for item in given]


def _exclusions(given: tuple[ChannelExclusion, ...]) -> object:
    return [{"channel": str(item.channel), "reason": str(item.reason), "detail": item.detail} for item in given]


def _required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


_ALL = fields(Communication)
_PLAIN: tuple[Any, Any] = (encode, decode)  # a new field of a plain type needs nothing here
_FIELDS: Mapping[str, tuple[Any, Any]] = {
    "purpose": (str, Purpose),
    "release": (
        lambda ref: {"template": ref.template, "version": ref.version, "content_hash": ref.content_hash},
        lambda given: ReleaseRef(**given),
    ),
    "pieces": (_pieces, lambda given: tuple(_read_piece(item) for item in given)),
    "alternatives": (_pieces, lambda given: tuple(_read_piece(item) for item in given)),
    "exclusions": (_exclusions, lambda given: tuple(_read_exclusion(item) for item in given)),
}
