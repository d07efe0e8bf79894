"""Lines of text inside a block: one line of several styles, or many lines of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.measures import color
from ccm.compose.document.fill.styles import StyleBook
from ccm.compose.document.fill.text import Fonts, Run, TextStyle
from ccm.compose.document.fill.tree import Element
from ccm.compose.document.fill.unfillable import Unfillable

_BLANKS = re.compile("[ \t\n\r\f]+")
_LINE_ENDS = re.compile("[ \t\r\f]*\n[ \t\r\f]*")
_INLINE_DEFAULTS = {
    "position": "static", "float": "none", "vertical_align": "baseline", "text_transform": "none", "visibility": "visible",
    "text_decoration_line": "none", "opacity": 1, "unicode_bidi": None, "transform": (), "overflow": "visible",
}  # fmt: skip


@dataclass(slots=True)
class Segment:
    """Text of one style within a line."""

    text: str
    style: TextStyle
    computed: Any
    color: Color
    element: Element


@dataclass(slots=True)
class Line:
    """One line: shaped runs beside each other."""

    runs: list[tuple[Run, Segment]]
    width: float
    height: float
    baseline: float


class Inlines:
    """Reads the inline content of blocks and sets it in lines."""

    def __init__(self, book: StyleBook, fonts: Fonts) -> None:
        self._book = book
        self._fonts = fonts
        self._breaks: dict[object, tuple[str, ...]] = {}

    def paragraphs(self, block: Element) -> list[list[Segment]]:
        """Return the content of a block: segments between forced line breaks, blanks collapsed."""
        computed = self._book.styles[block.signature][0]
        white = computed["white_space"]
        if white not in ("normal", "nowrap", "pre-line"):
            raise Unfillable(f"white-space: {white}")
        found: list[list[Segment]] = [[]]
        self._read(block, computed, found, white)
        return [kept for paragraph in found if (kept := _trimmed(paragraph)) or len(found) > 1]

    def _read(self, element: Element, computed: Any, found: list[list[Segment]], white: str) -> None:
        for child in element.children:
            if type(child) is str:
                text = _LINE_ENDS.sub("\n", child) if white == "pre-line" else child
                for index, part in enumerate(text.split("\n") if white == "pre-line" else (text,)):
                    if index:
                        found.append([])
                    part = _BLANKS.sub(" ", part)
                    if part:
                        style = self._fonts.style(computed)
                        found[-1].append(Segment(part, style, computed, color(computed["color"]), element))
                continue
            assert isinstance(child, Element)
            own, before, after = self._book.known(child)
            if child.tag == "br":
                found.append([])
                continue
            if before is not None or after is not None:
                raise Unfillable("generated content")
            self._refuse(child, own)
            self._read(child, own, found, white)

    def _refuse(self, element: Element, own: Any) -> None:
        if own["display"] not in (("inline", "flow"),) or element.tag in ("img", "svg", "a"):
            raise Unfillable(f"<{element.tag}> inside text")
        for name, usual in _INLINE_DEFAULTS.items():
            if usual is not None and own[name] != usual:
                raise Unfillable(f"{name.replace('_', '-')} inside text")
        if own["white_space"] not in ("normal", "nowrap") or own["background_color"].alpha:
            raise Unfillable("white-space or background inside text")
        for side in ("top", "right", "bottom", "left"):
            if own[f"border_{side}_width"] or own[f"padding_{side}"].value or own[f"margin_{side}"].value:
                raise Unfillable("borders, margins or paddings inside text")

    def lines(self, paragraphs: list[list[Segment]], width: float, strut: TextStyle) -> list[Line]:
        """Set paragraphs in lines of at most this width."""
        made: list[Line] = []
        for paragraph in paragraphs:
            runs = [(segment.style.shape(segment.text), segment) for segment in paragraph]
            total = sum(run.width for run, _ in runs)
            for segment in paragraph:
                if (segment.style.height, segment.style.baseline) != (strut.height, strut.baseline):
                    raise Unfillable("text of several sizes in one line")
            if total <= width:
                made.append(Line(runs, total, strut.height, strut.baseline))
                continue
            if any(segment.computed["white_space"] == "nowrap" for segment in paragraph):
                raise Unfillable("text that is wider than its place")
            if len(runs) != 1:
                raise Unfillable("text of several styles that needs more than one line")
            segment = paragraph[0]
            whole = runs[0][0]
            for run in self.broken(whole, segment.style, segment.computed, width):
                made.append(Line([(run, segment)], run.width, strut.height, strut.baseline))
        return made

    def widest(self, paragraphs: list[list[Segment]]) -> float:
        """Return the width without any break but forced ones."""
        return max(
            (sum(segment.style.shape(segment.text).width for segment in paragraph) for paragraph in paragraphs),
            default=0.0,
        )

    def narrowest(self, paragraphs: list[list[Segment]]) -> float:
        """Return the width of the longest part that cannot be broken."""
        widest = 0.0
        for paragraph in paragraphs:
            if all(segment.computed["white_space"] == "nowrap" for segment in paragraph):
                widest = max(widest, sum(segment.style.shape(segment.text).width for segment in paragraph))
                continue
            if len(paragraph) != 1:
                raise Unfillable("text of several styles in a narrow table")
            segment = paragraph[0]
            whole = segment.style.shape(segment.text)
            widest = max(widest, self.narrowest_of(whole, segment.style, segment.computed))
        return widest

    def broken(self, run: Run, style: TextStyle, computed: Any, width: float) -> tuple[Run, ...]:
        """Return the lines of a text in one style that is wider than its place."""
        if computed["white_space"] == "nowrap":
            raise Unfillable("text that is wider than its place")
        runs = tuple([style.shape(text) for text in self._broken(run.text, style, computed, width)])
        if any(one.width > width * (1 + 1e-9) for one in runs):
            raise Unfillable("a word that is wider than its place")
        return runs

    def narrowest_of(self, run: Run, style: TextStyle, computed: Any) -> float:
        """Return the width of the longest part of a text that cannot be broken."""
        if computed["white_space"] == "nowrap":
            return run.width
        parts = self._broken(run.text, style, computed, 0, minimum=True)
        return max([style.shape(text).width for text in parts], default=0.0)

    def _broken(
        self, text: str, style: TextStyle, computed: Any, width: float, *, minimum: bool = False
    ) -> tuple[str, ...]:
        """Return the lines of a text as the engine breaks them; remembered, because texts repeat."""
        key = (text, id(style), width, minimum)
        known = self._breaks.get(key)
        if known is None:
            if len(self._breaks) > 200_000:
                self._breaks.clear()
            known = self._breaks[key] = tuple(_broken_by_the_engine(text, computed, width, minimum))
        return known


def trimmed(text: str) -> str:
    """Return a text as white-space: normal shows it."""
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        text = _BLANKS.sub(" ", text)
    return text.strip(" ")


def _trimmed(paragraph: list[Segment]) -> list[Segment]:
    """Take away blanks at both ends and after blanks."""
    kept: list[Segment] = []
    blank = True
    for segment in paragraph:
        text = segment.text.lstrip(" ") if blank else segment.text
        if text:
            kept.append(Segment(text, segment.style, segment.computed, segment.color, segment.element))
            blank = text.endswith(" ")
    while kept:
        last = kept[-1]
        last.text = last.text.rstrip(" ")
        if last.text:
            break
        kept.pop()
    return kept


def _broken_by_the_engine(text: str, computed: Any, width: float, minimum: bool) -> list[str]:
    from weasyprint.text.line_break import split_first_line

    lines = []
    rest = text.encode()
    while rest:
        _, length, resume_at, *_ = split_first_line(
            rest.decode(), computed, None, width, 0, is_line_start=True, minimum=minimum
        )
        lines.append(rest[:length].decode().strip(" "))
        if resume_at is None:
            break
        rest = rest[resume_at:].lstrip(b" ")
    return lines
