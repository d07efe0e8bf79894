"""Real data: a month cold, all months, and what a plain WeasyPrint loop would take for the same documents.

Ours is measured whole, in a process that met nothing before: imports, tables, plan, pages that teach, everything. The peer
would need an hour, so its part is estimated: documents are ordered by their rows and divided into equal strata, some of each
are laid out, and the mean of a stratum stands for all of it. What only the peer or the comparison needs is imported by them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.pdf.engines.filled import composer_of, unfilled
from benchmarks.pdf.turns import say
from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.load.source.staging import drop_staged
from ccm.model.definitions import Channel
from ccm.model.records import Communication, DocumentRendition
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.collecting import collect_rarely
from ccm.run.prepare import Prepared, prepare

NOW = datetime(2012, 1, 2, 9, tzinfo=UTC)  # after every invoice of the data
MONTHS = ("2010-12", *(f"2011-{number:02}" for number in range(1, 9)))
STRATA = 8


@dataclass(frozen=True)
class Cold:
    """What a process took for some months, from its first instruction to its end.

    seconds: Of processor time; imports included.
    """

    documents: int
    pages: int
    size: int
    seconds: float
    importing: float
    peak_memory_mb: float
    slow: dict[str, int]


def workspace_of(folder: Path) -> Workspace:
    """Load the workspace of real data that `benchmarks.oracle.build` wrote."""
    workspace, diagnostics = load_workspace(folder, lint=False)  # a released campaign was linted before
    assert workspace is not None, diagnostics
    return workspace


def prepared_month(workspace: Workspace, month: str) -> Prepared:
    """Prepare one month's statements."""
    return prepare(workspace, "statement-of-account", now=NOW, occurrence=month, ignore_schedule=True)


def documents_of(prepared: Prepared) -> Iterator[Communication]:
    """Yield the month's statements, documents alone."""
    for item in plan(load_recipients(prepared.workspace, prepared.campaign, period=prepared.period), prepared.brief):
        if isinstance(item, Communication):
            pieces = tuple(piece for piece in item.pieces if piece.channel is Channel.DOCUMENT)
            if pieces:
                yield replace(item, pieces=pieces)


