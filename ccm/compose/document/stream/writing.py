"""One PDF of thousands of filled documents, written while they come: fonts, colour profile and pictures once.

Pages, tags and reading order of each document stay as they were accepted; only numbers change. Merging PDFs afterwards
cannot do that: it keeps every document's own fonts and drops the tags. Ours can be joined because glyphs keep their
numbers in every subset, and because we know the form of what our own writer writes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from ccm.compose.document.fill.file.structure import text_string
from ccm.compose.document.fill.file.writer import About, information, metadata
from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.pdf_metadata import conformance
from ccm.compose.document.stream.filled_file import FilledFile, NotFilled, read_filled, reference
from ccm.compose.document.stream.moving import Mover
from ccm.compose.document.stream.numbered import MOST_OBJECTS, NumberedObjects
from ccm.compose.document.stream.shared import SharedParts

_GROUP = 64  # documents below one node of the page tree
_COUNT = re.compile(rb"/Count (-?\d+)")
_LANGUAGE = re.compile(rb"/Lang(\((?:\\.|[^\\()])*\)|<[0-9a-fA-F]*>)")
_PAGE = b"<</Type/Page/"
_TOP = re.compile(rb"(<<(?:/Type/StructElem)?)/S/Document/P (\d+) 0 R")
_KIDS = re.compile(rb"/Kids\[(\d+) 0 R")
_BOXES = re.compile(rb"/(?:Media|Trim|Bleed)Box ?\[[^\]]*\]")
_ENDS = re.compile(rb"/(First|Last) (\d+) 0 R")


@dataclass(frozen=True)
class StreamAbout:
    """What the stream says about itself; `name` is also its identifier."""

    name: str
    title: str
    author: str
    language: str
    made_at: datetime


@dataclass(frozen=True)
class Placed:
    """Where a document stands in the stream.

    first_page: From 1. pages: Its own. blanks: Empty backs behind it.
    """

    first_page: int
    pages: int
    blanks: int


@dataclass(frozen=True)
class _Document:
    """One document while it is taken up: numbers of what the stream treats each in its own way; 0 for no outlines.

    top: The root of its tags. first: Its first page.
    """

    file: FilledFile
    catalog: bytes
    pages: int
    root: int
    top: int
    tree: int
    outlines: int
    first: int

    @property
    def headings(self) -> bytes:
        """What the dictionary of its bookmarks begins with where one of them refers to it."""
        return b"/Parent %d 0 R" % self.outlines


class PrintStream:
    """Takes documents one after the other; nothing of them is kept but a few numbers each.

    Args:
        write: Takes the file's bytes, in order.
        scratch: An empty file for eight bytes per object.
        fonts: Of the brand, in its order.
    """

    def __init__(
        self, write: Callable[[bytes], object], scratch: BinaryIO, fonts: Sequence[FontFile], about: StreamAbout
    ) -> None:
        self._about = about
        self._objects = NumberedObjects(write, scratch)
        self._catalog, self._pages, self._root, self._top, self._tree, self._outlines = (
            self._objects.number() for _ in range(6)
        )
        self._shared = SharedParts(self._objects, fonts)
        self._profile = 0
        self._keys = 0
        self._parts: list[int] = []
        self._leaves: list[bytes] = []
        self._group = self._objects.number()
        self._groups: list[tuple[int, int]] = []
        self._kids: list[int] = []
        self._below = 0  # pages of the group
        self._marks: list[int] = []  # number of the first bookmark, and of the last
        self._mark: tuple[int, bytes] | None = None  # the last bookmark, which waits for the next
        self.documents = 0
        self.pages = 0

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""
        return self._objects.size

    @property
    def is_full(self) -> bool:
        """Whether PDF/A's limit of objects is near, so that the next document needs another file."""
        return self._objects.count > MOST_OBJECTS - 200_000

    def add(self, content: bytes, piece_id: str, *, whole_sheets: bool = False) -> Placed:
        """Take up a document.

        Args:
            content: Its PDF, as it was accepted.
            piece_id: Becomes the bookmark.
            whole_sheets: Put an empty back behind an odd number of pages, so that the next begins on a new sheet.
        Raises:
            NotFilled: If filling did not make it; the stream is as it was before.
        """
        document = _divided(read_filled(content))
        try:
            gone, shared = self._shared_of(document)
            kept = sorted((document.file.plain.keys() | document.file.streams.keys()) - gone)
            mark = self._objects.number(len(kept) + 2)
            numbers = {old: mark + index for index, old in enumerate(kept, 1)}
            mover = Mover({**numbers, **shared}, self._keys, b"%06d/" % self.documents)
            plain = [
                (numbers[old], self._body(document, old, mover, mark, piece_id))
                for old in kept
                if old in document.file.plain
            ]
            owners, keys = mover.owners(document.file.plain[document.tree])
            streams = [
                (numbers[old], mover.moved(one.entries), one.deflated)
                for old, one in document.file.streams.items()
                if old in numbers
            ]
        except (KeyError, ValueError, IndexError):
            raise NotFilled("filling did not make it") from None
        for number, entries, deflated in streams:
            self._objects.stream(number, entries, deflated)
        self._objects.plain(plain)
        self._leaf(mark + len(kept) + 1, owners, keys)
        self._bookmark(document, numbers, piece_id, mark)
        self._parts.append(numbers[document.top])
        self._kids.append(numbers[document.pages])
        return self._placed(document, whole_sheets)

    def end(self) -> None:
        """Write what documents share, and the end of the file.

        Raises:
            NotFilled: If no document was taken up.
        """
        if not self.documents:
            raise NotFilled("there is no document")
        self._shared.finish()
        self._close_group()
        self._close_mark(0)
        kids = b" ".join(b"%d 0 R" % number for number, _ in self._groups)
        parts = b" ".join(b"%d 0 R" % number for number in self._parts)
        about = About(self._about.name, self._about.author, "CCM", self._about.made_at, conformance(self._about.name))
        said = self._objects.number(2)
        info = said + 1
        packet = zlib.compress(metadata(self._about.title, about))
        self._objects.stream(said, b"/Type/Metadata/Subtype/XML", packet)
        self._objects.plain(
            [
                (self._pages, b"<</Type/Pages/Count %d/Kids[%b]>>" % (self.pages, kids)),
                (self._top, b"<</Type/StructElem/S/Document/P %d 0 R/K[%b]>>" % (self._root, parts)),
                (self._root, b"<</Type/StructTreeRoot/ParentTree %d 0 R/K[%d 0 R]>>" % (self._tree, self._top)),
                (self._tree, b"<</Kids[%b]>>" % b" ".join(self._leaves)),
                (
                    self._outlines,
                    b"<</Type/Outlines/Count %d/First %d 0 R/Last %d 0 R>>" % (self.documents, *self._marks),
                ),
                (info, information(self._about.title, about)),
                (self._catalog, self._catalog_body(said)),
            ]
        )
        self._objects.end(self._catalog, info, self._about.name.encode())

    def _catalog_body(self, said: int) -> bytes:
        return (
            b"<</Type/Catalog/Pages %d 0 R/Lang%b/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"
            b"/ViewerPreferences<</DisplayDocTitle true>>/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1"
            b"/OutputConditionIdentifier(sRGB2014.icc)/Info(sRGB2014.icc)/DestOutputProfile %d 0 R>>]/Outlines %d 0 R"
            b"/PageMode/UseOutlines>>"
            % (self._pages, text_string(self._about.language), self._root, said, self._profile, self._outlines)
        )

    # ── one document ─────────────────────────────────────────────────────

    def _shared_of(self, document: _Document) -> tuple[set[int], dict[int, int]]:
        """Return what of a document does not move along, and the numbers of what the stream has in its place."""
        file = document.file
        profile = reference(document.catalog, b"DestOutputProfile")
        gone = {file.root, file.info, document.root, document.tree, document.outlines, profile}
        gone.add(reference(document.catalog, b"Metadata"))
        self._profile = self._profile or self._shared.profile(file, profile)
        pages = [body for body in file.plain.values() if body.startswith(_PAGE)]
        shared: dict[int, int] = {}
        for number in {reference(body, b"Resources") for body in pages}:
            shared[number], replaced = self._shared.resources(file, number)
            gone |= replaced
        return gone, shared

    def _body(self, document: _Document, old: int, mover: Mover, mark: int, piece_id: str) -> bytes:
        """Return an object as it stands in the stream."""
        body = document.file.plain[old]
        if old == document.top:
            return self._part(document, mover, piece_id)
        if old == document.pages:
            return mover.moved(body)[:-2] + b"/Parent %d 0 R>>" % self._group
        if document.outlines and body.startswith(b"<</Title") and document.headings in body:
            before, _, behind = body.rpartition(document.headings)
            return mover.moved(before) + b"/Parent %d 0 R" % mark + mover.moved(behind)
        return mover.moved(body)

    def _part(self, document: _Document, mover: Mover, piece_id: str) -> bytes:
        """Return the element that holds a document's tags: its own root element becomes a part of the stream."""
        body = document.file.plain[document.top]
        start = _TOP.match(body)
        if start is None or int(start[2]) != document.root:
            raise NotFilled("filling did not make it")
        language = _LANGUAGE.search(document.catalog)
        said = b"/T%b%b" % (text_string(piece_id), language[0] if language else b"")
        return b"%b/S/Part/P %d 0 R%b%b" % (start[1], self._top, said, mover.moved(body[start.end() :]))

    def _leaf(self, number: int, owners: list[bytes], keys: int) -> None:
        limits = b"/Limits[%d %d]" % (self._keys, self._keys + keys - 1)
        self._objects.plain([(number, b"<<%b/Nums[%b]>>" % (limits, b" ".join(owners)))])
        self._leaves.append(b"%d 0 R" % number)
        self._keys += keys

    def _bookmark(self, document: _Document, numbers: dict[int, int], piece_id: str, mark: int) -> None:
        """Hold back the document's bookmark until the next one is known; its own headings stand below it."""
        self._close_mark(mark)
        near = b"/Prev %d 0 R" % self._marks[1] if self._marks else b""
        below = b""
        if document.outlines:
            ends = {name: numbers[int(old)] for name, old in _ENDS.findall(document.file.plain[document.outlines])}
            count = _COUNT.search(document.file.plain[document.outlines])
            below = b"/Count -%d/First %d 0 R/Last %d 0 R" % (
                abs(int(count[1])) if count else 1, ends[b"First"], ends[b"Last"],
            )  # fmt: skip
        body = b"<</Title%b/Parent %d 0 R%b/Dest[%d 0 R/Fit]%b" % (
            text_string(piece_id), self._outlines, below, numbers[document.first], near,
        )  # fmt: skip
        self._mark = (mark, body)
        self._marks = [self._marks[0] if self._marks else mark, mark]

    def _close_mark(self, following: int) -> None:
        if self._mark is not None:
            number, body = self._mark
            near = b"/Next %d 0 R" % following if following else b""
            self._objects.plain([(number, body + near + b">>")])
            self._mark = None

    def _placed(self, document: _Document, whole_sheets: bool) -> Placed:
        counted = _COUNT.search(document.file.plain[document.pages])
        count = int(counted[1]) if counted else 0
        placed = Placed(self.pages + 1, count, int(whole_sheets and count % 2))
        if placed.blanks:
            page = document.file.plain[document.first]
            number = self._objects.number()
            boxes = b"".join(_BOXES.findall(page))
            self._objects.plain([(number, b"<</Type/Page/Parent %d 0 R%b/Resources<<>>>>" % (self._group, boxes))])
            self._kids.append(number)
        self.documents += 1
        self.pages += count + placed.blanks
        self._below += count + placed.blanks
        if self.documents % _GROUP == 0:
            self._close_group()
            self._group = self._objects.number()
        return placed

    def _close_group(self) -> None:
        if self._kids:
            kids = b" ".join(b"%d 0 R" % number for number in self._kids)
            body = b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (self._pages, self._below, kids)
            self._objects.plain([(self._group, body)])
            self._groups.append((self._group, self._below))
            self._kids, self._below = [], 0


def _divided(file: FilledFile) -> _Document:
    """Find the parts of a document that the stream treats each in its own way.

    Raises:
        NotFilled: If one is missing.
    """
    catalog = file.plain[file.root]
    pages, root = reference(catalog, b"Pages"), reference(catalog, b"StructTreeRoot")
    tree = reference(file.plain[root], b"ParentTree")
    top = reference(file.plain[root].replace(b"[", b" "), b"K")
    kids = _KIDS.search(file.plain[pages])
    outlines = reference(catalog, b"Outlines") if b"/Outlines " in catalog else 0
    if kids is None or b"/Nums[" not in file.plain[tree]:
        raise NotFilled("filling did not make it")
    return _Document(file, catalog, pages, root, top, tree, outlines, int(kids[1]))
