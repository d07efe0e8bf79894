"""What a document says to its reader: by a reader of our own where filling made the file, by PDFium otherwise.

One of a thousand documents, chosen by the piece's id, is read by both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ccm.check.filled_pdf import FilledReading, Unread, read_filled
from ccm.check.pdf_text import PdfReading, read_pdf
from ccm.check.shape import lines_of

_BOTH_OF = 1000  # one of so many documents is read by both readers


@dataclass(frozen=True)
class DocumentReading:
    """Text and links of one document.

    text: As it stands there, page after page.
    rows: Its lines in comparable form, each as the cells that it is made of; one cell where that is not known.
    links: Targets of all web links.
    straight: All letters run from left to right; where this is not known, it is not said.
    doubt: How the two readers differ; empty if they agree, or only one was asked.
    """

    text: str
    rows: tuple[tuple[str, ...], ...]
    links: tuple[str, ...]
    straight: bool = False
    doubt: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines in comparable form."""
        return tuple(map(" ".join, self.rows))


def read_document(content: bytes, piece_id: str) -> DocumentReading:
    """Read a document; an unreadable one says nothing.

    Where two readers differ, the general one is believed and the doubt is told.
    """
    try:
        filled = read_filled(content)
    except Unread:
        return _by_pdfium(content)
    if not is_read_twice(piece_id):
        return _by_own_reader(filled)
    general = _by_pdfium(content)
    doubt = next(_differences(_by_own_reader(filled), general), "")
    return DocumentReading(general.text, general.rows, general.links, doubt=doubt)


def is_read_twice(piece_id: str) -> bool:
    """Tell whether a document is read by both readers."""
    return int.from_bytes(hashlib.sha256(piece_id.encode()).digest()[4:8], "big") % _BOTH_OF == 0


def _by_own_reader(filled: FilledReading) -> DocumentReading:
    lines = [line for page in filled.pages for line in page]
    rows = tuple([tuple([cell.plain for cell in line]) for line in lines])
    text = "\n".join([" ".join([cell.text for cell in line]) for line in lines])
    return DocumentReading(text, rows, filled.links, straight=True)


def _by_pdfium(content: bytes) -> DocumentReading:
    try:
        found = read_pdf(content)
    except ValueError:
        found = PdfReading((), ())  # an empty body is a finding of its own
    text = "\n".join(found.pages)
    return DocumentReading(text, tuple((line,) for line in lines_of(text)), found.links)


def _differences(own: DocumentReading, general: DocumentReading) -> Iterator[str]:
    """Yield what differs; no text is quoted."""
    if own.links != general.links:
        yield "their links"
    if own.lines != general.lines:
        yield "their lines"
