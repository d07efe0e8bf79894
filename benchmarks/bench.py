"""The base line: what one core composes in a second, and what memory a run takes.

    python -m benchmarks.bench [--quick]

Writes benchmarks/out/bench.json. Rates are per second of processor time of one process, on the sample campaigns,
everything included that a piece needs (Jinja, formats, MIME, segments, PDF with tags); documents stand beside a
plain WeasyPrint loop over the same HTML and CSS in the same run. Memory is the peak of a whole `ccm run`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, communication_id, piece_id
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare
from ccm.testing.releases import release_everything

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "out"
NOW = datetime(2026, 11, 6, 12, tzinfo=UTC)
ROUNDS = 3  # the median of these is reported


def planned(workspace: Workspace, campaign: str, channel: Channel) -> tuple[Prepared, list[Communication]]:
    """Return the campaign's communications, cut down to one channel."""
    prepared = prepare(workspace, campaign, now=NOW, ignore_schedule=True)
    found = plan(load_recipients(workspace, prepared.campaign, period=prepared.period), prepared.brief)
    cut = [
        replace(item, pieces=tuple(one for one in item.pieces if one.channel is channel))
        for item in found
        if isinstance(item, Communication)
    ]
    return prepared, [item for item in cut if item.pieces]


def tiled(communications: list[Communication], count: int) -> Iterator[Communication]:
    """Yield `count` communications, each with ids of its own."""
    for number in range(count):
        one = communications[number % len(communications)]
        identity = communication_id(one.campaign, one.occurrence, f"{one.recipient_id}/{number}")
        piece = replace(one.pieces[0], piece_id=piece_id(identity, one.pieces[0].channel))
        yield replace(one, communication_id=identity, pieces=(piece,))


def timed(work: Callable[[Communication], object], items: Iterable[Communication]) -> float:
    """Return the processor seconds that the work took."""
    many = list(items)
    started = time.process_time()
    for item in many:
        work(item)
    return time.process_time() - started


def composing(workspace: Workspace, campaign: str, channel: Channel, count: int) -> Mapping[str, object]:
    """Measure one channel, warm: every structure was met once before."""
    prepared, communications = planned(workspace, campaign, channel)
    composer = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)
    warm_up = communications[:8] if channel is Channel.DOCUMENT else communications
    cold_seconds = timed(composer.compose, warm_up)
    rates = [count / timed(composer.compose, tiled(communications, count)) for _ in range(ROUNDS)]
    slow = sum(bool(composer.compose(item).slow_paths) for item in warm_up)
    return {
        "campaign": campaign,
        "pieces": count,
        "per_second": round(median(rates), 1),
        "lowest": round(min(rates), 1),
        "highest": round(max(rates), 1),
        "warm_up_pieces": len(warm_up),
        "warm_up_seconds": round(cold_seconds, 2),
        "slow_paths": slow,
    }


def documents(workspace: Workspace, count: int) -> Mapping[str, object]:
    """Measure documents side by side with a plain WeasyPrint loop over the same pages, turn by turn."""
    from benchmarks.plain_weasyprint import PlainLoop

    prepared, communications = planned(workspace, "october-statement", Channel.DOCUMENT)
    composer = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)
    plain = PlainLoop(prepared)
    timed(composer.compose, communications[:2])
    timed(plain.render, communications[:1])
    ours, theirs = [], []
    for round_number in range(ROUNDS):
        batch = communications[round_number * count : (round_number + 1) * count]
        ours.append(len(batch) / timed(composer.compose, batch))
        theirs.append(len(batch) / timed(plain.render, batch))
    return {
        "campaign": "october-statement",
        "pieces": count,
        "per_second": round(median(ours), 2),
        "plain_weasyprint_per_second": round(median(theirs), 2),
        "ratio_to_plain_weasyprint": round(median(one / other for one, other in zip(ours, theirs, strict=True)), 2),
    }


def grown_workspace(folder: Path, recipients: int) -> None:
    """Copy the sample workspace with the offer's customers tiled to a number of recipients."""
    for name in ("ccm.yaml", "brands", "templates", "campaigns", "data"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    sound = _tile(folder / "data" / "customers.csv", "id", recipients)
    _tile(folder / "data" / "offers.csv", "customer_id", recipients, sound)


def _tile(path: Path, key: str, count: int, keys: list[str] | None = None) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = list(reader.fieldnames or ())
        rows = [row for row in reader if keys is None or row[key] in keys]
    if keys is None:  # rows that are wrong on purpose would stop a large run, as they should
        rows = [row for row in rows if row.get("email") and "@" in row["email"] and row.get("locale")][:200]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for number in range(count):
            row = dict(rows[number % len(rows)])
            row[key] = f"{row[key]}-{number // len(rows)}"
            writer.writerow(row)
    return [row[key] for row in rows]


def whole_run(recipients: int) -> Mapping[str, object]:
    """Run the offer campaign for a number of recipients in a process of its own; peak memory is of that process."""
    with tempfile.TemporaryDirectory(prefix="ccm-bench-") as temporary:
        folder = Path(temporary)
        grown_workspace(folder, recipients)
        release_everything(folder)
        command = [sys.executable, "-m", "ccm", "run", "winter-offer", "-w", str(folder), "--as-of", NOW.isoformat()]
        started = time.monotonic()
        process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate()
        if process.returncode not in (0, 1) or not out:
            raise SystemExit(f"the run failed: {err.decode()[-2000:]}")
        report = json.loads(out)
        seconds = time.monotonic() - started
        peak = _peak_mib(folder, command)
    return {
        "recipients": recipients,
        "outcomes": report["outcomes"],
        "seconds": round(seconds, 1),
        "peak_memory_mib": peak,
    }


def _peak_mib(folder: Path, command: list[str]) -> int:
    """Run once more from the start under the kernel's own accounting of one child."""
    for name in (".ccm", "outbox", "archive"):
        shutil.rmtree(folder / name, ignore_errors=True)
    pid = os.posix_spawn(command[0], [*command, "--quiet"], dict(os.environ), file_actions=_quiet())
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_maxrss // 1024


def _quiet() -> list[tuple[int, int, str, int, int]]:
    return [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]


def machine() -> str:
    """Name the processor as the reader of a figure needs it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return f"{line.partition(': ')[2]}, {len(os.sched_getaffinity(0))} cores, {platform.python_version()}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}"


def main() -> None:
    """Measure and write benchmarks/out/bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="A tenth of the work, for trying out.")
    quick = parser.parse_args().quick
    workspace, diagnostics = load_workspace(ROOT)
    assert workspace is not None, diagnostics
    result = {
        "machine": machine(),
        "email": composing(workspace, "winter-offer", Channel.EMAIL, 300 if quick else 3000),
        "sms": composing(workspace, "winter-offer", Channel.SMS, 500 if quick else 5000),
        "document": documents(workspace, 3 if quick else 12),
        "run": [whole_run(count) for count in ((100, 1000) if quick else (1000, 10_000))],
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "bench.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
