"""PDF bytes from a display list: PDF/A-3a and PDF/UA-1, the same bytes for the same display."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from xml.sax.saxutils import escape

from ccm.compose.document.fill.display import Bookmark, Display, Page
from ccm.compose.document.fill.file.content import SCALE, Contents, Used, decimal
from ccm.compose.document.fill.file.objects import Objects, Prefix, deflate
from ccm.compose.document.fill.file.structure import Packings, Structure, text_string
from ccm.compose.document.fill.text.fonts import FontFile, Subset

_STATES = b"/A1.0<</CA 1>>/a1<</ca 1>>/a1.0<</ca 1>>"  # that every file has
_OPACITY = {b"a": b"ca", b"A": b"CA"}  # of fills, of strokes
_MOST_BEGINNINGS = 64  # of files, each with fonts and colour profile, kept for the next file


@dataclass(frozen=True)
class About:
    """What a file says about itself."""

    piece_id: str
    author: str
    producer: str
    issued_at: datetime
    conformance: str  # XMP descriptions of PDF/A and PDF/UA


class PdfWriter:
    """Writes the documents of one brand.

    Args:
        fonts: In the order of the faces of runs.
        profile: ICC profile of screens.
    """

    def __init__(self, fonts: Sequence[FontFile], profile: bytes) -> None:
        self._fonts = fonts
        self._profile = zlib.compress(profile, 9)
        self._contents = Contents(fonts)
        self._packings = Packings()
        self._beginnings: dict[object, Beginning] = {}

    def write(self, display: Display, about: About) -> bytes:
        """Return the file.

        Raises:
            Unfillable: If a glyph is in none of the subsets.
        """
        used = Used()
        contents = [self._contents.page(page, used) for page in display.pages]
        beginning = self._beginning(used)
        return _File(display, about, beginning, self._packings).written(contents)

    def _beginning(self, used: Used) -> Beginning:
        """Return what files with these fonts begin with."""
        subsets = {face: self._fonts[face].subset(more) for face, more in sorted(used.glyphs.items())}
        states = tuple(sorted(used.states))
        key = (states, *[(face, subset.mark) for face, subset in subsets.items()])
        known = self._beginnings.pop(key, None)
        if known is None:
            known = self._begun(subsets, states)
            if len(self._beginnings) >= _MOST_BEGINNINGS:
                del self._beginnings[next(iter(self._beginnings))]
        self._beginnings[key] = known  # the last one that was asked for stands last
        return known

    def _begun(self, subsets: Mapping[int, Subset], used: Sequence[bytes]) -> Beginning:
        objects = Objects()
        fonts = b"".join([b"/F%d %d 0 R" % (face, self._font(face, one, objects)) for face, one in subsets.items()])
        states = b"".join([b"/%b<</%b %b>>" % (name, _OPACITY[name[:1]], name[1:]) for name in used])
        resources = objects.add(b"<</Font<<%b>>/ExtGState<<%b%b>>>>" % (fonts, _STATES, states))
        profile = objects.stream(b"/N 3", self._profile)
        return Beginning(objects.prefix(), resources, profile)

    def _font(self, face: int, subset: Subset, objects: Objects) -> int:
        font = self._fonts[face]
        program = objects.stream(b"/Length1 %d" % subset.length, subset.program)
        name = f"/{subset.mark}+{font.name}".encode("ascii")
        descriptor = objects.add(
            b"<</Type/FontDescriptor/FontName%b/Flags 4/FontBBox[0 %d 1000 %d]/ItalicAngle 0/Ascent %d/Descent %d"
            b"/CapHeight %d/StemV 80/FontFile2 %d 0 R>>"
            % (name, font.descent, font.ascent, font.ascent, font.descent, font.ascent, program)
        )
        cid = objects.add(
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont%b/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            b"/CIDToGIDMap/Identity/W[%b]/FontDescriptor %d 0 R>>" % (name, subset.widths, descriptor)
        )
        unicode = objects.stream(b"", subset.to_unicode)
        return objects.add(
            b"<</Type/Font/Subtype/Type0/BaseFont%b/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>"
            % (name, cid, unicode)
        )


@dataclass(frozen=True, slots=True)
class Beginning:
    """What many files begin with: fonts and colour profile; numbers of two of its objects."""

    prefix: Prefix
    resources: int
    profile: int


class _File:
    """One file while it is written."""

    def __init__(self, display: Display, about: About, beginning: Beginning, packings: Packings) -> None:
        self._display = display
        self._about = about
        self._beginning = beginning
        self._packings = packings
        self._objects = Objects(beginning.prefix)

    def written(self, contents: Sequence[tuple[bytes, int]]) -> bytes:
        """Return the bytes.

        Args:
            contents: Operators and number of marks of each page.
        """
        objects, resources = self._objects, self._beginning.resources
        catalog, pages = objects.number(), objects.number()
        structure = Structure(objects, self._packings)
        numbers = []
        for index, (page, (operators, marks)) in enumerate(zip(self._display.pages, contents, strict=True)):
            objects.align()
            number = objects.number()
            content = objects.stream(b"", deflate(operators))
            structure.add(page, number, marks)
            objects.add(_page(page, pages, resources, content, index), number)
            numbers.append(number)
        kids = b" ".join([b"%d 0 R" % number for number in numbers])
        objects.add(b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(numbers), kids), pages)
        self._catalog(catalog, pages, numbers, structure.finished())
        info = objects.add(information(self._display.title, self._about))
        return objects.assembled(catalog, info, self._about.piece_id.encode())

    def _catalog(self, catalog: int, pages: int, numbers: list[int], structure: int) -> None:
        outlines = self._outlines(numbers)
        packet = deflate(metadata(self._display.title, self._about))
        said = self._objects.stream(b"/Type/Metadata/Subtype/XML", packet)
        self._objects.add(
            b"<</Type/Catalog/Pages %d 0 R/Lang%b/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"
            b"/ViewerPreferences<</DisplayDocTitle true>>/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1"
            b"/OutputConditionIdentifier(sRGB2014.icc)/Info(sRGB2014.icc)/DestOutputProfile %d 0 R>>]%b>>"
            % (pages, text_string(self._display.language), structure, said, self._beginning.profile, outlines),
            catalog,
        )

    def _outlines(self, numbers: list[int]) -> bytes:
        marks = self._display.bookmarks
        if not marks:
            return b""
        top, *items = [self._objects.number() for _ in range(len(marks) + 1)]
        links = _links(tuple([mark.level for mark in marks]))
        for number, mark, (parent, near, below) in zip(items, marks, links, strict=True):
            around = b"".join([b"/%b %d 0 R" % (name, items[at]) for name, at in near])
            above = top if parent < 0 else items[parent]
            self._objects.add(self._bookmark(mark, numbers, above, around, below), number)
        first = [number for number, (parent, _, _) in zip(items, links, strict=True) if parent < 0]
        self._objects.add(b"<</Count %d/First %d 0 R/Last %d 0 R>>" % (len(items), first[0], first[-1]), top)
        return b"/Outlines %d 0 R" % top

    def _bookmark(self, mark: Bookmark, numbers: list[int], parent: int, near: bytes, below: int) -> bytes:
        height = self._display.pages[mark.page].height
        x, y = mark.x * SCALE, (height - mark.y) * SCALE
        place = b"[%d 0 R/XYZ %b %b 0]" % (numbers[mark.page], decimal(x), decimal(y))
        return b"<</Title%b/Parent %d 0 R%b/Count %d/Dest%b>>" % (text_string(mark.title), parent, near, below, place)


def metadata(title: str, about: About) -> bytes:
    """Return the XMP packet of a file."""
    moment = _moment(about.issued_at, "%Y-%m-%dT%H:%M:%SZ")
    name, author = escape(title), escape(about.author)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        '<rdf:RDF xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" '
        'xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        '<rdf:Description rdf:about="" pdfaid:part="3" pdfaid:conformance="A"/>'
        f'<rdf:Description rdf:about=""><pdf:Producer>{escape(about.producer)}</pdf:Producer>'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{name}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>"
        f"<pdf:Keywords>{about.piece_id}</pdf:Keywords><xmp:CreateDate>{moment}</xmp:CreateDate>"
        f"<xmp:ModifyDate>{moment}</xmp:ModifyDate></rdf:Description>{about.conformance}</rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode()


def information(title: str, about: About) -> bytes:
    """Return the body of the information dictionary."""
    moment = _moment(about.issued_at, "D:%Y%m%d%H%M%SZ").encode("ascii")
    return b"<</Title%b/Author%b/Keywords%b/Producer%b/CreationDate(%b)/ModDate(%b)>>" % (
        text_string(title), text_string(about.author), text_string(about.piece_id), text_string(about.producer), moment, moment,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _moment(moment: datetime, form: str) -> str:
    """Return a moment in UTC; the documents of a run have one."""
    return moment.astimezone(UTC).strftime(form)


def _page(page: Page, pages: int, resources: int, content: int, index: int) -> bytes:
    box = _box(page.width, page.height)
    return (
        b"<</Type/Page/Parent %d 0 R/MediaBox %b/TrimBox %b/BleedBox %b/Contents %d 0 R/Resources %d 0 R"
        b"/Tabs/S/StructParents %d>>" % (pages, box, box, box, content, resources, index)
    )


@lru_cache(maxsize=256)
def _box(width: float, height: float) -> bytes:
    return b"[0 0 %b %b]" % (decimal(width * SCALE), decimal(height * SCALE))


@lru_cache(maxsize=1024)
def _links(levels: tuple[int, ...]) -> list[tuple[int, list[tuple[bytes, int]], int]]:
    """Return how headings of some levels hang together in the outline.

    Returns:
        Of each heading the one above it, -1 if none is; names and places of those near it; how many are below it.
    """
    depths = _depths(list(levels))
    parents = [_nearest(depths, at, -1, depth - 1) for at, depth in enumerate(depths)]
    found = []
    for index, parent in enumerate(parents):
        siblings = [at for at, one in enumerate(parents) if one == parent]
        children = [at for at, one in enumerate(parents) if one == index]
        place = siblings.index(index)
        near = [(b"Prev", siblings[place - 1])] if place else []
        near += [(b"Next", siblings[place + 1])] if place + 1 < len(siblings) else []
        near += [(b"First", children[0]), (b"Last", children[-1])] if children else []
        below = sum(1 for at in range(len(levels)) if _is_below(parents, at, index))
        found.append((parent, near, below))
    return found


def _depths(levels: list[int]) -> list[int]:
    """Return how deep headings of some levels stand in the outline, as the engine counts: no depth is left out."""
    skipped: list[int] = []
    found = []
    before = 0
    for level in levels:
        if level > before:
            skipped.append(level - before - 1)
        else:
            at = level
            while at < before:
                at += 1 + skipped.pop()
            if at > before:
                skipped.append(at - before - 1)
        before = level
        found.append(level - sum(skipped))
    return found


def _nearest(depths: list[int], at: int, none: int, depth: int) -> int:
    """Return the last heading before one that stands at a depth."""
    return next((one for one in range(at - 1, -1, -1) if depths[one] == depth), none) if depth else none


def _is_below(parents: list[int], at: int, above: int) -> bool:
    while (at := parents[at]) >= 0:
        if at == above:
            return True
    return False
