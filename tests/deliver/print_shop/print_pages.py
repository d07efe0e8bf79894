"""Cheap letters for tests: real PDFs with text, made by hand in a tenth of a millisecond, and a spool full of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pikepdf

from ccm.deliver.print_shop.adapter import PrintAdapter
from ccm.deliver.print_shop.closing import Press
from ccm.model.definitions import Channel
from ccm.model.records import DocumentRendition, Envelope, PostalAddress, ReceiptStatus

RUN = "notice.2026-10"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
A4 = (595.276, 841.89)


def letter_pdf(
    text: str, pages: int = 1, *, size: tuple[float, float] = A4, dirt_mm: tuple[float, float] | None = None
) -> bytes:
    """Return a PDF whose pages say `<text> <number>`.

    Args:
        dirt_mm: Where a grey dot of 1 mm stands on the last page, from the upper left corner.
    """
    pdf = pikepdf.new()
    font = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    for number in range(1, pages + 1):
        pdf.add_blank_page(page_size=size)
        page = pdf.pages[-1]
        # The content leaves a scaled coordinate system behind, as some programs do.
        drawn = f"BT /F1 12 Tf 90 700 Td ({text} {number}) Tj ET 0.5 0 0 0.5 30 30 cm 1 0 0 rg"
        if dirt_mm and number == pages:
            x, y = dirt_mm[0] * 72 / 25.4, size[1] - (dirt_mm[1] + 1) * 72 / 25.4
            drawn = f"q 0.8 g {x:.2f} {y:.2f} 2.83 2.83 re f Q {drawn}"
        page.Contents = pdf.make_stream(drawn.encode())
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Annots = pdf.make_indirect(pikepdf.Array([]))
    file = io.BytesIO()
    pdf.save(file, deterministic_id=True)
    return file.getvalue()


def postal(
    name: str = "Ann Example", street: str = "Musterweg 1", code: str = "12345", country: str = "DE"
) -> PostalAddress:
    """Return an address."""
    return PostalAddress((name, street, f"{code} Stadt"), name=name, postal_code=code, country=country)


def envelope(
    number: int | str, pages: int = 1, to: PostalAddress | None = None, *, content: bytes | None = None, **fields: str
) -> Envelope:
    """Return one letter; its piece id has the length of real ones."""
    key = number if isinstance(number, str) else f"p-{number:026}"
    to = to or postal(f"Ann Example{number}", f"Musterweg {number}")
    content = content or letter_pdf(key, pages)
    tags = {"run": fields.get("run", RUN), "campaign": "notice", "occurrence": "2026-10"}
    rendition = DocumentRendition(key, "letter.pdf", "Letter", pages, content)
    brand = fields.get("brand", "Plain Ltd")
    return Envelope(
        key, Channel.DOCUMENT, brand, "", rendition, tags, "notice@1.0.0+abc", fields.get("locale", "de-DE"), to
    )


def printer(root: Path, settings: Mapping[str, str] | None = None) -> PrintAdapter:
    """Return a print provider called mine."""
    return PrintAdapter.from_settings("mine", settings or {}, root=str(root))


def press(adapter: PrintAdapter) -> Press:
    """Return its press."""
    return Press(adapter.provider, adapter.settings)


def spooled(adapter: PrintAdapter, *envelopes: Envelope) -> None:
    """Have letters accepted."""
    for one in envelopes:
        assert adapter.deliver(one).status is ReceiptStatus.ACCEPTED


def batch_files(root: Path, run: str = RUN) -> dict[str, bytes]:
    """Return the batches' files by name."""
    folder = root / "print" / "batches" / run
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}
