"""The first line of a text in a given width, as the engine breaks it; remembered, because texts repeat."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.text import TextStyle, is_plain
from ccm.compose.document.fill.unfillable import Unfillable

_WRAPPING = ("normal", "pre-wrap", "pre-line")
_MOST = 20_000  # texts; those of one customer alone hardly come again
_SURE = 2.0  # px between a line's width and its place, from which on nobody counts the same width otherwise


class FirstLine(NamedTuple):
    """What stands on a line.

    run: Its text, shaped; None where nothing of the text does.
    length, resume: Bytes of the text on the line, and where the next one begins; no `resume` where all of it fits.
    """

    run: Run | None
    length: int
    resume: int | None


class Breaker:
    """Breaks texts into lines."""

    def __init__(self) -> None:
        self._known: dict[object, FirstLine] = {}
        self._lines: dict[object, tuple[Run, ...]] = {}

    def first_line(
        self,
        text: str,
        style: TextStyle,
        computed: Any,
        width: float | None,
        *,
        start: bool = True,
        least: bool = False,
    ) -> FirstLine:
        """Return the first line of a text.

        Args:
            text: Not empty.
            width: None where nothing limits it.
            start: Whether it begins the line.
            least: Whether the smallest width is looked for.
        """
        if computed["white_space"] not in _WRAPPING:
            width = None
        if "\n" not in text and (width is None or not least):
            run = style.shape(text)
            if width is None or run.width <= width:
                return FirstLine(run, len(text.encode()), None)
        if "\u00ad" in text:
            raise Unfillable("a soft hyphen")
        if width is not None and (words := _words(text, style, computed)):
            line = words[0] if least else _clear_line(words, style, width)
            if line is not None:
                length = len(line.encode())
                return FirstLine(style.shape(line), length, length + 1 if len(line) < len(text) else None)
        key = (text, id(style), computed["white_space"], computed["overflow_wrap"], width, start, least)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > _MOST:
                self._known.clear()
            known = self._known[key] = _broken(text, style, computed, width, start, least)
        return known

    def narrowest(self, text: str, style: TextStyle, computed: Any) -> float:
        """Return the width of the widest line of a text that is broken wherever it may be."""
        parts = _words(text, style, computed)
        runs = [style.shape(word) for word in parts] if parts else self.lines(text, style, computed, 0, least=True)
        return max([run.width for run in runs], default=0.0)

    def lines(
        self, text: str, style: TextStyle, computed: Any, width: float, *, least: bool = False
    ) -> tuple[Run, ...]:
        """Return all lines of a text in one style, without the blanks beside them."""
        key = (text, id(style), width, least)
        known = self._lines.get(key)
        if known is None:
            if len(self._lines) > _MOST:
                self._lines.clear()
            made = []
            rest = text.encode()
            while rest:
                first = self.first_line(rest.decode(), style, computed, width, least=least)
                made.append(style.shape(rest[: first.length].decode().strip(" ")))
                rest = b"" if first.resume is None else rest[first.resume :].lstrip(b" ")
            known = self._lines[key] = tuple(made)
        return known


def _words(text: str, style: TextStyle, computed: Any) -> list[str] | None:
    """Return what stands between the blanks of a text; None where lines may begin anywhere else, or not behind each blank."""
    if (
        style.by_pango
        or not is_plain(text)
        or computed["white_space"] not in ("normal", "pre-line")
        or computed["overflow_wrap"] == "anywhere"
    ):
        return None
    words = text.split(" ")
    language = computed["lang"] or ""
    last = ""
    for word in words:
        if not word or may_break_inside(word, language) or (last and not may_break(last + " ", word[0], language)):
            return None
        last = word[-1]
    return words


def _clear_line(words: list[str], style: TextStyle, width: float) -> str | None:
    """Return what of some words stands on a line of this width; None where the engine must decide."""
    blank = style.shape(" ").width
    end = style.shape(words[0]).width
    if end > width - _SURE:
        return None
    count = 1
    for word in words[1:]:
        end += blank + style.shape(word).width
        if end > width - _SURE:
            if end < width + _SURE:
                return None
            break
        count += 1
    line = " ".join(words[:count])
    return line if style.shape(line).width <= width - _SURE / 2 else None


def _broken(text: str, style: TextStyle, computed: Any, width: float | None, start: bool, least: bool) -> FirstLine:
    from weasyprint.text.line_break import split_first_line

    layout, length, resume, *_ = split_first_line(text, computed, None, width, 0, is_line_start=start, minimum=least)
    if not length:
        return FirstLine(None, 0, resume)
    return FirstLine(style.shape(layout.text), length, resume)


@lru_cache(maxsize=65_536)
def may_break(before: str, behind: str, language: str) -> bool:
    """Tell whether a line may end between two signs."""
    from weasyprint.text.line_break import can_break_text

    return bool(can_break_text(before + behind, language))


@lru_cache(maxsize=16_384)
def may_break_inside(text: str, language: str) -> bool:
    """Tell whether a line may end within a text."""
    from weasyprint.text.line_break import can_break_text

    if len(text) < 2 or (is_plain(text) and text.isalnum()):
        return False
    return bool(can_break_text(text, language))
