"""Inline content set in lines.

Source: WeasyPrint 70, layout/inline.py, for content without floats, without positioned boxes and on one baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ccm.compose.document.fill.layout.nodes import Atom, Node, Paragraph, Span, Word
from ccm.compose.document.fill.layout.parts import Box, InlinePart, LinePart, SpanPart, TextPart
from ccm.compose.document.fill.run import of_width
from ccm.compose.document.fill.text.breaking import Breaker, may_break, may_break_inside
from ccm.compose.document.fill.unfillable import Unfillable

SLACK = 1 + 1e-9
_WRAPPING = ("normal", "pre-wrap", "pre-line")
_IDEOGRAPH = "\u2e80"  # what boxes in a line count as where it may be broken
Skip: TypeAlias = "tuple[int, Any] | None"
Letter: TypeAlias = "str | bool | None"
Boxes: TypeAlias = Callable[[Atom, float], Box]


class Piece(NamedTuple):
    """What of a node stands on a line, and where the next line begins."""

    part: InlinePart | None
    resume: Skip
    forced: bool
    first: Letter
    last: Letter


class LineSetter:
    """Sets lines.

    Args:
        boxes: Lays out a box that stands in a line, given the width of the block around it.
    """

    def __init__(self, breaker: Breaker, boxes: Boxes) -> None:
        self._breaker = breaker
        self._boxes = boxes

    def lines(self, paragraph: Paragraph, x: float, y: float, width: float) -> list[LinePart]:
        """Return the lines of a block whose content begins at a place and is so wide."""
        made: list[LinePart] = []
        skip: Skip = None
        while True:
            start = _after_blanks(paragraph, skip)
            if start == "continue":
                return made
            assert not isinstance(start, str)
            line, skip = self._line(paragraph, x, y, width, start)
            if line is not None:
                made.append(line)
                y = line.y + line.height
            if skip is None:
                return made

    def _line(self, paragraph: Paragraph, x: float, y: float, width: float, skip: Skip) -> tuple[LinePart | None, Skip]:
        computed = paragraph.computed
        left_to_right = computed["direction"] == "ltr"
        begin = x if left_to_right else x + width
        context = _Context(width)
        piece = self._inside(paragraph, begin, begin + width, skip, context, on_line=True)
        whole = piece.part
        assert isinstance(whole, SpanPart)
        line = LinePart(whole.children, begin, y, whole.width)
        if not _is_seen(line.children) and not piece.forced:
            if line.children:
                raise Unfillable("an empty line")
            return None, piece.resume
        self._without_last_blank(line)
        offset = aligned(computed, width - line.width, last=piece.resume is None or piece.forced)
        dx = offset if left_to_right else -offset - line.width
        top, bottom = upright(line.children, 0.0)
        top = min(top, -paragraph.style.baseline)
        bottom = max(bottom, paragraph.style.height - paragraph.style.baseline)
        line.height, line.baseline = bottom - top, -top
        for child in line.children:
            child.move(dx, y - top)
        line.x += dx
        return line, piece.resume

    def _level(self, node: Node, x: float, most: float, skip: Skip, context: _Context) -> Piece:
        """Put as much of a node on the line as fits."""
        if isinstance(node, Word):
            return self._word(node, x, most, skip, context)
        if isinstance(node, Span):
            return self._inside(node, x, most, skip, context)
        box = self._boxes(node, context.width)
        box.move(x - box.x, -box.y)
        return Piece(box, None, False, _IDEOGRAPH, _IDEOGRAPH)

    def _word(self, word: Word, x: float, most: float, skip: Skip, context: _Context) -> Piece:
        start = skip[0] if skip else 0
        text = word.text if not start else word.text.encode()[start:].decode()
        if not text:
            return Piece(None, None, False, None, None)
        first = self._breaker.first_line(text, word.style, word.computed, most - x, start=not context.line_children)
        part = None
        if first.run is not None:
            rise = word.style.baseline if first.run.rise is None else first.run.rise
            part = TextPart(word.element, first.run, word.ink, word.style, word.style.height, rise, x)
        if first.resume is None:
            return Piece(part, None, False, word.text[0], word.text[-1])
        between = text.encode()[first.length : first.resume].decode()
        forced = first.length != first.resume and bool(between.strip(" "))
        if forced and between != "\n":
            raise Unfillable("a line break that is no line feed")
        before = word.text.encode()[: first.resume + start].decode()
        return Piece(part, (first.resume + start, None), forced, word.text[0], before[-1])

    def _inside(
        self, node: Paragraph | Span, x: float, most: float, skip: Skip, context: _Context, *, on_line: bool = False
    ) -> Piece:
        """Put as much of what stands in a node on the line as fits."""
        most *= SLACK
        start_x, first_skip = x, skip
        left, right = (0.0, 0.0) if isinstance(node, Paragraph) else (node.left, node.right)
        left_to_right = node.computed["direction"] == "ltr"
        kept: list[tuple[int, InlinePart, Node]] = []
        waiting: list[tuple[int, InlinePart, Node]] = []
        first_letter: Letter = None
        last_letter: Letter = None
        forced = False
        at, inner = skip if skip else (0, None)
        resume: Skip = None
        for index in range(at, len(node.children)):
            child = node.children[index]
            piece = self._level(child, x, most, inner, context)
            end = right if left_to_right else left
            if index == len(node.children) - 1 and end and piece.resume is None:
                piece = self._level(child, x, most - end, inner, context)
            inner = None
            forced = forced or piece.forced
            if _breaks_between(node, child, last_letter, piece.first):
                kept += waiting
                waiting = []
            if first_letter is None:
                first_letter = piece.first
            last_letter = True if child.trailing else piece.last
            part = piece.part
            if part is not None:
                if on_line:
                    context.line_children += 1
                behind = part.x + part.margin_width
                if behind > most and behind - _last_blank(part) > most:
                    resume = self._broken_earlier(first_skip, context, kept, waiting)
                    if resume is not None:
                        break
                x = behind
                waiting.append((index, part, child))
            if piece.resume is not None:
                kept += waiting
                resume = (index, piece.resume)
                break
        else:
            kept += waiting
        parts = [part for _, part, _ in kept]
        if not left_to_right and len(parts) > 1:
            _mirror(parts)
        made = self._span(node, parts, start_x, left, right, first_skip is None, resume is None, left_to_right)
        return Piece(made, resume, forced, first_letter, last_letter)

    def _span(
        self, node: Paragraph | Span, parts: list[InlinePart], x: float, left: float, right: float,
        starts: bool, ends: bool, left_to_right: bool,
    ) -> SpanPart:  # fmt: skip
        if not starts:
            left, right = (0.0, right) if left_to_right else (left, 0.0)
        if not ends:
            left, right = (left, 0.0) if left_to_right else (0.0, right)
        made = SpanPart(node.element, node.style.height, node.style.baseline, parts, left, right, x, mark=node.mark)
        if left:
            for part in parts:
                part.move(left, 0)
        if parts:
            edge = parts[-1] if left_to_right else parts[0]
            made.width = edge.x + edge.margin_width - (x + left)
        return made

    def _broken_earlier(
        self, skip: Skip, context: _Context, kept: list[tuple[int, InlinePart, Node]],
        waiting: list[tuple[int, InlinePart, Node]],
    ) -> Skip:  # fmt: skip
        """Find an earlier place to break, when what comes next is too wide."""
        left = list(waiting)
        while left:
            index, part, node = left.pop()
            if not _may_be_broken(node):
                continue
            inner = skip[1] if skip and skip[0] == index else None
            most = part.x + part.margin_width - 1
            while most > part.x:
                piece = self._level(node, part.x, most, inner, context)
                if piece.resume is not None:
                    break
                most -= 1
            else:
                continue
            kept += left
            if piece.part is not None:
                kept.append((index, piece.part, node))
            return (index, piece.resume)
        if kept:
            return (kept[-1][0] + 1, None)
        return None

    def _without_last_blank(self, line: LinePart) -> None:
        """Take the blank at the end of a line away.

        Why some are drawn nonetheless: The engine moves the line by the blank that a text from right to left has at its
        left, and draws the text with the blank, so that the text stands where it stood.
        """
        above: list[LinePart | SpanPart] = [line]
        while True:
            if not above[-1].children:
                return
            last = above[-1].children[-1]
            if not isinstance(last, SpanPart):
                break
            above.append(last)
        if not isinstance(last, TextPart):
            return
        text = last.run.text.rstrip(" ")
        if len(text) == len(last.run.text):
            return
        whole = last.run
        last.run = last.style.shape(text)
        less = whole.width - last.run.width
        if whole.turned:
            if text:
                last.run = of_width(whole, last.run.width)
            for child in line.children:
                child.move(-less, 0)
        for one in above:
            one.width -= less


class _Context:
    """What the nodes of a line share: the width of the block, and how many children the line has."""

    __slots__ = ("line_children", "width")

    def __init__(self, width: float) -> None:
        self.width = width
        self.line_children = 0


def _after_blanks(node: Paragraph | Node, skip: Skip) -> Skip | str:
    """Skip blanks at the start of a line; "continue" where nothing is left."""
    index, inner = skip if skip else (0, None)
    if isinstance(node, Word):
        text = node.text.encode()
        if index == len(text):
            return "continue"
        while text[index : index + 1] == b" ":
            index += 1
        return (index, None) if index else None
    if isinstance(node, Atom):
        return None
    if index == 0 and not node.children:
        return None
    if index >= len(node.children):
        return "continue"
    result = _after_blanks(node.children[index], inner)
    if result == "continue":
        index += 1
        if index >= len(node.children):
            return "continue"
        result = _after_blanks(node.children[index], None)
    return (index, result) if index or result else None


def _breaks_between(node: Paragraph | Span, child: Node, before: Letter, behind: Letter) -> bool:
    """Tell whether a line may end between two children."""
    if before is True:
        before = " "
    elif node.computed["white_space"] in ("pre", "nowrap"):
        return False
    if before is None or behind is None:
        return False
    if isinstance(behind, bool):
        return behind
    assert isinstance(before, str)
    return may_break(before, behind, child.computed["lang"] or "")


def _may_be_broken(node: Node) -> bool:
    if isinstance(node, Atom) or node.computed["white_space"] not in _WRAPPING:
        return False
    if isinstance(node, Word):
        return may_break_inside(node.text, node.computed["lang"] or "")
    return any(_may_be_broken(child) for child in node.children)


def _last_blank(part: InlinePart) -> float:
    """Return the width of the blanks at the end of a part."""
    above: SpanPart | None = None
    while isinstance(part, SpanPart):
        if not part.children:
            return 0.0
        above, part = part, part.children[-1]
    if not isinstance(part, TextPart) or not part.run.text.endswith(" "):
        return 0.0
    text = part.run.text.rstrip(" ")
    if text:
        return part.run.width - part.style.shape(text).width
    width = part.run.width
    if above is not None and len(above.children) >= 2:
        width += _last_blank(above.children[-2])
    return width


def _mirror(parts: list[InlinePart]) -> None:
    """Put parts beside each other from right to left."""
    x = parts[0].x
    for part in reversed(parts):
        part.move(x - part.x, 0)
        x += part.margin_width


def upright(parts: list[InlinePart], baseline: float) -> tuple[float, float]:
    """Put parts on a baseline; returns their top and bottom."""
    top, bottom = 0.0, 0.0
    first = True
    for part in parts:
        upper = baseline - part.baseline
        part.move(0, upper - part.y) if isinstance(part, (Box, TextPart)) else setattr(part, "y", upper)
        lower = upper + part.margin_height
        top, bottom = (upper, lower) if first else (min(top, upper), max(bottom, lower))
        first = False
        if isinstance(part, SpanPart) and part.children:
            inner_top, inner_bottom = upright(part.children, baseline)
            top, bottom = min(top, inner_top), max(bottom, inner_bottom)
    return top, bottom


def _is_seen(parts: list[InlinePart]) -> bool:
    """Tell whether there is anything on a line."""
    return any(
        _is_seen(part.children) or bool(part.left or part.right) if isinstance(part, SpanPart) else True
        for part in parts
    )


def aligned(computed: Any, free: float, *, last: bool) -> float:
    """Return how far a line stands from its start."""
    if free <= 0:
        return 0.0
    align = computed["text_align_all"]
    if last and computed["text_align_last"] != "auto":
        align = computed["text_align_last"]
    if align in ("left", "right"):
        align = "start" if (align == "left") == (computed["direction"] == "ltr") else "end"
    if align == "start":
        return 0.0
    if align == "center":
        return free / 2
    if align == "end":
        return free
    raise Unfillable(f"text-align: {align}")
