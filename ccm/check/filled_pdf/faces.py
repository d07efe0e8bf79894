"""The fonts that operators name, and what they showed so far."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.check.filled_pdf.font import FontReading
from ccm.check.filled_pdf.shown import Shown
from ccm.check.filled_pdf.unread import Unread

_MOST_SHOWN = 2_500  # remembered of one font, and as many before these; most texts are one customer's own
_MOST_PHRASES = 1_500  # remembered for the fonts of some files
_FONT, _SHOW = b" Tf\n[", b"]TJ"


class Faces:
    """Fonts by their names.

    known: What was shown, by the operators that set the font and show the text.
    """

    def __init__(self, fonts: Mapping[bytes, FontReading]) -> None:
        self._fonts = fonts
        self._settings: dict[bytes, tuple[bytes, float]] = {}
        self.known: dict[bytes, Shown] = {}

    def phrase(self, phrase: bytes) -> Shown:
        """Return what the operators "/F0 10 Tf [...]TJ" show."""
        setting, _, operand = phrase.partition(_FONT)
        found = self._settings.get(setting)
        if found is None:
            name, size = setting.split()
            found = self._settings[setting] = (name[1:], float(size))
        if len(self.known) >= _MOST_PHRASES:
            self.known.clear()
        shown = self.known[phrase] = self.shown(*found, operand[: -len(_SHOW)])
        return shown

    def shown(self, name: bytes, size: float, operand: bytes) -> Shown:
        """Return what an operand shows, without its brackets.

        Raises:
            Unread: If the file's own font lacks a glyph, or something else is odd.
        """
        font = self._fonts.get(name)
        if font is None:
            raise Unread("a font that is not named")
        family = font.family
        shown = family.shown.get((size, operand))
        if shown is None:
            if len(family.shown) >= _MOST_SHOWN:
                family.shown_before, family.shown = family.shown, {}
            shown = family.shown_before.get((size, operand)) or Shown(operand, family, size)
            family.shown[size, operand] = shown
        if not font.letters.issuperset(shown.letters):
            raise Unread("a glyph that its font lacks")
        return shown
