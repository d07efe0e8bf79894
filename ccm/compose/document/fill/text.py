"""Shaping text as the engine does: the same glyphs at the same places, to the last of its units.

The engine lets Pango shape, and Pango lets HarfBuzz shape at 1,024 units a pixel. For text of one script in one font
HarfBuzz alone gives the same; whatever else Pango would do (other fonts, other scripts, directions) is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import uharfbuzz as hb

from ccm.compose.document.fill.apart import signs_apart
from ccm.compose.document.fill.pango import Faces, Glyph, shaped_by_pango
from ccm.compose.document.fill.unfillable import Unfillable

UNITS = 1024
_MOST_RUNS = 8_000  # of one style, remembered
_CUT_FROM = 100  # texts of one style; below that, reading the font's tables would cost more
# Latin letters and what stands beside them; other signs may say another script, or a fraction, for all of a text.
_LATIN = re.compile("[ -~\u00a0-\u024f\u2010-\u2043\u20a0-\u20bf\u2212]+")
_LETTER = re.compile(r"[^\W\d_]")
_SHAPING = itemgetter(
    "font_family", "font_style", "font_stretch", "font_weight", "font_size", "font_kerning", "font_variant_ligatures",
    "font_variant_position", "font_variant_caps", "font_variant_numeric", "font_variant_alternates",
    "font_variant_east_asian", "font_feature_settings", "font_variation_settings", "font_language_override", "lang",
    "direction", "letter_spacing", "word_spacing", "line_height",
)  # fmt: skip


@dataclass(eq=False, slots=True)
class Run:
    """Shaped text.

    glyphs: Glyph ids with their advances and horizontal offsets in units of 1/1,024 px.
    width: In px, letter spacing included; `units` is it without that, in units.
    pieces: Runs that it is put together from; it has no glyphs of its own then.
    hexadecimal: Its glyphs with what moves them. shown: The operator that shows it, once it was written. rare: Its glyphs that not every subset of the font has.
    rise: Baseline under the top of the line height, where other fonts than the style's first may make it another.
    parts: Its glyphs, where Pango placed them; `clusters` says how many stand for which text together.
    turned: Whether Pango read it from right to left.
    """

    text: str
    glyphs: tuple[tuple[int, int, int], ...]
    width: float
    face: int
    size: float
    shown: bytes = b""
    rise: float | None = None
    parts: tuple[Glyph, ...] = ()
    rare: frozenset[int] = frozenset()
    clusters: tuple[tuple[int, str], ...] = ()
    turned: bool = False
    units: int = 0
    pieces: tuple[Run, ...] = ()
    hexadecimal: str = ""


class TextStyle:
    """One font at one size with its features.

    height, baseline: Of a line of this style alone, in px from the line's top.
    """

    def __init__(
        self, face: int, font: hb.Font, content: bytes, computed: Any, strut: tuple[float, float], faces: Faces
    ) -> None:
        from weasyprint.text.fonts import font_features

        self.face = face
        self.faces = faces
        self.size: float = computed["font_size"]
        self.height, self.baseline = strut
        spacing = computed["letter_spacing"]
        self.letter_spacing: float = 0 if spacing == "normal" else spacing
        if computed["word_spacing"]:
            raise Unfillable("word-spacing")
        self.computed = computed
        self.by_pango = computed["direction"] != "ltr"  # HarfBuzz alone does not know which way a sign is read
        names = ("kerning", "variant_ligatures", "variant_position", "variant_caps", "variant_numeric",
                 "variant_alternates", "variant_east_asian", "feature_settings")  # fmt: skip
        self._features = dict(font_features(*(computed[f"font_{name}"] for name in names)).items())
        if self.letter_spacing:
            self._features |= dict.fromkeys(("liga", "clig", "dlig", "hlig"), 0)  # as Pango does
        self._font = font
        self._language = computed["lang"] or ""
        self._runs: dict[str, Run] = {}
        self._content = content
        self._cut: re.Pattern[str] | None = None
        self._until_cut = _CUT_FROM
        self._pieces: tuple[dict[str, Run], dict[str, Run]] = ({}, {})  # of texts without letters, and with some

    def shape(self, text: str) -> Run:
        """Shape a text that stands on one line.

        Raises:
            Unfillable: If Pango might do more with it than HarfBuzz alone.
        """
        run = self._runs.get(text)
        if run is None:
            if len(self._runs) > _MOST_RUNS:
                self._runs.clear()
            run = self._runs[text] = self._shaped(text)
        return run

    def forget(self) -> None:
        """Forget what was shaped."""
        self._runs.clear()
        for known in self._pieces:
            known.clear()

    def _shaped(self, text: str) -> Run:
        if not text:
            return Run("", (), 0.0, self.face, self.size)
        if self.by_pango or not is_plain(text):
            return shaped_by_pango(text, self, self.faces)
        return self._joined(text) or self._by_harfbuzz(text, "")

    def _joined(self, text: str) -> Run | None:
        """Shape a text piece by piece, where the font sets signs in it without looking at others; None where not."""
        if self._cut is None:
            if self._until_cut or self.letter_spacing:
                self._until_cut -= 1
                return None
            wanted = frozenset(name for name, value in self._features.items() if value)
            signs = re.escape(signs_apart(self._content, wanted))
            self._cut = re.compile(f"[{signs}]|[^{signs}]+" if signs else "(?s:.+)")
        parts = self._cut.findall(text)
        if len(parts) == 1 or not (text.isascii() or _LATIN.fullmatch(text)):
            return None
        lettered = _LETTER.search(text) is not None
        known = self._pieces[lettered]
        try:
            pieces = [known[part] for part in parts]
        except KeyError:
            pieces = [known.get(part) or self._piece(part, lettered) for part in parts]
            if any(piece.parts for piece in pieces):
                return None  # a sign that the font does not have
        units = sum([piece.units for piece in pieces])
        return Run(text, (), units / UNITS, self.face, self.size, units=units, pieces=tuple(pieces))

    def _piece(self, text: str, lettered: bool) -> Run:
        """Shape a part of a text, which has letters or not."""
        known = self._pieces[lettered]
        if len(known) >= _MOST_RUNS:
            known.clear()
        run = self._by_harfbuzz(text, "Latn" if lettered else "")
        if not run.parts:
            known[text] = run
        return run

    def _by_harfbuzz(self, text: str, script: str) -> Run:
        """Shape a text; its own letters say the script where none is given."""
        buffer = hb.Buffer()
        buffer.add_str(text)
        if script:
            buffer.script = script
        buffer.guess_segment_properties()
        if self._language:
            buffer.language = self._language
        hb.shape(self._font, buffer, self._features)
        glyphs = []
        width = 0
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            if not info.codepoint or position.x_offset or position.y_offset or position.y_advance:
                return shaped_by_pango(text, self, self.faces)
            glyphs.append((info.codepoint, position.x_advance, 0))
            width += position.x_advance
        if self.letter_spacing:
            if len(glyphs) != len(text):
                raise Unfillable("letter-spacing over ligatures")
            glyphs = self._letter_spaced(glyphs)
        whole = width / UNITS + self._spaced(len(glyphs))
        return Run(text, tuple(glyphs), whole, self.face, self.size, units=width)

    def _letter_spaced(self, glyphs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """Spread letter spacing as Pango does: half of it before and half behind a letter, none at the edges."""
        whole = int(self.letter_spacing * UNITS)
        left = int(whole / 2)
        last = len(glyphs) - 1
        return [
            (glyph, advance + (left if at else 0) + (whole - left if at < last else 0), left if at else 0)
            for at, (glyph, advance, _) in enumerate(glyphs)
        ]

    def _spaced(self, count: int) -> float:
        """Pango puts letter spacing between the letters, and the engine adds one more."""
        if not self.letter_spacing or not count:
            return 0
        return int(self.letter_spacing * UNITS) * (count - 1) / UNITS + self.letter_spacing


def is_plain(text: str) -> bool:
    """Tell whether a text is Latin letters, digits, signs and blanks."""
    return text.isprintable() if text.isascii() else _is_plain_text(text)


@lru_cache(maxsize=65_536)
def _is_plain_text(text: str) -> bool:
    return all(map(_is_plain_sign, text))


@lru_cache(maxsize=4096)
def _is_plain_sign(sign: str) -> bool:
    if sign in "\u00a0\u202f" or " " <= sign <= "~":
        return True
    kind = unicodedata.category(sign)
    if kind[0] in "LM":
        return kind in ("Lu", "Ll", "Lo") and unicodedata.name(sign, "").startswith(("LATIN", "FEMININE", "MASCULINE"))
    return (
        kind in ("Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sm", "So", "No") and ord(sign) < 0x2300
    )  # beyond, Pango may want emoji


class Fonts:
    """The faces of a brand, and which of them the engine takes for a style."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._contents = list(files.values())
        self._by_pango = Faces(self._contents)
        self.faces = [hb.Face(content) for content in self._contents]
        self._styles: dict[object, TextStyle | Unfillable] = {}

    def style(self, computed: Any) -> TextStyle:
        """Return how text of a computed style is set.

        Raises:
            Unfillable: If it cannot be set without the engine.
        """
        key = _SHAPING(computed)
        known = self._styles.get(key)
        if known is None:
            try:
                known = self._made(computed)
            except Unfillable as refusal:
                known = refusal
            self._styles[key] = known
        if isinstance(known, Unfillable):
            raise known
        return known

    def _made(self, computed: Any) -> TextStyle:
        from weasyprint.text.line_break import strut

        face = self._face_of(computed)
        font = hb.Font(self.faces[face])
        scale = int(computed["font_size"] * UNITS)
        font.scale = (scale, scale)
        made = TextStyle(face, font, self._contents[face], computed, strut(computed), self._by_pango)
        for probe in ("Hamburgefonstiv AVATAR To. 0123456789,50", "x", "office first fjord tt", "-1,234.50 €"):
            if made.by_pango or made.shape(probe).width != _width_by_the_engine(probe, computed):
                made.by_pango = True
                made.forget()
        return made

    def _face_of(self, computed: Any) -> int:
        """Return which of our files the engine draws this style's letters with."""
        from weasyprint.text.ffi import ffi
        from weasyprint.text.fonts import get_hb_object_data, get_pango_font_hb_face
        from weasyprint.text.line_break import Layout

        layout = Layout(computed)
        layout.set_text("x")
        line, _ = layout.get_first_line()
        run = line.runs[0]
        if run == ffi.NULL:
            raise Unfillable("a font that draws nothing")
        content = get_hb_object_data(get_pango_font_hb_face(run.data.item.analysis.font))
        for index, own in enumerate(self._contents):
            if len(own) == len(content) and own == content:
                return index
        raise Unfillable("a font that is not the brand's")


def _width_by_the_engine(text: str, computed: Any) -> float:
    from weasyprint.text.line_break import split_first_line

    width: float = split_first_line(text, computed, None, None, 0)[3]
    return width
