"""Whether two PDFs are the same to whoever sees, searches, clicks or hears them."""

from __future__ import annotations

import ctypes
import io
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops

from benchmarks.pdf.arabic import by_glyph

TOLERANCE = 0.05  # points
_SCALES = (2.0, 3.0)  # pixels of a picture for each point; a second look, where the first one sees a difference
_DEEP = 64  # of 255: how far a pixel may be from everything around its place in the other picture
_SHADE = 3  # of 255: the same for nine pixels together, such as a pale background
_TEXT, _FORM = 1, 5  # kinds of page objects

Sign: TypeAlias = tuple[int, float, float]  # Unicode, x and y of its origin in points


def differences(ours: bytes, theirs: bytes, *, pictures: bool = True, structure: bool = True) -> str:
    """Return the first difference; empty if there is none. No text is quoted.

    Compared: pages and their sizes, words in the order that a reader finds them, the place of every sign, outline, links,
    the tags with their attributes and the text of each (structure), and the pictures of the pages. Arabic letters are
    compared by their glyphs, in any order, where the engine's file has the fault that `benchmarks.pdf.arabic` describes.
    """
    numbered = by_glyph(ours, theirs)
    ours, theirs = numbered or (ours, theirs)
    with pypdfium2.PdfDocument(ours) as one, pypdfium2.PdfDocument(theirs) as other:
        if len(one) != len(other):
            return f"{len(one)} pages instead of {len(other)}"
        for number in range(len(one)):
            mine, its = one[number], other[number]
            found = _words_differ(mine, its, numbered is None) or (_pictures_differ(mine, its) if pictures else "")
            if found:
                return f"page {number + 1}: {found}"
        if _outline(one) != _outline(other):
            return "another outline"
        if not structure:
            return ""
        with pikepdf.open(io.BytesIO(ours)) as left, pikepdf.open(io.BytesIO(theirs)) as right:
            return _structure_differs(left, one, right, other, numbered is None)


# ── words and places ─────────────────────────────────────────────────────────


def _words_differ(ours: Any, theirs: Any, ordered: bool) -> str:
    if any(abs(a - b) > TOLERANCE for a, b in zip(ours.get_size(), theirs.get_size(), strict=True)):
        return "another size"
    mine, its = ours.get_textpage(), theirs.get_textpage()
    if ordered and _composed(mine.get_text_range()).split() != _composed(its.get_text_range()).split():
        return "other words, or in another order"
    return _places_differ(_signs(mine), _signs(its))


def _signs(page: Any) -> list[Sign]:
    x, y = ctypes.c_double(), ctypes.c_double()
    found = []
    for at in range(page.count_chars()):
        code = pdfium.FPDFText_GetUnicode(page, at)
        if code > 32 and code != 160 and pdfium.FPDFText_IsGenerated(page, at) != 1:
            pdfium.FPDFText_GetCharOrigin(page, at, x, y)
            for sign in (code,) if code < 0xC0 else map(ord, unicodedata.normalize("NFD", chr(code))):
                found.append((sign, x.value, y.value))
    return found


