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
    table: Place of a cell's table, row and column; its headers' places.
    """

    kind: str
    children: list[Tag | Text | Picture] = field(default_factory=list)
    alternative: str = ""
    area: tuple[float, float, float, float] | None = None
    cell: Cell | None = None


@dataclass(slots=True)
class Cell:
    """What a cell's tag says beside its content.

    name: Of a header cell. headers: Names of the header cells it belongs to.
    """

    name: str = ""
    headers: tuple[str, ...] = ()
    span: int = 1


@dataclass(slots=True)
class Text:
    """Shaped text; y is the baseline."""

    x: float
    y: float
    run: Run
    color: Color
    mark: int = 0


@dataclass(slots=True)
class Picture:
    """A drawing of the engine's, moved from where the engine drew it."""

    operators: bytes
    dx: float
    dy: float
    mark: int = 0


@dataclass(slots=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: Color


@dataclass(slots=True)
class Bookmark:
    """A heading in the file's outline."""

    level: int
    title: str
    page: int
    x: float
    y: float


@dataclass(slots=True)
class Page:
    """One page, in painting order: areas and lines below all text."""

    width: float
    height: float
    areas: list[Area] = field(default_factory=list)
    marked: list[Text | Picture] = field(default_factory=list)
    beside: list[Text | Picture] = field(default_factory=list)  # heads and feet, which are no part of what is read
    tags: list[Tag] = field(default_factory=list)


@dataclass(slots=True)
class Display:
    """A whole document."""

    title: str
    language: str
    pages: list[Page]
    bookmarks: list[Bookmark] = field(default_factory=list)
