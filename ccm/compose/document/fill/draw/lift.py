"""Heads and feet of pages that the engine laid out, taken over as they are: they hold what style sheets say, and no element."""

from __future__ import annotations

from typing import Any

from ccm.compose.document.fill.display import Area, Page, Picture, Text
from ccm.compose.document.fill.layout.figures import drawn_by_the_engine
from ccm.compose.document.fill.layout.tags import kind_of
from ccm.compose.document.fill.style.measures import color
from ccm.compose.document.fill.text.shaping import Fonts
from ccm.compose.document.fill.unfillable import Unfillable


class Lift:
    """One head or foot as the engine laid it out; no screen reader reads it."""

    def __init__(self, box: Any, fonts: Fonts) -> None:
        self._fonts = fonts
        self._areas: list[Area] = []
        self._items: list[Text | Picture] = []
        self._walk(box)

    def draw(self, page: Page) -> None:
        """Draw it where it stood."""
        page.areas += self._areas
        page.beside += self._items

    def _walk(self, box: Any) -> None:
        """Take a box and what is in it."""
        from weasyprint.formatting_structure import boxes
        from weasyprint.layout.absolute import AbsolutePlaceholder

        if isinstance(box, AbsolutePlaceholder) or box.style["position"] not in ("static", "relative"):
            raise Unfillable("a positioned box")
        if box.style["position"] == "relative" and any(
            box.style[side] != "auto" for side in ("top", "right", "bottom", "left")
        ):
            raise Unfillable("a box that is moved")
        self._decorate(box)
        if isinstance(box, boxes.ReplacedBox):
            self._picture(box)
            return
        if box.element_tag not in (None, "br"):
            kind_of(box.element_tag)  # refuses what has meaning beyond its words
        for child in box.children:
            if isinstance(child, boxes.LineBox):
                self._decorate(child)
            for part in child.children if isinstance(child, boxes.LineBox) else (child,):
                if isinstance(part, boxes.TextBox):
                    self._text(part)
                else:
                    self._walk(part)

    def _text(self, box: Any) -> None:
        run = self._fonts.style(box.style).shape(box.text)
        if abs(run.width - box.width) > 0.01 and box.text.strip():
            raise Unfillable("text that the engine sets otherwise")
        self._items.append(Text(box.position_x, box.position_y + box.baseline, run, color(box.style["color"])))

    def _picture(self, box: Any) -> None:
        if box.element is None or not box.element.attrib.get("alt"):
            raise Unfillable("a picture without words")
        style = box.style
        if style["object_fit"] != "fill" or style["visibility"] != "visible":
            raise Unfillable("a picture that is fitted or hidden")
        x, y = box.content_box_x(), box.content_box_y()
        self._items.append(Picture(drawn_by_the_engine(box), x, y, box.width, box.height))

    def _decorate(self, box: Any) -> None:
        style = box.style
        background = style["background_color"]
        if style["background_image"] != (("none", None),) or style["box_shadow"] or style["opacity"] != 1:
            raise Unfillable("a background picture, shadow or opacity")
        x, y, width, height = box.border_box_x(), box.border_box_y(), box.border_width(), box.border_height()
        if background.alpha:
            self._round(style)
            self._areas.append(Area(x, y, width, height, color(background, style["color"])))
        for side in ("top", "right", "bottom", "left"):
            thick = getattr(box, f"border_{side}_width", 0)
            if not thick:
                continue
            self._round(style)
            if style[f"border_{side}_style"] != "solid":
                raise Unfillable("a border that is not solid")
            ink = color(style[f"border_{side}_color"], style["color"])
            wide, high = (width, thick) if side in ("top", "bottom") else (thick, height)
            left = x + width - thick if side == "right" else x
            top = y + height - thick if side == "bottom" else y
            self._areas.append(Area(left, top, wide, high, ink))

    def _round(self, style: Any) -> None:
        corners = ("top_left", "top_right", "bottom_left", "bottom_right")
        if any(length.value for corner in corners for length in style[f"border_{corner}_radius"]):
            raise Unfillable("round corners")
