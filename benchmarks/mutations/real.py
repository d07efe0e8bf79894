"""Real data through the checks: every retail month and every invoice of the music store, none of which is wrong.

Emails and text messages of all, documents of a sample. What is held here is a false alarm.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.oracle.build import PROJECT, build
from ccm.diagnostics import Severity
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare
from ccm.run.workers import Made, MakerParts, Window, Workers

NOW = datetime(2012, 1, 2, 9, tzinfo=UTC)  # after every invoice of the data
MONTHS = tuple(f"{year}-{month:02}" for year, month in ((2010, 12), *((2011, month) for month in range(1, 9))))
STATEMENTS, INVOICES = "statement-of-account", "store-invoices"
_WINDOW = 50


@dataclass
class Alarms:
    """What the checks said about right pieces.

    pieces: Looked at, by channel.
    by_reason: Findings that hold a piece, each piece once.
    """

    pieces: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)

    def add(self, made: Made) -> None:
        """Take up one communication; what composing itself held is no piece."""
        composed = made.composed
        if composed.findings:
            return
        self.pieces.update(str(one.channel) for one in composed.renditions)
        wrong = {one.piece_id: one for one in made.findings if one.severity is Severity.ERROR}
        for one in wrong.values():
            campaign, locale = composed.communication.campaign, composed.communication.locale
            self.by_reason[f"{campaign}: {one.code}: {one.message} ({locale})"] += 1


def shared_folder() -> Path | None:
    """Return the folder of real data; None where it is absent."""
    folder = Path(os.environ.get("CCM_SHARED_DATA") or PROJECT.parent / "shared" / "data").resolve()
    return folder if folder.is_dir() else None


@contextmanager
def real_workspace(shared: Path) -> Iterator[Workspace]:
    """Build the workspace of the real data beside nothing that is kept, and load it."""
    with tempfile.TemporaryDirectory(prefix="ccm-real-") as folder:
        workspace, diagnostics = load_workspace(build(Path(folder) / "workspace", shared))
        if workspace is None:
            raise ValueError(f"the workspace has errors: {diagnostics[0]}")
        yield workspace


def right_pieces(
    workspace: Workspace, *, months: tuple[str, ...] = MONTHS, most: int | None = None, documents: int = 24
) -> Alarms:
    """Compose and check the real data.

    Args:
        most: Customers of a month, and invoices; all of them if None.
        documents: Invoices that are made as PDFs too; as many statements of one month.
    """
    alarms = Alarms()
    for month in months:
        prepared = prepare(workspace, STATEMENTS, now=NOW, occurrence=month, ignore_schedule=True)
        _into(alarms, prepared, planned(prepared, documents if month == months[-1] else 0, most))
    prepared = prepare(workspace, INVOICES, now=NOW, ignore_schedule=True)
    _into(alarms, prepared, planned(prepared, documents, most))
    return alarms


def planned(prepared: Prepared, documents: int, most: int | None = None) -> Iterator[Communication]:
    """Plan all whom the campaign addresses, with documents for the first few.

    Real addresses have mistakes, and nobody is written to here: those people get their messages, too.
    """
    brief = replace(prepared.brief, ignore_exclusions=True)
    everybody = load_recipients(prepared.workspace, prepared.campaign, period=prepared.period)
    recipients = (one for one in everybody if brief.segment is None or brief.segment(one.data))
    found = (one for one in plan(recipients, brief) if isinstance(one, Communication))
    for number, one in enumerate(itertools.islice(found, most)):
        kept = (piece for piece in one.pieces if piece.channel is not Channel.DOCUMENT or number < documents)
        yield replace(
            one, pieces=tuple(replace(piece, address=piece.address or "nobody@example.org") for piece in kept)
        )


def _into(alarms: Alarms, prepared: Prepared, communications: Iterator[Communication]) -> None:
    windows = iter(lambda: tuple(itertools.islice(communications, _WINDOW)), ())
    workers = Workers(MakerParts.of(prepared), os.cpu_count() or 1)
    try:
        for _, results in workers.make(map(Window, windows)):
            for made in results:
                alarms.add(made)
    finally:
        workers.close()
