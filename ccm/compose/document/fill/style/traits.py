"""What layout wants to know of one structure, read once out of its computed style."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ccm.compose.document.fill.style.measures import Percent, Size, borders, size
from ccm.compose.document.fill.style.painting import Look
from ccm.compose.document.fill.unfillable import Unfillable

_SIDES = ("top", "right", "bottom", "left")
_NONE: Mapping[str, float] = MappingProxyType({})
_OUT_OF_FLOW = ("absolute", "fixed")
_RAISED = ("relative", *_OUT_OF_FLOW)


class Traits:
    """One structure's measures and ways.

    Four values always stand for top, right, bottom, left. Widths and heights are as said: of the content, or of the
    border box where `bordered` says so.

    z: Which layer a positioned box makes of itself and all that stands in it; None if it makes none.
    """

    __slots__ = (
        "_look",
        "avoids",
        "border",
        "bordered",
        "display",
        "height",
        "inset",
        "level",
        "ltr",
        "margin",
        "min_height",
        "min_width",
        "out",
        "padding",
        "position",
        "raised",
        "style",
        "width",
        "z",
    )  # fmt: skip

    def __init__(self, style: Any, shares: Mapping[str, float] = _NONE) -> None:
        """Read a style.

        Args:
            shares: Lengths in percent that one element of the structure says itself; the style is another's.
        """
        self.style = style
        self.display: tuple[str, ...] = style["display"]
        position = style["position"]
        self.position: str = position if isinstance(position, str) else "running"
        self.out = self.position in _OUT_OF_FLOW
        self.raised = self.position in _RAISED
        self.z: int | None = style["z_index"] if self.raised and style["z_index"] != "auto" else None
        if self.z is not None and self.z < 0:
            raise Unfillable("a negative z-index")
        if style["float"] != "none":
            raise Unfillable("float")
        if style["box_sizing"] not in ("content-box", "border-box"):
            raise Unfillable("box-sizing")
        self.bordered = style["box_sizing"] == "border-box"
        self.margin: tuple[Size, ...] = tuple(size(style[f"margin_{side}"]) for side in _SIDES)
        self.padding: tuple[Size, ...] = tuple(size(style[f"padding_{side}"]) for side in _SIDES)
        self.border = borders(style)
        own = {name: Percent(value) for name, value in shares.items()}
        self.inset: tuple[Size, ...] = tuple(own.get(side, size(style[side])) for side in _SIDES)
        self.width = own.get("width", size(style["width"]))
        self.height = size(style["height"])
        self.min_width, self.min_height = size(style["min_width"]), size(style["min_height"])
        self.ltr: bool = style["direction"] == "ltr"
        self.avoids: bool = style["break_inside"] in ("avoid", "avoid-page")
        self.level: object = style["bookmark_level"]
        self._look: Look | None = None

    @property
    def look(self) -> Look:
        """How its boxes are painted.

        Raises:
            Unfillable: If that is not known.
        """
        if self._look is None:
            self._look = Look(self.style)
        return self._look
