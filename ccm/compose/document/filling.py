"""Filling or not: decides for each page, lets the layout engine teach, and holds what the two would make differently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ccm.compose.document.compared import is_compared
from ccm.compose.document.fill.audit import differs
from ccm.compose.document.fill.display import Display
from ccm.compose.document.fill.engine import FillEngine, Unlearned, tree_of
from ccm.compose.document.fill.file.writer import About
from ccm.compose.document.fill.unfillable import Unfillable
from ccm.compose.document.layout_problem import DIFFERS, LayoutProblem
from ccm.compose.document.lessons import Lessons
from ccm.compose.document.pdf_metadata import conformance
from ccm.compose.document.stylesheet import font_paths
from ccm.compose.document.typesetting import MAX_PAGES, Typeset, Typesetter, collector_paused
from ccm.compose.failure import NO_MEMORY
from ccm.model.workspace import Brand, ContentLibrary

MAX_CHARACTERS = 1_000_000  # a longer page is for the engine, which has limits of its own
ENGINE = "70.0"  # the version of WeasyPrint whose layout is known
NEW_KIND = "a page of a new kind"
_MOST_LESSONS = 6  # for one page: looks, styles, pages with and without numbers, and again


@dataclass(frozen=True)
class Filled:
    """What came of filling.

    content: The PDF; empty where the page was not filled.
    reason: Why not; if it was, why the engine was asked nonetheless.
    learns: The engine's layout of this page would teach how.
    """

    content: bytes = b""
    title: str = ""
    pages: int = 0
    reason: str = ""
    learns: bool = False
    problems: tuple[LayoutProblem, ...] = ()


class Filling:
    """Fills the documents of one template in one brand."""

    def __init__(
        self, brand: Brand, library: ContentLibrary, typesetter: Typesetter, compared: float, always: str = ""
    ) -> None:
        """Prepare for the pages of one stylesheet.

        Args:
            compared: Share of pages, chosen by the piece's id, that the engine lays out as well; from 0 to 1.
            always: Why no page may be filled; empty if pages may.
        """
        import weasyprint

        self._brand = brand
        self._compared = compared
        self._always = always
        if always:
            return
        if weasyprint.__version__ != ENGINE:
            self._always = f"WeasyPrint is not {ENGINE}"
        elif typesetter.problems:
            self._always = "the style sheet has problems"
        files = {path: library.files[path] for path in font_paths(brand) if path in library.files}
        try:
            self._engine = FillEngine(files, typesetter.style_text, typesetter.screen_profile)
            self._lessons = Lessons(self._engine, typesetter)
        except Unfillable as refusal:
            self._always = refusal.reason

    def fill(self, html: str, piece_id: str, language: str, direction: str, issued_at: datetime) -> Filled:
        """Fill a page if everything on it is known.

        Why not when it is to be audited: `learn` compares, and fills it then.
        """
        if self._always:
            return Filled(reason=self._always)
        if len(html) > MAX_CHARACTERS:
            return Filled(reason="a very long page")
        if is_compared(piece_id, self._compared):
            return Filled(reason="laid out to be compared", learns=True)
        try:
            with collector_paused():
                return self._taught(html, piece_id, language, direction, issued_at)
        except NO_MEMORY:
            raise  # of this process, not of this page: the same page must not have other bytes another time
        except Exception as fault:
            return Filled(reason=_reason(fault))

    def _taught(self, html: str, piece_id: str, language: str, direction: str, issued_at: datetime) -> Filled:
        """Fill a page, with short lessons where these are enough."""
        for lessons in range(_MOST_LESSONS):
            try:
                filled = self._filled(html, piece_id, language, direction, issued_at)
            except Unlearned as wanted:
                if not self._lessons.give(wanted, html, language, direction):
                    break
            else:
                return replace(filled, reason=NEW_KIND) if lessons else filled
        return Filled(reason=NEW_KIND, learns=True)

    def learn(
        self, html: str, piece_id: str, language: str, direction: str, issued_at: datetime, typeset: Typeset
    ) -> Filled:
        """Learn from the engine's layout of a page, and fill the page then; it must be the same.

        Why fill it although the engine made it already: the bytes must not hang on which page came first.
        """
        if typeset.document is None or typeset.problems:
            return Filled(reason="the page has problems")
        try:
            root = tree_of(html, language, direction)
            self._engine.learn(root, typeset.document)
            try:
                display = self._engine.display_of(root)
                difference = differs(display, typeset.document)
            except Unlearned:  # of the heads and feet of so many pages, so the numbers differ
                difference = f"not {len(typeset.document.pages)} pages"
            if not difference:
                self._engine.prove(len(typeset.document.pages))
                return self._written(display, piece_id, issued_at)
        except NO_MEMORY:
            raise  # of this process, not of this page: the same page must not have other bytes another time
        except Exception as fault:
            return Filled(reason=_reason(fault))
        problem = LayoutProblem(
            DIFFERS,
            f"filling gives another page than the layout engine ({difference})",
            "report this with the template; `fill: false` under document in template.yaml takes the engine alone",
        )
        return Filled(reason="filling differs", problems=(problem,))

    def _filled(self, html: str, piece_id: str, language: str, direction: str, issued_at: datetime) -> Filled:
        return self._written(self._engine.display(html, language, direction), piece_id, issued_at)

    def _written(self, display: Display, piece_id: str, issued_at: datetime) -> Filled:
        about = About(piece_id, self._brand.definition.title, "CCM", issued_at, conformance(piece_id))
        content = self._engine.written(display, about)
        if not display.title or len(display.pages) > MAX_PAGES:
            raise Unfillable("no title, or too many pages")
        return Filled(content, display.title, len(display.pages))


def _reason(fault: Exception) -> str:
    """Say why a page takes the full path; a mistake of ours costs time and nothing else, and is counted."""
    if isinstance(fault, Unfillable):
        return fault.reason
    return f"filling stumbled ({type(fault).__name__})"
