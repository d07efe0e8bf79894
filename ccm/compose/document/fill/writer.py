"""PDF bytes from a display list: PDF/A-3a and PDF/UA-1, the same bytes for the same display."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from xml.sax.saxutils import escape

from isal import isal_zlib

from ccm.compose.document.fill.display import Bookmark, Color, Display, Page, Picture, Tag, Text
from ccm.compose.document.fill.fonts import FontFile, Subset
from ccm.compose.document.fill.text import UNITS, Run
from ccm.compose.document.fill.unfillable import Unfillable

_SCALE = 0.75  # points in a CSS pixel
_PER_STREAM = 2000  # objects kept together


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

    def write(self, display: Display, about: About) -> bytes:
        """Return the file.

        Raises:
            Unfillable: If a glyph is in none of the subsets.
        """
        return _File(self, display, about).written()

    def subset(self, face: int, glyphs: set[int]) -> Subset:
        """Return the subset of a face for these glyphs."""
        return self._fonts[face].subset(glyphs)

    def shown(self, run: Run) -> bytes:
        """Return the operand of TJ, with the engine's own rounding."""
        font = self._fonts[run.face]
        if font.text([glyph for glyph, _, _ in run.glyphs]) != run.text.replace("\u00a0", " "):
            raise Unfillable("a glyph that stands for several signs")
        size = int(run.size * UNITS) / UNITS
        parts = ["[<"]
        for glyph, advance, moved in run.glyphs:
            offset = moved / size
            if offset:
                parts.append(f">{-offset:.6g}<")
            parts.append(f"{glyph:04x}")
            kerning = int(font.width(glyph) + offset - advance * 1000 / UNITS / size)
            if kerning:
                parts.append(f">{kerning}<")
        parts.append(">]TJ")
        run.shown = "".join(parts).replace("<>", " ").encode("ascii")
        return run.shown


