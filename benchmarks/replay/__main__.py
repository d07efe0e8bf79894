"""python -m benchmarks.replay [--documents N] [--customers FACTOR] [--keep FOLDER]

Sends the enlarged sample over all channels, changes the working templates, brands and data, copies what was kept to
another folder and verifies every piece there with another language, time zone and home. Then alters one thing in each
of many copies; every alteration must be named. Writes benchmarks/out/replay.json: pieces, identical, alterations,
named, what escaped, seconds, machine, and what encryption and snapshots cost for each piece.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.replay.altered import ALTERATIONS, kept_pieces
from benchmarks.replay.cost import cost_of_keeping
from benchmarks.replay.judging import Judged, ccm_verify, copy_kept, judge
from benchmarks.replay.sending import ROOT, change_everything, enlarged_sample, send_everything
from ccm.load import load_workspace
from ccm.model.records import PieceRecord

OUT = ROOT / "benchmarks" / "out" / "replay.json"
SEED = 20261122


def main() -> None:
    """Send, change, verify, alter; print and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay")
    parser.add_argument("--documents", type=int, default=150, help="PDFs: two a second and processor are made")
    parser.add_argument("--customers", type=int, default=2, help="how many times as many as in the sample")
    parser.add_argument("--keep", type=Path, help="folder that stays afterwards")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="ccm-replay-"))
    try:
        measure(folder, given.documents, given.customers)
    finally:
        if given.keep is None:
            shutil.rmtree(folder)


def measure(folder: Path, documents: int, factor: int) -> None:
    """Do the whole of it in a folder."""
    started = time.perf_counter()
    root = enlarged_sample(folder / "sent", documents, factor)
    send_everything(root)
    sent_seconds = time.perf_counter() - started
    change_everything(root)
    kept = copy_kept(root, folder / "kept")
    pieces = pieces_of(kept)
    say(f"{len(pieces)} pieces sent in {sent_seconds:.0f} s: {dict(Counter(str(one.channel) for one in pieces))}")
    started = time.perf_counter()
    verdicts = verified(kept, sorted({one.run_id for one in pieces}))
    seconds = time.perf_counter() - started
    say(f"verified in {seconds:.0f} s: {dict(verdicts)}")
    judged = [judge(kept, pieces, one, SEED + number) for number, one in enumerate(ALTERATIONS)]
    for one in judged:
        say(
            f"{'named ' if one.named else 'MISSED'} {one.name}"
            + ("" if one.named else f"\n  {one.expected}\n  {one.said}")
        )
    figures = result(pieces, verdicts, judged)
    figures |= {
        "seconds": {"send": round(sent_seconds, 1), "verify": round(seconds, 1)},
        "cost": cost_of_keeping(kept, pieces),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    say(json.dumps(figures, indent=2))
    if figures["identical"] != figures["pieces"] or figures["named"] != figures["alterations"]:
        sys.exit(1)


def pieces_of(root: Path) -> tuple[PieceRecord, ...]:
    """Return every piece that has a snapshot."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return kept_pieces(workspace)


def verified(root: Path, runs: list[str]) -> Counter[str]:
    """Verify whole runs by the command."""
    verdicts: Counter[str] = Counter()
    for run in runs:
        answer = ccm_verify(root, run, {}, "--workers", str(os.cpu_count() or 1))
        said = json.loads(answer.stdout)
        verdicts.update({name: said[name] for name in ("identical", "different", "erased", "draft") if said.get(name)})
        for one in said["differing"]:
            say(json.dumps(one))
    return verdicts


def result(pieces: tuple[PieceRecord, ...], verdicts: Counter[str], judged: list[Judged]) -> dict[str, object]:
    """Return the figures that must be whole."""
    return {
        "pieces": len(pieces),
        "identical": verdicts["identical"],
        "alterations": len(judged),
        "named": sum(one.named for one in judged),
        "channels": dict(sorted(Counter(str(one.channel) for one in pieces).items())),
        "locales": len({one.locale for one in pieces}),
        "releases": len({one.release for one in pieces}),
        "escaped": [one.name for one in judged if not one.named],
    }


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
