"""Filling one template's documents in one brand; the layout engine teaches, and takes what filling does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from ccm.compose.document.fill.display import Display, Page
from ccm.compose.document.fill.draw.frames import Frame, PageArea, RunningPlace, frame_of, learn_pictures, page_area
from ccm.compose.document.fill.draw.lift import Lift
from ccm.compose.document.fill.draw.paginator import Paginator
from ccm.compose.document.fill.file.writer import About, PdfWriter
from ccm.compose.document.fill.layout.figures import NewPicture
from ccm.compose.document.fill.layout.parts import Box
from ccm.compose.document.fill.layout.positioned import positioned as lay_out_positioned
from ccm.compose.document.fill.layout.steps import Flow, Setting
from ccm.compose.document.fill.style.styles import StyleBook, UnknownStructure
from ccm.compose.document.fill.text.shaping import Fonts
from ccm.compose.document.fill.tree.elements import Element, trimmed
from ccm.compose.document.fill.tree.printed import read
from ccm.compose.document.fill.unfillable import Unfillable


class Lesson(StrEnum):
    """What the engine has to teach before a page can be filled."""

    LAYOUT = "layout"  # the whole page, which is compared then
    STYLES = "styles"  # of elements in new places; their looks may have been compared before
    FRAMES = "frames"  # heads and feet, and the measures of the page


class Unlearned(Exception):
    """The page has parts that were never met; the engine teaches.

    lesson: The least that it has to do. pages: How many the page has, as far as that is known; 0 if it is not.
    """

    def __init__(self, lesson: Lesson, pages: int = 0) -> None:
        super().__init__()
        self.lesson = lesson
        self.pages = pages


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
        self._writer = PdfWriter(self._fonts.files, profile)
        self._settings: dict[tuple[str, ...], Setting] = {}
        self._frames: dict[object, Frame] = {}
        self._areas: dict[object, PageArea] = {}
        self._refused: dict[tuple[str, ...], str] = {}
        self._compared: set[tuple[str, ...]] = set()  # style sheets of documents that were compared
        self._paged: set[tuple[str, ...]] = set()  # the same, of several pages
        self._last: tuple[tuple[str, ...], StyleBook] | None = None  # what was learned from last
        self._learned = 0  # pages

    def display(self, html: str, language: str, direction: str) -> Display:
        """Lay a page out.

        Args:
            html: The whole page.
            language: BCP 47; for pages that do not say it themselves.
            direction: ltr or rtl; likewise.

        Raises:
            Unlearned: If the engine must lay this page out first; give it to `learn` then.
            Unfillable: If the page has something that filling does not know.
        """
        root = tree_of(html, language, direction)
        display = self.display_of(root)
        if len(display.pages) > 1 and _own_sheets(root) not in self._paged:
            raise Unlearned(Lesson.LAYOUT)  # how these documents go over to another page was never compared
        return display

    def written(self, display: Display, about: About) -> bytes:
        """Return the PDF of a page that was laid out.

        Raises:
            Unfillable: If it has a glyph or colour that filling does not know.
        """
        return self._writer.write(display, about)

    def display_of(self, root: Element) -> Display:
        """Lay out the page of a tree, never mind what was compared; raises as `display` does."""
        sheets = _own_sheets(root)
        if sheets in self._refused:
            raise Unfillable(self._refused[sheets])
        setting = self._settings.get(sheets)
        if setting is None:
            raise Unlearned(Lesson.LAYOUT)
        try:
            setting.book.sign(root)
        except UnknownStructure:
            raise Unlearned(Lesson.STYLES) from None
        area = self._areas.get((sheets, root.signature))
        if area is None:
            raise Unlearned(Lesson.FRAMES)
        try:
            return self._laid_out(root, sheets, setting, area)
        except NewPicture:
            raise Unlearned(Lesson.LAYOUT) from None

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
                raise Unlearned(Lesson.FRAMES, len(pages))
            if isinstance(frame, Unfillable):
                raise frame
            for one in frame:
                if isinstance(one, Lift):
                    one.draw(page)
                else:
                    one.draw(page, blocks, flow.running[one.name], number, len(pages))
        return Display(_title(root), dict(root.attributes)["lang"], pages, paginator.bookmarks)

    def learn(self, root: Element, document: Any) -> None:
        """Take from the engine's layout of a page what filling it needed; `prove` it when both are the same.

        Args:
            root: The page's tree.
        Raises:
            Unfillable: If the page has something that filling does not know. What was learned is true nonetheless.
        """
        sheets = _own_sheets(root)
        setting = self._setting(sheets)
        setting.book.learn(root, document._html.etree_element, document.style_for)
        self._last = (sheets, setting.book)
        self._learned += 1
        area = _area_of(document)
        self._areas[sheets, root.signature] = area
        learn_pictures(setting.pictures, document)
        try:
            self._take_frames(root, setting, area, document)
        except NewPicture:
            raise Unfillable("a picture of another size than the engine's") from None

    def prove(self, pages: int) -> None:
        """Take note that the page that was learned last, of so many pages, is the same in both layouts."""
        if self._last is not None:
            sheets, book = self._last
            book.prove()
            if pages > 1:
                self._paged.add(sheets)
            self._compared.add(sheets)
            self._last = None

    def learn_styles(self, root: Element, page: Any, style_for: Callable[..., Any]) -> bool:
        """Take the styles of elements in new places, if all of them look like elements that were compared; tells whether so.

        Args:
            page: The engine's element tree of the same page. style_for: From its elements to what the cascade gave them.
        Raises:
            Unfillable: As `learn` does.
        """
        setting = self._setting(_own_sheets(root))
        self._learned += 1
        return setting.book.learn(root, page, style_for, proved=True)

    def learn_frames(self, root: Element, document: Any) -> None:
        """Take the heads and feet of a page, whose styles are known, from another one with the same.

        Why another one does: Style sheets alone make them, and what runs into them is laid out by us.

        Raises:
            Unfillable: As `learn` does.
            Unlearned: If the page has a picture that was never drawn.
        """
        sheets = _own_sheets(root)
        setting = self._setting(sheets)
        setting.book.sign(root)
        area = _area_of(document)
        try:
            self._take_frames(root, setting, area, document)
        except NewPicture:
            raise Unlearned(Lesson.LAYOUT) from None
        self._areas[sheets, root.signature] = area

    def has_compared(self, root: Element) -> bool:
        """Tell whether a page with the same style sheets was laid out and compared whole."""
        return _own_sheets(root) in self._compared

    def has_root(self, root: Element) -> bool:
        """Tell whether a page with the same root element was learned."""
        return self._setting(_own_sheets(root)).book.has_root(root)

    def has_styles(self, root: Element) -> bool:
        """Tell whether the styles of everything on a page are known."""
        try:
            self._setting(_own_sheets(root)).book.sign(root)
        except UnknownStructure:
            return False
        return True

    def is_running(self, root: Element) -> Callable[[Element], bool]:
        """Return what tells whether an element of a page, whose styles are known, runs into heads or feet."""
        book = self._setting(_own_sheets(root)).book
        book.sign(root)

        def runs(element: Element) -> bool:
            style = book.styles[element.signature][0]
            return style is not None and not isinstance(style["position"], str)

        return runs

    def _setting(self, sheets: tuple[str, ...]) -> Setting:
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
        return setting

    def _take_frames(self, root: Element, setting: Setting, area: PageArea, document: Any) -> None:
        flow = Flow(setting)
        flow.steps(root, area.left, area.inner)  # finds what runs into heads and feet
        kind = (_own_sheets(root), root.signature, flow.names)
        for number, page in enumerate(document.pages, 1):
            frame = frame_of(page, self._fonts)
            self._frames[*kind, number, len(document.pages)] = frame
            if not isinstance(frame, Unfillable) and all(isinstance(one, RunningPlace) for one in frame):
                self._frames[*kind, _side(number)] = frame

    def _forget(self) -> None:
        """Forget everything that was learned.

        Why: A template whose every page is of a new kind, with customers' data in a head or a style, would fill the
        memory of a long run. What was forgotten is learned again, and gives the same bytes.
        """
        self._learned = 0
        self._paged.clear()
        self._compared.clear()
        for known in (self._settings, self._frames, self._areas, self._refused):
            known.clear()


def _area_of(document: Any) -> PageArea:
    first, *others = [page_area(page) for page in document.pages]
    if any(one != first for one in others):
        raise Unfillable("pages of several sizes")
    return first


def _side(number: int) -> tuple[bool, bool]:
    """Return all that style sheets can ask of a page: whether it is the first one, and whether it is a right one."""
    return (number == 1, number % 2 == 1)


def tree_of(html: str, language: str, direction: str) -> Element:
    """Return a page's tree; what it does not say of language and direction is added, as for the layout engine."""
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
