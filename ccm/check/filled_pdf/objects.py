"""Objects of a PDF file: its table, streams of objects, and what its pages are made of.

Only the one way of writing is known that filled documents have: one table at the end, in a stream, deflate and no other
filter, no encryption, no later changes. Everything is looked up by the file's own table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from isal import isal_zlib

from ccm.check.filled_pdf.unread import Unread

Value: TypeAlias = "Ref | Name | Mapping[str, Value] | tuple[Value, ...] | bytes | float | bool | None"

_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")
_HEAD = re.compile(rb"(\d+) 0 obj\s*<<")
_LENGTH = re.compile(rb"/Length (\d+)(?! \d+ R)")
_FILTER = re.compile(rb"/Filter ?/FlateDecode(?![\w])")
_BODY = re.compile(rb">>\s*stream\n")
_REFUSED = re.compile(rb"/(?:DecodeParms|Crypt|Encrypt|Prev|XRefStm|Extends|Index(?! ?\[0 \d+\]))\b")
_TOKEN = re.compile(
    rb"\s*(?:(<<)|(>>)|(\[)|(\])|/([^\s/<>\[\]()%]*)|(\d+) (\d+) R\b|([+-]?\d*\.?\d+)|(true|false|null)\b"
    rb"|<([0-9A-Fa-f\s]*)>|\(((?:[^()\\]|\\.)*)\))",
    re.DOTALL,
)
_TAIL = 64  # bytes in which the place of the table stands


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to another object."""

    number: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name, without its slash."""

    text: str


class Stream(NamedTuple):
    """A stream as it lies in the file.

    head: Body of its dictionary. deflated: Its bytes.
    """

    head: bytes
    deflated: bytes

    @property
    def dictionary(self) -> Mapping[str, Value]:
        """Its dictionary."""
        found = parsed(b"<<" + self.head + b">>")
        assert isinstance(found, dict)
        return found


class _Group(NamedTuple):
    """Objects that are kept in one stream: `many` pairs of number and place, and from `first` on their texts."""

    content: bytes
    first: int
    many: int

    def body(self, number: int, index: int) -> bytes:
        """Return the text of an object."""
        own, start, after = self._pairs(index)
        if own != number or not 0 <= start <= after:
            raise Unread("an object in another place than the table says")
        return self.content[self.first + start : self.first + after].strip()

    def _pairs(self, index: int) -> tuple[int, int, int]:
        """Return number and place of an object, and the place of the next; what is asked for stands first or last."""
        head, count = self.content[: self.first], self.many
        if not index < count:
            raise Unread("an object in another place than the table says")
        if index < count // 2:
            pairs = head.split(None, 2 * index + 4)[2 * index :]
        else:
            left = count - index
            pairs = head.rsplit(None, 2 * left)[-2 * left :]
        try:
            own, start, _, after = (*map(int, pairs[:4]), 0, len(self.content) - self.first)[:4]
        except ValueError:
            raise Unread("a stream of objects of another kind") from None
        return own, start, after


class PdfFile:
    """One file, read as far as it is asked.

    Raises:
        Unread: From every method, where the file is written in another way.
    """

    def __init__(self, content: bytes) -> None:
        found = _START.search(content, max(0, len(content) - _TAIL))
        if found is None or not content.startswith(b"%PDF-1."):
            raise Unread("no table at the end")
        self._content = content
        self._groups: dict[int, _Group] = {}
        table = self._stream_at(int(found[1]), None)
        if not re.search(rb"/Type ?/XRef\b", table.head) or not (
            widths := re.search(rb"/W ?\[(\d) (\d) (\d)\]", table.head)
        ):
            raise Unread("no table of objects")
        self._widths = tuple(map(int, widths.groups()))
        self._rows = inflated(table.deflated)
        root = re.search(rb"/Root (\d+) 0 R", table.head)
        if root is None or self._widths[0] != 1:
            raise Unread("another table")
        self.root = self.body(int(root[1]))

    def _row(self, number: int) -> tuple[int, int, int]:
        one, two, three = self._widths
        at = number * (one + two + three)
        row = self._rows[at : at + one + two + three]
        if len(row) != one + two + three:
            raise Unread("an object that is not in the table")
        return row[0], int.from_bytes(row[1 : 1 + two], "big"), int.from_bytes(row[1 + two :], "big")

    def body(self, number: int) -> bytes:
        """Return the text of an object that is no stream."""
        kind, place, index = self._row(number)
        if kind != 2:
            raise Unread("an object outside of a stream of objects")
        group = self._groups.get(place)
        if group is None:
            group = self._groups[place] = self._group(place)
        return group.body(number, index)

    def _group(self, number: int) -> _Group:
        stream = self.stream(number)
        first, count = re.search(rb"/First (\d+)", stream.head), re.search(rb"/N (\d+)", stream.head)
        if not re.search(rb"/Type ?/ObjStm\b", stream.head) or first is None or count is None:
            raise Unread("no stream of objects")
        return _Group(inflated(stream.deflated), int(first[1]), int(count[1]))

    def stream(self, number: int) -> Stream:
        """Return a stream."""
        kind, place, generation = self._row(number)
        if kind != 1 or generation:
            raise Unread("a stream that is not in the table")
        return self._stream_at(place, number)

    def _stream_at(self, place: int, number: int | None) -> Stream:
        content = self._content
        begin = _HEAD.match(content, place)
        if begin is None or number not in (None, int(begin[1])):
            raise Unread("a stream in another place than the table says")
        middle = _BODY.search(content, begin.end())
        head = content[begin.end() : middle.start()] if middle else b""
        length = _LENGTH.search(head)
        if middle is None or length is None or not _FILTER.search(head) or _REFUSED.search(head):
            raise Unread("a stream of another kind")
        start = middle.end()
        stop = start + int(length[1])
        if content[stop : stop + 10] != b"\nendstream":
            raise Unread("a stream of another length")
        return Stream(head, content[start:stop])

    def dictionary(self, value: Value) -> Mapping[str, Value]:
        """Return a dictionary, which may be a reference to one."""
        found = parsed(self.body(value.number)) if isinstance(value, Ref) else value
        if not isinstance(found, dict):
            raise Unread("no dictionary where one is due")
        return found


def inflated(deflated: bytes) -> bytes:
    """Return what was deflated."""
    try:
        return bytes(isal_zlib.decompress(deflated))
    except isal_zlib.IsalError as fault:  # type: ignore[misc]  # its stubs call it a value
        raise Unread("a damaged stream") from fault


@lru_cache(maxsize=1024)
def parsed(text: bytes) -> Value:
    """Return the value of an object's text that is the same in many files."""
    return value_of(text)


