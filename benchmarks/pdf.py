"""Documents of a real month on one core, beside the plain WeasyPrint loop; every nth document compared.

    python -m benchmarks.pdf [--month 2011-02] [--documents N] [--sample 12]

Writes benchmarks/out/pdf.json. The data are the statements of `../shared/data/online_retail` as the oracle builds them.
Ours starts cold: nothing was composed before in this process, and the pages that teach are counted in. The peer makes
the same pages from the same HTML, CSS and fonts, untagged, one document after another, while the sample lasts; rounds
take turns. Rates are per second of processor time. Not measured here: Typst, PlutoPrint, ReportLab, several months.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.oracle.__main__ import NOW
from benchmarks.oracle.build import PROJECT, build
from benchmarks.pdf_compare import differences
from benchmarks.plain_weasyprint import PlainLoop
from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, DocumentRendition
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare

OUT = Path(__file__).resolve().parent / "out"
ROUNDS = 3


def main() -> None:
    """Measure and write down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--month", default="2011-02")
    parser.add_argument("--documents", type=int, default=0, help="at most so many; 0 for the whole month")
    parser.add_argument("--sample", type=int, default=12, help="documents of the peer")
    options = parser.parse_args()
    data = Path(os.environ.get("CCM_SHARED_DATA") or PROJECT.parent / "shared" / "data")
    with TemporaryDirectory() as folder:
        build(Path(folder), data)
        result = measure(Path(folder), options.month, options.documents, options.sample)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "pdf.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def measure(folder: Path, month: str, limit: int, sample: int) -> Mapping[str, object]:
    """Measure one month."""
    prepared, documents = planned(folder, month)
    documents = documents[: limit or None]
    started = time.process_time()
    ours = _composer(prepared)
    renditions, slow, first = cold(ours, documents)
    cold_seconds = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    some = documents[:: max(1, len(documents) // sample)][:sample]
    loop = PlainLoop(prepared, ours)
    for one in some:
        ours.compose(one)
    warm_rate, plain_rate = turns(ours, loop, documents, some)
    plain_first = _seconds(lambda: loop.render(some[0]))
    cold_rate = len(documents) / cold_seconds
    found = compared(prepared, renditions, some)
    return {
        "machine": f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, one process",
        "month": month,
        "documents": len(documents),
        "pages": sum(one.pages for one in renditions.values()),
        "engines": {
            "ccm, cold": _figures(cold_rate, first, memory, [one.content for one in renditions.values()]),
            "ccm, warm": _figures(warm_rate, None, memory, [one.content for one in renditions.values()]),
            "weasyprint, plain loop": _figures(plain_rate, plain_first, None, [loop.render(one) for one in some]),
        },
        "ratio_to_weasyprint": round(warm_rate / plain_rate, 1),
        "real_month_cold_ratio": round(cold_rate / plain_rate, 1),
        "nine_months_ratio": None,
        "fallback_share": round(sum(slow.values()) / len(documents), 5),
        "fallback_reasons": dict(slow),
        "compared": len(some),
        "differences": found,
    }


def planned(folder: Path, month: str) -> tuple[Prepared, list[Communication]]:
    """Return the month's statements, documents alone."""
    workspace, diagnostics = load_workspace(folder)
    assert workspace is not None, diagnostics
    prepared = prepare(workspace, "statement-of-account", now=NOW, occurrence=month, ignore_schedule=True)
    found = []
    for item in plan(load_recipients(workspace, prepared.campaign, period=prepared.period), prepared.brief):
        if isinstance(item, Communication):
            pieces = tuple(piece for piece in item.pieces if piece.channel is Channel.DOCUMENT)
            if pieces:
                found.append(replace(item, pieces=pieces))
    return prepared, found


def cold(
    ours: Composer, documents: Sequence[Communication]
) -> tuple[dict[str, DocumentRendition], Counter[str], float]:
    """Make every document once; also why some took the full path, and seconds until the first was there."""
    started = time.perf_counter()
    first = 0.0
    renditions: dict[str, DocumentRendition] = {}
    slow: Counter[str] = Counter()
    for one in documents:
        composed = ours.compose(one)
        first = first or time.perf_counter() - started
        slow.update(composed.slow_paths.values())
        for rendition in composed.renditions:
            assert isinstance(rendition, DocumentRendition)
            renditions[rendition.piece_id] = rendition
    return renditions, slow, first


def turns(
    ours: Composer, loop: PlainLoop, documents: Sequence[Communication], some: Sequence[Communication]
) -> tuple[float, float]:
    """Return both rates, medians of rounds that take turns. The peer's documents are spread over the month."""
    warm, plain = [], []
    many = documents[:: max(1, len(documents) // 300)]
    for turn in range(ROUNDS):
        warm.append(len(many) / _seconds(lambda: [ours.compose(one) for one in many]))
        part = some[turn::ROUNDS]
        plain.append(len(part) / _seconds(lambda part=part: [loop.render(one) for one in part]))  # type: ignore[misc]
    return median(warm), median(plain)


def compared(
    prepared: Prepared, renditions: Mapping[str, DocumentRendition], some: Sequence[Communication]
) -> dict[str, str]:
    """Return how documents differ from what the layout engine makes of them with the same settings."""
    rules = prepared.template.definition.document.model_copy(update={"fill": False})
    definition = prepared.template.definition.model_copy(update={"document": rules})
    full = _composer(replace(prepared, template=replace(prepared.template, definition=definition)))
    found = {}
    for one in some:
        (theirs,) = full.compose(one).renditions
        assert isinstance(theirs, DocumentRendition)
        difference = differences(renditions[theirs.piece_id].content, theirs.content)
        if difference:
            found[theirs.piece_id] = difference
    return found


def _composer(prepared: Prepared) -> Composer:
    workspace = prepared.workspace
    return Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _figures(rate: float, first: float | None, memory: float | None, files: Sequence[bytes]) -> Mapping[str, object]:
    return {
        "documents_per_cpu_second": round(rate, 2),
        "first_document_seconds": None if first is None else round(first, 2),
        "peak_memory_mb": None if memory is None else round(memory),
        "file_kb": round(sum(map(len, files)) / len(files) / 1024, 1),
    }


if __name__ == "__main__":
    main()
