"""Blocks that the engine laid out, taken over as they are: letterheads, heads and feet of pages.

What the engine made of a block is the same wherever the same block stands in the same width; only its place differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ccm.compose.document.fill.display import Area, Page, Picture, Stripe, Tag, Text
from ccm.compose.document.fill.measures import color
from ccm.compose.document.fill.tags import kind_of
from ccm.compose.document.fill.text import Fonts
from ccm.compose.document.fill.unfillable import Unfillable

_STATES = frozenset(("A1.0", "a1", "a1.0", "A1"))


class Lift:
    """One block as the engine laid it out.

    x, y: Of its border box, in px; height: likewise.
    """

    def __init__(self, box: Any, fonts: Fonts, *, readable: bool) -> None:
        self.x, self.y = box.border_box_x(), box.border_box_y()
        self.height: float = box.border_height()
        self._fonts = fonts
        self._areas: list[Area] = []
        self._items: list[Text | Picture] = []
        self._tags: list[Tag] = []
        self._readable = readable
        self._tags = self._walk(box, "")

    def draw(self, page: Page, above: Tag | None, x: float, y: float) -> None:
        """Draw it with its border box at another place."""
        dx, dy = x - self.x, y - self.y
        for area in self._areas:
            page.areas.append(replace(area, x=area.x + dx, y=area.y + dy))
        copies: dict[int, Text | Picture] = {}
        for item in self._items:
            if isinstance(item, Text):
                copies[id(item)] = Text(item.x + dx, item.y + dy, item.run, item.color)
            else:
                copies[id(item)] = Picture(item.operators, dx, dy)
        (page.marked if self._readable else page.beside).extend(copies.values())
        if self._readable:
            (page.tags if above is None else above.children).extend(_copied(tag, copies, dx, dy) for tag in self._tags)

    def _walk(self, box: Any, above: str) -> list[Tag]:
        """Take a box and what is in it; returns its tags."""
        from weasyprint.formatting_structure import boxes
        from weasyprint.layout.absolute import AbsolutePlaceholder

        if isinstance(box, AbsolutePlaceholder) or box.style["position"] not in ("static", "relative"):
            raise Unfillable("a positioned box")
        if box.style["position"] == "relative" and any(
            box.style[side] != "auto" for side in ("top", "right", "bottom", "left")
        ):
            raise Unfillable("a box that is moved")
        self._decorate(box)
        if isinstance(box, boxes.LineBox):
            raise AssertionError("lines are walked by their blocks")
        if isinstance(box, boxes.MarginBox):
            tag = Tag("")
            self._children(box, tag, boxes)
            return [tag]
        name = box.element_tag or ""
        if isinstance(box, boxes.ReplacedBox):
            return [self._picture(box)]
        tag = Tag(kind_of(name) if name not in ("br",) else "NonStruct")
        self._children(box, tag, boxes)
        return [tag]

    def _children(self, box: Any, tag: Tag, boxes: Any) -> None:
        for child in box.children:
            if isinstance(child, boxes.LineBox):
                self._decorate(child)
                for part in child.children:
                    self._part(part, tag, boxes)
            else:
                self._part(child, tag, boxes)

    def _part(self, part: Any, tag: Tag, boxes: Any) -> None:
        if isinstance(part, boxes.TextBox):
            style = self._fonts.style(part.style)
            run = style.shape(part.text)
            if abs(run.width - part.width) > 0.01 and part.text.strip():
                raise Unfillable("text that the engine sets otherwise")
            text = Text(part.position_x, part.position_y + part.baseline, run, color(part.style["color"]))
            self._items.append(text)
            tag.children.append(text)
        else:
            tag.children += self._walk(part, tag.kind)

    def _picture(self, box: Any) -> Tag:
        from weasyprint.draw import draw_replacedbox

        canvas = _canvas()
        before = {name: len(part) for name, part in canvas._resources.items() if isinstance(part, dict)}
        draw_replacedbox(canvas, box)
        resources = canvas._resources
        grown = [name for name, size in before.items() if len(resources[name]) != size and name != "ExtGState"]
        if grown or set(resources["ExtGState"]) - _STATES:
            raise Unfillable("a picture with parts of its own")
        picture = Picture(b"\n".join(bytes(part) for part in canvas.stream), 0, 0)
        self._items.append(picture)
        x, y = box.content_box_x(), box.content_box_y()
        tag = Tag("Figure", [picture], box.element.attrib.get("alt", ""), (x, y, x + box.width, y + box.height))
        if not tag.alternative:
            raise Unfillable("a picture without words")
        return tag

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


def _canvas() -> Any:
    """Return a stream of the engine's that belongs to no file."""
    import pydyf
    from weasyprint.pdf.stream import Stream

    kinds = ("ExtGState", "XObject", "Pattern", "Shading", "ColorSpace", "Font")
    resources = pydyf.Dictionary({kind: pydyf.Dictionary() for kind in kinds})
    return Stream({}, (0, 0, 10_000, 10_000), resources, {}, None, {}, None, compress=False)


def _copied(tag: Tag, copies: dict[int, Text | Picture], dx: float, dy: float) -> Tag:
    children: list[Tag | Text | Picture | Stripe] = [
        _copied(one, copies, dx, dy) if isinstance(one, Tag) else copies[id(one)] for one in tag.children
    ]
    area = (tag.area[0] + dx, tag.area[1] + dy, tag.area[2] + dx, tag.area[3] + dy) if tag.area else None
    return Tag(tag.kind, children, tag.alternative, area, tag.cell)
