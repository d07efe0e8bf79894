"""Texts that need more than one font, other directions or other scripts: shaped by the engine's own Pango.

The glyphs come as Pango placed them, so that what is drawn is what the engine would draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill.run import Glyph, Run
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.text.shaping import TextStyle

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
    glyphs: list[Glyph] = []
    clusters: list[tuple[int, str]] = []
    encoded = text.encode()
    node = line.runs[0] if line.runs else ffi.NULL
    while node != ffi.NULL:
        item = node.data
        face = faces.number(item.item.analysis.font)
        opens = True
        for placed, words in _clusters(item, encoded):
            clusters.append((len(placed), words))
            for number, advance, across, rise in placed:
                glyphs.append(Glyph(face, number, advance, across, rise, opens))
                opens = False
        node = node.next
    top = baseline + (style.height - height) / 2
    face = glyphs[0].face if glyphs else style.face
    turned = bool(layout.first_line_direction % 2)
    return Run(
        text, (), width, face, style.size, rise=top, parts=tuple(glyphs), clusters=tuple(clusters), turned=turned
    )


def _clusters(item: Any, encoded: bytes) -> Iterator[tuple[list[tuple[int, int, int, float]], str]]:
    """Return the glyphs of a part in the order they are drawn, those together that stand for one text."""
    string = item.glyphs
    count = string.num_glyphs
    starts = [string.log_clusters[at] for at in range(count)]
    edges = sorted({*starts, item.item.length})
    offset = item.item.offset
    at = 0
    while at < count:
        start = starts[at]
        glyphs: list[tuple[int, int, int, float]] = []
        while at < count and starts[at] == start:
            info = string.glyphs[at]
            geometry = info.geometry
            if info.glyph == _EMPTY:
                if geometry.width:
                    raise Unfillable("a sign without a glyph")
            elif info.glyph & _UNKNOWN:
                raise Unfillable("a sign that no font of the brand has")
            else:
                glyphs.append((info.glyph, geometry.width, geometry.x_offset, geometry.y_offset / _RISE))
            at += 1
        if glyphs:
            yield glyphs, encoded[offset + start : offset + edges[edges.index(start) + 1]].decode()
