"""What a closing decides. Written once, before any batch is made, so that the same command finishes what it began."""

from __future__ import annotations

from dataclasses import dataclass

from ccm.deliver.print_shop.words import Marks, Paper


@dataclass(frozen=True)
class Letter:
    """One document in an envelope.

    pages: Of the PDF, without blank backs.
    sha256: Of the PDF, in hex.
    """

    piece_id: str
    pages: int
    sheets: int
    sha256: str


@dataclass(frozen=True)
class EnvelopePlan:
    """What goes into one envelope, in this order.

    number: From 1, within its batch; as in the batch that is printed again, for a reprint.
    postal_code, country: What the batch is sorted by.
    left_out: Inserts that the rules wanted and the limits did not allow.
    """

    number: int
    letters: tuple[Letter, ...]
    sheets: int
    grams: float
    country: str
    postal_code: str
    inserts: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchPlan:
    """One file for the print shop.

    form: folded, or flat for long documents; they run on different machines.
    reprint_of: Batch of which envelopes are printed again; empty for a first print.
    """

    batch: str
    form: str
    envelopes: tuple[EnvelopePlan, ...]
    reprint_of: str = ""


@dataclass(frozen=True)
class Exceptional:
    """A piece that is in no batch, and why."""

    piece_id: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Closing:
    """What one `ccm print` decided: every waiting piece is in one batch or is an exception.

    number: From 1, within the run.
    made_at: ISO 8601, UTC; the manifests carry it.
    pieces_in: Pieces that waited.
    duplex, paper, marks, mark_x_mm, mark_y_mm: Settings that count for these batches, whatever is set later.
    feeders: Names of the inserts, in the order of the machine's feeders.
    by, reason: Who ordered a reprint, and why.
    """

    number: int
    run: str
    provider: str
    made_at: str
    pieces_in: int
    batches: tuple[BatchPlan, ...]
    exceptions: tuple[Exceptional, ...]
    duplex: bool
    paper: Paper
    marks: Marks
    mark_x_mm: float
    mark_y_mm: float
    feeders: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""

    @property
    def is_reprint(self) -> bool:
        """Whether it prints again what was printed before."""
        return any(batch.reprint_of for batch in self.batches)
