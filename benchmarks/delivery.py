"""How fast the sender hands over, side by side with Postfix's own smtp-source, and whether its memory stays flat.

    python -m benchmarks.delivery [--quick]

Writes benchmarks/out/delivery.json. One smtp-sink takes everything. In turns, five times each: smtp-source as it comes (a
new connection for every message), smtp-source -d (connections are used again, as we do), and our sender: real ledger in a
SQLite file, every decision, intent, mark, receipt and outcome written, real SMTP adapter. Same size, same number of
connections. The messages are composed beforehand: composing has a benchmark of its own (`make bench`).

Medians count; a ratio is the median of the rounds' ratios. Rates fall with whatever else the machine does, and a ratio of rates
with it: the load is written down, and so is the processor time that each message cost the one process that sent it.

Memory: one process sends 1,000 pieces, then goes on to 100,000; the growth in between is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil

from ccm.deliver.smtp import SmtpAdapter
from ccm.ledger.sql import open_ledger
from ccm.model.definitions import Channel, Purpose
from ccm.model.records import (
    Communication,
    Decision,
    EmailRendition,
    Envelope,
    PieceState,
    PlannedPiece,
    ReleaseRef,
    communication_id,
    piece_id,
)
from ccm.run.desk import SendJob
from ccm.run.sending import Sender
from ccm.testing import sample_decision, sample_run
from ccm.testing.samples import CAMPAIGN, NOON, OCCURRENCE, RUN_ID

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "out"
DEBIAN = ROOT / ".venv" / "debian" / "usr"
SIZE = 14_000  # bytes of a message: a statement with its HTML and text
CONNECTIONS = 16
WINDOW = 200  # communications decided in one transaction, as a run does
ROUNDS = 5


def tool(name: str) -> list[str]:
    """Return how a Postfix tool is started here."""
    return [str(DEBIAN / "sbin" / name)]


def environment() -> dict[str, str]:
    """Return the environment that finds Postfix's libraries."""
    libraries = [DEBIAN / "lib" / "postfix", DEBIAN / "lib" / "x86_64-linux-gnu"]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}


@contextmanager
def sink() -> Iterator[int]:
    """Run an smtp-sink and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [*tool("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Round:
    """One measurement.

    rate: Messages per second.
    processor: Microseconds of processor time per message, of the sending process, user and system.
    """

    rate: float
    processor: float


def processor_seconds(who: int) -> float:
    """Return user and system time so far."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def source_rate(port: int, count: int, *options: str) -> Round:
    """Measure smtp-source."""
    command = [*tool("smtp-source"), *options, "-s", str(CONNECTIONS), "-l", str(SIZE), "-m", str(count)]
    command += ["-f", "mail@plain.example", "-t", "ann@example.org", f"127.0.0.1:{port}"]
    started, used = time.perf_counter(), processor_seconds(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment(), check=True)
    used = processor_seconds(resource.RUSAGE_CHILDREN) - used
    return Round(count / (time.perf_counter() - started), used / count * 1e6)


