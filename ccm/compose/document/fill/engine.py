"""Filling one template's documents in one brand; the layout engine teaches, and takes what filling does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccm.compose.document.fill.display import Display, Page
from ccm.compose.document.fill.figures import NewPicture
from ccm.compose.document.fill.fonts import FontFile
from ccm.compose.document.fill.frames import Frame, PageArea, RunningPlace, frame_of, learn_pictures, page_area
from ccm.compose.document.fill.lift import Lift
from ccm.compose.document.fill.paginator import Paginator
from ccm.compose.document.fill.parts import Box
from ccm.compose.document.fill.positioned import positioned as lay_out_positioned
from ccm.compose.document.fill.printed import read
from ccm.compose.document.fill.steps import Flow, Setting
from ccm.compose.document.fill.styles import StyleBook, UnknownStructure
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.tree import Element, trimmed
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
        self._frames: dict[object, Frame] = {}
        self._areas: dict[object, PageArea] = {}
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
        try:
            setting.book.sign(root)
        except UnknownStructure:
            raise Unlearned from None
        area = self._areas.get((sheets, root.signature))
        if area is None:
            raise Unlearned
        try:
            return self._laid_out(root, sheets, setting, area)
        except NewPicture:
            raise Unlearned from None

    def _laid_out(self, root: Element, sheets: tuple[str, ...], setting: Setting, area: PageArea) -> Display:
        blocks = setting.blocks
        flow = Flow(setting)
        steps = flow.steps(root, area.left, area.inner)

        def positioned(element: Element) -> Box:
            return lay_out_positioned(blocks, element, area.left, area.top, area.inner, area.bottom - area.top)

        paginator = Paginator(lambda: Page(area.width, area.height), area.top, area.bottom, positioned)
        pages = paginator.place(steps)
        for number, page in enumerate(pages, 1):
            kind = (sheets, root.signature, flow.names)
            frame = self._frames.get((*kind, _side(number))) or self._frames.get((*kind, number, len(pages)))
            if frame is None:
                raise Unlearned
            if isinstance(frame, Unfillable):
                raise frame
            for one in frame:
                if isinstance(one, Lift):
                    one.draw(page)
                else:
                    one.draw(page, blocks, flow.running[one.name], number, len(pages))
        return Display(_title(root), dict(root.attributes)["lang"], pages, paginator.bookmarks)

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
        setting.book.learn(root, document._html.etree_element, document.style_for)
        self._learned += 1
        first, *others = [page_area(page) for page in document.pages]
        if any(one != first for one in others):
            raise Unfillable("pages of several sizes")
        self._areas[sheets, root.signature] = first
        learn_pictures(setting.pictures, document)
        flow = Flow(setting)
        try:
            flow.steps(root, first.left, first.inner)
        except NewPicture:
            raise Unfillable("a picture of another size than the engine's") from None
        for number, page in enumerate(document.pages, 1):
            frame = frame_of(page, self._fonts)
            kind = (sheets, root.signature, flow.names)
            self._frames[*kind, number, len(document.pages)] = frame
            if not isinstance(frame, Unfillable) and all(isinstance(one, RunningPlace) for one in frame):
                self._frames[*kind, _side(number)] = frame

    def _forget(self) -> None:
        """Forget everything that was learned.

        Why: A template whose every page is of a new kind, with customers' data in a head or a style, would fill the
        memory of a long run. What was forgotten is learned again, and gives the same bytes.
        """
        self._learned = 0
        for known in (self._settings, self._frames, self._areas, self._refused):
            known.clear()


def _side(number: int) -> tuple[bool, bool]:
    """Return all that style sheets can ask of a page: whether it is the first one, and whether it is a right one."""
    return (number == 1, number % 2 == 1)


def _read(html: str, language: str, direction: str) -> Element:
    """Return the page's tree; what it does not say of language and direction is added, as for the layout engine."""
    root = read(html)
    said = dict(root.attributes)
    root.attributes = tuple({"lang": language, "dir": direction, **said}.items())
    return root


def _own_sheets(root: Element) -> tuple[str, ...]:
    """Return the style sheets in a page, which stand in its head."""
    return tuple(str(one.children[0]) for one in _head(root) if one.tag == "style" and one.children)


def _title(root: Element) -> str:
    for one in _head(root):
        if one.tag == "title":
            return trimmed("".join(str(part) for part in one.children))
    raise Unfillable("a document without a title")


def _head(root: Element) -> list[Element]:
    head = next(one for one in root.children if isinstance(one, Element))
    return [one for one in head.children if isinstance(one, Element)]
