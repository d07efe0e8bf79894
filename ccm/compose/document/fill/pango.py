"""Texts that need more than one font, other directions or other scripts: shaped by the engine's own Pango.

The glyphs come as Pango placed them, so that what is drawn is what the engine would draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.text import Run, TextStyle

_EMPTY = 0x0FFFFFFF
_UNKNOWN = 0x10000000
_RISE = 1000  # the engine divides heights by this, not by Pango's 1,024


class Faces:
    """The brand's fonts as Pango knows them.

    Args:
        contents: Of the files.
    """

    def __init__(self, contents: Sequence[bytes]) -> None:
        self._contents = contents
        self._known: dict[int, int] = {}

    def number(self, font: Any) -> int:
        """Return which file a font of Pango's is.

        Raises:
            Unfillable: If it is none of them.
        """
        from weasyprint.text.fonts import get_hb_object_data, get_pango_font_hb_face, get_pango_font_key

        key = get_pango_font_key(font)[0]
        known = self._known.get(key)
        if known is not None:
            return known
        content = get_hb_object_data(get_pango_font_hb_face(font))
        for index, own in enumerate(self._contents):
            if len(own) == len(content) and own == content:
                self._known[key] = index
                return index
        raise Unfillable("a font that is not the brand's")


def shaped_by_pango(text: str, style: TextStyle, faces: Faces) -> Run:
    """Return a text as Pango shapes it on one line.

    Raises:
        Unfillable: If a font is not the brand's, or lacks a sign.
    """
    from weasyprint.text.ffi import FROM_UNITS, ffi, pango
    from weasyprint.text.line_break import Layout, line_size

    from ccm.compose.document.fill.text import Run

    if any(sign in text for sign in "\n\t\u00ad"):
        raise Unfillable("a tab, line feed or soft hyphen")
    computed = style.computed
    layout = Layout(computed)
    layout.set_text(text)
    line, more = layout.get_first_line()
    if more is not None:
        raise Unfillable("a text of several lines")
    width, height = line_size(line, computed)
    baseline = pango.pango_layout_get_baseline(layout.layout) * FROM_UNITS
    parts: list[tuple[int, float, list[tuple[int, int, int]], list[str]]] = []
    encoded = text.encode()
    node = line.runs[0] if line.runs else ffi.NULL
    while node != ffi.NULL:
        item = node.data
        face = faces.number(item.item.analysis.font)
        for glyph, clusters in _glyphs(item, encoded):
            number, advance, across, rise = glyph
            if not parts or parts[-1][0] != face or parts[-1][1] != rise or rise:
                parts.append((face, rise, [], []))
            parts[-1][2].append((number, advance, across))
            parts[-1][3].append(clusters)
        node = node.next
    runs = tuple((Run("".join(words), tuple(glyphs), 0, face, style.size), rise) for face, rise, glyphs, words in parts)
    top = baseline + (style.height - height) / 2
    if not runs:
        return Run(text, (), width, style.face, style.size, rise=top)
    return Run(text, (), width, runs[0][0].face, style.size, rise=top, parts=runs)


def _glyphs(item: Any, encoded: bytes) -> list[tuple[tuple[int, int, int, float], str]]:
    """Return the glyphs of a part with the signs that each stands for; empty for the later ones of a cluster."""
    string = item.glyphs
    count = string.num_glyphs
    backwards = bool(item.item.analysis.level % 2)
    starts = [string.log_clusters[at] for at in range(count)]
    offset = item.item.offset
    found = []
    for at in range(count):
        info = string.glyphs[at]
        if info.glyph == _EMPTY:
            raise Unfillable("a sign without a glyph")
        if info.glyph & _UNKNOWN:
            raise Unfillable("a sign that no font of the brand has")
        ends = [one for one in starts if one > starts[at]]
        end = min(ends) if ends else item.item.length
        own = (
            starts.index(starts[at]) == at if not backwards else len(starts) - 1 - starts[::-1].index(starts[at]) == at
        )
        words = encoded[offset + starts[at] : offset + end].decode() if own else ""
        geometry = info.geometry
        found.append(((info.glyph, geometry.width, geometry.x_offset, geometry.y_offset / _RISE), words))
    return found
