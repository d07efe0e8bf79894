"""Whether memory stays flat: many statements, everyone of them different, made and dropped by one process.

    python -m benchmarks.pdf.memory FOLDER DOCUMENTS

New tables are written for every thousand documents, by processes of their own: the texts of a thousand statements are half as much
as everything that the composer remembers, and drawing them here would move its memory about. The composer stays. The growth
from document 1,000 to the last one counts.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.pdf import bank
from benchmarks.pdf.turns import say

BATCH = 1000


def long_run(folder: Path, documents: int, batch: int = BATCH) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.pdf.memory", str(folder), str(documents), str(batch)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure_here(folder: Path, documents: int, batch: int) -> dict[str, Any]:
    """Measure in this process."""
    from benchmarks.pdf.engines.filled import Engine

    _elsewhere(bank.build, folder, batch)
    made = Engine(folder)
    resident: dict[int, float] = {}
    composing = 0.0
    for number in range(batch, documents + 1, batch):
        _elsewhere(bank.renew, folder, batch, number)
        began = time.process_time()
        for _ in made.make(0, batch):
            pass
        composing += time.process_time() - began
        resident[number] = round(psutil.Process().memory_info().rss / 2**20, 1)
        say(f"{number} documents: {resident[number]} MB, {number / composing:.0f} a second")
    first, last = resident[batch], resident[max(resident)]
    return {
        "documents": max(resident),
        "documents_per_cpu_second": round(max(resident) / composing, 1),
        "resident_mb": {str(number): size for number, size in resident.items() if _told(number // batch)},
        "growth_percent": round((last / first - 1) * 100, 1),
        "highest_growth_percent": round((max(resident.values()) / first - 1) * 100, 1),
        "fallbacks": dict(made.slow),
    }


def _elsewhere(write: Callable[..., object], folder: Path, *arguments: int) -> None:
    """Write tables in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=write, args=(folder, *arguments))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"tables could not be written: exit code {process.exitcode}")


def _told(number: int) -> bool:
    return number in (1, 2, 5) or number % 10 == 0


if __name__ == "__main__":
    print(json.dumps(measure_here(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
