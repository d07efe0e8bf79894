"""What a reader of a PDF gets: the text page by page, and the addresses its links lead to."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PdfReading:
    """Text and links of one file.

    pages: Text of each page, in order.
    links: Targets of all web links, page by page.
    """

    pages: tuple[str, ...]
    links: tuple[str, ...]


def read_pdf(content: bytes) -> PdfReading:
    """Read text and links in one pass: loading a page costs more than all that is read from it.

    Args:
        content: A PDF file.
    Returns:
        Text in reading order, lines joined by a line feed. Letters of shaped Arabic may come in their presentation
        forms; compare it normalised (NFKC).
    Raises:
        ValueError: If the file cannot be read.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as fault:
        raise ValueError("this is not a readable PDF file") from fault
    pages: list[str] = []
    links: list[str] = []
    try:
        for index in range(len(document)):
            page = document[index]
            pages.append(_text(page))
            links += _targets(document, page)
            page.close()
    finally:
        document.close()
    return PdfReading(tuple(pages), tuple(links))


def pdf_text(content: bytes) -> tuple[str, ...]:
    """Return the text of each page; see `read_pdf`."""
    return read_pdf(content).pages


def _text(page: Any) -> str:
    text = page.get_textpage()
    try:
        return str(text.get_text_bounded()).replace("\r\n", "\n").replace("\r", "\n")
    finally:
        text.close()


def _targets(document: Any, page: Any) -> list[str]:
    """Return where the links of a page lead; they lie in compressed objects, so the bytes alone do not tell."""
    import pypdfium2.raw as pdfium

    found: list[str] = []
    place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, ctypes.byref(place), ctypes.byref(link)):
        action = pdfium.FPDFLink_GetAction(link)
        size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
        if size:
            target = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, target, size)
            found.append(target.value.decode("utf-8", "replace"))
    return found
