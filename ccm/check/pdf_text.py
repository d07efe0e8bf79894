"""The text that a reader of a PDF gets, page by page."""

from __future__ import annotations


def pdf_text(content: bytes) -> tuple[str, ...]:
    """Return the text of each page, lines joined by a line feed.

    Args:
        content: A PDF file.
    Returns:
        One text per page, in order. Right-to-left text comes in reading order, but letters of shaped
        Arabic may come in their presentation forms; compare it normalised (NFKC).
    Raises:
        ValueError: If the file cannot be read.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as fault:
        raise ValueError("this is not a readable PDF file") from fault
    try:
        return tuple(_page_text(document[index]) for index in range(len(document)))
    finally:
        document.close()


def _page_text(page: object) -> str:
    text = page.get_textpage()  # type: ignore[attr-defined]  # pypdfium2 has no types
    try:
        return str(text.get_text_bounded()).replace("\r\n", "\n").replace("\r", "\n")
    finally:
        text.close()
        page.close()  # type: ignore[attr-defined]
