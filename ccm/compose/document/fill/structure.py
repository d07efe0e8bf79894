"""The structure tree of a file: what a screen reader reads.

Source: ISO 32000-1, 14.7 and 14.8; WeasyPrint 70, pdf/tags.py. What is optional there is left out of the tags of table
rows, which are most of a statement: their type, and the page of those that hold no text themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ccm.compose.document.fill.display import Cell, Page, Picture, RowTags, Stripe, Tag, Text
from ccm.compose.document.fill.objects import Objects, Pack, Packed, pack

_MOST_PACKED = 10_000  # rows of tables as they stood somewhere in a file, remembered for the next file


class Packings:
    """Tags of table rows as they stood in earlier files of the same writer.

    Why: Tags hold no text, only numbers. The tenth row of a table has the same numbers in most files.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Packed] = {}

    def of(self, tags: RowTags, mark: int, parent: int, page: int, objects: Objects) -> Packed:
        """Return the tags of a row for the next place in the file.

        Args:
            mark: Of its first text.
            parent, page: Numbers of these objects.
        """
        stream = objects.open()
        key = (tags, objects.count, mark, parent, page, stream.number, stream.count, stream.offset)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_PACKED:
                self._known.clear()
            known = self._known[key] = _packed(tags, mark, objects.count + 1, parent, page, stream)
        return known


class Structure:
    """Writes the structure tree of one file, page by page."""

    def __init__(self, objects: Objects, packings: Packings) -> None:
        self._objects = objects
        self._packings = packings
        self._root, self._document, self._tree = objects.number(), objects.number(), objects.number()
        self._tops: list[int] = []
        self._nums: list[bytes] = []

    def add(self, page: Page, number: int, marks: int) -> None:
        """Take the tags of a page.

        Args:
            number: Of the page's object.
            marks: How many marks its content has.
        """
        owners = [b""] * marks
        self._tops += [self._tag(tag, self._document, number, owners) for tag in page.tags]
        self._nums.append(b"%d[%b]" % (len(self._nums), b" ".join(filter(None, owners))))

    def finished(self) -> int:
        """Write what holds all pages together; returns the number of the root."""
        objects = self._objects
        objects.add(b"<</Nums[%b]>>" % b" ".join(self._nums), self._tree)
        kids = _references(self._tops)
        objects.add(b"<</S/Document/P %d 0 R/K[%b]>>" % (self._root, kids), self._document)
        root = b"<</Type/StructTreeRoot/ParentTree %d 0 R/K[%d 0 R]>>" % (self._tree, self._document)
        return objects.add(root, self._root)

    def _stripe(self, stripe: Stripe, parent: int, page: int, owners: list[bytes]) -> list[bytes]:
        """Add the tags of table rows; returns references to them."""
        objects, find = self._objects, self._packings.of
        kids = []
        mark = stripe.mark
        for kind in stripe.kinds:
            packed = find(kind.tags, mark, parent, page, objects)
            kids.append(b"%d 0 R" % (objects.count + 1))
            objects.add_packed(packed)
            if packed.owners:
                owners[mark] = packed.owners
                mark += len(kind.faces)
        return kids

    def _tag(self, tag: Tag, parent: int, page: int, owners: list[bytes]) -> int:
        objects = self._objects
        number = objects.number()
        kids = []
        for child in tag.children:
            if type(child) is Stripe:
                kids += self._stripe(child, number, page, owners)
            elif type(child) is Tag:
                kids.append(b"%d 0 R" % self._tag(child, number, page, owners))
            elif type(child) is Text:
                span = objects.add(_span(number, page, child.mark))
                owners[child.mark] = b"%d 0 R" % span
                kids.append(owners[child.mark])
            elif isinstance(child, Picture):
                owners[child.mark] = b"%d 0 R" % number
                kids.append(b"%d" % child.mark)
        more = b""
        if tag.cell is not None:
            more = _said(tag.kind, tag.cell)
        elif tag.area is not None:
            more = b"/A<</O/Layout/BBox[%.3f %.3f %.3f %.3f]>>/Alt%b" % (*tag.area, text_string(tag.alternative))
        body = b"<</S/%b/P %d 0 R/Pg %d 0 R/K[%b]%b>>" % (
            tag.kind.encode("ascii"), parent, page, b" ".join(kids), more,
        )  # fmt: skip
        return objects.add(body, number)


def _packed(tags: RowTags, mark: int, row: int, parent: int, page: int, stream: Pack) -> Packed:
    """Return the tags of a table row: the row itself, and each cell with its texts."""
    bodies = [b""]
    cells: list[int] = []
    owners: list[int] = []
    for count, name, cell in zip(tags.counts, tags.tags, tags.cells, strict=True):
        number = row + len(bodies)
        spans = range(number + 1, number + count + 1)
        cells.append(number)
        owners += spans
        said = _said(name, cell)
        bodies.append(b"<</S/%b/P %d 0 R/K[%b]%b>>" % (name.encode("ascii"), row, _references(spans), said))
        bodies += [_span(number, page, mark + at) for at in range(count)]
        mark += count
    bodies[0] = b"<</S/TR/P %d 0 R/K[%b]>>" % (parent, _references(cells))
    return pack(row, bodies, owners, stream)


def _span(parent: int, page: int, mark: int) -> bytes:
    return b"<</S/Span/P %d 0 R/Pg %d 0 R/K[%d]>>" % (parent, page, mark)


def _references(numbers: Sequence[int]) -> bytes:
    return b" ".join([b"%d 0 R" % number for number in numbers])


@lru_cache(maxsize=4096)
def _said(kind: str, cell: Cell) -> bytes:
    """Return what a cell's tag says beside its content."""
    more = b"/A<</O/Table"
    if cell.span != 1:
        more += b"/ColSpan %d" % cell.span
    if kind == "TD":
        more += b"/Headers[%b]" % b"".join([b"(%b)" % one.encode("ascii") for one in cell.headers])
    return more + b">>" + (b"/ID(%b)" % cell.name.encode("ascii") if cell.name else b"")


def text_string(text: str) -> bytes:
    """Return a text string of a PDF."""
    if text.isascii():
        return b"(" + text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode() + b")"
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"
