"""A whole `ccm run` with several composing processes beside one with one: on the wall, and where the processors' time goes.

    python -m benchmarks.pdf.processes [--workers 2] [--rounds 3] [--month 2011-02 | --statements 1000]

Everything is in it: tables read, plan, composing, checking, control totals, archive, ledger, hand-over. Beside the rate of the
whole run, which begins cold, there is that of its second half, when every process is warm. The parent's own time is told per
document: it is what more composing processes do not make shorter. On the wall the figures hold on a quiet machine only; the
processor time holds on any. So does the memory of the composing processes, at the run's document 1,000 and in the end; for its
growth take one round of many statements. Writes "workers" into benchmarks/out/pdf.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.oracle.build import PROJECT
from benchmarks.oracle.build import build as build_real
from benchmarks.pdf import bank
from benchmarks.pdf.turns import say
from ccm.testing.releases import release_everything

REAL = "statement-of-account"
_SETTLED = 1000  # documents after which memory should not grow any more
_MADE = (".ccm", "archive", "outbox", "runs", "ledger.db")  # what a run leaves in its workspace


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write down."""
    from benchmarks.pdf.__main__ import OUT, merged

    parser = argparse.ArgumentParser(prog="python -m benchmarks.pdf.processes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--month", default="2011-02", help="real statements of this month")
    parser.add_argument("--statements", type=int, default=0, help="so many of the bank instead")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="ccm-crew-") as temporary:
        folder = Path(temporary) / "workspace"
        if options.statements:
            bank.build(folder, options.statements)
            found = side_by_side(folder, bank.CAMPAIGN, "", options.workers, options.rounds)
        else:
            build_real(folder, Path(os.environ.get("CCM_SHARED_DATA") or PROJECT.parent / "shared" / "data"))
            found = side_by_side(folder, REAL, options.month, options.workers, options.rounds)
    merged(options.out / "pdf.json", {"workers": found})
    print(json.dumps(found, indent=2))


def side_by_side(folder: Path, campaign: str, occurrence: str, processes: int, rounds: int) -> dict[str, Any]:
    """Run a campaign with one process and with several, in turns.

    Args:
        occurrence: Empty for the campaign's own.
    """
    release_everything(folder)
    found: dict[int, list[dict[str, Any]]] = {1: [], processes: []}
    for turn in range(rounds):
        for count, runs in found.items():
            runs.append(one_run(folder, campaign, occurrence, count))
            one = runs[-1]
            say(f"round {turn + 1}: {count} processes {one['warm_per_second']} documents a second, warm")
    first, last = found[1][0], found[processes]
    pairs = list(zip(found[1], last, strict=True))
    return {
        "documents": first["documents"],
        "documents_per_second": {str(count): _median(runs, "per_second") for count, runs in found.items()},
        "warm_documents_per_second": {str(count): _median(runs, "warm_per_second") for count, runs in found.items()},
        "whole_ratio": round(median(many["per_second"] / one["per_second"] for one, many in pairs), 2),
        "ratio": round(median(many["warm_per_second"] / one["warm_per_second"] for one, many in pairs), 2),
        "processor_ms_a_document": {
            str(count): {name: _median(runs, name) for name in ("parent_ms", "composing_ms")}
            for count, runs in found.items()
        },
        "composing_mb": last[-1]["composing_mb"],
    }


def _median(runs: Sequence[dict[str, Any]], name: str) -> float:
    return round(float(median(one[name] for one in runs)), 2)


def one_run(folder: Path, campaign: str, occurrence: str, processes: int) -> dict[str, Any]:
    """Run it once from the beginning, in a process of its own."""
    for name in _MADE:
        shutil.rmtree(folder / name, ignore_errors=True)
    command = [sys.executable, "-c", "from benchmarks.pdf.processes import run_here; run_here()"]
    order = [str(folder), campaign, occurrence, str(processes)]
    done = subprocess.run([*command, *order], stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class Watch:
    """Looks at the clock and at the processors' time whenever the run tells how far it is."""

    def __init__(self) -> None:
        """Begin to look."""
        self._self = psutil.Process()
        self.looks: list[tuple[int, float, float, float]] = []
        self._resident: dict[int, list[float]] = {}  # MB at each look from then on, by the process's number
        self.look(0)

    def look(self, done: int) -> None:
        """Note how many are done, seconds on the wall, of this process and of the processes below it."""
        below = 0.0
        for process in self._self.children(recursive=True):
            try:
                times, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:
                continue
            if done >= _SETTLED:
                self._resident.setdefault(process.pid, []).append(round(memory.rss / 2**20, 1))
            below += times.user + times.system
        self.looks.append((done, time.perf_counter(), time.process_time(), below))

    def figures(self) -> dict[str, Any]:
        """Sum up: the whole, and the second half alone."""
        begun, *_, ended = self.looks
        documents = ended[0]
        middle = next(one for one in self.looks if one[0] * 2 >= documents)
        warm = ended[0] - middle[0]
        # Processes below are gone at the end; what they took is known from the last look at which they were there.
        return {
            "documents": documents,
            "per_second": round(documents / (ended[1] - begun[1]), 1),
            "warm_per_second": round(warm / (ended[1] - middle[1]), 1),
            "parent_ms": round((ended[2] - middle[2]) / warm * 1000, 2),
            "composing_ms": round((ended[3] - middle[3]) / warm * 1000, 2),
            "composing_mb": [
                {"settled": sizes[0], "end": sizes[-1], "growth_percent": round((sizes[-1] / sizes[0] - 1) * 100, 1)}
                for sizes in self._resident.values()
                if len(sizes) > 1
            ],
        }


def run_here() -> None:
    """Execute the run in this process; `one_run` calls this."""
    import logging

    import structlog

    from benchmarks.bench import NOW
    from ccm.load import load_workspace
    from ccm.run import RunOptions, run_campaign

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder, campaign, occurrence, processes = sys.argv[1:]
    workspace, diagnostics = load_workspace(Path(folder), lint=False)
    assert workspace is not None, diagnostics
    watch = Watch()
    options = RunOptions(as_of=NOW, occurrence=occurrence or None, workers=int(processes), late=True)
    run_campaign(workspace, campaign, options, listener=lambda progress: watch.look(progress.done))
    print(json.dumps(watch.figures()))


if __name__ == "__main__":
    main()
