"""Filling one template's documents in one brand; the layout engine teaches, and takes what filling does not know."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ccm.compose.document.fill.display import Display, Page
from ccm.compose.document.fill.flow import Flow, Lifted, Paginator
from ccm.compose.document.fill.fonts import FontFile
from ccm.compose.document.fill.lift import Lift
from ccm.compose.document.fill.styles import StyleBook, UnknownStructure
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.tree import Element, parse
from ccm.compose.document.fill.unfillable import Unfillable
from ccm.compose.document.fill.writer import About, PdfWriter


class Unlearned(Exception):
    """The page has parts that were never met; the engine lays it out, and teaches."""


class FillEngine:
    """Fills documents.

    Args:
        files: Font files of the brand, in its order.
        sheets: Text of the style sheets beside those of the page itself.
        profile: ICC profile of screens.
    """

    def __init__(self, files: Mapping[str, bytes], sheets: str, profile: bytes) -> None:
        self._fonts = Fonts(files)
        self._sheets = sheets
        contents = list(files.values())
        self._writer = PdfWriter(
            [FontFile(one, face) for one, face in zip(contents, self._fonts.faces, strict=True)], profile
        )
        self._books: dict[tuple[str, ...], StyleBook] = {}
        self._lifts: dict[object, Lift | Unfillable] = {}
        self._frames: dict[object, tuple[Lift, ...] | Unfillable] = {}
        self._sizes: dict[object, tuple[float, float, float, float, float, float]] = {}
        self._refused: dict[tuple[str, ...], str] = {}

    def fill(self, html: str, about: About, language: str) -> tuple[bytes, Display]:
        """Return the PDF and what is drawn in it.

        Args:
            html: The whole page.
            language: BCP 47; for pages that do not say it themselves.

        Raises:
            Unlearned: If the engine must lay this page out first; give it to `learn` then.
            Unfillable: If the page has something that filling does not know.
        """
        display = self.display(html, language)
        return self._writer.write(display, about), display

    def display(self, html: str, language: str) -> Display:
        """Lay a page out; raises as `fill` does."""
        root = parse(html)
        sheets = _own_sheets(root)
        if sheets in self._refused:
            raise Unfillable(self._refused[sheets])
        book = self._books.get(sheets)
        if book is None:
            raise Unlearned
        try:
            book.sign(root)
        except UnknownStructure:
            raise Unlearned from None
        size = self._sizes.get((sheets, root.signature))
        if size is None:
            raise Unlearned
        width, height, left, top, inner, bottom = size
        flow = Flow(book, self._fonts, self._lifted(book))
        steps = flow.steps(root, left, inner)
        paginator = Paginator(lambda: Page(width, height), top, bottom)
        pages = paginator.place(steps)
        running = tuple((name, _serial(one)) for name, one in sorted(flow.running.items()))
        for number, page in enumerate(pages, 1):
            frame = self._frames.get((sheets, running, number, len(pages)))
            if frame is None:
                raise Unlearned
            if isinstance(frame, Unfillable):
                raise frame
            for lift in frame:
                lift.draw(page, None, lift.x, lift.y)
        language = dict(root.attributes).get("lang", language)
        return Display(_title(root), language, pages, paginator.bookmarks)

    def _lifted(self, book: StyleBook) -> Any:
        def lift(element: Element, width: float) -> Lifted:
            known = self._lifts.get((id(book), _serial(element), width))
            if known is None:
                raise Unlearned
            if isinstance(known, Unfillable):
                raise known
            return Lifted(element, book.styles[element.signature][0], known.x, known.height, known.draw)

        return lift

    def learn(self, html: str, document: Any) -> None:
        """Take from the engine's layout of a page what filling it needed."""
        try:
            root = parse(html)
        except Unfillable:
            return
        sheets = _own_sheets(root)
        try:
            book = self._books.get(sheets)
            if book is None:
                book = StyleBook("\n".join((self._sheets, *sheets)))
            book.learn(root, document._html.etree_element, document.style_for)
            self._books[sheets] = book
        except Unfillable as refusal:
            self._refused[sheets] = refusal.reason
            return
        first = document.pages[0]._page_box
        self._sizes[sheets, root.signature] = (
            first.margin_width(), first.margin_height(), first.content_box_x(), first.content_box_y(), first.width,
            first.content_box_y() + first.height,
        )  # fmt: skip
        if any((one._page_box.width, one._page_box.height) != (first.width, first.height) for one in document.pages):
            self._refused[sheets] = "pages of several sizes"
            return
        self._learn_lifts(book, root, document)
        self._learn_frames(book, sheets, root, document)

    def _learn_lifts(self, book: StyleBook, root: Element, document: Any) -> None:
        wanted: dict[int, tuple[Element, float]] = {}

        def note(element: Element, width: float) -> Lifted:
            wanted[len(wanted)] = (element, width)
            return Lifted(element, book.styles[element.signature][0], 0, 0, lambda *ignored: None)

        first = document.pages[0]._page_box
        with contextlib.suppress(Unfillable):
            Flow(book, self._fonts, note).steps(root, first.content_box_x(), first.width)
        boxes = _boxes_by_place(document)
        order = {id(element): index for index, element in enumerate(_elements(root))}
        for element, width in wanted.values():
            found = boxes.get(order[id(element)], [])
            key = (id(book), _serial(element), width)
            try:
                if len(found) != 1:
                    raise Unfillable("a block over several pages")
                self._lifts[key] = Lift(found[0], self._fonts, readable=True)
            except Unfillable as refusal:
                self._lifts[key] = refusal

    def _learn_frames(self, book: StyleBook, sheets: tuple[str, ...], root: Element, document: Any) -> None:
        from weasyprint.formatting_structure import boxes

        flow = Flow(book, self._fonts, lambda element, width: Lifted(element, None, 0, 0, lambda *ignored: None))
        try:
            flow.steps(root, 0, document.pages[0]._page_box.width)
        except Unfillable:
            return
        running = tuple((name, _serial(one)) for name, one in sorted(flow.running.items()))
        for number, page in enumerate(document.pages, 1):
            key = (sheets, running, number, len(document.pages))
            try:
                margin_boxes = [one for one in page._page_box.children if isinstance(one, boxes.MarginBox)]
                self._frames[key] = tuple(Lift(one, self._fonts, readable=False) for one in margin_boxes)
            except Unfillable as refusal:
                self._frames[key] = refusal