def _composed(text: str) -> str:
    """Return a text with letters and their accents as one sign.

    Why: For a glyph such as é the engine says what it stood for first, é or e with an accent; both are the same letter.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _places_differ(mine: list[Sign], its: list[Sign]) -> str:
    if len(mine) != len(its):
        return "other signs"
    if all(a[0] == b[0] and _near(a, b) for a, b in zip(mine, its, strict=True)):
        return ""  # nearly always: the two draw in the same order
    waiting: dict[int, list[Sign]] = defaultdict(list)
    for sign in its:
        waiting[sign[0]].append(sign)
    for sign in mine:
        places = waiting[sign[0]]
        if not places:
            return "other signs"
        nearest = min(places, key=lambda place: abs(place[1] - sign[1]) + abs(place[2] - sign[2]))
        if not _near(nearest, sign):
            away = max(abs(nearest[1] - sign[1]), abs(nearest[2] - sign[2]))
            return f"a sign {away:.2f} pt away, at {sign[1]:.0f},{sign[2]:.0f}"
        places.remove(nearest)
    return ""


def _near(one: Sign, other: Sign) -> bool:
    return abs(one[1] - other[1]) <= TOLERANCE and abs(one[2] - other[2]) <= TOLERANCE


# ── pictures ─────────────────────────────────────────────────────────────────


def _pictures_differ(ours: Any, theirs: Any) -> str:
    """Compare pictures within what smoothing of edges does.

    Why two sizes: What is pale and ends on a hairline has colours of its own there, by where pixels happen to begin. What
    really differs, differs in both.
    """
    found = ""
    for scale in _SCALES:
        found = _differ_in(scale, ours, theirs)
        if not found:
            break
    return found


def _differ_in(scale: float, ours: Any, theirs: Any) -> str:
    """Compare pictures of one size, in pixels for each point.

    A pixel may have any value between the darkest and the lightest of the nine around its place in the other picture, in
    each colour; one pixel far outside is a difference, and so are nine together a little outside. So a hairline or a pale
    background that is missing, or of another colour, is found.
    """
    one, other = (page.render(scale=scale).to_pil().convert("RGB") for page in (ours, theirs))
    if one.size != other.size:
        return "a picture of another size"
    if not _standing_out(ImageChops.difference(one, other)):
        return ""
    for left, right in ((one, other), (other, one)):
        least, most = _around(right, ImageChops.darker), _around(right, ImageChops.lighter)
        for beyond in (ImageChops.subtract(left, most), ImageChops.subtract(least, left)):
            if box := _standing_out(beyond):
                return f"another picture at {', '.join(f'{edge / scale:.0f}' for edge in box)} pt from the upper left"
    return ""


def _standing_out(difference: Image.Image) -> tuple[int, int, int, int] | None:
    """Return where a picture of differences has a pixel that is large, or nine together that are more than nothing."""
    most = ImageChops.lighter(ImageChops.lighter(*difference.split()[:2]), difference.split()[2])
    deep = most.point(lambda value: 255 if value > _DEEP else 0).getbbox()
    return deep or _around(most.point(lambda value: 255 if value > _SHADE else 0), ImageChops.darker).getbbox()


def _around(picture: Image.Image, pick: Callable[[Image.Image, Image.Image], Image.Image]) -> Image.Image:
    """Return for each pixel the darkest or lightest of the nine around it; row by row, then column by column."""
    for x, y in ((1, 0), (0, 1)):
        picture = pick(pick(picture, ImageChops.offset(picture, x, y)), ImageChops.offset(picture, -x, -y))
    return picture


# ── outline, links, tags ─────────────────────────────────────────────────────


def _outline(document: Any) -> list[tuple[int, str, int | None, tuple[float, ...]]]:
    found = []
    for mark in document.get_toc():
        place = mark.get_dest()
        view = tuple(round(one) for one in place.get_view()[1]) if place else ()
        found.append((mark.level, mark.get_title(), place.get_index() if place else None, view))
    return found


def _structure_differs(ours: Any, our_pages: Any, theirs: Any, their_pages: Any, ordered: bool) -> str:
    if ours.Root.get("/Lang") != theirs.Root.get("/Lang"):
        return "another language"
    mine, its = list(_links(ours)), list(_links(theirs))
    if len(mine) != len(its) or any(not _same_link(a, b) for a, b in zip(mine, its, strict=True)):
        return "other links"
    left, right = _Tags(ours, our_pages).found, _Tags(theirs, their_pages).found
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        if a[0] != b[0]:
            return f"tag {at} is {a[0]} instead of {b[0]}"
        if (a[1] if ordered else sorted(a[1])) != (b[1] if ordered else sorted(b[1])):
            return f"tag {at}, {a[0]}, has other text"
    return "" if len(left) == len(right) else f"{len(left)} tags instead of {len(right)}"


def _links(pdf: Any) -> Iterator[tuple[int, str, list[float]]]:
    for number, page in enumerate(pdf.pages):
        for note in page.get("/Annots", []):
            action = note.get("/A", {})
            yield number, str(action.get("/URI", note.get("/Dest", ""))), [float(one) for one in note.Rect]


def _same_link(one: tuple[int, str, list[float]], other: tuple[int, str, list[float]]) -> bool:
    return one[:2] == other[:2] and all(abs(a - b) <= TOLERANCE for a, b in zip(one[2], other[2], strict=True))


class _Tags:
    """Reads the structure tree in its order: what each element is, and the words of each piece of content."""

    def __init__(self, pdf: Any, pages: Any) -> None:
        self._numbers = {page.objgen: number for number, page in enumerate(pdf.pages)}
        self._words = [_marked_words(page) for page in pages]
        self._ids: dict[bytes, int] = {}
        self.found: list[tuple[str, str]] = []
        tree = pdf.Root.get("/StructTreeRoot")
        if tree is not None:
            self._name(tree.K[0] if isinstance(tree.K, pikepdf.Array) else tree.K)
            self._walk(tree.K[0] if isinstance(tree.K, pikepdf.Array) else tree.K, 0, None)

    def _name(self, element: Any) -> None:
        """Number the elements that others point to: the two files call them differently."""
        if "/ID" in element:
            self._ids[bytes(element.ID)] = len(self._ids)
        for kid in _kids(element):
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                self._name(kid)

    def _walk(self, element: Any, depth: int, page: Any) -> None:
        page = element.get("/Pg", page)
        self.found.append((f"{depth} {element.S} {self._attributes(element)}", ""))
        for kid in _kids(element):
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                self._walk(kid, depth + 1, page)
            elif isinstance(kid, pikepdf.Dictionary):
                kind = str(kid.get("/Type", "/MCR"))
                on = kid.get("/Pg", page)
                self.found.append((f"{depth + 1} {kind}", self._text(on, kid.get("/MCID"))))
            else:
                self.found.append((f"{depth + 1} /MCR", self._text(page, kid)))

    def _text(self, page: Any, mark: Any) -> str:
        if page is None or mark is None:
            return ""
        return self._words[self._numbers[page.objgen]].get(int(mark), "")

    def _attributes(self, element: Any) -> str:
        more = [f"{name} {element[name]}" for name in ("/Alt", "/ActualText", "/Lang", "/E") if name in element]
        given = element.get("/A", [])
        for one in given if isinstance(given, pikepdf.Array) else [given]:
            for name in ("/ColSpan", "/RowSpan", "/Scope", "/ListNumbering"):
                if name in one:
                    more.append(f"{name} {one[name]}")
            if "/Headers" in one:
                more.append(f"/Headers {[self._ids.get(bytes(each)) for each in one.Headers]}")
        return " ".join(more)


def _kids(element: Any) -> list[Any]:
    kids = element.get("/K", [])
    return list(kids) if isinstance(kids, pikepdf.Array) else [kids]


def _marked_words(page: Any) -> dict[int, str]:
    """Return the words of each marked content of a page, without blanks: they stand where lines were broken."""
    text = page.get_textpage()
    found: dict[int, list[str]] = defaultdict(list)

    def take(item: Any) -> None:
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == _FORM:
            for at in range(pdfium.FPDFFormObj_CountObjects(item)):
                take(pdfium.FPDFFormObj_GetObject(item, at))
        elif kind == _TEXT and (mark := pdfium.FPDFPageObj_GetMarkedContentID(item)) >= 0:
            size = pdfium.FPDFTextObj_GetText(item, text, None, 0)
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFTextObj_GetText(item, text, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
            found[mark].append(buffer.raw[: size - 2].decode("utf-16-le"))

    for at in range(pdfium.FPDFPage_CountObjects(page)):
        take(pdfium.FPDFPage_GetObject(page, at))
    return {mark: _composed("".join("".join(parts).split())) for mark, parts in found.items()}
