"""Which text a glyph stands for that a font puts in the place of others: joined letters, forms beside capitals, ligatures."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

_SINGLE, _ALTERNATE, _LIGATURE, _EXTENSION = 1, 3, 4, 7
_ROUNDS = 3  # a form of a form of a form


def texts_by_substitution(content: bytes, known: dict[int, str]) -> dict[int, str]:
    """Return the texts of glyphs that replace known ones.

    Args:
        content: The font file.
        known: Texts by glyph, of those that stand for one sign each.

    Why not what a text was shaped from: a glyph must stand for the same text in every file, whatever was shaped before.
    """
    from fontTools.ttLib import TTFont

    font = TTFont(BytesIO(content), lazy=True)
    if "GSUB" not in font:
        return {}
    numbers = font.getReverseGlyphMap()
    rules = [(tuple(numbers[one] for one in given), numbers[made]) for given, made in _rules(font["GSUB"].table)]
    texts = dict(known)
    for _ in range(_ROUNDS):
        found: dict[int, str] = {}
        for given, made in rules:
            if made in texts or not all(one in texts for one in given):
                continue
            text = "".join(texts[one] for one in given)
            if made not in found or (len(text), text) < (len(found[made]), found[made]):
                found[made] = text
        if not found:
            break
        texts |= found
    return {glyph: text for glyph, text in texts.items() if glyph not in known}


def _rules(table: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return what is replaced, and by what."""
    for lookup in table.LookupList.Lookup if table.LookupList else ():
        for subtable in lookup.SubTable:
            kind = lookup.LookupType
            if kind == _EXTENSION:
                subtable = subtable.ExtSubTable
                kind = subtable.LookupType
            if kind == _SINGLE:
                for given, made in subtable.mapping.items():
                    yield (given,), made
            elif kind == _ALTERNATE:
                for given, several in subtable.alternates.items():
                    for made in several:
                        yield (given,), made
            elif kind == _LIGATURE:
                for given, several in subtable.ligatures.items():
                    for one in several:
                        yield (given, *one.Component), one.LigGlyph
