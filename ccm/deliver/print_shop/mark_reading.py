"""Looking at pages as the machine does: is the place of a mark empty, and can the printed marks be read back?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ccm.deliver.print_shop.marks import OMR_PLACES, Box, bar_box, mark_area, parse_mark
from ccm.deliver.print_shop.settings import PrintSettings
from ccm.deliver.print_shop.words import Marks, Paper

_LOOK_DPI = 100  # enough to see a hairline
_READ_DPI = 200  # 3.5 pixels for a module of a DataMatrix
_WHITE = 250  # of 255; a tint that a printer may leave out still counts as something
_DARK = 128
_SIZE_TOLERANCE_MM = 1.0
_POINTS_PER_MM = 72 / 25.4


class PageUnfit(Exception):
    """A document cannot be printed as it is.

    reason: A word for manifests.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")


def examine_pages(content: bytes, pages: int, settings: PrintSettings) -> None:
    """See whether a document can be printed with marks.

    Args:
        content: The PDF.
        pages: How many it should have.
    Raises:
        PageUnfit: If it cannot be read, has other pages than said, another size, or something where the mark goes.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        raise PageUnfit("unreadable-document", "it is no PDF that can be opened; compose it again") from None
    try:
        if len(document) != pages or not pages:
            raise PageUnfit("altered-document", "put the archived document and its note back into the spool")
        area = mark_area(settings.marks, settings.mark_x_mm, settings.mark_y_mm)
        for number in range(pages):
            page = document[number]
            _refuse_size(page, settings.paper)
            if area is not None and (not settings.duplex or number % 2 == 0) and not _is_empty(page, area):
                raise PageUnfit(
                    "mark-area-not-empty",
                    f"page {number + 1} has something where the mark goes: move it with mark_x_mm and mark_y_mm, "
                    "or keep the place free in the template",
                )
    finally:
        document.close()


def read_marks(content: bytes, fronts: Sequence[int], kind: Marks, x_mm: float, y_mm: float) -> Iterator[str]:
    """Read the marks of a batch back from its picture, in the order of the sheets.

    Args:
        fronts: Pages with a mark, from 0.
    Returns:
        The text of each DataMatrix, or 0s and 1s of the OMR places; empty where nothing could be read.
    """
    import pypdfium2

    area = mark_area(kind, x_mm, y_mm)
    if area is None:
        return
    document = pypdfium2.PdfDocument(content)
    try:
        for number in fronts:
            picture = _picture(document[number], area, _READ_DPI)
            yield _datamatrix(picture) if kind is Marks.DATAMATRIX else _omr(picture, area, x_mm, y_mm)
    finally:
        document.close()


def _refuse_size(page: Any, paper: Paper) -> None:
    width, height = (side / _POINTS_PER_MM for side in page.get_size())
    wanted = paper.size_mm
    if page.get_rotation() or max(abs(width - wanted[0]), abs(height - wanted[1])) > _SIZE_TOLERANCE_MM:
        raise PageUnfit("wrong-page-size", f"the print shop's paper is {paper}; set @page {{ size: {paper} }}")


def _is_empty(page: Any, area: Box) -> bool:
    darkest, _ = _picture(page, area, _LOOK_DPI).getextrema()
    return bool(darkest >= _WHITE)


def _picture(page: Any, area: Box, dpi: int) -> Any:
    """Return a part of a page as a grey picture."""
    width, height = page.get_size()
    left, top = area.x * _POINTS_PER_MM, area.y * _POINTS_PER_MM
    right = width - left - area.width * _POINTS_PER_MM
    bottom = height - top - area.height * _POINTS_PER_MM
    crop = tuple(max(0.0, side) for side in (left, bottom, right, top))
    return page.render(scale=dpi / 72, crop=crop, grayscale=True).to_pil().convert("L")


def _datamatrix(picture: Any) -> str:
    import zxingcpp

    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix))
    if len(found) != 1:
        return ""
    try:
        return str(parse_mark(found[0].text))
    except ValueError:
        return ""


def _omr(picture: Any, area: Box, x_mm: float, y_mm: float) -> str:
    """Tell for every place whether its middle is dark."""
    places = []
    scale = _READ_DPI / 25.4
    for place in range(OMR_PLACES):
        bar = bar_box(place, x_mm, y_mm)
        middle = (
            round((bar.x + bar.width / 2 - max(area.x, 0)) * scale),
            int((bar.y + bar.height / 2 - max(area.y, 0)) * scale),
        )
        places.append("1" if picture.getpixel(middle) < _DARK else "0")
    return "".join(places)