def _own_sheets(root: Element) -> tuple[str, ...]:
    return tuple(str(one.children[0]) for one in _elements(root) if one.tag == "style" and one.children)


def _title(root: Element) -> str:
    for one in _elements(root):
        if one.tag == "title":
            return " ".join("".join(str(part) for part in one.children).split())
    raise Unfillable("a document without a title")


def _elements(root: Element) -> list[Element]:
    """Return all elements in the order of the page."""
    found = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        found.append(element)
        waiting += [child for child in reversed(element.children) if isinstance(child, Element)]
    return found


def _serial(element: Element) -> tuple[object, ...]:
    return (element.signature, *(child if type(child) is str else _serial(child) for child in element.children))  # type: ignore[arg-type]  # the rest are elements


def _boxes_by_place(document: Any) -> dict[int, list[Any]]:
    """Return the outermost boxes of each element, by the element's place in the page."""
    from weasyprint.formatting_structure import boxes

    order = {element: index for index, element in enumerate(document._html.etree_element.iter())}
    found: dict[int, list[Any]] = {}

    def walk(box: Any, inside: Any) -> None:
        if isinstance(box, boxes.MarginBox):
            return
        element = getattr(box, "element", None)
        if element is not None and element is not inside and not isinstance(box, boxes.LineBox):
            found.setdefault(order[element], []).append(box)
        for child in getattr(box, "children", None) or ():
            if isinstance(child, boxes.Box):
                walk(child, element if element is not None else inside)

    for page in document.pages:
        walk(page._page_box, None)
    return found
