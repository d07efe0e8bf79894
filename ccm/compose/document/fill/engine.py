"""Filling one template's documents in one brand; the layout engine teaches, and takes what filling does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccm.compose.document.fill.display import Display, Page
from ccm.compose.document.fill.flow import Flow, Lifted, Paginator, Setting
from ccm.compose.document.fill.fonts import FontFile
from ccm.compose.document.fill.lift import Lift
from ccm.compose.document.fill.styles import StyleBook, UnknownStructure
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.tree import Element, parse, serial
from ccm.compose.document.fill.unfillable import Unfillable
from ccm.compose.document.fill.writer import About, PdfWriter


class Unlearned(Exception):
    """The page has parts that were never met; the engine lays it out, and teaches."""


MOST_LEARNED = 2000  # pages; a template that fills well is learned after a few dozen


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
        self._settings: dict[tuple[str, ...], Setting] = {}
        self._lifts: dict[object, Lift | Unfillable] = {}
        self._frames: dict[object, tuple[Lift, ...] | Unfillable] = {}
        self._sizes: dict[object, tuple[float, float, float, float, float, float]] = {}
        self._refused: dict[tuple[str, ...], str] = {}
        self._learned = 0  # pages

    def fill(self, html: str, about: About, language: str, direction: str) -> tuple[bytes, Display]:
        """Return the PDF and what is drawn in it.

        Args:
            html: The whole page.
            language: BCP 47; for pages that do not say it themselves.
            direction: ltr or rtl; likewise.

        Raises:
            Unlearned: If the engine must lay this page out first; give it to `learn` then.
            Unfillable: If the page has something that filling does not know.
        """
        display = self.display(html, language, direction)
        return self._writer.write(display, about), display

    def display(self, html: str, language: str, direction: str) -> Display:
        """Lay a page out; raises as `fill` does."""
        root = _read(html, language, direction)
        sheets = _own_sheets(root)
        if sheets in self._refused:
            raise Unfillable(self._refused[sheets])
        setting = self._settings.get(sheets)
        if setting is None:
            raise Unlearned
        book = setting.book
        try:
            book.sign(root)
        except UnknownStructure:
            raise Unlearned from None
        size = self._sizes.get((sheets, root.signature))
        if size is None:
            raise Unlearned
        width, height, left, top, inner, bottom = size
        flow = Flow(setting, self._lifted(book))
        steps = flow.steps(root, left, inner)
        paginator = Paginator(lambda: Page(width, height), top, bottom)
        pages = paginator.place(steps)
        for number, page in enumerate(pages, 1):
            frame = self._frames.get((sheets, root.signature, flow.ran, number, len(pages)))
            if frame is None:
                raise Unlearned
            if isinstance(frame, Unfillable):
                raise frame
            for lift in frame:
                lift.draw(page, None, lift.x, lift.y)
        return Display(_title(root), dict(root.attributes)["lang"], pages, paginator.bookmarks)

    def _lifted(self, book: StyleBook) -> Any:
        def lift(element: Element, width: float) -> Lifted:
            known = self._lifts.get((id(book), serial(element), width))
            if known is None:
                raise Unlearned
            if isinstance(known, Unfillable):
                raise known
            return Lifted(element, book.styles[element.signature][0], known.x, known.height, known.draw)

        return lift

    def learn(self, html: str, language: str, direction: str, document: Any) -> None:
        """Take from the engine's layout of a page what filling it needed.

        Raises:
            Unfillable: If the page has something that filling does not know. What was learned is true nonetheless.
        """
        root = _read(html, language, direction)
        sheets = _own_sheets(root)
        if self._learned >= MOST_LEARNED:
            self._forget()
        if sheets in self._refused:
            raise Unfillable(self._refused[sheets])
        setting = self._settings.get(sheets)
        if setting is None:
            try:
                setting = Setting(StyleBook("\n".join((self._sheets, *sheets))), self._fonts)
                self._settings[sheets] = setting
            except Unfillable as refusal:
                self._refused[sheets] = refusal.reason
                raise
        book = setting.book
        book.learn(root, document._html.etree_element, document.style_for)
        self._learned += 1
        first, *others = [_frame(page) for page in document.pages]
        if any(one != first for one in others):
            raise Unfillable("pages of several sizes")
        self._sizes[sheets, root.signature] = first
        flow = Flow(setting, self._teaching(book, root, document))
        flow.steps(root, first[2], first[4])
        self._learn_frames((sheets, root.signature, flow.ran), document)

    def _forget(self) -> None:
        """Forget everything that was learned.

        Why: A template whose every page is of a new kind, with customers' data in a head or a style, would fill the
        memory of a long run. What was forgotten is learned again, and gives the same bytes.
        """
        self._learned = 0
        for known in (self._settings, self._lifts, self._frames, self._sizes, self._refused):
            known.clear()

    def _teaching(self, book: StyleBook, root: Element, document: Any) -> Any:
        """Return what lifts blocks while learning: it takes each from the engine's layout."""
        boxes = _boxes_by_place(document)
        order = {id(element): index for index, element in enumerate(_elements(root))}

        def lift(element: Element, width: float) -> Lifted:
            found = boxes.get(order[id(element)], [])
            key = (id(book), serial(element), width)
            known = self._lifts.get(key)
            if known is None:
                try:
                    if len(found) != 1:
                        raise Unfillable("a block over several pages")
                    _still(book, element)
                    known = self._lifts[key] = Lift(found[0], self._fonts, readable=True)
                except Unfillable as refusal:
                    self._lifts[key] = refusal
                    raise
            if isinstance(known, Unfillable):
                raise known
            return Lifted(element, book.styles[element.signature][0], known.x, known.height, known.draw)

        return lift

    def _learn_frames(self, kind: tuple[object, ...], document: Any) -> None:
        from weasyprint.formatting_structure import boxes

        for number, page in enumerate(document.pages, 1):
            key = (*kind, number, len(document.pages))
            try:
                margin_boxes = [one for one in page._page_box.children if isinstance(one, boxes.MarginBox)]
                self._frames[key] = tuple(Lift(one, self._fonts, readable=False) for one in margin_boxes)
            except Unfillable as refusal:
                self._frames[key] = refusal


