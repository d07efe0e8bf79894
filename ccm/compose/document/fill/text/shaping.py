"""Shaping text as the engine does: the same glyphs at the same places, to the last of its units.

The engine lets Pango shape, and Pango lets HarfBuzz shape at 1,024 units a pixel. For text of one script in one font
HarfBuzz alone gives the same; whatever else Pango would do (other fonts, other scripts, directions) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, TypeVar

import uharfbuzz as hb

from ccm.compose.document.fill.kernel_in_python import contents
from ccm.compose.document.fill.run import UNITS, Run
from ccm.compose.document.fill.text.apart import signs_apart
from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.fill.text.joining import Joiner, joiner
from ccm.compose.document.fill.text.pango import Faces, shaped_by_pango
from ccm.compose.document.fill.text.plain_text import is_plain
from ccm.compose.document.fill.unfillable import Unfillable

_MOST_RUNS = 1_200  # of one style, remembered
_JOINED_FROM = 100  # texts of one style; below that, reading the font's tables would cost more
_Content = TypeVar("_Content")
_SHAPING = itemgetter(
    "font_family", "font_style", "font_stretch", "font_weight", "font_size", "font_kerning", "font_variant_ligatures",
    "font_variant_position", "font_variant_caps", "font_variant_numeric", "font_variant_alternates",
    "font_variant_east_asian", "font_feature_settings", "font_variation_settings", "font_language_override", "lang",
    "direction", "letter_spacing", "word_spacing", "line_height",
)  # fmt: skip


class TextStyle:
    """One font at one size with its features.

    height, baseline: Of a line of this style alone, in px from the line's top.
    """

    def __init__(
        self, face: int, font: hb.Font, file: FontFile, computed: Any, strut: tuple[float, float], faces: Faces
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
        self._file = file
        self._joiner: Joiner | None = None
        self._until_joined = -1 if self.letter_spacing else _JOINED_FROM  # -1 for never

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
        if self._joiner is not None:
            self._joiner.forget()

    def _shaped(self, text: str) -> Run:
        if not text:
            return Run("", (), 0.0, self.face, self.size)
        if self.by_pango or not is_plain(text):
            return shaped_by_pango(text, self, self.faces)
        parts = self._joiner or self._joining()
        return (parts and parts.run(text)) or self._by_harfbuzz(text, "")

    def fresh(self, text: str) -> Run:
        """Shape a text as `shape` does, without remembering it: for those who remember it themselves."""
        if self._joiner is not None:
            run = self._joiner.run(text)
            if run is not None:
                return run
        return self.shape(text)

    def contents(
        self,
        column: tuple[str, ...],
        known: dict[str, _Content],
        young: dict[str, _Content],
        other: Callable[[str], _Content],
        most: tuple[int, int],
    ) -> list[_Content]:
        """Return what the texts of a column of cells become; see `kernel_in_python.contents`.

        other: Gives `fresh` for a text that is one as it stands.
        """
        return (self._joiner.contents if self._joiner else contents)(column, known, young, other, *most)

    def _joining(self) -> Joiner | None:
        """Return what puts texts together from parts, once enough texts were met that it pays."""
        if self._until_joined > 0:
            self._until_joined -= 1
        elif self._until_joined == 0:
            self._until_joined = -1
            wanted = frozenset(name for name, value in self._features.items() if value)
            signs = signs_apart(self._file.content, wanted)
            if " " in signs:
                self._joiner = joiner(signs, self._by_harfbuzz, self._file, self.face, self.size)
        return self._joiner

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
        return Run(text, tuple(glyphs), whole, self.face, self.size)

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


class Fonts:
    """The faces of a brand, and which of them the engine takes for a style."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        contents = list(files.values())
        self._by_pango = Faces(contents)
        self.files = [FontFile(content, hb.Face(content)) for content in contents]
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
        font = hb.Font(self.files[face].face)
        scale = int(computed["font_size"] * UNITS)
        font.scale = (scale, scale)
        made = TextStyle(face, font, self.files[face], computed, strut(computed), self._by_pango)
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
        for index, own in enumerate(self.files):
            if len(own.content) == len(content) and own.content == content:
                return index
        raise Unfillable("a font that is not the brand's")


def _width_by_the_engine(text: str, computed: Any) -> float:
    from weasyprint.text.line_break import split_first_line

    width: float = split_first_line(text, computed, None, None, 0)[3]
    return width
