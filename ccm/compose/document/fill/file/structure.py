"""The structure tree of a file: what a screen reader reads.

Source: ISO 32000-1, 14.7 and 14.8; WeasyPrint 70, pdf/tags.py. What is optional there is left out of the tags of table
rows, which are most of a statement: their type, and the page of those that hold no text themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from operator import itemgetter

from ccm.compose.document.fill.display import Cell, Page, Picture, RowTags, Stripe, StripeKind, Tag, Text
from ccm.compose.document.fill.file.objects import Objects, Packed, pack, references

_SPAN = b"<</S/Span/P %d 0 R/Pg %d 0 R/K[%d]>>"
_MOST_PACKED = 2_500  # rows of tables as they stood somewhere in a file, remembered for the next file


class Packings:
    """Tags of table rows as they stood in earlier files of the same writer.

    Why: Tags hold no text, only numbers. The tenth row of a table has the same numbers in most files.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], dict[tuple[RowTags, int, int, int], Packed]] = {}
        self._count = 0

    def below(self, parent: int, page: int) -> dict[tuple[RowTags, int, int, int], Packed]:
        """Return what is known of rows in a table part: by tags, number, first mark and place in the object stream.

        Args:
            parent, page: Numbers of these objects.
        """
        if self._count >= _MOST_PACKED:
            self._known.clear()
            self._count = 0
        return self._known.setdefault((parent, page), {})

    def learn(self, tags: RowTags, number: int, mark: int, offset: int, parent: int, page: int) -> Packed:
        """Pack the tags of a row, and keep them for other files."""
        self._count += 1
        made = self.below(parent, page)[tags, number, mark, offset] = _packed(tags, number, mark, offset, parent, page)
        return made


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
        kids = references(self._tops)
        objects.add(b"<</S/Document/P %d 0 R/K[%b]>>" % (self._root, kids), self._document)
        root = b"<</Type/StructTreeRoot/ParentTree %d 0 R/K[%d 0 R]>>" % (self._tree, self._document)
        return objects.add(root, self._root)

    def _stripe(self, stripe: Stripe, parent: int, page: int, owners: list[bytes]) -> list[bytes]:
        """Add the tags of table rows; returns references to them."""
        kids: list[bytes] = []
        mark = stripe.mark
        at = 0
        while at < len(stripe.kinds):
            rows = self._rows(stripe.kinds[at:], mark, parent, page)
            owners[mark] = b" ".join([row.owners for row in rows if row.marks])
            kids += [row.first for row in rows]
            mark += sum([row.marks for row in rows])
            at += len(rows)
        return kids

    def _rows(self, kinds: list[StripeKind], mark: int, parent: int, page: int) -> list[Packed]:
        """Add the tags of as many table rows as still belong into the object stream."""
        objects = self._objects
        pack = objects.open()
        known = self._packings.below(parent, page)
        number, offset = objects.count + 1, pack.offset
        end = number + pack.room
        rows: list[Packed] = []
        for kind in kinds:
            tags = kind.tags
            packed = known.get((tags, number, mark, offset))
            if packed is None:
                packed = self._packings.learn(tags, number, mark, offset, parent, page)
            rows.append(packed)
            number += packed.count
            mark += packed.marks
            offset += packed.size
            if number >= end:
                break
        objects.add_packed(rows)
        return rows

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
                span = objects.add(_SPAN % (number, page, child.mark))
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


def _packed(tags: RowTags, number: int, mark: int, offset: int, parent: int, page: int) -> Packed:
    """Return the tags of a table row: the row itself, and each cell with its texts."""
    form, values, owners, count = _form(tags)
    numbers = [*range(number, number + count), *range(mark, mark + len(owners)), parent, page]
    return pack(number, form % values(numbers), count, [number + one for one in owners], offset)


@lru_cache(maxsize=4096)
def _form(tags: RowTags) -> tuple[bytes, Callable[[list[int]], tuple[int, ...]], list[int], int]:
    """Return how tags of rows are written wherever they stand.

    Returns:
        The objects without their numbers; what chooses those from the objects' numbers, the marks, the parent and the page;
        which objects own marks; how many objects there are.
    """
    cells, owners = [], []
    count = 1
    for texts in tags.counts:
        cells.append(count)
        owners.append(list(range(count + 1, count + 1 + texts)))
        count += 1 + texts
    marks = sum(tags.counts)
    parent, page = count + marks, count + marks + 1
    form = [b"<</S/TR/P %d 0 R/K[" + _kids(len(cells)) + b"]>>"]
    values = [parent, *cells]
    mark = count
    for at, spans, name, cell in zip(cells, owners, tags.tags, tags.cells, strict=True):
        said = _said(name, cell).replace(b"%", b"%%")
        form.append(b"<</S/" + name.encode("ascii") + b"/P %d 0 R/K[" + _kids(len(spans)) + b"]" + said + b">>")
        values += [0, *spans]
        for _ in spans:
            form.append(_SPAN)
            values += [at, page, mark]
            mark += 1
    return b"\n".join(form), itemgetter(*values), list(chain.from_iterable(owners)), count


def _kids(count: int) -> bytes:
    return (b"%d 0 R " * count)[:-1]


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
