"""Laying out pages with WeasyPrint, guarded: only files of the workspace, only fonts of the brand, nothing lost."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from typing import Any, NamedTuple, TypeAlias

from weasyprint import CSS, DEFAULT_OPTIONS, HTML
from weasyprint.css import ColorProfile
from weasyprint.css.counters import CounterStyle
from weasyprint.document import Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetchingError

from ccm.compose.document.fetcher import SCHEME, LibraryFetcher
from ccm.compose.document.glyphs import FontGuard
from ccm.compose.document.layout_log import captured_log, problems_of
from ccm.compose.document.layout_problem import LayoutProblem, prevents_output
from ccm.compose.document.overflow import overflow_problems
from ccm.compose.document.stylesheet import brand_stylesheet, font_paths
from ccm.compose.failure import NO_MEMORY
from ccm.model.workspace import Brand, ContentLibrary

MAX_HTML_CHARACTERS = 8_000_000
MAX_PAGES = 2_000
# Below this size the garbage of one layout fits easily in memory until it is done.
_COLLECT_ABOVE_CHARACTERS = 250_000
_COLLECT_ABOVE_PAGES = 100
# What a customer may safely be led to by a click in a PDF.
_LINK_SCHEMES = ("https:", "http:", "mailto:", "tel:")


Finish: TypeAlias = Callable[[Any], None]
Change: TypeAlias = Callable[[Any], None]


@dataclass(frozen=True)
class Typeset:
    """What came of one document.

    document: WeasyPrint's laid-out document; None if a problem forbids to use it.
    content: The PDF; empty in that case.
    """

    document: Any
    content: bytes
    problems: tuple[LayoutProblem, ...]


class Styled(NamedTuple):
    """A page's root element, and what returns the computed style of each of its elements and pseudo-elements."""

    root: Any
    style_for: Callable[..., Any]


class Typesetter:
    """Sets pages of one brand and one stylesheet; fonts and CSS are read once and used for every page.

    Not for several threads at once: make one for each.
    """

    def __init__(self, brand: Brand, library: ContentLibrary, *, roots: tuple[str, ...], style: str) -> None:
        """Read the fonts and the stylesheet.

        Args:
            brand: Fonts and tokens.
            library: The only files that pages can use.
            roots: Folders that relative addresses are looked up in.
            style: The template's CSS.
        """
        self._fetcher = LibraryFetcher(library, (*roots, brand.root))
        self._fonts = FontConfiguration()
        self._counters = CounterStyle()
        self._screen_colors = _ScreenColors()
        self._guard = FontGuard(library.files[path] for path in font_paths(brand) if path in library.files)
        with captured_log() as log:
            count = self._fetcher.begin()
            try:
                self._sheets = [self._sheet(brand_stylesheet(brand)), self._sheet(style)]
            except URLFetchingError:  # @color-profile lets it through; the fetcher counted why
                self._sheets = []
        self.problems = (*count.problems(), *problems_of(log.records))
        self.style_text = "\n".join((brand_stylesheet(brand), style))

    @property
    def screen_profile(self) -> bytes:
        """The ICC profile of screens."""
        return self._screen_colors.content

    def _sheet(self, text: str) -> CSS:
        return CSS(
            string=text,
            base_url=SCHEME,
            url_fetcher=self._fetcher,
            font_config=self._fonts,
            counter_style=self._counters,
        )

    def write(self, html: str, *, language: str, direction: str, finish: Finish, **options: Any) -> Typeset:
        """Lay out and write one document.

        Args:
            html: The whole page.
            language: BCP 47; for pages whose `<html>` has no lang.
            direction: ltr or rtl; likewise for dir.
            finish: Called with the laid-out document before it is written.
            options: Of WeasyPrint's `Document.write_pdf`.
        """
        return self.written(self.lay_out(html, language=language, direction=direction), finish, **options)

    def lay_out(self, html: str, *, language: str, direction: str, change: Change | None = None) -> Typeset:
        """Lay out one document; see `write`. Some problems show only when it is written.

        Args:
            change: Called with the page's root element before anything is laid out.
        """
        if len(html) > MAX_HTML_CHARACTERS:
            return Typeset(None, b"", (*self.problems, _too_large()))
        found = list(self.problems)
        document = None
        with self._guarded(found, len(html) < _COLLECT_ABOVE_CHARACTERS):
            page = self._parsed(html, language, direction)
            if change is not None:
                change(page.etree_element)
            document = self._laid_out(page, found)
        problems = tuple(dict.fromkeys(found))
        return Typeset(None if prevents_output(problems) else document, b"", problems)

    def styled(self, html: str, *, language: str, direction: str) -> Styled | None:
        """Return what the cascade gives the elements of a page, without laying it out; None if it finds a problem."""
        found = list(self.problems)
        styled = None
        with self._guarded(found, short=True):
            page = self._parsed(html, language, direction)
            StyledDocument.style(
                page, self._fonts, self._counters.copy(), {"srgb": self._screen_colors}, self._options()
            )
            styled = Styled(page.etree_element, page.style_for)
        return None if found else styled

    def written(self, laid_out: Typeset, finish: Finish, **options: Any) -> Typeset:
        """Write a document that was laid out last; see `write`. One that must not be used stays as it is."""
        document = laid_out.document
        if document is None:
            return laid_out
        found = list(laid_out.problems)
        content = b""
        with self._guarded(found, len(document.pages) < _COLLECT_ABOVE_PAGES):
            finish(document)
            # Any name but "srgb": with that the engine would open its profile anew and leave the file open.
            content = document.write_pdf(output_intent="given", **options)
            found += self._guard.problems(document.fonts.values())
        problems = tuple(dict.fromkeys(found))
        return Typeset(None, b"", problems) if prevents_output(problems) else Typeset(document, content, problems)

    def refused(self) -> tuple[LayoutProblem, ...]:
        """Return which files were refused or missing since the last layout began, if only in a picture's picture."""
        return self._fetcher.count.problems()

    @contextmanager
    def _guarded(self, found: list[LayoutProblem], short: bool) -> Iterator[None]:
        """Do a part of the work, and find what went wrong: one page may cost only itself, whatever trips the engine."""
        count = self._fetcher.begin()
        with captured_log() as log, collector_paused(short):
            try:
                yield
            except NO_MEMORY:  # what bounds this process must know
                raise
            except (Exception, FatalURLFetchingError) as fault:
                # A refused file, nesting without end.
                if not count.problems():
                    found.append(_failed(fault))
        found += [*count.problems(), *problems_of(log.records)]

    def _parsed(self, html: str, language: str, direction: str) -> HTML:
        page = HTML(string=html, base_url=SCHEME, url_fetcher=self._fetcher)
        page.etree_element.attrib.setdefault("lang", language)
        page.etree_element.attrib.setdefault("dir", direction)
        return page

    def _options(self, images: dict[str, object] | None = None) -> dict[str, Any]:
        return {"stylesheets": self._sheets, "cache": {} if images is None else images, "output_intent": "srgb"}

    def _laid_out(self, page: HTML, found: list[LayoutProblem]) -> Any:
        images: dict[str, object] = {}
        document = StyledDocument.of(
            page,
            self._fonts,
            self._counters.copy(),
            {"srgb": self._screen_colors},
            self._options(images),
        )
        if not self._fetcher.count.problems() and any(image is None for image in images.values()):
            # The engine keeps None for an image that it fetched and could not draw.
            found.append(_undrawable())
        found += _page_problems(document.pages)
        return document