def _frame(page: Any) -> tuple[float, float, float, float, float, float]:
    """Return a page's width and height, and its content's left, top, width and bottom."""
    box = page._page_box
    left, top = box.content_box_x(), box.content_box_y()
    return (box.margin_width(), box.margin_height(), left, top, box.width, top + box.height)


def _still(book: StyleBook, block: Element) -> None:
    """Refuse a block that looks otherwise on another page, or that changes what follows."""
    for element in _elements(block):
        for style in book.styles[element.signature]:
            if style is not None and (
                style["counter_reset"] or style["counter_set"] or style["string_set"] != "none"
                or style["counter_increment"] not in ("auto", ()) or "counter" in str(style["content"])
                or style["display"][-1] == "list-item" or style["bookmark_level"] != "none"
            ):  # fmt: skip
                raise Unfillable("counters, named strings or headings in a block of the engine's")


def _read(html: str, language: str, direction: str) -> Element:
    """Return the page's tree; what it does not say of language and direction is added, as for the layout engine."""
    root = parse(html)
    said = dict(root.attributes)
    root.attributes = tuple({"lang": language, "dir": direction, **said}.items())
    return root


def _own_sheets(root: Element) -> tuple[str, ...]:
    """Return the style sheets in a page, which stand in its head."""
    return tuple(str(one.children[0]) for one in _head(root) if one.tag == "style" and one.children)


def _title(root: Element) -> str:
    for one in _head(root):
        if one.tag == "title":
            return " ".join("".join(str(part) for part in one.children).split())
    raise Unfillable("a document without a title")


def _head(root: Element) -> list[Element]:
    head = next(one for one in root.children if isinstance(one, Element))
    return [one for one in head.children if isinstance(one, Element)]


def _elements(root: Element) -> list[Element]:
    """Return all elements in the order of the page."""
    found = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        found.append(element)
        waiting += [child for child in reversed(element.children) if isinstance(child, Element)]
    return found


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