def compose_cold(folder: Path, months: Sequence[str], limit: int) -> Cold:
    """Make the statements of some months in a new process, which finds no table staged.

    Args:
        limit: Documents of each month at most; 0 for all.
    """
    drop_staged(folder / ".ccm" / "staging")  # choosing the sample has read the tables already
    command = [sys.executable, "-m", "benchmarks.pdf.months", str(folder), ",".join(months), str(limit)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Cold(**json.loads(done.stdout))


def compose_here(folder: Path, months: Sequence[str], limit: int) -> Cold:
    """Make them in this process; `compose_cold` runs this."""
    import resource

    importing = time.process_time()
    collect_rarely()  # as a run does
    workspace = workspace_of(folder)
    composer: Composer | None = None
    count = pages = size = 0
    slow: Counter[str] = Counter()
    for month in months:
        prepared = prepared_month(workspace, month)
        composer = composer or composer_of(prepared)
        for number, one in enumerate(documents_of(prepared), 1):
            composed = composer.compose(one)
            for rendition in composed.renditions:
                assert isinstance(rendition, DocumentRendition)
                count, pages, size = count + 1, pages + rendition.pages, size + len(rendition.content)
            slow.update(composed.slow_paths.values())
            if number == limit:
                break
        say(f"{month}: {count} documents after {time.process_time():.1f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cold(count, pages, size, time.process_time(), importing, memory, dict(slow))


@dataclass(frozen=True)
class Sample:
    """Documents that stand for all of some months.

    strata: For each: how many documents it has, and those that were chosen, ordered by rows.
    """

    strata: tuple[tuple[int, tuple[tuple[Prepared, Communication], ...]], ...]

    @property
    def documents(self) -> list[tuple[Prepared, Communication]]:
        """All that were chosen, strata mixed, so that any part of the list has all sizes."""
        longest = max(len(chosen) for _, chosen in self.strata)
        return [chosen[at] for at in range(longest) for _, chosen in self.strata if at < len(chosen)]


def stratified(folder: Path, months: Sequence[str], size: int, limit: int = 0) -> Sample:
    """Choose documents of some months, the same number from each stratum of row counts, evenly spaced inside."""
    workspace = workspace_of(folder)
    found: list[tuple[int, Prepared, Communication]] = []
    for month in months:
        prepared = prepared_month(workspace, month)
        some = [(len(one.data["lines"]), prepared, one) for one in documents_of(prepared)]  # type: ignore[arg-type]
        found += some[: limit or None]
    found.sort(key=lambda one: one[0])
    each = max(1, size // STRATA)
    strata = []
    for number in range(STRATA):
        part = found[number * len(found) // STRATA : (number + 1) * len(found) // STRATA]
        places = (
            [(2 * at + 1) * len(part) // (2 * each) for at in range(each)] if len(part) > each else range(len(part))
        )
        if part:
            strata.append((len(part), tuple((part[at][1], part[at][2]) for at in places)))
    return Sample(tuple(strata))


class PlainSeconds:
    """Times the plain loop over a sample, part by part."""

    def __init__(self, sample: Sample) -> None:
        from benchmarks.plain_weasyprint import PlainLoop

        self._sample = sample
        self._waiting = sample.documents
        self._seconds: dict[str, float] = {}
        self._loop = PlainLoop(self._waiting[0][0])
        self.sizes: list[int] = []
        self._loop.render(self._waiting[0][1])  # warm, as in a long loop

    def render(self, count: int) -> None:
        """Lay out the next documents."""
        for _, one in self._waiting[:count]:
            began = time.process_time()
            self.sizes.append(len(self._loop.render(one)))
            self._seconds[one.pieces[0].piece_id] = time.process_time() - began
        del self._waiting[:count]
        say(f"plain WeasyPrint: {len(self._seconds)} documents of the sample")

    def estimate(self) -> float:
        """Return the seconds for all documents that the sample stands for; every document of it must be laid out."""
        total = 0.0
        for count, chosen in self._sample.strata:
            total += count * mean(self._seconds[one.pieces[0].piece_id] for _, one in chosen)
        return total


def real_months(folder: Path, months: Sequence[str], size: int, limit: int = 0) -> dict[str, Any]:
    """Measure some months cold beside the plain loop: part of the sample before, the rest afterwards."""
    sample = stratified(folder, months, size, limit)
    plain = PlainSeconds(sample)
    plain.render(len(sample.documents) // 2)
    ours = compose_cold(folder, months, limit)
    plain.render(len(sample.documents))
    theirs = plain.estimate()
    return {
        "months": list(months),
        "documents": ours.documents,
        "pages": ours.pages,
        "seconds": round(ours.seconds, 2),
        "importing_seconds": round(ours.importing, 2),
        "documents_per_cpu_second": round(ours.documents / ours.seconds, 2),
        "peak_memory_mb": round(ours.peak_memory_mb),
        "file_kb": round(ours.size / max(1, ours.documents) / 1024, 1),
        "fallbacks": ours.slow,
        "weasyprint_seconds_estimated": round(theirs, 1),
        "weasyprint_estimated_from": len(sample.documents),
        "weasyprint_documents_per_cpu_second": round(sum(count for count, _ in sample.strata) / theirs, 2),
        "ratio": round(theirs / ours.seconds, 1),
    }


def sample_differs(folder: Path, months: Sequence[str], size: int, limit: int = 0) -> tuple[int, dict[str, str]]:
    """Return how many documents of the sample were compared, and how some differ from WeasyPrint's with the same settings."""
    from benchmarks.pdf.comparing import differences

    documents = stratified(folder, months, size, limit).documents
    filling, engine = composer_of(documents[0][0]), composer_of(unfilled(documents[0][0]))
    found = {}
    for _, one in documents:
        (ours,), (theirs,) = filling.compose(one).renditions, engine.compose(one).renditions
        assert isinstance(ours, DocumentRendition)
        assert isinstance(theirs, DocumentRendition)
        if difference := differences(ours.content, theirs.content):
            found[ours.piece_id] = difference
    return len(documents), found


if __name__ == "__main__":
    result = compose_here(Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3]))
    print(json.dumps(result.__dict__))
