"""Closing what waits into batches. Decided once and written down; then made, and made again to the same bytes after a kill."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ccm.deliver.print_shop.envelopes import FLAT, FOLDED, numbered, plan_envelopes
from ccm.deliver.print_shop.manifest import checksums, manifest_csv, manifest_json
from ccm.deliver.print_shop.mark_reading import PageUnfit, examine_pages, read_marks
from ccm.deliver.print_shop.marks import OMR_FEEDERS, omr_places
from ccm.deliver.print_shop.records import BatchPlan, Closing, Exceptional, Letter
from ccm.deliver.print_shop.settings import PrintSettings
from ccm.deliver.print_shop.sheets import Printed, print_batch
from ccm.deliver.print_shop.shelf import PrintFault, Shelf
from ccm.deliver.print_shop.spool import Spool, SpooledPiece, SpoolFault
from ccm.deliver.print_shop.words import Marks

_PUT_BACK = "put the archived document back into the spool, then give the command again"


@dataclass(frozen=True)
class Closed:
    """What one command did.

    made: Batches that it finished.
    exceptions: Pieces that still wait, and why; they are looked at again the next time.
    """

    made: tuple[str, ...]
    exceptions: tuple[Exceptional, ...]


class Press:
    """Makes batches from one print folder."""

    def __init__(self, provider: str, settings: PrintSettings) -> None:
        self._provider = provider
        self._settings = settings
        self.spool = Spool(settings.folder / "spool")
        self.shelf = Shelf(settings.folder)

    def close(self, run: str, *, now: datetime, accepted: Mapping[str, str] | None = None) -> Closed:
        """Finish what an earlier command began, then close everything that waits into batches.

        Args:
            now: Aware; the manifests carry it.
            accepted: SHA-256 of every piece that the ledger holds for accepted by this provider. What the
                spool does not have, or has otherwise, is an exception.
        Raises:
            PrintFault: If a batch cannot be made; nothing of it is handed over.
            OSError: If the disk is full or the folder cannot be written; the same command goes on.
        """
        with self.shelf.locked():
            self.shelf.sweep(run)
            before = self.shelf.closings(run)
            made = [batch for closing in before for batch in self._finish(closing)]
            known = {letter.piece_id for closing in before for letter in letters_of(closing)}
            closing = self._decide(run, known, now, accepted or {}, before)
            if closing.batches:
                self.shelf.add(closing)
                made += self._finish(closing)
            return Closed(tuple(made), closing.exceptions)

    def print_again(self, closing: Closing) -> tuple[str, ...]:
        """Write down and make a closing that prints envelopes again; the lock is held by the caller."""
        self.shelf.add(closing)
        return tuple(self._finish(closing))

    def finish(self, run: str) -> tuple[str, ...]:
        """Finish what an earlier command began, and nothing else; the lock is held by the caller."""
        return tuple(batch for closing in self.shelf.closings(run) for batch in self._finish(closing))

    # ── deciding ─────────────────────────────────────────────────────────

    def _decide(
        self, run: str, known: set[str], now: datetime, accepted: Mapping[str, str], before: tuple[Closing, ...]
    ) -> Closing:
        waiting, exceptions = self._waiting(run, known, accepted)
        fit, unfit = self._examined(waiting)
        forms, refused = plan_envelopes(fit, self._settings)
        exceptions += [*unfit, *refused]
        settings, size = self._settings, self._settings.batch_envelopes
        first = 1 + sum(not closing.is_reprint for closing in before for _ in closing.batches)
        chunks = [
            (form, forms[form][start : start + size])
            for form in (FOLDED, FLAT)
            for start in range(0, len(forms[form]), size)
        ]
        batches = tuple(
            BatchPlan(f"{run}.b{number:03}", form, numbered(chunk))
            for number, (form, chunk) in enumerate(chunks, first)
        )
        return Closing(
            number=len(before) + 1,
            run=run,
            provider=self._provider,
            made_at=now.isoformat(timespec="seconds"),
            pieces_in=len(fit) + len(exceptions) - len(refused),
            batches=batches,
            exceptions=tuple(sorted(exceptions, key=lambda one: one.piece_id)),
            duplex=settings.duplex,
            paper=settings.paper,
            marks=settings.marks,
            mark_x_mm=settings.mark_x_mm,
            mark_y_mm=settings.mark_y_mm,
            feeders=tuple(insert.name for insert in settings.inserts[:OMR_FEEDERS]),
        )

    def _waiting(
        self, run: str, known: set[str], accepted: Mapping[str, str]
    ) -> tuple[list[SpooledPiece], list[Exceptional]]:
        """Return what no batch has yet, and what should be there and is not."""
        waiting: list[SpooledPiece] = []
        exceptions: list[Exceptional] = []
        gone = self.spool.gone(run)
        seen = known | gone
        for piece in self.spool.pieces(run):
            seen.add(piece.piece_id)
            if piece.piece_id in known or piece.piece_id in gone:
                continue
            if isinstance(piece, SpoolFault):
                exceptions.append(Exceptional(piece.piece_id, piece.reason, piece.remedy))
            elif accepted.get(piece.piece_id, piece.sha256) != piece.sha256:
                exceptions.append(Exceptional(piece.piece_id, "altered-document", _PUT_BACK))
            else:
                waiting.append(piece)
        for piece_id in sorted(accepted.keys() - seen):
            exceptions.append(Exceptional(piece_id, "missing-from-spool", _PUT_BACK))
        return waiting, exceptions

    def _examined(self, waiting: list[SpooledPiece]) -> tuple[list[SpooledPiece], list[Exceptional]]:
        fit, unfit = [], []
        for piece in waiting:
            try:
                examine_pages(self.spool.content(piece), piece.pages, self._settings)
            except (SpoolFault, PageUnfit) as fault:
                unfit.append(Exceptional(piece.piece_id, fault.reason, fault.remedy))
            else:
                fit.append(piece)
        return fit, unfit

    # ── making ───────────────────────────────────────────────────────────

    def _finish(self, closing: Closing) -> list[str]:
        """Make the batches of a closing that are not complete."""
        made = []
        for batch in closing.batches:
            files = self.shelf.files(closing.run, batch.batch)
            if files.complete:
                continue
            printed = print_batch(
                closing, batch, functools.partial(self._content, closing.run, self.spool.gone(closing.run))
            )
            read = self._marks_read(closing, batch, printed)
            contents = {
                files.pdf: printed.content,
                files.manifest: manifest_json(closing, batch, printed, read),
                files.table: manifest_csv(batch, printed),
            }
            contents[files.checksums] = checksums({path.name: content for path, content in contents.items()})
            self.shelf.keep(files, contents)
            made.append(batch.batch)
        return made

    def _content(self, run: str, gone: frozenset[str], letter: Letter) -> bytes | None:
        if letter.piece_id in gone:
            return None
        try:
            return self.spool.document(run, letter.piece_id, letter.sha256)
        except SpoolFault as fault:
            raise PrintFault(f"{fault.piece_id}: {fault.reason}; its batch is not made", _PUT_BACK) from None

    def _marks_read(self, closing: Closing, batch: BatchPlan, printed: Printed) -> int:
        """Read every mark back from the picture of the batch.

        Raises:
            PrintFault: If one cannot be read or says something else.
        """
        pages = [page for page, _ in printed.fronts]
        found = read_marks(printed.content, pages, closing.marks, closing.mark_x_mm, closing.mark_y_mm)
        for (page, mark), text in zip(printed.fronts, found, strict=True):
            bars = "".join("1" if there else "0" for there in omr_places(mark))
            if text != (bars if closing.marks is Marks.OMR else str(mark)):
                raise PrintFault(
                    f"the mark on page {page + 1} of batch {batch.batch} cannot be read back",
                    "move the mark with mark_x_mm and mark_y_mm",
                )
        return len(pages)


def letters_of(closing: Closing) -> tuple[Letter, ...]:
    """Return every document of a closing."""
    return tuple(letter for batch in closing.batches for one in batch.envelopes for letter in one.letters)
