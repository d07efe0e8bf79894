"""How many statements a second several composing processes make and check, beside one; by the clock on the wall."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.pdf.engines.filled import Engine
from benchmarks.pdf.turns import say
from ccm.run.workers import MakerParts, Window, Workers

WINDOW = 25  # statements handed to a process at once


def side_by_side(folder: Path, documents: int, processes: int, rounds: int) -> dict[str, Any]:
    """Measure one process and several in turns.

    Args:
        documents: How many statements the folder has; each round makes all of them.
    """
    engine = Engine(folder)
    parts = MakerParts.of(engine.prepared)
    crews = {count: Workers(parts, count) for count in (1, processes)}
    rates: dict[int, list[float]] = {count: [] for count in crews}
    try:
        for crew in crews.values():
            for _ in range(2):  # every process meets every kind of page
                list(crew.make(_windows(engine)))
        for turn in range(rounds):
            for count, crew in crews.items():
                began = time.perf_counter()
                made = sum(len(results) for _, results in crew.make(_windows(engine)))
                rates[count].append(made / (time.perf_counter() - began))
                say(f"round {turn + 1}: {count} processes {rates[count][-1]:.1f} documents a second")
    finally:
        for crew in crews.values():
            crew.close()
    ratios = [several / one for one, several in zip(rates[1], rates[processes], strict=True)]
    return {
        "documents": documents,
        "documents_per_second": {str(count): round(median(found), 1) for count, found in rates.items()},
        "ratio": round(median(ratios), 2),
    }


def _windows(engine: Engine) -> Iterator[Window]:
    waiting = engine.communications()
    while some := tuple(itertools.islice(waiting, WINDOW)):
        yield Window(some)
