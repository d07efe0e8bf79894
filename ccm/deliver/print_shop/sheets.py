"""One print-ready PDF out of many documents: every document on a new sheet, a mark on every front.

Merging drops tags, links and metadata of the documents: paper has no use for them. The archive keeps the documents
as they were composed, PDF/A and PDF/UA.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccm.deliver.print_shop.marks import Box, SheetMark, mark_boxes
from ccm.deliver.print_shop.records import BatchPlan, Closing, Letter
from ccm.deliver.print_shop.words import Paper

if TYPE_CHECKING:
    from pikepdf import Page, Pdf

_POINTS_PER_MM = 72 / 25.4
# Entries of a page that lead to other pages or to the tags; they would drag whole documents along.
_LEFT_BEHIND = ("/Annots", "/StructParents", "/Tabs", "/AA", "/B", "/Metadata", "/PieceInfo", "/Thumb")


@dataclass(frozen=True)
class Printed:
    """A batch as PDF.

    first_pages: Of every piece, from 1.
    fronts: Pages with a mark, from 0, with what it says.
    blank_pages: Backs that were added.
    withdrawn: Pieces that were forgotten; their pages are blank but for the marks.
    """

    content: bytes
    pages: int
    first_pages: dict[str, int]
    fronts: tuple[tuple[int, SheetMark], ...]
    blank_pages: int
    withdrawn: frozenset[str] = frozenset()


def print_batch(closing: Closing, batch: BatchPlan, content_of: Callable[[Letter], bytes | None]) -> Printed:
    """Make the PDF of a batch; the same closing and documents always give the same bytes.

    Args:
        content_of: Gives a letter's PDF; None for one that was forgotten.
    Raises:
        SpoolFault: If a document is not what was accepted (by `content_of`).
    """
    import pikepdf

    target = pikepdf.new()
    first_pages: dict[str, int] = {}
    fronts: list[tuple[int, SheetMark]] = []
    blanks = 0
    withdrawn: set[str] = set()
    for letter, marks in _marked(closing, batch):
        first = len(target.pages)
        first_pages[letter.piece_id] = first + 1
        content = content_of(letter)
        if content is None:
            withdrawn.add(letter.piece_id)
            for _ in range(letter.pages):
                target.add_blank_page(page_size=_points(closing.paper))
        else:
            _append(target, content)
        if closing.duplex and letter.pages % 2:
            target.add_blank_page(page_size=_size(target.pages[-1]))
            blanks += 1
        for number, mark in enumerate(marks):
            front = first + number * (2 if closing.duplex else 1)
            boxes = mark_boxes(closing.marks, mark, closing.mark_x_mm, closing.mark_y_mm)
            if boxes:
                _draw(target, target.pages[front], boxes)
                fronts.append((front, mark))
    if closing.duplex:
        target.Root.ViewerPreferences = pikepdf.Dictionary(Duplex=pikepdf.Name.DuplexFlipLongEdge)
    file = io.BytesIO()
    target.save(file, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    pages = len(target.pages)
    return Printed(file.getvalue(), pages, first_pages, tuple(fronts), blanks, frozenset(withdrawn))


def _marked(closing: Closing, batch: BatchPlan) -> Iterator[tuple[Letter, tuple[SheetMark, ...]]]:
    """Yield the documents of a batch in order, each with the marks of its sheets."""
    sequence = 0
    for envelope in batch.envelopes:
        feeders = tuple(number for number, name in enumerate(closing.feeders, 1) if name in envelope.inserts)
        sheet = 0
        for letter in envelope.letters:
            marks = []
            for _ in range(letter.sheets):
                sheet, sequence = sheet + 1, sequence + 1
                marks.append(SheetMark(letter.piece_id, sheet, envelope.sheets, envelope.number, sequence, feeders))
            yield letter, tuple(marks)


def _append(target: Pdf, content: bytes) -> None:
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as source:
        for page in source.pages:
            for entry in _LEFT_BEHIND:
                if entry in page:
                    del page[entry]
        target.pages.extend(source.pages)


def _points(paper: Paper) -> tuple[float, float]:
    width, height = paper.size_mm
    return width * _POINTS_PER_MM, height * _POINTS_PER_MM


def _size(page: Page) -> tuple[float, float]:
    left, bottom, right, top = (float(side) for side in page.mediabox)
    return right - left, top - bottom


def _draw(target: Pdf, page: Page, boxes: tuple[Box, ...]) -> None:
    """Draw black rectangles over a page, whatever its own content does to the coordinates."""
    left, _, _, top = (float(side) for side in page.mediabox)
    lines = ["Q /Artifact BMC q 0 g"]
    for box in boxes:
        x, y = left + box.x * _POINTS_PER_MM, top - (box.y + box.height) * _POINTS_PER_MM
        lines.append(f"{x:.3f} {y:.3f} {box.width * _POINTS_PER_MM:.3f} {box.height * _POINTS_PER_MM:.3f} re")
    lines.append("f Q EMC")
    page.contents_add(target.make_stream(b"q"), prepend=True)
    page.contents_add(target.make_stream("\n".join(lines).encode()))
