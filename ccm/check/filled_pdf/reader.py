"""A filled document as its reader gets it: from the bytes of the file and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from ccm.check.filled_pdf.faces import Faces
from ccm.check.filled_pdf.font import FontReading, font_of
from ccm.check.filled_pdf.objects import Name, PdfFile, Ref, Value, inflated, value_of
from ccm.check.filled_pdf.page import Lines, Sheet, lines_of
from ccm.check.filled_pdf.placed import UNMOVED, Form, Matrix
from ccm.check.filled_pdf.unread import Unread

_MOST_LEVELS = 4  # of pages in groups of pages
_PAGE = Name("Page")
_NODE_KEYS = frozenset(("Type", "Count", "Kids", "Parent"))
_PAGE_KEYS = frozenset(
    ("Type", "Parent", "MediaBox", "TrimBox", "BleedBox", "Contents", "Resources", "Tabs", "StructParents", "Annots")
)
_RESOURCE_KEYS = frozenset(("Font", "ExtGState", "XObject", "ProcSet", "ColorSpace", "Pattern", "Shading"))
_FORM_KEYS = frozenset(
    ("Type", "Subtype", "BBox", "Matrix", "Resources", "Filter", "Length", "Group", "StructParents", "FormType")
)
_STATE_KEYS = frozenset(("Type", "CA", "ca"))  # without a font


class FilledReading(NamedTuple):
    """Lines of each page as the cells they are made of, and targets of all web links."""

    pages: tuple[Lines, ...]
    links: tuple[str, ...]


def read_filled(content: bytes) -> FilledReading:
    """Read a document that filling made.

    Raises:
        Unread: If anything in the file is not known for sure.
    """
    try:
        return _Reader(content).read()
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as fault:
        raise Unread("a file that is damaged") from fault


class _Reader:
    """Reads one file."""

    def __init__(self, content: bytes) -> None:
        self._file = PdfFile(content)
        self._faces: dict[int, Faces] = {}  # by the number of the resources

    def read(self) -> FilledReading:
        """Return what the file says."""
        catalog = value_of(self._file.root)
        top = catalog.get("Pages") if isinstance(catalog, dict) else None
        if not isinstance(catalog, dict) or not isinstance(top, Ref) or "AcroForm" in catalog:
            raise Unread("pages of another kind")
        preferences = catalog.get("ViewerPreferences", {})
        if not isinstance(preferences, dict) or "Direction" in preferences:
            raise Unread("pages that run the other way")
        pages: list[Lines] = []
        links: list[str] = []
        for page in self._pages(top, 0):
            pages.append(self._lines(page))
            links += self._links(page)
        return FilledReading(tuple(pages), tuple(links))

    def _pages(self, value: Value, level: int) -> Iterator[Mapping[str, Value]]:
        """Yield the dictionaries of pages, in order."""
        node = self._file.dictionary(value)
        if node.get("Type") == _PAGE:
            yield node
            return
        kids = node.get("Kids")
        if level >= _MOST_LEVELS or not isinstance(kids, tuple) or not node.keys() <= _NODE_KEYS:
            raise Unread("pages of another kind")
        for kid in kids:
            yield from self._pages(kid, level + 1)

    def _lines(self, page: Mapping[str, Value]) -> Lines:
        content, resources = page.get("Contents"), page.get("Resources")
        if not page.keys() <= _PAGE_KEYS or not isinstance(content, Ref) or not isinstance(resources, Ref):
            raise Unread("a page of another kind")
        match page.get("MediaBox"):
            case (0.0, 0.0, float(width), float(height)) if min(width, height) > 10 and max(width, height) < 10_000:
                return lines_of(self._sheet(content, resources, 0), width, height)
        raise Unread("a page of another size")

    def _sheet(self, content: Ref, resources: Ref, level: int) -> Sheet:
        def forms(name: str, matrix: Matrix) -> tuple[Sheet, Matrix, Form] | None:
            return self._form(resources, name, matrix, level)

        stream = inflated(self._file.stream(content.number).deflated)
        return Sheet(stream, self._faces_of(resources), forms)

    def _form(self, resources: Ref, name: str, matrix: Matrix, level: int) -> tuple[Sheet, Matrix, Form] | None:
        """Return a form that is set on a page; none for a picture, which says nothing."""
        known = self._file.dictionary(self._file.dictionary(resources).get("XObject"))
        reference = known.get(name)
        if not isinstance(reference, Ref):
            raise Unread("a form that is not named")
        head = self._file.stream(reference.number).dictionary
        if head.get("Subtype") == Name("Image"):
            return None
        a, b, c, d, e, f = matrix
        if level or head.get("Subtype") != Name("Form") or not head.keys() <= _FORM_KEYS:
            raise Unread("a form of another kind")
        match head.get("Resources"), head.get("Matrix", UNMOVED):
            case Ref() as own, (float(g), float(h), float(i), float(j), float(k), float(m)) if (
                not b and not c and a > 0 and abs(d) == a
            ):
                return self._sheet(reference, own, level + 1), (g, h, i, j, k, m), Form(a, 1 if d > 0 else -1, e, f)
        raise Unread("a form of another kind")

    def _faces_of(self, resources: Ref) -> Faces:
        """Return the fonts of a page; those of most files are known already."""
        faces = self._faces.get(resources.number)
        if faces is None:
            named = self._file.dictionary(resources)
            if not named.keys() <= _RESOURCE_KEYS:
                raise Unread("resources of another kind")
            for state in self._file.dictionary(named.get("ExtGState", {})).values():
                if not self._file.dictionary(state).keys() <= _STATE_KEYS:
                    raise Unread("a state of another kind")
            fonts = self._file.dictionary(named.get("Font", {}))
            read = tuple((name.encode("latin1"), font_of(self._file, font)) for name, font in fonts.items())
            faces = self._faces[resources.number] = _known_faces(read)
        return faces

    def _links(self, page: Mapping[str, Value]) -> Iterator[str]:
        """Yield the web addresses to which links of a page lead."""
        notes = page.get("Annots", ())
        if isinstance(notes, Ref):
            notes = value_of(self._file.body(notes.number))
        if not isinstance(notes, tuple):
            raise Unread("notes of another kind")
        for one in notes:
            note = self._file.dictionary(one)
            if note.get("Subtype") != Name("Link"):
                raise Unread("a note of another kind")
            action = self._file.dictionary(note.get("A", {}))
            if action.get("S") == Name("URI"):
                target = action.get("URI")
                if not isinstance(target, bytes) or not target.isascii():
                    raise Unread("a link of another kind")
                yield target.decode("ascii")
            elif action:
                raise Unread("an action of another kind")


@lru_cache(maxsize=16)
def _known_faces(fonts: tuple[tuple[bytes, FontReading], ...]) -> Faces:
    return Faces(dict(fonts))
