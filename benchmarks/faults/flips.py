"""Damaged files: one byte flipped or the end cut off, in the ledger, the archive and the releases.

Detected means that the engine says so and stops; harmless, that everything comes out as it would have. What is left
would be silent damage, and there may be none.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.faults.kills import SEED, WORKERS, Configuration, Place, points_of, side_by_side
from benchmarks.faults.power import lay_out, state_of
from benchmarks.faults.tracing import hit
from benchmarks.faults.verdict import Tally, judged
from benchmarks.faults.workplace import AS_OF, CAMPAIGN, RUN, RUN_ID
from ccm.archive.interface import ArchiveError
from ccm.ledger.sql import open_ledger
from ccm.load import load_recipients, load_workspace
from ccm.model.records import Communication, PieceState
from ccm.plan import plan
from ccm.release.interface import ReleaseError, StoreUnusable
from ccm.run.contents import ConfigurationFault
from ccm.run.prepare import prepare
from ccm.run.workers import Maker, MakerParts

DAMAGED = Configuration("damaged", 4, 24, 0)
FLIPS = {"ledger": 260, "archive": 372, "releases": 372}  # 1,000 in all, and 100
CUTS = {"ledger": 28, "archive": 36, "releases": 36}
NOTICED = (ArchiveError, ReleaseError, StoreUnusable, ConfigurationFault)


@dataclass(frozen=True)
class Damage:
    """One damage to one file.

    bit: Flipped at the place; None cuts the file off there.
    """

    path: Path
    place: int
    bit: int | None

    def do(self) -> bytes:
        """Damage the file; returns what it was."""
        before = self.path.read_bytes()
        if self.bit is None:
            self.path.write_bytes(before[: self.place])
        else:
            changed = bytearray(before)
            changed[self.place] ^= 1 << self.bit
            self.path.write_bytes(changed)
        return before

    def __str__(self) -> str:
        what = "cut off" if self.bit is None else f"bit {self.bit}"
        return f"{self.path.name[:24]} at {self.place}: {what}"


def drawn(files: list[Path], flips: int, cuts: int, rng: random.Random) -> list[Damage]:
    """Draw damages; larger files are not hit more often than small ones."""
    found = []
    for number in range(flips + cuts):
        path = rng.choice(files)
        bit = rng.randrange(8) if number < flips else None
        found.append(Damage(path, rng.randrange(path.stat().st_size), bit))
    return found


def files_under(folder: Path) -> list[Path]:
    """Return all files with something in them, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


# ── archive and releases: read in this process ───────────────────────────────


def read_archive(place: Place) -> object:
    """Read every piece that was sent, as `ccm show` does."""
    from ccm.run.archived import sent_piece

    workspace, _ = load_workspace(place.root, lint=False)
    assert workspace is not None
    ledger = open_ledger(workspace.definition.ledger, workspace.root)
    try:
        pieces = [piece.piece_id for piece in ledger.pieces(RUN_ID, states=(PieceState.ACCEPTED,))]
    finally:
        ledger.close()
    return [sent_piece(workspace, piece) for piece in pieces[:3]]


def read_releases(place: Place) -> object:
    """Compose somebody's message from what is approved."""
    workspace, _ = load_workspace(place.root, lint=False)
    assert workspace is not None
    prepared = prepare(workspace, CAMPAIGN, now=datetime.fromisoformat(AS_OF), production=True)
    recipients = load_recipients(prepared.workspace, prepared.campaign, period=prepared.period)
    first = next(one for one in plan(recipients, prepared.brief) if isinstance(one, Communication))
    made = Maker(MakerParts.of(prepared)).make(first)
    return made.composed.renditions, made.findings


def read_damaged(place: Place, damages: list[Damage], read: Callable[[Place], object], tally: Tally) -> None:
    """Damage, read, mend; whatever is read must be what was read before, or be refused."""
    right = read(place)
    for damage in damages:
        before = damage.do()
        try:
            found = read(place)
        except NOTICED:
            pass
        except Exception as error:
            tally.fail(damage, f"not told in words: {type(error).__name__}")
        else:
            if found != right:
                tally.fail(damage, "something else was read, and nobody noticed")
                tally.lost += 1
        finally:
            damage.path.write_bytes(before)
        tally.count()


def quietly_damaged(name: str, folder: str, read: Callable[[Place], object], scale: int) -> Tally:
    """Damage one store in every way."""

    def work(number: int, tally: Tally) -> None:
        rng = random.Random(f"{SEED}/{name}/{number}")
        with Place(DAMAGED) as place:
            assert place.finish().code == 0
            files = files_under(place.root / folder)
            if name == "archive":
                files = used_by(place, files, read)
            damages = drawn(files, FLIPS[name] // scale // WORKERS, CUTS[name] // scale // WORKERS, rng)
            read_damaged(place, damages, read, tally)

    return side_by_side(f"{name}: flipped bytes and cut files", work, (FLIPS[name] + CUTS[name]) // scale)


def used_by(place: Place, files: list[Path], read: Callable[[Place], object]) -> list[Path]:
    """Return the files that a reading needs, so that no damage lies where nobody looks."""
    needed = []
    for path in files:
        content = path.read_bytes()
        path.unlink()
        try:
            read(place)
        except NOTICED:
            needed.append(path)
        finally:
            path.write_bytes(content)
    assert needed
    return needed


# ── ledger: a half-sent run goes on ──────────────────────────────────────────


def half_sent(place: Place) -> dict[str, bytes]:
    """Kill a run in its middle; returns its state, everything in the ledger's main file."""
    points = points_of(place, ("recvfrom",))
    place.reset()
    ended = hit(place.ccm, place.task(), points[len(points) // 2])
    assert ended.killed
    open_ledger("sqlite:///.ccm/ledger.db", place.root).close()  # the last to close moves the log into the file
    place.sink.settle()
    return state_of(place.root)


def damaged_ledger(scale: int) -> Tally:
    """Go on with a half-sent run whose ledger was damaged: nobody is reached twice, unless it says so and stops."""

    def work(number: int, tally: Tally) -> None:
        rng = random.Random(f"{SEED}/ledger/{number}")
        with Place(DAMAGED) as place:
            state = half_sent(place)
            before = place.sink.counts()
            lay_out(place.root, state)
            path = place.root / ".ccm" / "ledger.db"
            for damage in drawn([path], FLIPS["ledger"] // scale // WORKERS, CUTS["ledger"] // scale // WORKERS, rng):
                lay_out(place.root, state)
                damage.do()
                place.sink.clear()
                ended = place.ccm(*RUN, folder=place.root)
                place.sink.settle()
                tally.count()
                arrived = before + place.sink.counts()
                twice = sum(arrived.values()) - len(arrived)
                if twice:
                    tally.duplicated += twice
                    tally.fail(damage, f"{twice} reached twice; exit code {ended.code}")
                if ended.code in (0, 1):
                    verdict = judged(place.root, arrived, DAMAGED.people, most_unknown=DAMAGED.in_flight)
                    if verdict.lost:
                        tally.lost += verdict.lost
                        tally.fail(damage, f"{verdict.lost} lost; exit code {ended.code}")
        shutil.rmtree(place.folder, ignore_errors=True)

    return side_by_side("ledger: flipped bytes and cut file", work, (FLIPS["ledger"] + CUTS["ledger"]) // scale)


def all_damage(quick: bool = False) -> Iterator[Tally]:
    """Damage everything; quick is a tenth of it."""
    scale = 10 if quick else 1
    yield quietly_damaged("releases", "releases", read_releases, scale)
    yield quietly_damaged("archive", "archive", read_archive, scale)
    yield damaged_ledger(scale)
