"""The manifest of a batch: what the print shop counts, and what we hold it to. JSON for machines, CSV for people."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator

from ccm.deliver.print_shop.records import BatchPlan, Closing, EnvelopePlan
from ccm.deliver.print_shop.sheets import Printed

COLUMNS = (
    "batch", "envelope", "piece", "first_page", "pages", "sheets", "first_sheet", "sha256", "batch_sha256", "country",
    "postal_code", "envelope_sheets", "envelope_grams", "inserts",
)  # fmt: skip
_POSTAL = re.compile(r"[^0-9A-Za-z -]")


def manifest_json(closing: Closing, batch: BatchPlan, printed: Printed, marks_read: int) -> bytes:
    """Return the manifest; the same closing gives the same bytes.

    Args:
        marks_read: Marks that were read back from the picture of the batch.
    """
    sheets = sum(envelope.sheets for envelope in batch.envelopes)
    pages = sum(letter.pages for envelope in batch.envelopes for letter in envelope.letters)
    inserts = Counter(name for envelope in batch.envelopes for name in envelope.inserts)
    record = {
        "format": "ccm-print-manifest 1",
        "batch": batch.batch,
        "run": closing.run,
        "provider": closing.provider,
        "made_at": closing.made_at,
        "form": batch.form,
        "reprint_of": batch.reprint_of or None,
        "reprint_reason": closing.reason or None,
        "file": {
            "name": f"{batch.batch}.pdf",
            "sha256": hashlib.sha256(printed.content).hexdigest(),
            "size_bytes": len(printed.content),
            "paper": closing.paper,
            "duplex": closing.duplex,
        },
        "marks": {
            "kind": closing.marks,
            "x_mm": closing.mark_x_mm,
            "y_mm": closing.mark_y_mm,
            "read_back": marks_read,
            "feeders": list(closing.feeders),
        },
        "totals": {
            "pieces": len(printed.first_pages),
            "envelopes": len(batch.envelopes),
            "sheets": sheets,
            "pages": pages,
            "blank_backs": printed.blank_pages,
            "pages_in_file": printed.pages,
            "grams": round(sum(envelope.grams for envelope in batch.envelopes), 2),
            "inserts": dict(sorted(inserts.items())),
            "countries": dict(sorted(Counter(envelope.country for envelope in batch.envelopes).items())),
        },
        "reconciliation": reconciliation(closing),
        "envelopes": list(_envelopes(batch, printed)),
    }
    return json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n"


def reconciliation(closing: Closing) -> dict[str, object]:
    """Return the proof that nothing was lost: what came in is in one batch or named as an exception."""
    batches = {batch.batch: sum(len(one.letters) for one in batch.envelopes) for batch in closing.batches}
    return {
        "pieces_in": closing.pieces_in,
        "batches": batches,
        "exceptions": [
            {"piece": one.piece_id, "reason": one.reason, "remedy": one.remedy} for one in closing.exceptions
        ],
        "balanced": closing.pieces_in == sum(batches.values()) + len(closing.exceptions),
    }


def manifest_csv(batch: BatchPlan, printed: Printed) -> bytes:
    """Return one line for each piece, in the order of the sheets."""
    sha256 = hashlib.sha256(printed.content).hexdigest()
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for envelope, row in _rows(batch, printed):
        first = [batch.batch, envelope.number, row["piece"], row["first_page"], row["pages"], row["sheets"]]
        second = [row["first_sheet"], row["sha256"], sha256, envelope.country, postal_key(envelope.postal_code)]
        writer.writerow([*first, *second, envelope.sheets, f"{envelope.grams:g}", " ".join(envelope.inserts)])
    return file.getvalue().encode()


def checksums(files: dict[str, bytes]) -> bytes:
    """Return lines that `sha256sum --check` understands; the file that says that a batch is complete."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return "".join(lines).encode()


def postal_key(code: str) -> str:
    """Return a postal code as spreadsheets may open it: letters, digits, spaces and dashes, no formula."""
    return _POSTAL.sub("", code).strip(" -")


def _envelopes(batch: BatchPlan, printed: Printed) -> Iterator[dict[str, object]]:
    rows: dict[int, list[dict[str, object]]] = {}
    for envelope, row in _rows(batch, printed):
        rows.setdefault(envelope.number, []).append(row)
    for envelope in batch.envelopes:
        yield {
            "envelope": envelope.number,
            "country": envelope.country,
            "postal_code": postal_key(envelope.postal_code),
            "sheets": envelope.sheets,
            "grams": envelope.grams,
            "inserts": list(envelope.inserts),
            "inserts_left_out": list(envelope.left_out),
            "pieces": rows[envelope.number],
            **({"withdrawn": True} if all("withdrawn" in row for row in rows[envelope.number]) else {}),
        }


def _rows(batch: BatchPlan, printed: Printed) -> Iterator[tuple[EnvelopePlan, dict[str, object]]]:
    sequence = 1
    for envelope in batch.envelopes:
        for letter in envelope.letters:
            gone = letter.piece_id in printed.withdrawn
            yield (
                envelope,
                {
                    "piece": letter.piece_id,
                    "first_page": printed.first_pages[letter.piece_id],
                    "pages": letter.pages,
                    "sheets": letter.sheets,
                    "first_sheet": sequence,
                    "sha256": "" if gone else letter.sha256,
                    **({"withdrawn": True} if gone else {}),
                },
            )
            sequence += letter.sheets
