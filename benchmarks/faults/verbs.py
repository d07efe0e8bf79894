"""SMTP, verb by verb: seven verbs, each refused for now, refused for good, answered with 421, cut off or left waiting.

smtp-sink plays the server. Where it says 421 it resets the connection before the client can read it; a server of ours
takes these cells.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.mutants import MARK
from benchmarks.faults.says_421 import Says421
from benchmarks.faults.sink import Sink
from benchmarks.faults.verdict import TAKEN, Tally
from benchmarks.faults.warm import WarmCcm, shared
from benchmarks.faults.workplace import RUN, RUN_ID, Shape, configuration, mail_provider, make
from ccm.ledger.sql import open_ledger
from ccm.model.records import PieceState

PEOPLE = 2
TIMEOUT_SECONDS = 0.7
STALL_SECONDS = 600
AT_ONCE = 8  # a cell waits most of its time
FAULTS = {"4xx": "-r", "5xx": "-f", "421": "", "hang-up": "-q", "stall": "-W"}

# What becomes of a piece. later: provably not accepted, kept for another execution; provider: the same, and the run
# stops because the server as a whole is no use. A refused EHLO is answered with HELO (RFC 5321, 3.2), which works.
ACCEPTED, LATER, REFUSED, DOUBT, PROVIDER = "accepted", "later", "refused", "doubt", "provider"
TABLE = {
    "CONNECT": {"4xx": PROVIDER, "5xx": PROVIDER, "421": PROVIDER, "hang-up": PROVIDER, "stall": PROVIDER},
    "EHLO": {"4xx": ACCEPTED, "5xx": ACCEPTED, "421": PROVIDER, "hang-up": PROVIDER, "stall": PROVIDER},
    "MAIL": {"4xx": LATER, "5xx": PROVIDER, "421": LATER, "hang-up": LATER, "stall": LATER},
    "RCPT": {"4xx": LATER, "5xx": REFUSED, "421": LATER, "hang-up": LATER, "stall": LATER},
    "DATA": {"4xx": LATER, "5xx": REFUSED, "421": LATER, "hang-up": LATER, "stall": LATER},
    ".": {"4xx": LATER, "5xx": REFUSED, "421": LATER, "hang-up": DOUBT, "stall": DOUBT},
    "QUIT": {"4xx": ACCEPTED, "5xx": ACCEPTED, "421": ACCEPTED, "hang-up": ACCEPTED, "stall": ACCEPTED},
}


@dataclass(frozen=True)
class Cell:
    """One verb with one fault."""

    verb: str
    fault: str

    @property
    def expected(self) -> str:
        """What must become of every piece."""
        return TABLE[self.verb][self.fault]

    def __str__(self) -> str:
        return f"{self.fault} at {self.verb}"


CELLS = tuple(Cell(verb, fault) for verb in TABLE for fault in FAULTS)


@contextmanager
def server(cell: Cell) -> Iterator[Sink | Says421]:
    """Run the server of a cell."""
    if cell.fault == "421":
        with Says421(cell.verb) as ours:
            yield ours
        return
    # While it lets one command wait, smtp-sink answers those that came with it, with 503: so they come one by one (-p).
    options = ("-p", "-W", f"{cell.verb}:{STALL_SECONDS}") if cell.fault == "stall" else (FAULTS[cell.fault], cell.verb)
    with Sink(*options) as sink:
        yield sink


def states_of(root: Path) -> Counter[PieceState]:
    """Return where the pieces of a run stand."""
    ledger = open_ledger("sqlite:///.ccm/ledger.db", root)
    try:
        return Counter(piece.state for piece in ledger.pieces(RUN_ID))
    finally:
        ledger.close()


def became(code: int, states: Counter[PieceState]) -> str:
    """Name what became of the pieces, by the exit code and the ledger."""
    kinds = {
        ACCEPTED: sum(states[state] for state in TAKEN),
        REFUSED: states[PieceState.REJECTED],
        DOUBT: states[PieceState.UNKNOWN],
    }
    for name, count in kinds.items():
        if count:
            exact = count == PEOPLE and code == (0 if name == ACCEPTED else 1)
            return name if exact else f"{name} {count} of {PEOPLE}, exit code {code}"
    return PROVIDER if code == 4 else LATER if code == 1 else f"exit code {code}"


def try_cell(cell: Cell, base: Path, ccm: WarmCcm, tally: Tally, mutant: str = "") -> None:
    """Run once against the server of the cell, then again, and compare with the table."""
    folder = Path(tempfile.mkdtemp(prefix="ccm-verb-"))
    root = folder / "workspace"
    shutil.copytree(base, root)
    try:
        with server(cell) as running:
            settings = {"mail": mail_provider(running.port, 1, TIMEOUT_SECONDS)}
            (root / "ccm.yaml").write_text(configuration(Shape(settings=settings)))
            first = ccm(*RUN, folder=root, mutant=mutant)
            tally.mutant_fired |= MARK in first.stderr
            found = became(first.code, states_of(root))
            arrived = running.counts()
            if found != cell.expected:
                tally.fail(cell, f"{found}, not {cell.expected} {first.stderr[-200:]}")
            if cell.expected in (ACCEPTED, DOUBT):
                ccm(*RUN, folder=root, mutant=mutant)
                again = running.counts()
                if again != arrived:
                    tally.fail(cell, "the same command sent again")
                tally.duplicated += sum(again.values()) - len(again)
                tally.lost += PEOPLE - len(again) if cell.expected == ACCEPTED else 0
            tally.unknown += PEOPLE if found == DOUBT else 0
            tally.count()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def all_cells(quick: bool = False, mutant: str = "", cells: tuple[Cell, ...] = CELLS) -> list[Tally]:
    """Try the 35 cells; quick leaves those out in which the sender waits and tries again."""
    tally = Tally("smtp, 7 verbs x 5 faults")
    started = time.monotonic()
    chosen = [cell for cell in cells if not quick or (cell.expected != LATER and cell.fault in ("5xx", "hang-up"))]
    folder = Path(tempfile.mkdtemp(prefix="ccm-verbs-"))
    try:
        base = make(folder / "workspace", Shape(people=PEOPLE, settings={"mail": mail_provider(1, 1)}))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda cell: try_cell(cell, base, shared(), tally, mutant), chosen))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - started
    return [tally]
