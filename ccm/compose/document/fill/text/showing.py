"""Glyphs as text operators name them, with the engine's own rounding.

Source: WeasyPrint 70, draw/text.py.
"""

from __future__ import annotations

from ccm.compose.document.fill.run import UNITS, Run
from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.fill.unfillable import Unfillable


def glyphs_shown(run: Run, font: FontFile) -> tuple[bytes, frozenset[int]]:
    """Return the glyphs of a run and what moves them, and those that not every subset of the font has.

    Raises:
        Unfillable: If a reader of the file would find another text.
    """
    numbers = [glyph for glyph, _, _ in run.glyphs]
    if font.text(numbers) != run.text.replace("\u00a0", " "):
        raise Unfillable("a glyph that stands for several signs")
    size = int(run.size * UNITS) / UNITS
    parts = []
    for glyph, advance, moved in run.glyphs:
        offset = moved / size
        if offset:
            parts.append(f">{-offset:.6g}<")
        parts.append(f"{glyph:04x}")
        kerning = int(font.width(glyph) + offset - advance * 1000 / UNITS / size)
        if kerning:
            parts.append(f">{kerning}<")
    return "".join(parts).encode("ascii"), font.rare(numbers)