class StyledDocument(Document):  # type: ignore[misc]  # the engine has no types
    """A laid-out document that keeps the function from element to computed style, `style_for`."""

    style_for: Any = None

    @classmethod
    def of(cls, page: HTML, fonts: FontConfiguration, counters: CounterStyle, profiles: Any, options: Any) -> Any:
        """Lay out a page, as `HTML.render` does."""
        document = cls._render(page, fonts, counters, profiles, {**DEFAULT_OPTIONS, **options})
        document.style_for = page.style_for
        return document

    @classmethod
    def style(cls, page: HTML, fonts: FontConfiguration, counters: CounterStyle, profiles: Any, options: Any) -> None:
        """Give a page its `style_for`, without laying it out."""
        cls._build_layout_context(page, fonts, counters, profiles, {**DEFAULT_OPTIONS, **options})

    @classmethod
    def _build_layout_context(cls, page: HTML, *rest: Any) -> Any:
        context = super()._build_layout_context(page, *rest)
        page.style_for = context.style_for
        return context


class _ScreenColors(ColorProfile):  # type: ignore[misc]  # the engine has no types
    """The colour space of screens, which PDF/A wants to see named, byte for byte as it ships.

    Why: The engine writes what the colour library makes of the profile, and that changes between calls.
    """

    def __init__(self) -> None:
        self._bytes = files("weasyprint.pdf").joinpath("sRGB2014.icc").read_bytes()
        super().__init__(BytesIO(self._bytes), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"]))

    @property
    def content(self) -> bytes:
        """The profile's bytes."""
        return self._bytes


def _page_problems(pages: Sequence[Any]) -> list[LayoutProblem]:
    if len(pages) > MAX_PAGES:
        return [
            LayoutProblem(
                "too-many-pages",
                f"the document has {len(pages)} pages, at most {MAX_PAGES} are allowed",
                "divide it into several documents",
            )
        ]
    found = list(overflow_problems(pages))
    targets = {target for page in pages for kind, target, _, _ in page.links if kind == "external"}
    if any(":" in target.partition("/")[0] and not target.lower().startswith(_LINK_SCHEMES) for target in targets):
        found.append(
            LayoutProblem(
                "unsafe-link",
                "a link uses a scheme other than https, mailto and tel",
                "link to an https address",
            )
        )
    return found


def _undrawable() -> LayoutProblem:
    return LayoutProblem("broken-image", "an image cannot be drawn", "open the image and save it anew")


def _failed(fault: BaseException) -> LayoutProblem:
    # The exception's text may quote the page, so only its kind is told.
    return LayoutProblem(
        "layout-failed",
        f"the layout engine gave up on the page ({type(fault).__name__})",
        "simplify the page: less nesting, plain CSS values",
    )


def _too_large() -> LayoutProblem:
    return LayoutProblem(
        "document-too-large",
        f"the page's text is longer than {MAX_HTML_CHARACTERS:,} characters",
        "divide it into several documents",
    )


@contextmanager
def collector_paused(pause: bool = True) -> Iterator[None]:
    """Keep the garbage collector out of a short layout.

    Why: Layout makes hundreds of thousands of boxes that live until its end; walking them again and again
    costs an eighth of the time.
    """
    if not pause or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
