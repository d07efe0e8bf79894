"""The first line of a text in a given width, as the engine breaks it; remembered, because texts repeat."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from ccm.compose.document.fill.run import Run
from ccm.compose.document.fill.text.plain_text import is_plain
from ccm.compose.document.fill.text.shaping import TextStyle
from ccm.compose.document.fill.unfillable import Unfillable

_WRAPPING = ("normal", "pre-wrap", "pre-line")
_MOST = 1_500  # texts; those of one customer alone hardly come again
_MOST_WORDS = 5_000  # of one style, with their widths: the words of a catalogue
_SURE = 2.0  # px between a line's width and its place, from which on nobody counts the same width otherwise
_WIDER = 1.1  # by so much nobody counts a whole text narrower than its words
# Signs, beside letters and digits, that words may begin and end with so that lines may break at any blank between them.
_FIRST = frozenset("0123456789&+-–£€$#*")
_LAST = frozenset("0123456789,.:;!?)%&+-–'’/*")


class FirstLine(NamedTuple):
    """What stands on a line.

    run: Its text, shaped; None where nothing of the text does.
    length, resume: Bytes of the text on the line, and where the next one begins; no `resume` where all of it fits.
    """

    run: Run | None
    length: int
    resume: int | None


_LINE_FEED = FirstLine(None, 0, 1)


class Breaker:
    """Breaks texts into lines."""

    def __init__(self) -> None:
        self._known: dict[object, FirstLine] = {}
        self._lines: dict[object, tuple[Run, ...]] = {}
        self._words: dict[object, dict[str, float] | None] = {}  # usual words and their widths, by style

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
        if text == "\n" and (width is None or width >= 0):
            return _LINE_FEED
        if width is not None and not least and (sure := self._usual_line(text, style, computed, width)) is not None:
            return sure
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
        widths = self._widths(text.split(" "), style, computed)
        if widths is not None:
            return max(widths)
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

    def _usual_line(self, text: str, style: TextStyle, computed: Any, width: float) -> FirstLine | None:
        """Return what of a text of usual words stands on a line that it is much too long for; None in any doubt."""
        words = text.removesuffix(" ").split(" ")
        widths = self._widths(words, style, computed)
        if widths is None or sum(widths) <= width * _WIDER + _SURE:
            return None
        count = _clear_count(widths, style.shape(" ").width, width)
        if not 0 < count < len(words):
            return None
        run = style.shape(" ".join(words[:count]))
        if run.width > width - _SURE / 2:
            return None
        length = len(run.text.encode())
        return FirstLine(run, length, length + 1)

    def usual(self, style: TextStyle, computed: Any) -> dict[str, float] | None:
        """Return the widths of words of a style between which lines may be broken at any blank; None where they may not."""
        key = (id(style), computed["white_space"], computed["overflow_wrap"])
        try:
            return self._words[key]
        except KeyError:
            made = self._words[key] = {} if _breaks_at_blanks(style, computed) else None
            return made

    def _widths(self, words: list[str], style: TextStyle, computed: Any) -> list[float] | None:
        """Return the widths of the words of a text; None where it may be broken anywhere but at all of its blanks."""
        usual = self.usual(style, computed)
        if usual is None:
            return None
        try:
            return [usual[word] for word in words]
        except KeyError:
            if len(usual) > _MOST_WORDS:
                usual.clear()
        for word in words:
            if word not in usual:
                if not _is_usual(word, computed["lang"] or ""):
                    return None
                usual[word] = style.shape(word).width
        return [usual[word] for word in words]


def _breaks_at_blanks(style: TextStyle, computed: Any) -> bool:
    """Tell whether texts of a style may be broken at their blanks, and words are never broken for want of room."""
    return (
        not style.by_pango
        and computed["white_space"] in ("normal", "pre-line")
        and computed["overflow_wrap"] != "anywhere"
    )


def _is_usual(word: str, language: str) -> bool:
    """Tell whether a word is never broken inside, and lines may break at a blank between it and any other such word.

    Source: Unicode line breaking, rules 13 to 18: only some signs hold what stands beyond a blank, and letters do not.
    """
    return (
        bool(word)
        and is_plain(word)
        and (word[0] in _FIRST or word[0].isalpha())
        and (word[-1] in _LAST or word[-1].isalpha())
        and not may_break_inside(word, language)
    )


def _words(text: str, style: TextStyle, computed: Any) -> list[str] | None:
    """Return what stands between the blanks of a text; None where lines may begin anywhere else, or not behind each blank."""
    if not is_plain(text) or not _breaks_at_blanks(style, computed):
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
    count = _clear_count([style.shape(word).width for word in words], style.shape(" ").width, width)
    line = " ".join(words[:count])
    return line if count and style.shape(line).width <= width - _SURE / 2 else None


def _clear_count(widths: list[float], blank: float, width: float) -> int:
    """Return how many words of these widths stand on a line, 0 where that is in doubt."""
    end = -blank
    for count, word in enumerate(widths):
        end += blank + word
        if end > width - _SURE:
            return 0 if end < width + _SURE else count
    return len(widths)


def _broken(text: str, style: TextStyle, computed: Any, width: float | None, start: bool, least: bool) -> FirstLine:
    from weasyprint.text.line_break import split_first_line

    layout, length, resume, *_ = split_first_line(text, computed, None, width, 0, is_line_start=start, minimum=least)
    if not length:
        return FirstLine(None, 0, resume)
    return FirstLine(style.shape(layout.text), length, resume)


@lru_cache(maxsize=16_384)
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
