"""What is drawn on the pages: the one form in which our layout and the engine's are compared and written.

All measures are CSS pixels from the page's top left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ccm.compose.document.fill.text import Run

Color = tuple[float, float, float, float]  # red, green, blue, alpha; each from 0 to 1


@dataclass(slots=True)
class Tag:
    """An element of the structure tree.

    kind: Its PDF name, such as TD.
    """

    kind: str
    children: list[Tag | Text] = field(default_factory=list)
    scope: str = ""
    alternative: str = ""


@dataclass(slots=True)
class Text:
    """Shaped text; y is the baseline."""

    x: float
    y: float
    run: Run
    face: int
    size: float
    color: Color
    page: int = 0


@dataclass(slots=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: Color


@dataclass(slots=True)
class Page:
    """One page, in painting order: areas and lines below all text."""

    width: float
    height: float
    areas: list[Area] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
