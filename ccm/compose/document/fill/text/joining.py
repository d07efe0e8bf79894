"""Texts put together from parts, where a font sets some signs without looking at their neighbours.

Why: Amounts and numbers never repeat, but their digits do; a sentence with a new number in it has known words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ccm.compose.document.fill import kernel
from ccm.compose.document.fill.kernel_in_python import contents
from ccm.compose.document.fill.run import UNITS, Run, operator
from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.fill.text.plain_text import is_latin
from ccm.compose.document.fill.text.showing import glyphs_shown
from ccm.compose.document.fill.unfillable import Unfillable

_MOST_PARTS = 4_000  # of one style, remembered: the words of a catalogue
_SHORT = 4  # signs; a longer word with digits hardly comes again
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")


# A part of a text, set: its width in units of 1/1,024 px, its glyphs with what moves them, and those of them that not every
# subset of the font has. A plain tuple, because one is made for every number.
Part: TypeAlias = tuple[int, bytes, frozenset[int]]
_NOTHING: frozenset[int] = frozenset()
_EMPTY: Part = (0, b"", _NOTHING)
_DIGITS = frozenset("0123456789")


def joiner(signs: str, shape: Callable[[str, str], Run], font: FontFile, face: int, size: float) -> Joiner:
    """Return what sets the texts of one style part by part, compiled where that was done.

    Args:
        signs: Those that are set without looking at their neighbours; the blank is one of them.
        shape: Shapes a part as a whole, given the script it stands in.
        font: What files carry of the face.
        face: Its place in the brand's order. size: In px.
    """
    whole = partial(_whole, shape, font)
    if kernel.COMPILED is None:
        return Joiner(signs, whole, face, size)
    made: Joiner = kernel.COMPILED.Joiner(partial(_kind_of, frozenset(signs)), whole, face, size)
    return made


_IS_LATIN, _IS_LETTER, _IS_APART = 2, 4, 8  # as the kernel knows them


def _kind_of(signs: frozenset[str], point: int) -> int:
    """Return what a sign is, for the kernel."""
    sign = chr(point)
    return (
        (_IS_LATIN if is_latin(sign) else 0)
        | (_IS_LETTER if _LETTER.search(sign) else 0)
        | (_IS_APART if sign in signs else 0)
    )


def _whole(shape: Callable[[str, str], Run], font: FontFile, text: str, lettered: bool) -> Part | None:
    """Shape a part; None where the font does not have a sign, or has one glyph for several."""
    run = shape(text, "Latn" if lettered else "")
    if run.parts:
        return None
    try:
        shown, rare = glyphs_shown(run, font)
    except Unfillable:
        return None
    return (sum([advance for _, advance, _ in run.glyphs]), shown, rare)


class Joiner:
    """Sets the texts of one style part by part.

    Args:
        signs: Those that are set without looking at their neighbours.
        whole: Shapes a part, given whether it stands among letters.
        face: Place of the font in the brand's order. size: In px.
    """

    contents = staticmethod(contents)  # sets the texts of a column of cells, as the kernel's own does

    def __init__(self, signs: str, whole: Callable[[str, bool], Part | None], face: int, size: float) -> None:
        self._shape = whole
        self._face = face
        self._size = size
        signs = re.escape(signs)
        self._neighbours = re.compile(f"[^{signs}]{{2}}")
        self._cut = re.compile(f"[^{signs}]{{2,}}|(?:[{signs}]|[^{signs}](?![^{signs}]))+")
        self._scripts = (_Script(), _Script())  # of texts without letters, and with some

    def run(self, text: str) -> Run | None:
        """Set a text; None where it must be shaped as a whole.

        Args:
            text: Not empty.
        """
        if text[0] in self._scripts[0].shown and (run := self._number(text)) is not None:
            return run
        if not is_latin(text):
            return None
        lettered = text.lower() != text.upper() if text.isascii() else _LETTER.search(text) is not None
        head, _, tail = text.rpartition(" ")
        if not head:
            part = self._single(text, lettered)
        elif tail and tail[0] in _DIGITS:
            part = self._numbered(head, tail, lettered)
        else:
            part = self._phrase(text, lettered)
        if part is None:
            return None
        units, shown, rare = part
        return Run(text, (), units / UNITS, self._face, self._size, operator(shown), None, (), rare)

    def _numbered(self, head: str, tail: str, lettered: bool) -> Part | None:
        """Set words before a number: the words come again, with other numbers."""
        script = self._scripts[lettered]
        first = script.heads.get(head)
        if first is None:
            first = self._phrase(head + " ", lettered)
            if first is None:
                return None
            if len(script.heads) >= _MOST_PARTS:
                script.heads.clear()
            script.heads[head] = first
        second = script.words.get(tail) or self._word(tail, lettered)
        if second is None:
            return None
        rare = first[2] | second[2] if script.any_rare else _NOTHING
        return (first[0] + second[0], first[1] + second[1], rare)

    def _phrase(self, text: str, lettered: bool) -> Part | None:
        """Set words with blanks between them."""
        script = self._scripts[lettered]
        known = script.words
        parts = [known.get(word) or self._word(word, lettered) for word in text.split(" ")]
        blank = known.get(" ") or self._blank(lettered)
        if blank is None or None in parts:
            return None
        widths, glyphs, rares = zip(*parts)  # noqa: B905  # none of them is None; this is asked for many a text
        rare = _NOTHING.union(blank[2], *rares) if script.any_rare else _NOTHING
        return (sum(widths) + blank[0] * (len(parts) - 1), blank[1].join(glyphs), rare)

    def _number(self, text: str) -> Run | None:
        """Set a text of signs that are all known: most texts are numbers, and never come again."""
        script = self._scripts[0]
        try:
            shown = b"".join(map(script.shown.__getitem__, text))
        except KeyError:
            return None
        if script.any_rare or self._neighbours.search(text) is not None:
            return None
        units = sum(map(script.units.__getitem__, text))
        return Run(text, (), units / UNITS, self._face, self._size, operator(shown))

    def forget(self) -> None:
        """Forget what was set."""
        self._scripts = (_Script(), _Script())

    def _single(self, text: str, lettered: bool) -> Part | None:
        """Set a text without blanks; None where it has no signs to cut at."""
        if self._neighbours.search(text) is None:
            return self._sign_by_sign(text, lettered)
        return self._cut_up(text, lettered) if self._cut.match(text)[0] != text else None  # type: ignore[index]  # it matches anything

    def _word(self, text: str, lettered: bool) -> Part | None:
        """Set a word among others."""
        if not text:
            return _EMPTY
        part: Part | None
        if self._neighbours.search(text) is None:
            part = self._sign_by_sign(text, lettered)
        else:
            part = self._cut_up(text, lettered)
        if part is not None and (len(text) <= _SHORT or not _DIGIT.search(text)):
            known = self._scripts[lettered].words
            if len(known) >= _MOST_PARTS:
                known.clear()
            known[text] = part
        return part

    def _blank(self, lettered: bool) -> Part | None:
        part = self._sign_by_sign(" ", lettered)
        if part is not None:
            self._scripts[lettered].words[" "] = part
        return part

    def _cut_up(self, text: str, lettered: bool) -> Part | None:
        """Set a word with two signs beside each other that look at their neighbours."""
        known = self._scripts[lettered].parts
        parts = []
        for name in self._cut.findall(text):
            part = known.get(name)
            if part is None and self._neighbours.search(name) is None:
                part = self._sign_by_sign(name, lettered)
            elif part is None:
                part = self._whole(name, lettered)
                if part is not None:
                    if len(known) >= _MOST_PARTS:
                        known.clear()
                    known[name] = part
            if part is None:
                return None
            parts.append(part)
        units, shown, rare = zip(*parts, strict=True)
        return (sum(units), b"".join(shown), _NOTHING.union(*rare))

    def _sign_by_sign(self, text: str, lettered: bool) -> Part | None:
        """Set a text without two signs beside each other that look at their neighbours."""
        script = self._scripts[lettered]
        try:
            shown = b"".join(map(script.shown.__getitem__, text))
        except KeyError:
            if not all([sign in script.shown or self._learned(sign, lettered) for sign in text]):  # noqa: C419  # all of them
                return None
            shown = b"".join(map(script.shown.__getitem__, text))
        rare = _NOTHING.union(*map(script.rare.__getitem__, text)) if script.any_rare else _NOTHING
        return (sum(map(script.units.__getitem__, text)), shown, rare)

    def _learned(self, sign: str, lettered: bool) -> bool:
        part = self._whole(sign, lettered)
        if part is None:
            return False
        script = self._scripts[lettered]
        script.units[sign], script.shown[sign], script.rare[sign] = part
        return True

    def _whole(self, text: str, lettered: bool) -> Part | None:
        """Shape a part; None where that cannot be told."""
        part = self._shape(text, lettered)
        if part is not None and part[2]:
            self._scripts[lettered].any_rare = True
        return part


class _Script:
    """What is known of texts in one script.

    words: By text; what stands between blanks, and the blank. parts: Of words. heads: Words before a number. units, shown, rare: Of signs.
    any_rare: Whether any glyph is not in every subset of the font.
    """

    def __init__(self) -> None:
        self.words: dict[str, Part] = {}
        self.parts: dict[str, Part] = {}
        self.heads: dict[str, Part] = {}
        self.units: dict[str, int] = {}
        self.shown: dict[str, bytes] = {}
        self.rare: dict[str, frozenset[int]] = {}
        self.any_rare = False
