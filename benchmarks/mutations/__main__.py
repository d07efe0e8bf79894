"""python -m benchmarks.mutations [--quick] [--cost]

Breaks the composed sample in one place at a time and asks the checks; then asks them about everything that is right:
the sample, all months of real retail data and all invoices of the music store. Writes benchmarks/out/facts.json:
mutations, caught, pieces, false_alarms, what escaped by kind and place, and what the proof costs on top of composing.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from benchmarks.mutations.cost import costs
from benchmarks.mutations.mistakes import Mistake, mistakes
from benchmarks.mutations.real import MONTHS, real_workspace, right_pieces, shared_folder
from benchmarks.mutations.sample import ROOT, Sample, samples
from ccm.check import check
from ccm.diagnostics import Severity
from ccm.model.records import Composed

OUT = ROOT / "benchmarks" / "out" / "facts.json"
SEED = 20261122
EACH = 3  # mistakes of one kind in one place of one language
QUICK = 40  # customers and invoices of real data in the quick form


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
    pieces, alarms = false_alarms(found)  # first, so that mistakes meet checks that know the right messages
    for sample in found:
        for mistake in chosen(sample, rng, each):
            done += 1
            kinds[mistake.kind.partition(" in ")[0]] += 1
            if held(mistake.composed, sample):
                caught += 1
            else:
                language = mistake.composed.communication.language
                escaped[f"{sample.campaign}: {mistake.kind}, {mistake.where}, {language}"] += 1
    return {
        "mutations": done,
        "caught": caught,
        "pieces": pieces,
        "false_alarms": sum(alarms.values()),
        "kinds": dict(sorted(kinds.items())),
        "escaped": dict(escaped),
        "alarms": dict(alarms),
    }


def with_real_data(figures: dict[str, object], shared: Path, *, quick: bool) -> dict[str, object]:
    """Return the figures with the real pieces counted in, and what the proof costs."""
    with real_workspace(shared) as workspace:
        if quick:
            real = right_pieces(workspace, months=MONTHS[-1:], most=QUICK, documents=1)
        else:
            real = right_pieces(workspace)
        cost = costs(None if quick else workspace, messages=200 if quick else 2000, documents=not quick)
    pieces, alarms = int(str(figures["pieces"])), cast("dict[str, int]", figures["alarms"])
    return {
        **figures,
        "pieces": pieces + real.pieces.total(),
        "false_alarms": int(str(figures["false_alarms"])) + real.by_reason.total(),
        "sets": {"sample": pieces, **{f"real {channel}": count for channel, count in sorted(real.pieces.items())}},
        "alarms": {**alarms, **real.by_reason},
        "cost": cost,
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
    parser.add_argument("--quick", action="store_true", help="few customers, few documents; writes no file")
    parser.add_argument("--cost", action="store_true", help="only what the proof costs; writes no file")
    arguments = parser.parse_args()
    shared = shared_folder()
    if arguments.cost:
        print(json.dumps(_costs(shared), indent=2))
        return 0
    started = time.monotonic()
    if arguments.quick:
        figures = measure(list(samples(documents_each=0, per_language=3)), each=1)
    else:
        figures = measure(list(samples(documents_each=1)))
    if shared is not None:
        figures = with_real_data(figures, shared, quick=arguments.quick)
    elif not arguments.quick:
        print("no shared data: set CCM_SHARED_DATA", file=sys.stderr)
        return 3
    figures["seconds"] = round(time.monotonic() - started)
    if not arguments.quick:
        Path(OUT).parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2, ensure_ascii=False))
    escaped = figures["mutations"] != figures["caught"]
    return int(escaped or int(str(figures["false_alarms"])) * 1000 > int(str(figures["pieces"])))


def _costs(shared: Path | None) -> Mapping[str, dict[str, object]]:
    if shared is None:
        return costs(None)
    with real_workspace(shared) as workspace:
        return costs(workspace)


if __name__ == "__main__":
    sys.exit(main())
