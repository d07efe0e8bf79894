"""Cards: the picture of a social post, set like a page of the size of the picture."""

from __future__ import annotations

import io
from typing import Any

from ccm.compose.document.layout_problem import LayoutProblem, prevents_output
from ccm.compose.document.typesetting import Typesetter
from ccm.model.workspace import Brand, ContentLibrary, Template

WIDTH_PX, HEIGHT_PX = 1200, 630  # what Open Graph previews of all five networks show whole
_POINTS_PER_PIXEL = 0.75


class CardRenderer:
    """Makes the cards of one template in one brand; keep it for a whole run, one per thread."""

    def __init__(self, template: Template, brand: Brand, library: ContentLibrary) -> None:
        self._arguments = (template, brand, library)
        self._typesetters: dict[tuple[int, int], Typesetter] = {}

    def render_card(
        self,
        html: str,
        *,
        language: str,
        direction: str,
        width_px: int = WIDTH_PX,
        height_px: int = HEIGHT_PX,
    ) -> tuple[bytes, tuple[LayoutProblem, ...]]:
        """Return the card as PNG with what is wrong with it; the same text always gives the same bytes.

        Args:
            html: The rendered card.html.
            language: BCP 47.
            direction: ltr or rtl.
            width_px: Of the picture; one CSS pixel is one pixel.
            height_px: Likewise.
        Returns:
            PNG, empty if a problem is an error: a missing image or glyph, or text that does not fit the card.
        """
        typesetter = self._typesetter(width_px, height_px)
        typeset = typesetter.write(html, language=language, direction=direction, finish=_as_it_is)
        problems = list(typeset.problems)
        if typeset.document is not None and len(typeset.document.pages) > 1:
            problems.append(
                LayoutProblem(
                    "clipped-content", "the text does not fit the card", "shorten card.html or use a smaller font"
                )
            )
        if prevents_output(problems):
            return b"", tuple(problems)
        return _raster(typeset.content, width_px, height_px), tuple(problems)

    def _typesetter(self, width_px: int, height_px: int) -> Typesetter:
        size = (width_px, height_px)
        if size not in self._typesetters:
            template, brand, library = self._arguments
            style = f"@page {{ size: {width_px}px {height_px}px; margin: 0 }} html, body {{ margin: 0 }}"
            self._typesetters[size] = Typesetter(brand, library, roots=(template.root,), style=style)
        return self._typesetters[size]


def _as_it_is(_document: Any) -> None:
    """Leave the metadata: it never leaves this module."""


def _raster(pdf: bytes, width_px: int, height_px: int) -> bytes:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        picture = document[0].render(scale=1 / _POINTS_PER_PIXEL).to_pil().convert("RGB")
    finally:
        document.close()
    if picture.size != (width_px, height_px):
        picture = picture.resize((width_px, height_px))
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=False, compress_level=6)
    return written.getvalue()
