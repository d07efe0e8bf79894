"""Reading what the writer of filled documents wrote, and nothing else: a general reader of PDFs is ten times slower.

Source: ISO 32000-1, 7.5.7 (object streams) and 7.5.8 (cross-reference streams).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from isal import isal_zlib

PRODUCER = b"/Producer(CCM)"
_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_STREAM = re.compile(rb"(\d+) 0 obj\n<<(.*?)>>stream\n", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+)")
_WIDTHS = b"/W[1 4 2]"
_ROW = struct.Struct(">BIH")


class NotFilled(Exception):
    """A document that filling did not make, or not in this form."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Stream:
    """A stream: what its dictionary says beside length and filter, and its deflated content."""

    entries: bytes
    deflated: bytes


@dataclass(frozen=True)
class FilledFile:
    """The objects of one document by number; object streams and cross-references are gone."""

    plain: dict[int, bytes]
    streams: dict[int, Stream]
    root: int
    info: int


def read_filled(content: bytes) -> FilledFile:
    """Take a document apart.

    Raises:
        NotFilled: If it is not one of ours, or of a form that this reader does not know.
    """
    try:
        file = _read(content)
    except Exception as fault:  # isal's errors have no types that a checker knows; whatever it is, the file is not ours
        if isinstance(fault, NotFilled):
            raise
        raise NotFilled("filling did not make it") from None
    if PRODUCER not in file.plain.get(file.info, b""):
        raise NotFilled("filling did not make it")
    return file


def _read(content: bytes) -> FilledFile:
    start = _START.search(content, max(0, len(content) - 60))
    if start is None:
        raise NotFilled("filling did not make it")
    trailer, _ = _stream_at(content, int(start[1]))
    if b"/Type/XRef" not in trailer.entries or _WIDTHS not in trailer.entries:
        raise NotFilled("filling did not make it")
    plain: dict[int, bytes] = {}
    streams: dict[int, Stream] = {}
    for kind, place, _ in _ROW.iter_unpack(isal_zlib.decompress(trailer.deflated)):
        if kind != 1 or place == int(start[1]):
            continue
        stream, number = _stream_at(content, place)
        if b"/Type/ObjStm" in stream.entries:
            plain.update(_unpacked(stream))
        else:
            streams[number] = stream
    return FilledFile(plain, streams, reference(trailer.entries, b"Root"), reference(trailer.entries, b"Info"))


def _stream_at(content: bytes, place: int) -> tuple[Stream, int]:
    match = _STREAM.match(content, place)
    if match is None:
        raise NotFilled("filling did not make it")
    length = _LENGTH.search(match[2])
    if length is None or b"/Filter/FlateDecode" not in match[2]:
        raise NotFilled("filling did not make it")
    deflated = content[match.end() : match.end() + int(length[1])]
    entries = match[2].replace(length[0], b"", 1).replace(b"/Filter/FlateDecode", b"", 1)
    return Stream(entries, deflated), int(match[1])


def _unpacked(stream: Stream) -> dict[int, bytes]:
    inflated = isal_zlib.decompress(stream.deflated)
    first = re.search(rb"/First (\d+)", stream.entries)
    if first is None:
        raise NotFilled("filling did not make it")
    start = int(first[1])
    heads = list(map(int, inflated[:start].split()))
    ends = [*heads[3::2], len(inflated) - start + 1]
    return {
        number: inflated[start + begin : start + end - 1]
        for number, begin, end in zip(heads[::2], heads[1::2], ends, strict=True)
    }


def reference(body: bytes, name: bytes) -> int:
    """Return the number of the object that an entry refers to.

    Raises:
        NotFilled: If there is none.
    """
    match = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    if match is None:
        raise NotFilled(f"it has no {name.decode()}")
    return int(match[1])
