"""The addresses that a PDF's links lead to."""

from __future__ import annotations

import ctypes


def pdf_links(content: bytes) -> tuple[str, ...]:
    """Return the targets of all web links, page by page; none if the file cannot be read.

    Args:
        content: A PDF file. Its link annotations lie in compressed objects, so the bytes alone do not tell.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        return ()
    found: list[str] = []
    try:
        for index in range(len(document)):
            page = document[index]
            place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
            while pdfium.FPDFLink_Enumerate(page, ctypes.byref(place), ctypes.byref(link)):
                action = pdfium.FPDFLink_GetAction(link)
                size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
                if size:
                    target = ctypes.create_string_buffer(size)
                    pdfium.FPDFAction_GetURIPath(document, action, target, size)
                    found.append(target.value.decode("utf-8", "replace"))
            page.close()
    finally:
        document.close()
    return tuple(found)
