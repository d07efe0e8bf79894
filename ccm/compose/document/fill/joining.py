"""Texts put together from parts, where a font sets some signs without looking at their neighbours.

Why: Amounts and numbers never repeat, but their digits do; a sentence with a new number in it has known words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ccm.compose.document.fill.fonts import FontFile
from ccm.compose.document.fill.run import UNITS, Run, operator
from ccm.compose.document.fill.showing import glyphs_shown
from ccm.compose.document.fill.unfillable import Unfillable

_MOST_PARTS = 8_000  # of one style, remembered
_SHORT = 4  # signs; what is longer and holds a number hardly comes again
# Latin letters and what stands beside them; other signs may say another script, or a fraction, for all of a text.
_LATIN = re.compile("[ -~\u00a0-\u024f\u2010-\u2043\u20a0-\u20bf\u2212]+")
_LETTER = re.compile(r"[^\W\d_]")


class Part(NamedTuple):
    """A part of a text, set.

    units: Its width, in units of 1/1,024 px.
    shown: Its glyphs with what moves them. rare: Those that not every subset of the font has.
    """

    units: int
    shown: str
    rare: frozenset[int]


class Joiner:
    """Sets the texts of one style part by part.

    Args:
        signs: Those that are set without looking at their neighbours; not empty.
        shape: Shapes a part as a whole, given the script it stands in.
        font: What files carry of the face.
    """

    def __init__(self, signs: str, shape: Callable[[str, str], Run], font: FontFile) -> None:
        self._shape = shape
        self._font = font
        signs = re.escape(signs)
        self._neighbours = re.compile(f"[^{signs}]{{2}}")
        self._cut = re.compile(f"[^{signs}]{{2,}}|(?:[{signs}]|[^{signs}](?![^{signs}]))+")
        self._scripts = (_Script(), _Script())  # of texts without letters, and with some

    def run(self, text: str, face: int, size: float) -> Run | None:
        """Set a text; None where it must be shaped as a whole."""
        if not (text.isascii() or _LATIN.fullmatch(text)):
            return None
        lettered = _LETTER.search(text) is not None
        if self._neighbours.search(text) is None:
            one = self._sign_by_sign(text, lettered)
            return None if one is None else Run(text, (), one[0] / UNITS, face, size, operator(one[1]), rare=one[2])
        names = self._cut.findall(text)
        if len(names) == 1:
            return None
        known = self._scripts[lettered].parts
        parts = [known.get(name) or self._part(name, lettered) for name in names]
        if None in parts:
            return None
        units, shown, rare = zip(*parts, strict=True)
        return Run(
            text, (), sum(units) / UNITS, face, size, operator("".join(shown)),
            rare=frozenset().union(*rare) if any(rare) else frozenset(),
        )  # fmt: skip

    def forget(self) -> None:
        """Forget what was set."""
        for one in self._scripts:
            one.forget()

    def _part(self, text: str, lettered: bool) -> Part | None:
        if self._neighbours.search(text) is None:
            part = self._sign_by_sign(text, lettered)
            worth = len(text) <= _SHORT
        else:
            part = self._whole(text, lettered)
            worth = True
        if part is not None and worth:
            known = self._scripts[lettered].parts
            if len(known) >= _MOST_PARTS:
                known.clear()
            known[text] = part
        return part

    def _sign_by_sign(self, text: str, lettered: bool) -> Part | None:
        """Set a text without two signs beside each other that look at their neighbours."""
        script = self._scripts[lettered]
        try:
            units = sum(map(script.units.__getitem__, text))
        except KeyError:
            if not all([sign in script.units or self._learned(sign, lettered) for sign in text]):  # noqa: C419  # all of them
                return None
            units = sum(map(script.units.__getitem__, text))
        rare = frozenset().union(*map(script.rare.__getitem__, text)) if script.any_rare else frozenset()
        return Part(units, text.translate(script.shown), rare)

    def _learned(self, sign: str, lettered: bool) -> bool:
        part = self._whole(sign, lettered)
        if part is None:
            return False
        script = self._scripts[lettered]
        script.units[sign], script.shown[ord(sign)], script.rare[sign] = part
        script.any_rare = script.any_rare or bool(part.rare)
        return True

    def _whole(self, text: str, lettered: bool) -> Part | None:
        """Shape a part; None where the font does not have a sign, or has one glyph for several."""
        run = self._shape(text, "Latn" if lettered else "")
        if run.parts:
            return None
        try:
            shown, rare = glyphs_shown(run, self._font)
        except Unfillable:
            return None
        return Part(sum([advance for _, advance, _ in run.glyphs]), shown, rare)


class _Script:
    """What is known of texts in one script.

    parts: By text. units, shown, rare: Of signs.
    """

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.units: dict[str, int] = {}
        self.shown: dict[int, str] = {}
        self.rare: dict[str, frozenset[int]] = {}
        self.any_rare = False

    def forget(self) -> None:
        for known in (self.parts, self.units, self.shown, self.rare):
            known.clear()
        self.any_rare = False