def value_of(text: bytes) -> Value:
    """Return the value of an object's text."""
    value, end = _value(text, 0)
    if text[end:].strip():
        raise Unread("more than one value in an object")
    return value


def _value(text: bytes, at: int) -> tuple[Value, int]:
    token = _TOKEN.match(text, at)
    if token is None:
        raise Unread("a value of another kind")
    at = token.end()
    match token.lastindex:
        case 1:
            return _dictionary(text, at)
        case 3:
            return _array(text, at)
        case 5:
            return Name(token[5].decode("latin1")), at
        case 7:
            if token[7] != b"0":
                raise Unread("a later generation of an object")
            return Ref(int(token[6])), at
        case 8:
            return float(token[8]), at
        case 9:
            return {b"true": True, b"false": False}.get(token[9]), at
        case 10:
            digits = b"".join(token[10].split())
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii")), at
        case 11:
            return literal(token[11]), at
        case _:
            raise Unread("a bracket where a value is due")


def _dictionary(text: bytes, at: int) -> tuple[Value, int]:
    found: dict[str, Value] = {}
    while (token := _TOKEN.match(text, at)) is not None:
        at = token.end()
        if token.lastindex == 2:
            return found, at
        if token.lastindex != 5 or (key := token[5].decode("latin1")) in found:
            raise Unread("a dictionary of another kind")
        found[key], at = _value(text, at)
    raise Unread("a dictionary without its end")


def _array(text: bytes, at: int) -> tuple[Value, int]:
    found: list[Value] = []
    while (token := _TOKEN.match(text, at)) is not None:
        if token.lastindex == 4:
            return tuple(found), token.end()
        value, at = _value(text, at)
        found.append(value)
    raise Unread("an array without its end")


_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b"", b"\r\n": b""}


def literal(text: bytes) -> bytes:
    """Return what a string in brackets holds."""
    if b"\\" not in text:
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def sign(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code[:1].isdigit() and code[:1] < b"8":
            return bytes([int(code, 8) & 255])
        return _ESCAPED.get(code, code)

    return _ESCAPE.sub(sign, text)
