"""python -m benchmarks.mutations [--quick] [--shared FOLDER]

Breaks the composed sample in one place at a time and asks the checks; then asks them about everything that is right.
Writes benchmarks/out/facts.json: mutations, caught, pieces, false_alarms, and what escaped by kind and place.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.mutations.mistakes import Mistake, mistakes
from benchmarks.mutations.sample import ROOT, Sample, samples
from ccm.check import check
from ccm.diagnostics import Severity
from ccm.model.records import Composed

OUT = ROOT / "benchmarks" / "out" / "facts.json"
SEED = 20261122
EACH = 3  # mistakes of one kind in one place of one language


def held(composed: Composed, sample: Sample) -> bool:
    """Tell whether the checks hold any piece."""
    return any(one.severity is Severity.ERROR for one in check(composed, sample.rules))


def chosen(sample: Sample, rng: random.Random, each: int = EACH) -> list[Mistake]:
    """Draw mistakes so that every kind meets every place and language of a campaign."""
    drawn: dict[tuple[str, str, str], list[Mistake]] = defaultdict(list)
    order = list(sample.composed)
    rng.shuffle(order)
    for number, composed in enumerate(order):
        if composed.findings or not composed.renditions:
            continue
        others = tuple(one for one in order[number + 1 :] + order[:number] if one.facts)[:6]
        for mistake in mistakes(composed, others, rng):
            bucket = drawn[mistake.kind, mistake.where, composed.communication.language]
            if len(bucket) < each:
                bucket.append(mistake)
    return [mistake for bucket in drawn.values() for mistake in bucket]


def measure(found: list[Sample], each: int = EACH) -> dict[str, object]:
    """Return the figures over composed campaigns."""
    rng = random.Random(SEED)  # drawn anew the same way, no secret
    done, caught, escaped = 0, 0, Counter[str]()
    kinds: Counter[str] = Counter()
    for sample in found:
        for mistake in chosen(sample, rng, each):
            done += 1
            kinds[mistake.kind.partition(" in ")[0]] += 1
            if held(mistake.composed, sample):
                caught += 1
            else:
                language = mistake.composed.communication.language
                escaped[f"{sample.campaign}: {mistake.kind}, {mistake.where}, {language}"] += 1
    pieces, alarms = false_alarms(found)
    return {
        "mutations": done,
        "caught": caught,
        "pieces": pieces,
        "false_alarms": sum(alarms.values()),
        "kinds": dict(sorted(kinds.items())),
        "escaped": dict(escaped),
        "alarms": dict(alarms),
    }


def false_alarms(found: list[Sample]) -> tuple[int, Counter[str]]:
    """Count the right pieces, and those among them that the checks would hold."""
    pieces, alarms = 0, Counter[str]()
    for sample in found:
        for composed in sample.composed:
            if composed.findings:
                continue  # held by composing already
            pieces += len(composed.renditions)
            wrong = {one.piece_id: one for one in check(composed, sample.rules) if one.severity is Severity.ERROR}
            for one in wrong.values():
                alarms[f"{sample.campaign}: {one.code}: {one.message} ({composed.communication.locale})"] += 1
    return pieces, alarms


def main() -> int:
    """Run, write and print; 1 where a mistake escaped or too many right pieces were held."""
    parser = argparse.ArgumentParser(prog="make mutations")
    parser.add_argument("--quick", action="store_true", help="few customers and no documents")
    arguments = parser.parse_args()
    started = time.monotonic()
    if arguments.quick:
        found = list(samples(documents_each=0, per_language=3))
        figures = measure(found, each=1)
    else:
        figures = measure(list(samples(documents_each=1)))
    figures["seconds"] = round(time.monotonic() - started)
    if not arguments.quick:
        Path(OUT).parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2, ensure_ascii=False))
    escaped = figures["mutations"] != figures["caught"]
    return int(escaped or int(str(figures["false_alarms"])) * 1000 > int(str(figures["pieces"])))


if __name__ == "__main__":
    sys.exit(main())
