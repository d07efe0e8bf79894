"""Blocks of text in one style, with line breaks in it or none: set in lines without looking for anything else.

Why: Addresses, headings and paragraphs are such blocks, and no two customers have the same ones. The lines are those of
`LineSetter`, which sets the first block of each structure, and every one that is in doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.layout.lines import SLACK, aligned, upright
from ccm.compose.document.fill.layout.nodes import Node, Paragraph, Span, Word
from ccm.compose.document.fill.layout.parts import InlinePart, LinePart, SpanPart, TextPart
from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.style.measures import color
from ccm.compose.document.fill.text.breaking import Breaker
from ccm.compose.document.fill.text.shaping import TextStyle
from ccm.compose.document.fill.tree.elements import Element

_BLANKS = re.compile("[ \t\n\f]+")
_MOST = 4_000  # structures


@dataclass(slots=True, eq=False)
class _Kind:
    """What blocks of one structure share.

    starts: Whether every line begins where its place begins.
    """

    computed: Any
    style: TextStyle
    ink: Color
    starts: bool


@dataclass(slots=True, eq=False)
class _Break:
    """A line break: an element that holds a line feed, which a style sheet puts there. outer, inner: Of both, the style."""

    outer: TextStyle
    inner: TextStyle
    mark: str


@dataclass(slots=True, eq=False)
class _Form:
    """What stands where on a line whose top is 0 and whose baseline is at -`top`; places are from the baseline."""

    top: float
    height: float
    texts: float
    outer: float
    inner: float


class PlainLines:
    """Sets such blocks."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._kinds: dict[int, _Kind | None] = {}
        self._breaks: dict[int, _Break | None] = {}
        self._forms: dict[tuple[_Kind, _Break | None], _Form] = {}

    def learn(self, paragraph: Paragraph) -> None:
        """Take from a block's content what all blocks of its structure share."""
        if len(self._kinds) > _MOST or len(self._breaks) > _MOST:
            for known in (self._kinds, self._breaks, self._forms):
                known.clear()
        block = paragraph.element
        if block.signature not in self._kinds:
            generated = any(isinstance(one, Span) and one.element is block for one in paragraph.children)
            self._kinds[block.signature] = None if generated else _kind_of(paragraph)
        for node in paragraph.children:
            if isinstance(node, Span) and node.element is not block:
                self._breaks.setdefault(node.element.signature, _break_of(node))

    def lines(self, block: Element, x: float, y: float, width: float) -> list[LinePart] | None:
        """Return the lines of a block whose content begins at a place; None where `LineSetter` must set them."""
        kind = self._kinds.get(block.signature)
        if kind is None:
            return None
        made: list[LinePart] = []
        text = ""
        for child in block.children:
            if type(child) is str:
                text = child if child.isprintable() and "  " not in child else _BLANKS.sub(" ", child)
                continue
            assert isinstance(child, Element)
            breaks = self._breaks.get(child.signature)
            if breaks is None or child.children or not self._set(made, kind, block, text, (x, y, width), child, breaks):
                return None
            y = made[-1].y + made[-1].height
            text = ""
        if text.strip(" ") and not self._set(made, kind, block, text, (x, y, width)):
            return None
        return made or None

    def _set(
        self, made: list[LinePart], kind: _Kind, block: Element, text: str, place: tuple[float, float, float],
        end: Element | None = None, breaks: _Break | None = None,
    ) -> bool:  # fmt: skip
        """Set the text before a line break, or before the end of the block; tells whether all of it is plain."""
        x, y, width = place
        text = text.lstrip(" ")
        most = (x + width) * SLACK
        while text:
            first = self._breaker.first_line(text, kind.style, kind.computed, most - x)
            run = first.run
            if run is None or run.rise is not None or run.turned or x + run.width > most:
                return False
            if first.resume is None:
                made.append(self._line(kind, block, run, place, y, end, breaks, last=True))
                return True
            source = text.encode()
            if source[first.length : first.resume].strip(b" "):
                return False
            made.append(self._line(kind, block, run, place, y, None, None, last=False))
            y = made[-1].y + made[-1].height
            text = source[first.resume :].decode().lstrip(" ")
        return False

    def _line(
        self, kind: _Kind, block: Element, run: Run, place: tuple[float, float, float], y: float,
        end: Element | None, breaks: _Break | None, *, last: bool,
    ) -> LinePart:  # fmt: skip
        x, _, width = place
        style = kind.style
        form = self._forms.get((kind, breaks)) or self._formed(kind, breaks)
        behind = x + run.width
        taken = behind - x
        if end is None and run.text.endswith(" "):
            whole, run = run, style.shape(run.text.rstrip(" "))
            taken -= whole.width - run.width
        dx = 0.0 if kind.starts else aligned(kind.computed, width - taken, last=last)
        dy = y - form.top
        parts: list[InlinePart] = [
            TextPart(block, run, kind.ink, style, style.height, style.baseline, x + dx, form.texts + dy)
        ]
        if end is not None and breaks is not None:
            outer, inner = breaks.outer, breaks.inner
            mark = SpanPart(
                end, inner.height, inner.baseline, [], 0.0, 0.0, behind + dx, form.inner + dy, mark=breaks.mark
            )
            parts.append(
                SpanPart(end, outer.height, outer.baseline, [mark], 0.0, 0.0, behind + dx, form.outer + dy, 0.0)
            )
        return LinePart(parts, x + dx, y, taken, form.height, -form.top)

    def _formed(self, kind: _Kind, breaks: _Break | None) -> _Form:
        """Return what stands where on a line, as `LineSetter` puts it on its baseline."""
        style = kind.style
        nobody = Element("p", (), None)
        text = TextPart(nobody, Run("", (), 0.0, 0, 0.0), kind.ink, style, style.height, style.baseline)
        mark = SpanPart(nobody, 0.0, 0.0, [])
        span = SpanPart(nobody, 0.0, 0.0, [mark])
        parts: list[InlinePart] = [text]
        if breaks is not None:
            mark.height, mark.rise = breaks.inner.height, breaks.inner.baseline
            span.height, span.rise = breaks.outer.height, breaks.outer.baseline
            parts.append(span)
        top, bottom = upright(parts, 0.0)
        top, bottom = min(top, -style.baseline), max(bottom, style.height - style.baseline)
        form = self._forms[kind, breaks] = _Form(top, bottom - top, text.y, span.y, mark.y)
        return form


def _kind_of(paragraph: Paragraph) -> _Kind | None:
    computed, style = paragraph.computed, paragraph.style
    if computed["white_space"] != "normal" or computed["direction"] != "ltr" or style.by_pango:
        return None
    starts = computed["text_align_all"] in ("start", "left") and computed["text_align_last"] in (
        "auto",
        "start",
        "left",
    )
    return _Kind(computed, style, color(computed["color"]), starts)


def _break_of(span: Span) -> _Break | None:
    """Return a line break; None for any other element."""
    if len(span.children) != 1 or span.left or span.right or span.computed["direction"] != "ltr":
        return None
    inner: Node = span.children[0]
    if not isinstance(inner, Span) or not inner.mark or inner.left or inner.right or len(inner.children) != 1:
        return None
    feed = inner.children[0]
    if not isinstance(feed, Word) or feed.text != "\n" or inner.computed["direction"] != "ltr":
        return None
    if feed.computed["white_space"] not in ("pre-line", "pre-wrap"):
        return None
    return _Break(span.style, inner.style, inner.mark)