def message() -> bytes:
    """Return an email of the size that is compared."""
    head = b"From: <mail@plain.example>\r\nTo: <ann@example.org>\r\nSubject: Statement\r\nMIME-Version: 1.0\r\n\r\n"
    line = b"x" * 76 + b"\r\n"
    return (head + line * (SIZE // len(line) + 1))[:SIZE]


def job(number: int, content: bytes) -> SendJob:
    """Return one composed communication."""
    recipient = f"C-{number}"
    ident = communication_id(CAMPAIGN, OCCURRENCE, recipient)
    key = piece_id(ident, Channel.EMAIL)
    rendition = EmailRendition(key, "Statement", "", "", "", content)
    one = Communication(
        communication_id=ident,
        run_id=RUN_ID,
        campaign=CAMPAIGN,
        occurrence=OCCURRENCE,
        recipient_id=recipient,
        language="en",
        locale="en-GB",
        zone="UTC",
        purpose=Purpose.TRANSACTIONAL,
        release=ReleaseRef("monthly-statement", "1.0.0", "0123456789ab"),
        pieces=(PlannedPiece(key, Channel.EMAIL, "ann@example.org", True, "mail"),),
        data={},
        parameters={},
        issued_at=NOON,
    )
    envelope = Envelope(key, Channel.EMAIL, "mail@plain.example", "ann@example.org", rendition)
    states = {Channel.EMAIL: PieceState.COMPOSED}
    return SendJob(one, (envelope,), states, frozenset({Channel.EMAIL}), {key: "mail"})


class Run:
    """One claimed run with its ledger in a file, its sender and its adapter."""

    def __init__(self, folder: Path, port: int) -> None:
        settings = {"host": "127.0.0.1", "port": str(port), "tls": "none", "connections": str(CONNECTIONS)}
        settings["messages_per_connection"] = "1000"
        self.ledger = open_ledger("sqlite:///ledger.db", folder)
        self.ledger.claim_run(sample_run(), owner="bench", now=NOON, lease_seconds=10_000)
        self.adapter = SmtpAdapter.from_settings("mail", settings, root=str(folder))
        clock = lambda: datetime.now(UTC)  # noqa: E731
        self.sender = Sender(self.ledger, {"mail": self.adapter}, run_id=RUN_ID, owner="bench", clock=clock)
        self._content = message()

    def windows(self, numbers: Sequence[int]) -> Iterator[tuple[list[Decision], list[SendJob]]]:
        """Make what composing and deciding would have made."""
        for start in range(0, len(numbers), WINDOW):
            part = numbers[start : start + WINDOW]
            decisions = [sample_decision(f"C-{number}", [Channel.EMAIL]) for number in part]
            yield decisions, [job(number, self._content) for number in part]

    def send(self, windows: Iterable[tuple[list[Decision], list[SendJob]]]) -> None:
        """Write decisions and submit, window by window, then wait for the last outcome."""
        for decisions, jobs in windows:
            self.ledger.save(RUN_ID, decisions, owner="bench", now=NOON)
            self.sender.submit(jobs)
            self.sender.settled()
        self.sender.drain()

    def close(self) -> None:
        """End it, and check that nothing was left out."""
        self.sender.close()
        self.adapter.close()
        tally = self.ledger.tally(RUN_ID)
        assert tally.undecided == 0
        assert set(tally.outcomes) == {"accepted"}, tally.outcomes
        self.ledger.close()


def our_rate(port: int, count: int) -> Round:
    """Measure our sender, from the first decision to the last outcome."""
    with tempfile.TemporaryDirectory(prefix="ccm-bench-") as folder:
        run = Run(Path(folder), port)
        windows = list(run.windows(range(count)))
        started, used = time.perf_counter(), processor_seconds(resource.RUSAGE_SELF)
        run.send(windows)
        seconds, used = time.perf_counter() - started, processor_seconds(resource.RUSAGE_SELF) - used
        run.close()
    return Round(count / seconds, used / count * 1e6)


def memory(port: int, few: int, many: int) -> Mapping[str, object]:
    """Return the resident memory after few and after many pieces, in one process of its own."""
    script = f"from benchmarks.delivery import measure_memory; measure_memory({port}, {few}, {many})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    found: Mapping[str, object] = json.loads(done.stdout)
    return found


def measure_memory(port: int, few: int, many: int) -> None:
    """Send, look, go on sending, look again; print what was seen."""
    process = psutil.Process()
    with tempfile.TemporaryDirectory(prefix="ccm-bench-") as folder:
        run = Run(Path(folder), port)
        run.send(run.windows(range(few)))
        first = process.memory_info().rss
        highest = first
        for start in range(few, many, 10_000):
            run.send(run.windows(range(start, min(start + 10_000, many))))
            highest = max(highest, process.memory_info().rss)
        last = process.memory_info().rss
        run.close()
    print(
        json.dumps(
            {
                "pieces": [few, many],
                "rss_mb": [round(first / 1e6, 1), round(last / 1e6, 1)],
                "highest_mb": round(highest / 1e6, 1),
                "growth_mb": round((last - first) / 1e6, 1),
            }
        )
    )


def machine() -> Mapping[str, object]:
    """Name what this was measured on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].partition(":")[2].strip() if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """Return the median of the rounds' ratios."""
    return round(median(mine.rate / other.rate for mine, other in zip(ours, theirs, strict=True)), 2)


def main() -> None:
    """Measure everything and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    quick = parser.parse_args().quick
    count = 1_000 if quick else 6_000
    figures: dict[str, list[Round]] = {"smtp_source": [], "smtp_source_d": [], "ccm": []}
    loads = []
    with sink() as port:
        our_rate(port, 500)  # imports and tables
        for _ in range(ROUNDS):
            figures["smtp_source"].append(source_rate(port, count))
            figures["smtp_source_d"].append(source_rate(port, count, "-d"))
            figures["ccm"].append(our_rate(port, count))
            loads.append(round(os.getloadavg()[0], 1))
        flat = memory(port, 1_000, 10_000 if quick else 100_000)
    result = {
        "machine": machine(),
        "load": loads,
        "message_bytes": SIZE,
        "connections": CONNECTIONS,
        "messages": count,
        "per_second": {name: round(median(one.rate for one in rounds)) for name, rounds in figures.items()},
        "processor_us_per_message": {
            name: round(median(one.processor for one in rounds)) for name, rounds in figures.items()
        },
        "all_rounds": {name: [round(one.rate) for one in rounds] for name, rounds in figures.items()},
        "ratio_to_smtp_source": ratio(figures["ccm"], figures["smtp_source"]),
        "ratio_to_smtp_source_d": ratio(figures["ccm"], figures["smtp_source_d"]),
        "memory": flat,
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "delivery.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
