"""python -m benchmarks.faults [--quick] [--only PART …]

Breaks runs in every way of docs/guarantees.md and prints kills, lost, duplicated and unknown of each configuration,
then puts known mistakes into the sender and tells how many of them were caught. Writes benchmarks/out/faults.json;
with --only, rows of other parts stay as they were. Exit code 1 where a promise was broken or a mutant escaped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator

from benchmarks.faults import disk, fleet, flips, injection, kills, lost_answers, power, proof, restored, verbs
from benchmarks.faults.simulation import many
from benchmarks.faults.tools import ROOT
from benchmarks.faults.verdict import Tally

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
}
ROW = "{:<46} {:>7} {:>6} {:>11} {:>8} {:>9}"


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
    started = time.monotonic()
    print(ROW.format("configuration", "kills", "lost", "duplicated", "unknown", "seconds"), flush=True)
    tallies = [tally for name, part in PARTS.items() if name in chosen for tally in told(part(arguments.quick))]
    trials = proof.tried() if "mutants" in chosen else []
    for trial in trials:
        print(f"mutant {trial.mutant.name}: " + (f"caught, {trial.how}" if trial.caught else "ESCAPED"), flush=True)
    caught = sum(trial.caught for trial in trials)
    print(f"mutants caught {caught}/{len(trials)}; {time.monotonic() - started:.0f} s")
    if not arguments.quick:
        write(tallies, trials, keep=bool(arguments.only))
    return int(not all(tally.good for tally in tallies) or caught < len(trials))


def told(tallies: Iterable[Tally]) -> Iterator[Tally]:
    """Print rows as they come."""
    for one in tallies:
        print(ROW.format(one.name, one.kills, one.lost, one.duplicated, one.unknown, f"{one.seconds:.0f}"))
        for failure in one.failures[:10]:
            print(f"    wrong: {failure}")
        sys.stdout.flush()
        yield one


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


def write(tallies: list[Tally], trials: list[proof.Trial], *, keep: bool) -> None:
    """Write the figures; `keep` leaves rows of parts that did not run now."""
    before = {"configurations": [], "mutants": {"caught": 0, "total": 0}}
    if keep and OUT.exists():
        before = json.loads(OUT.read_text(encoding="utf-8"))
    now = {tally.name: tally.as_json() for tally in tallies}
    rows = [now.pop(row["name"], row) for row in before["configurations"]] + list(now.values())
    mutants = before["mutants"]
    if trials:
        mutants = {
            "caught": sum(trial.caught for trial in trials),
            "total": len(trials),
            "each": {trial.mutant.name: trial.how for trial in trials},
        }
    machine = {
        "processors": len(os.sched_getaffinity(0)), "python": platform.python_version(), "kernel": platform.release()
    }  # fmt: skip
    OUT.parent.mkdir(exist_ok=True)
    figures = {"configurations": rows, "mutants": mutants, "machine": machine}
    OUT.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
