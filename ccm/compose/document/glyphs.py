"""Whether every character of a page was drawn with a font of the brand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from typing import Any

from ccm.compose.document.layout_problem import LayoutProblem

SHOWN_CODE_POINTS = 3


@lru_cache(maxsize=64)
def code_points(font: bytes) -> frozenset[int]:
    """Return the code points that a font file has a glyph for; empty if it cannot be read."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        return frozenset(TTFont(BytesIO(font), lazy=True).getBestCmap() or ())
    except (TTLibError, OSError, AssertionError):
        return frozenset()


class FontGuard:
    """Knows a brand's font files and finds everything that was drawn without them.

    Why: For a character that no font of the brand has, the engine silently takes any font of the
    machine, and without one draws an empty box. Neither may reach a customer (promise G7).
    """

    def __init__(self, fonts: Iterable[bytes]) -> None:
        self._fonts = tuple(fonts)
        self._by_size: dict[int, tuple[bytes, ...]] = {}
        for content in self._fonts:
            self._by_size[len(content)] = (*self._by_size.get(len(content), ()), content)

    def problems(self, used: Iterable[Any]) -> tuple[LayoutProblem, ...]:
        """Check the fonts of a written document.

        Args:
            used: WeasyPrint's `Font` objects, `Document.fonts.values()` after writing.
        Returns:
            `missing-glyph` with the number of characters and at most three code points;
            `foreign-font` when a family was named that the brand does not have.
        """
        lacking: set[int] = set()
        foreign: set[str] = set()
        for font in used:
            lacking.update(font.missing)
            if not self._is_ours(font):
                drawn = {ord(character) for text in font.to_unicode.values() for character in text}
                unknown = {point for point in drawn if not self._has(point)}
                lacking |= unknown
                if drawn - unknown:
                    foreign.add(font.family)
        found = [_missing(lacking)] if lacking else []
        # Text beside a missing character may fall to the same machine font; that is one fault, not two.
        return tuple(found + [_foreign(family) for family in sorted(foreign) if not lacking])

    def _has(self, point: int) -> bool:
        return any(point in code_points(font) for font in self._fonts)

    def _is_ours(self, font: Any) -> bool:
        from weasyprint.text.fonts import get_hb_object_data

        whole = get_hb_object_data(font.hb_face)
        return whole in self._by_size.get(len(whole), ())


def _missing(points: set[int]) -> LayoutProblem:
    shown = ", ".join(f"U+{point:04X}" for point in sorted(points)[:SHOWN_CODE_POINTS])
    more = ", …" if len(points) > SHOWN_CODE_POINTS else ""
    return LayoutProblem(
        "missing-glyph",
        f"{len(points)} character{'s have' if len(points) > 1 else ' has'} no glyph in the fonts of the brand ({shown}{more})",
        "add a font with this script to the brand, or mend the data",
    )


def _foreign(family: str) -> LayoutProblem:
    return LayoutProblem(
        "foreign-font",
        f'text was set in "{family}", which is not a font of the brand',
        "name a font family of the brand, or add the font file to it",
    )
