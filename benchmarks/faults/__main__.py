"""python -m benchmarks.faults [--quick] [--only PART …]

Breaks runs in every way of docs/guarantees.md and prints kills, lost, duplicated and unknown of each configuration,
then puts known mistakes into the sender and tells how many of them were caught. Writes benchmarks/out/faults.json
after every row; with --only, and after Ctrl-C, rows that did not run now stay as they were. How far it is stands on
stderr. Exit code 1 where a promise was broken or a mutant escaped, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.faults import disk, fleet, flips, injection, kills, lost_answers, power, proof, restored, tables, verbs
from benchmarks.faults.progress import PROGRESS
from benchmarks.faults.simulation import many
from benchmarks.faults.tools import ROOT
from benchmarks.faults.verdict import Tally
from benchmarks.faults.warm import shared_seconds

OUT = ROOT / "benchmarks" / "out" / "faults.json"
Part = Callable[[bool], Iterable[Tally]]  # told whether it must be quick
PARTS: dict[str, Part] = {
    "kills": kills.all_configurations,
    "verbs": verbs.all_cells,
    "ses": lost_answers.answers_are_lost,
    "simulation": many.all_seeds,
    "disk": disk.all_disks,
    "power": power.all_cuts,
    "damage": flips.all_damage,
    "injection": injection.all_values,
    "restored": restored.all_restored,
    "fleet": fleet.all_fleets,
    "tables": tables.all_tables,
}
ROW = "{:<46} {:>7} {:>6} {:>11} {:>8} {:>9} {:>10}"
MEMORY_DISK = Path("/dev/shm")  # a killed process loses nothing there that it would keep on a disk, and syncs are free
ENOUGH_BYTES = 1_000_000_000


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a seeded sample of every part, in a minute or two")
    parser.add_argument("--table", action="store_true", help="run nothing; print the figures for docs/guarantees.md")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "mutants"], help="some parts")
    arguments = parser.parse_args()
    if arguments.table:
        print(table())
        return 0
    chosen = arguments.only or [*PARTS, "mutants"]
    with scratch_folder():
        return run(chosen, quick=arguments.quick, whole=not arguments.only)


def run(chosen: list[str], *, quick: bool, whole: bool) -> int:
    """Run the parts in order, print and write every row as it comes."""
    results = Results(kept=not quick)
    started = time.monotonic()
    print(ROW.format("configuration", "kills", "lost", "duplicated", "unknown", "seconds", "processor"), flush=True)
    try:
        for number, name in enumerate(chosen, 1):
            PROGRESS.part = f"{number}/{len(chosen)} {name}"
            if name == "mutants":
                results.trials = proof.tried(told=tell_trial)
            else:
                for tally in timed(partial(PARTS[name], quick)):
                    tell(tally)
                    results.tallies.append(tally)
                    results.write(kept=True)
    except KeyboardInterrupt:
        print("interrupted; what is finished was written", file=sys.stderr)
        return 130
    results.seconds, results.processor_seconds = time.monotonic() - started, processor_seconds()
    results.write(kept=not whole)
    caught = sum(trial.caught for trial in results.trials)
    print(
        f"mutants caught {caught}/{len(results.trials)}; {results.seconds:.0f} s, {results.processor_seconds:.0f} s of processors"
    )
    return int(not all(tally.good for tally in results.tallies) or caught < len(results.trials))


@contextmanager
def scratch_folder() -> Iterator[None]:
    """Put everything that runs write into memory, where there is room; elsewhere half of the time is waiting for syncs."""
    roomy = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > ENOUGH_BYTES
    folder = tempfile.mkdtemp(prefix="ccm-faults-", dir=MEMORY_DISK if roomy else None)
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def processor_seconds() -> float:
    """Return what this process and all that it waited for have used."""
    mine, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + others.ru_utime + others.ru_stime + shared_seconds()


def timed(part: Callable[[], Iterable[Tally]]) -> Iterator[Tally]:
    """Run a part; note what each row took of the processors."""
    before = processor_seconds()
    for one in part():
        now = processor_seconds()
        one.processor_seconds, before = now - before, now
        yield one


def tell(one: Tally) -> None:
    """Print a row."""
    times = (f"{one.seconds:.0f}", f"{one.processor_seconds:.0f}")
    print(ROW.format(one.name, one.kills, one.lost, one.duplicated, one.unknown, *times))
    for failure in one.failures[:10]:
        print(f"    wrong: {failure}")
    sys.stdout.flush()


def tell_trial(trial: proof.Trial) -> None:
    """Print what became of a mutant."""
    print(f"mutant {trial.mutant.name}: " + (f"caught, {trial.how}" if trial.caught else "ESCAPED"), flush=True)


def table() -> str:
    """Return the figures as they stand in the guide."""
    found = json.loads(OUT.read_text(encoding="utf-8"))
    rows = [
        "| configuration | faults | lost | duplicated | unknown | most unknown at once |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {one['name']} | {one['kills']:,} | {one['lost']} | {one['duplicated']} | {one['unknown']:,} | {one['most_unknown_at_once']} |"
        for one in found["configurations"]
    ]
    return "\n".join([*rows, "", f"Mutants caught: {found['mutants'].get('caught')}/{found['mutants'].get('total')}."])


@dataclass
class Results:
    """What was found so far.

    kept: Whether it is written; a quick run is not.
    """

    kept: bool
    tallies: list[Tally] = field(default_factory=list)
    trials: list[proof.Trial] = field(default_factory=list)
    seconds: float = 0.0
    processor_seconds: float = 0.0

    def write(self, *, kept: bool) -> None:
        """Write the figures.

        Args:
            kept: Rows that did not run now stay.
        """
        if not self.kept:
            return
        before: dict[str, Any] = {"configurations": [], "mutants": {"caught": 0, "total": 0}}
        if kept and OUT.exists():
            before = json.loads(OUT.read_text(encoding="utf-8"))
        now = {tally.name: tally.as_json() for tally in self.tallies}
        rows = [now.pop(row["name"], row) for row in before["configurations"]] + list(now.values())
        figures: dict[str, Any] = {**before, "configurations": rows, "machine": machine()}
        if self.trials:
            figures["mutants"] = {
                "caught": sum(trial.caught for trial in self.trials),
                "total": len(self.trials),
                "each": {trial.mutant.name: trial.how for trial in self.trials},
            }
        if self.seconds and not kept:
            figures["seconds"], figures["processor_seconds"] = round(self.seconds), round(self.processor_seconds)
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    return {
        "processors": len(os.sched_getaffinity(0)), "python": platform.python_version(), "kernel": platform.release()
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