class _File:
    """One file while it is written. Objects are numbered in the order they are made."""

    def __init__(self, writer: PdfWriter, display: Display, about: About) -> None:
        self._writer = writer
        self._display = display
        self._about = about
        self._plain: dict[int, bytes] = {}
        self._streams: dict[int, tuple[bytes, bytes]] = {}
        self._count = 0

    def written(self) -> bytes:
        """Return the bytes."""
        display = self._display
        catalog, pages, resources = self._number(), self._number(), self._number()
        numbers = [self._number() for _ in display.pages]
        glyphs: dict[int, set[int]] = {}
        for number, page in zip(numbers, display.pages, strict=True):
            content = self._stream(b"", _deflated(self._content(page, glyphs)))
            box = b"[0 0 %b %b]" % (_n(page.width * _SCALE), _n(page.height * _SCALE))
            self._plain[number] = (
                b"<</Type/Page/Parent %d 0 R/MediaBox %b/TrimBox %b/BleedBox %b/Contents %d 0 R/Resources %d 0 R"
                b"/Tabs/S/StructParents %d>>" % (pages, box, box, box, content, resources, number - numbers[0])
            )
        kids = b" ".join(b"%d 0 R" % number for number in numbers)
        self._plain[pages] = b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(numbers), kids)
        fonts = b"".join(b"/F%d %d 0 R" % (face, self._font(face, used)) for face, used in sorted(glyphs.items()))
        self._plain[resources] = b"<</Font<<%b>>/ExtGState<</A1.0<</CA 1>>/a1<</ca 1>>/a1.0<</ca 1>>>>>>" % fonts
        self._catalog(catalog, pages, numbers)
        return self._assembled(catalog)

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _add(self, body: bytes) -> int:
        number = self._number()
        self._plain[number] = body
        return number

    def _stream(self, entries: bytes, deflated: bytes) -> int:
        number = self._number()
        self._streams[number] = (entries, deflated)
        return number

    # ── pages ────────────────────────────────────────────────────────────────

    def _content(self, page: Page, glyphs: dict[int, set[int]]) -> bytes:
        parts = [b"1 0 0 -1 0 %b cm\nq\n.75 0 0 .75 0 0 cm" % _n(page.height * _SCALE)]
        add = parts.append
        if page.areas:
            add(b"/Artifact BMC")
            ink = None
            for area in page.areas:
                if area.color != ink:
                    ink = area.color
                    add(_color(ink))
                add(b"%.3f %.3f %.3f %.3f re f" % (area.x, area.y, area.width, area.height))
            add(b"EMC")
        ink = None
        for mark, item in enumerate(page.marked):
            item.mark = mark
            add(b"/%b<</MCID %d>>BDC" % (b"Figure" if type(item) is Picture else b"Span", mark))
            ink = self._item(item, ink, glyphs, add)
        if page.beside:
            add(b"/Artifact BMC")
            for item in page.beside:
                ink = self._item(item, ink, glyphs, add)
                parts.pop()
            add(b"EMC")
        add(b"Q")
        return b"\n".join(parts)

    def _item(
        self, item: Text | Picture, ink: Color | None, glyphs: dict[int, set[int]], add: Callable[[bytes], None]
    ) -> Color | None:
        """Add the operators of one item and the end of its mark; returns the colour that is set now."""
        if type(item) is Picture:
            add(b"q\n1 0 0 1 %.3f %.3f cm" % (item.dx, item.dy))
            add(item.operators)
            add(b"Q\nEMC")
            return ink
        assert type(item) is Text
        run = item.run
        if item.color != ink:
            add(_color(item.color))
        used = glyphs.get(run.face)
        if used is None:
            used = glyphs[run.face] = set()
        used.update([glyph for glyph, _, _ in run.glyphs])
        add(
            b"BT\n1 0 0 -1 %.3f %.3f Tm\n/F%d %.6g Tf\n%b\nET"
            % (item.x, item.y, run.face, int(run.size * UNITS) / UNITS, run.shown or self._writer.shown(run))
        )
        add(b"EMC")
        return item.color

    def _font(self, face: int, glyphs: set[int]) -> int:
        font, subset = self._writer._fonts[face], self._writer.subset(face, glyphs)
        program = self._stream(b"/Length1 %d" % subset.length, subset.program)
        name = f"/{subset.mark}+{font.name}".encode("ascii")
        descriptor = self._add(
            b"<</Type/FontDescriptor/FontName%b/Flags 4/FontBBox[0 %d 1000 %d]/ItalicAngle 0/Ascent %d/Descent %d"
            b"/CapHeight %d/StemV 80/FontFile2 %d 0 R>>"
            % (name, font.descent, font.ascent, font.ascent, font.descent, font.ascent, program)
        )
        cid = self._add(
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont%b/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            b"/CIDToGIDMap/Identity/W[%b]/FontDescriptor %d 0 R>>" % (name, subset.widths, descriptor)
        )
        unicode = self._stream(b"", subset.to_unicode)
        return self._add(
            b"<</Type/Font/Subtype/Type0/BaseFont%b/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>"
            % (name, cid, unicode)
        )

    # ── structure ────────────────────────────────────────────────────────────

    def _structure(self, numbers: list[int]) -> int:
        root, document, tree = self._number(), self._number(), self._number()
        tops: list[int] = []
        nums: list[bytes] = []
        for index, (number, page) in enumerate(zip(numbers, self._display.pages, strict=True)):
            owners = [0] * len(page.marked)
            tops += [self._tag(tag, document, number, owners) for tag in page.tags]
            nums.append(b"%d[%b]" % (index, b" ".join([b"%d 0 R" % owner for owner in owners])))
        self._plain[tree] = b"<</Nums[%b]>>" % b" ".join(nums)
        self._plain[document] = b"<</Type/StructElem/S/Document/P %d 0 R/K[%b]>>" % (
            root, b" ".join([b"%d 0 R" % top for top in tops]),
        )  # fmt: skip
        self._plain[root] = b"<</Type/StructTreeRoot/ParentTree %d 0 R/K[%d 0 R]>>" % (tree, document)
        return root

    def _tag(self, tag: Tag, parent: int, page: int, owners: list[int]) -> int:
        number = self._number()
        kids = []
        for child in tag.children:
            if type(child) is Tag:
                kids.append(b"%d 0 R" % self._tag(child, number, page, owners))
            elif type(child) is Text:
                self._count += 1
                span = self._count
                self._plain[span] = b"<</Type/StructElem/S/Span/P %d 0 R/Pg %d 0 R/K[%d]>>" % (number, page, child.mark)
                owners[child.mark] = span
                kids.append(b"%d 0 R" % span)
            elif isinstance(child, Picture):
                owners[child.mark] = number
                kids.append(b"%d" % child.mark)
        more = b""
        if tag.cell is not None:
            more = _cell(tag.kind, tag.cell.name, tag.cell.headers, tag.cell.span)
        elif tag.area is not None:
            more = b"/A<</O/Layout/BBox[%.3f %.3f %.3f %.3f]>>/Alt%b" % (*tag.area, _text(tag.alternative))
        self._plain[number] = b"<</Type/StructElem/S/%b/P %d 0 R/Pg %d 0 R/K[%b]%b>>" % (
            tag.kind.encode("ascii"), parent, page, b" ".join(kids), more,
        )  # fmt: skip
        return number

    # ── the rest ─────────────────────────────────────────────────────────────

    def _catalog(self, catalog: int, pages: int, numbers: list[int]) -> None:
        profile = self._stream(b"/N 3", self._writer._profile)
        structure = self._structure(numbers)
        outlines = self._outlines(numbers)
        metadata = self._stream(b"/Type/Metadata/Subtype/XML", _deflated(self._metadata()))
        self._plain[catalog] = (
            b"<</Type/Catalog/Pages %d 0 R/Lang%b/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"
            b"/ViewerPreferences<</DisplayDocTitle true>>/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1"
            b"/OutputConditionIdentifier(sRGB2014.icc)/Info(sRGB2014.icc)/DestOutputProfile %d 0 R>>]%b>>"
            % (pages, _text(self._display.language), structure, metadata, profile, outlines)
        )

    def _outlines(self, numbers: list[int]) -> bytes:
        marks = self._display.bookmarks
        if not marks:
            return b""
        if len({mark.level for mark in marks}) != 1:
            raise Unfillable("headings of several levels")
        top = self._number()
        items = [self._number() for _ in marks]
        for index, (number, mark) in enumerate(zip(items, marks, strict=True)):
            near = b"/Prev %d 0 R" % items[index - 1] if index else b""
            near += b"/Next %d 0 R" % items[index + 1] if index + 1 < len(items) else b""
            self._plain[number] = self._bookmark(mark, numbers, top, near)
        self._plain[top] = b"<</Count %d/First %d 0 R/Last %d 0 R>>" % (len(items), items[0], items[-1])
        return b"/Outlines %d 0 R" % top

    def _bookmark(self, mark: Bookmark, numbers: list[int], top: int, near: bytes) -> bytes:
        height = self._display.pages[mark.page].height
        x, y = mark.x * _SCALE, (height - mark.y) * _SCALE
        place = b"[%d 0 R/XYZ %b %b 0]" % (numbers[mark.page], _n(x), _n(y))
        return b"<</Title%b/Parent %d 0 R%b/Count 0/Dest%b>>" % (_text(mark.title), top, near, place)

    def _metadata(self) -> bytes:
        about = self._about
        moment = about.issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        title, author = escape(self._display.title), escape(about.author)
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
            '<rdf:RDF xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" '
            'xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
            '<rdf:Description rdf:about="" pdfaid:part="3" pdfaid:conformance="A"/>'
            f'<rdf:Description rdf:about=""><pdf:Producer>{escape(about.producer)}</pdf:Producer>'
            f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
            f"<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>"
            f"<pdf:Keywords>{about.piece_id}</pdf:Keywords><xmp:CreateDate>{moment}</xmp:CreateDate>"
            f"<xmp:ModifyDate>{moment}</xmp:ModifyDate></rdf:Description>{about.conformance}</rdf:RDF>\n</x:xmpmeta>\n"
            '<?xpacket end="r"?>'
        ).encode()

    def _info(self) -> bytes:
        about = self._about
        moment = about.issued_at.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ").encode("ascii")
        return b"<</Title%b/Author%b/Keywords%b/Producer%b/CreationDate(%b)/ModDate(%b)>>" % (
            _text(self._display.title), _text(about.author), _text(about.piece_id), _text(about.producer), moment, moment,
        )  # fmt: skip

    def _assembled(self, catalog: int) -> bytes:
        info = self._add(self._info())
        out = [b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"]
        at = len(out[0])
        places: dict[int, tuple[int, int, int]] = {}
        for number, (entries, deflated) in self._streams.items():
            body = b"%d 0 obj\n<</Filter/FlateDecode/Length %d%b>>stream\n%b\nendstream\nendobj\n" % (
                number, len(deflated), entries, deflated,
            )  # fmt: skip
            places[number] = (1, at, 0)
            out.append(body)
            at += len(body)
        plain = list(self._plain.items())
        for start in range(0, len(plain), _PER_STREAM):
            group = plain[start : start + _PER_STREAM]
            number = self._number()
            heads, offset = [], 0
            for index, (one, body) in enumerate(group):
                heads.append(b"%d %d" % (one, offset))
                offset += len(body) + 1
                places[one] = (2, number, index)
            head = b" ".join(heads) + b"\n"
            deflated = _deflated(head + b"\n".join([body for _, body in group]))
            body = b"%d 0 obj\n<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>stream\n%b\nendstream\nendobj\n" % (
                number, len(group), len(head), len(deflated), deflated,
            )  # fmt: skip
            places[number] = (1, at, 0)
            out.append(body)
            at += len(body)
        number = self._number()
        places[number] = (1, at, 0)
        rows = b"\0\0\0\0\0\0\xff\xff"[:7] + b"".join(
            [struct.pack(">BIH", *places[one]) for one in range(1, number + 1)]
        )
        rows = struct.pack(">BIH", 0, 0, 65535) + rows[7:]
        deflated = _deflated(rows)
        mark = hashlib.md5(b"".join(out), usedforsecurity=False).hexdigest().encode()
        out.append(
            b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]/Filter/FlateDecode/Length %d>>stream\n"
            b"%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
            % (
                number,
                number + 1,
                catalog,
                info,
                self._about.piece_id.encode().hex().encode(),
                mark,
                len(deflated),
                deflated,
                at,
            )
        )
        return b"".join(out)


@lru_cache(maxsize=4096)
def _cell(kind: str, name: str, headers: tuple[str, ...], span: int) -> bytes:
    """Return what a cell's tag says beside its content."""
    more = b"/A<</O/Table"
    if span != 1:
        more += b"/ColSpan %d" % span
    if kind == "TD":
        more += b"/Headers[%b]" % b"".join([b"(%b)" % one.encode("ascii") for one in headers])
    return more + b">>" + (b"/ID(%b)" % name.encode("ascii") if name else b"")


def _deflated(content: bytes) -> bytes:
    return bytes(isal_zlib.compress(content, 2))


def _n(value: float) -> bytes:
    return (b"%.6f" % value).rstrip(b"0").rstrip(b".")


def _color(ink: tuple[float, float, float, float]) -> bytes:
    if ink[3] != 1:
        raise Unfillable("a colour that is not opaque")
    return b"%.6g %.6g %.6g rg" % ink[:3]


def _text(text: str) -> bytes:
    """Return a text string of a PDF."""
    if text.isascii():
        return b"(" + text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode() + b")"
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"
