"""Pictures: images that the engine drew once, and inline SVG of plain paths, such as our own charts and codes.

Source: WeasyPrint 70, layout/replaced.py, svg/.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill.display import Drawing
from ccm.compose.document.fill.layout.parts import Box
from ccm.compose.document.fill.layout.svg_paths import path
from ccm.compose.document.fill.style.measures import used
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

if TYPE_CHECKING:
    from ccm.compose.document.fill.layout.blocks import Place

_PATH = re.compile(r"<path((?:\s+[a-z-]+=\"[^\"<]*\")*)\s*/>")
_SOURCE = re.compile(r"<title>([^<]*)</title>((?:<path(?:\s+[a-z-]+=\"[^\"<]*\")*\s*/>)*)")
_NUMBER = re.compile(r"-?\d*\.?\d+")
_OPACITY = re.compile(r"[aA](?:1|0\.\d{1,17})")  # the engine's names of states
_USUAL_STATES = frozenset(("A1.0", "a1", "a1.0"))  # that every file has
_LENGTH = re.compile(r"(\d*\.?\d+)(mm|px|)")
_SHARE = re.compile(r"\d*\.?\d+%")
_OF_LAYOUT = re.compile(
    r"(?:margin|padding|border|background|flex)(?:-[a-z-]+)?|display|vertical-align|position|top|right|bottom|left|"
    r"align-self|order|color"
)
_PER_UNIT = {"mm": 96 / 25.4, "px": 1.0, "": 1.0}
_ABSENT = 300.0, 150.0  # the engine's size for pictures that say none


@dataclass(frozen=True)
class Intrinsic:
    """The size a picture has by itself, where it has one."""

    width: float | None
    height: float | None
    ratio: float | None


class NewPicture(Exception):
    """An image that the engine has not drawn yet."""


class Pictures:
    """The pictures of one set of style sheets."""

    def __init__(self) -> None:
        self._sizes: dict[str, Intrinsic] = {}
        self._drawn: dict[tuple[str, float, float], Drawing] = {}

    def learn(self, source: str, intrinsic: Intrinsic, width: float, height: float, drawing: Drawing) -> None:
        """Take an image that the engine drew."""
        self._sizes[source] = intrinsic
        self._drawn[source, round(width, 3), round(height, 3)] = drawing

    def intrinsic(self, element: Element) -> Intrinsic:
        """Return the size of a picture.

        Raises:
            NewPicture: If the engine must draw it first.
        """
        if element.tag == "svg":
            return _of_svg(element.attributes)
        known = self._sizes.get(dict(element.attributes).get("src", ""))
        if known is None:
            raise NewPicture
        return known

    def content_width(self, element: Element, traits: Traits, *, least: bool) -> float:
        """Return the width that a picture asks for."""
        said = traits.width
        if type(said) is float:
            return said
        if said is not None:
            return 0.0
        height = traits.height if type(traits.height) is float else None
        own = self.intrinsic(element)
        default = (0.0, 0.0) if least else _ABSENT
        return _sized(own, height, default)[0]

    def size(self, box: Box, place: Place) -> None:
        """Find the size of a picture in the flow."""
        traits = box.traits
        if traits.min_width or traits.min_height or (traits.bordered and (any(box.padding) or any(box.border))):
            raise Unfillable("min-width, min-height or box-sizing of a picture")
        width, height = used(traits.width, place.width), used(traits.height, place.height)
        own = self.intrinsic(box.element)
        if width is None and height is None and own.width is None and own.height is None:
            raise Unfillable("a picture without a size")
        if width is None:
            if height is None and own.width is not None:
                width = own.width
            elif own.ratio is not None:
                width = (height if height is not None else own.height or 0.0) * own.ratio
            else:
                width = own.width if own.width is not None else _ABSENT[0]
        box.width = width
        box.height = self._height(own, traits, width, height)

    def size_for(self, box: Box, width: float) -> None:
        """Find the height of a picture whose width is known."""
        if box.traits.min_height or box.traits.bordered:
            raise Unfillable("min-height or box-sizing of a picture")
        height = box.traits.height
        box.width = width
        box.height = self._height(
            self.intrinsic(box.element), box.traits, width, height if type(height) is float else None
        )

    def _height(self, own: Intrinsic, traits: Traits, width: float, height: float | None) -> float:
        if height is not None:
            return height
        if traits.width is None and own.height is not None and own.width is not None:
            return own.height
        if own.ratio:
            return width / own.ratio
        return own.height if own.height is not None else _ABSENT[1]

    def draw(self, box: Box) -> None:
        """Give a picture its drawing and its words."""
        style = box.traits.style
        if (
            style["object_fit"] != "fill"
            or style["visibility"] != "visible"
            or style["opacity"] != 1
            or style["transform"]
        ):
            raise Unfillable("a picture that is fitted, hidden or turned")
        if style["overflow"] == "visible":  # then the engine does not raise it over the texts around it
            raise Unfillable("overflow of a picture")
        element = box.element
        if element.tag == "svg":
            text = element.children[0] if element.children else ""
            assert isinstance(text, str)
            box.drawing, box.words = _drawn(text, dict(element.attributes).get("viewBox", ""), box.width, box.height)
            return
        attributes = dict(element.attributes)
        drawing = self._drawn.get((attributes.get("src", ""), round(box.width, 3), round(box.height, 3)))
        if drawing is None:
            raise NewPicture
        box.drawing, box.words = drawing, attributes.get("alt", "")


def drawn_by_the_engine(box: Any) -> Drawing:
    """Return an image as the engine draws it.

    Raises:
        Unfillable: If the drawing needs more than operators and opacities.
    """
    import pydyf
    from weasyprint.pdf.stream import Stream

    kinds = ("ExtGState", "XObject", "Pattern", "Shading", "ColorSpace", "Font")
    resources = pydyf.Dictionary({kind: pydyf.Dictionary() for kind in kinds})
    canvas = Stream({}, (0, 0, 10_000, 10_000), resources, {}, None, {}, None, compress=False)
    before = {name: len(part) for name, part in canvas._resources.items() if isinstance(part, dict)}
    with canvas.stacked():
        canvas.set_alpha(1)
        with canvas.stacked():
            box.replacement.draw(canvas, box.width, box.height, box.style)
    resources = canvas._resources
    grown = [name for name, count in before.items() if len(resources[name]) != count and name != "ExtGState"]
    states = set(resources["ExtGState"]) - _USUAL_STATES
    if grown or not all(_OPACITY.fullmatch(one) for one in states):
        raise Unfillable("a picture with parts of its own")
    operators = b"\n".join(bytes(part) for part in canvas.stream)
    return Drawing(operators, frozenset(one.encode("ascii") for one in states))


def _sized(own: Intrinsic, height: float | None, default: tuple[float, float]) -> tuple[float, float]:
    """Return the size of a picture of which one length is said, or none (`default_image_sizing`)."""
    if height is not None:
        if own.ratio is not None:
            return height * own.ratio, height
        return own.width if own.width is not None else default[0], height
    if own.width is not None or own.height is not None:
        wide = own.width if own.width is not None else (own.height or 0.0) * (own.ratio or 0.0) or default[0]
        return wide, own.height if own.height is not None else default[1]
    if own.ratio is not None:
        wide = min(default[0], default[1] * own.ratio)
        return wide, wide / own.ratio
    return default


@lru_cache(maxsize=256)
def _of_svg(attributes: tuple[tuple[str, str], ...]) -> Intrinsic:
    said = dict(attributes)
    said |= _sizes_in_style(said.get("style", ""))
    box = _view(said.get("viewBox", ""))
    ratio = box[2] / box[3]
    wide, high = _svg_length(said.get("width", "")), _svg_length(said.get("height", ""))
    if wide is None and high is None:
        return Intrinsic(None, None, ratio)
    if wide is None:
        return Intrinsic((high or 0.0) * ratio, high, ratio)
    if high is None:
        return Intrinsic(wide, wide / ratio, ratio)
    return Intrinsic(wide, high, wide / high)


def _sizes_in_style(style: str) -> dict[str, str]:
    """Return width and height in the style of an SVG, which drawings read as attributes, as they do all that stands there.

    Raises:
        Unfillable: If anything else there may change the drawing.
    """
    found = {}
    for declaration in filter(str.strip, style.split(";")):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name in ("width", "height"):
            found[name] = value
        elif _OF_LAYOUT.fullmatch(name) is None:
            raise Unfillable("a style of <svg> beside its size and place")
    return found


def _svg_length(text: str) -> float | None:
    if not text or _SHARE.fullmatch(text):
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise Unfillable("a length of an SVG")
    return float(found[1]) * _PER_UNIT[found[2]]


def _view(text: str) -> tuple[float, float, float, float]:
    numbers = text.split()
    if len(numbers) != 4 or not all(_NUMBER.fullmatch(one) for one in numbers):
        raise Unfillable("an SVG without a plain viewBox")
    left, top, wide, high = (float(one) for one in numbers)
    if not wide or not high:
        raise Unfillable("an SVG without a plain viewBox")
    return left, top, wide, high


def _drawn(source: str, view: str, width: float, height: float) -> tuple[Drawing, str]:
    """Return an SVG of plain paths, and its title."""
    found = _SOURCE.fullmatch(source)
    if found is None:
        raise Unfillable("an SVG that is more than a title and plain paths")
    left, top, wide, high = _view(view)
    scale = min(width / wide, height / high)
    dx = (width - wide * scale) / 2 - left * scale
    dy = (height - high * scale) / 2 - top * scale
    parts = [
        b"0 0 %.3f %.3f re\nW\nn" % (width, height),
        b"%.6f 0 0 %.6f %.3f %.3f cm" % (scale, scale, dx, dy),
    ]
    paths = [path(attributes) for attributes in _PATH.findall(found[2])]
    parts += [one.operators for one in paths]
    return Drawing(b"\n".join(parts), frozenset().union(*[one.states for one in paths])), html.unescape(found[1])
