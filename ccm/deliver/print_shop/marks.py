"""What an inserter machine reads on the front of every sheet: a DataMatrix or OMR bars, as rectangles. Pure.

The text of a DataMatrix has fixed places: `<piece id>/<sheet 3><sheets 3><envelope 6><sequence 7>`. Sheet counts within the
envelope, the envelope within its batch, and so does the sequence of sheets: a missing or doubled sheet is seen at once.
OMR bars, from above: start, first sheet, last sheet, sequence modulo 8 in three bits (1, 2, 4), feeders 1 to 4, parity
(the number of bars is even), stop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ccm.deliver.print_shop.words import Marks

MODULE_MM = 0.45  # one square of a DataMatrix; cameras of inserters want 0.4 and more
_MODULES = 26  # room that is kept free; a piece id and the numbers take 24
DATAMATRIX_QUIET_MM = 1.5
BAR_WIDTH_MM = 8.0
BAR_HEIGHT_MM = 0.5
BAR_PITCH_MM = 25.4 / 6  # six lines an inch, as readers are set
OMR_QUIET_MM = 2.0
OMR_PLACES = 12
OMR_FEEDERS = 4
_TEXT = re.compile(r"(.{1,121})/(\d{3})(\d{3})(\d{6})(\d{7})")


@dataclass(frozen=True)
class SheetMark:
    """What one sheet says of itself; all numbers from 1.

    feeders: Feeders that add an insert to its envelope.
    """

    piece_id: str
    sheet: int
    sheets: int
    envelope: int
    sequence: int
    feeders: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.piece_id}/{self.sheet:03}{self.sheets:03}{self.envelope:06}{self.sequence:07}"


@dataclass(frozen=True)
class Box:
    """A rectangle on the sheet, in millimetres from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


def parse_mark(text: str) -> SheetMark:
    """Read the text of a DataMatrix.

    Raises:
        ValueError: If it is none of ours.
    """
    match = _TEXT.fullmatch(text)
    if not match:
        raise ValueError("the code is not one of this engine's sheets")
    sheet, sheets, envelope, sequence = (int(number) for number in match.groups()[1:])
    return SheetMark(match[1], sheet, sheets, envelope, sequence)


def mark_area(kind: Marks, x_mm: float, y_mm: float) -> Box | None:
    """Return the part of the sheet that must be empty for a mark: it and its quiet zone; None without marks."""
    match kind:
        case Marks.DATAMATRIX:
            edge = _MODULES * MODULE_MM + 2 * DATAMATRIX_QUIET_MM
            return Box(x_mm - DATAMATRIX_QUIET_MM, y_mm - DATAMATRIX_QUIET_MM, edge, edge)
        case Marks.OMR:
            height = (OMR_PLACES - 1) * BAR_PITCH_MM + BAR_HEIGHT_MM + 2 * OMR_QUIET_MM
            return Box(x_mm - OMR_QUIET_MM, y_mm - OMR_QUIET_MM, BAR_WIDTH_MM + 2 * OMR_QUIET_MM, height)
        case Marks.NONE:
            return None


def mark_boxes(kind: Marks, mark: SheetMark, x_mm: float, y_mm: float) -> tuple[Box, ...]:
    """Return the black rectangles of a sheet's mark."""
    match kind:
        case Marks.DATAMATRIX:
            return tuple(_modules(str(mark), x_mm, y_mm))
        case Marks.OMR:
            return tuple(_bars(omr_places(mark), x_mm, y_mm))
        case Marks.NONE:
            return ()


def omr_places(mark: SheetMark) -> tuple[bool, ...]:
    """Return which of the places have a bar."""
    sequence = mark.sequence % 8
    inner = [
        mark.sheet == 1,
        mark.sheet == mark.sheets,
        *(bool(sequence & bit) for bit in (1, 2, 4)),
        *(feeder in mark.feeders for feeder in range(1, OMR_FEEDERS + 1)),
    ]
    return (True, *inner, sum(inner) % 2 == 1, True)


def bar_box(place: int, x_mm: float, y_mm: float) -> Box:
    """Return where the bar of a place is, or would be."""
    return Box(x_mm, y_mm + place * BAR_PITCH_MM, BAR_WIDTH_MM, BAR_HEIGHT_MM)


def _bars(places: Iterable[bool], x_mm: float, y_mm: float) -> Iterator[Box]:
    return (bar_box(place, x_mm, y_mm) for place, there in enumerate(places) if there)


def _modules(text: str, x_mm: float, y_mm: float) -> Iterator[Box]:
    """Yield the dark runs of every row; runs of one row are one rectangle, so that no hairline divides them."""
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    image: Any = code.to_image(scale=1, add_quiet_zones=False)
    dots = memoryview(image)
    rows, columns = image.shape
    module = min(MODULE_MM, _MODULES * MODULE_MM / columns)
    for row in range(rows):
        column = 0
        while column < columns:
            start = column
            while column < columns and dots[row, column] == 0:
                column += 1
            if column > start:
                yield Box(x_mm + start * module, y_mm + row * module, (column - start) * module, module)
            column += 1
