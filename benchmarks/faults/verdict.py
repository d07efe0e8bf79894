"""What became of a run after a fault: the strangers' own store of messages against what our ledger says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.progress import PROGRESS
from benchmarks.faults.workplace import RUN_ID
from ccm.ledger.sql import open_ledger
from ccm.model.records import PieceState

TAKEN = (PieceState.ACCEPTED, PieceState.DELIVERED, PieceState.BOUNCED, PieceState.COMPLAINED)


@dataclass(frozen=True)
class Verdict:
    """One run, after it was ended by the same command.

    lost: Pieces that nobody will ever send: accepted in the ledger and not there, or not in the ledger at all.
    duplicated: Arrivals beyond the first.
    unknown: Pieces listed as in doubt.
    wrong: Everything else that contradicts a promise, in words.
    """

    lost: int
    duplicated: int
    unknown: int
    wrong: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nobody was lost or reached twice, and nothing else is wrong."""
        return not (self.lost or self.duplicated or self.wrong)


@dataclass
class Tally:
    """The sums of one configuration.

    most_unknown: Of a single fault.
    processor_seconds: Of this process and all that it began.
    failures: What was wrong, and where; the first few are told.
    mutant_fired: Whether a mistake that was put in really changed something.
    """

    name: str
    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    unknown: int = 0
    most_unknown: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    mutant_fired: bool = False

    def count(self) -> None:
        """Count one fault."""
        self.kills += 1
        PROGRESS.one()

    def add(self, verdict: Verdict, at: object) -> None:
        """Count one fault and its verdict."""
        self.most_unknown = max(self.most_unknown, verdict.unknown)
        self.judge(verdict, at)
        self.count()

    def judge(self, verdict: Verdict, at: object) -> None:
        """Take over a verdict on faults that were counted before."""
        self.lost += verdict.lost
        self.duplicated += verdict.duplicated
        self.unknown += verdict.unknown
        if not verdict.good:
            told = [*verdict.wrong, f"lost {verdict.lost}, duplicated {verdict.duplicated}, unknown {verdict.unknown}"]
            self.failures.append(f"{at}: {'; '.join(told)}")

    def fail(self, at: object, what: str) -> None:
        """Note something that is wrong."""
        self.failures.append(f"{at}: {what}")

    def join(self, other: Tally) -> None:
        """Take over the sums of another part of the same configuration."""
        self.kills += other.kills
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.unknown += other.unknown
        self.most_unknown = max(self.most_unknown, other.most_unknown)
        self.seconds = max(self.seconds, other.seconds)
        self.failures += other.failures

    @property
    def good(self) -> bool:
        """Whether the configuration kept every promise."""
        return not (self.lost or self.duplicated or self.failures)

    def as_json(self) -> dict[str, object]:
        """Return what the results file says."""
        return {
            "name": self.name,
            "kills": self.kills,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "unknown": self.unknown,
            "most_unknown_at_once": self.most_unknown,
            "seconds": round(self.seconds, 1),
            "processor_seconds": round(self.processor_seconds, 1),
            "failures": self.failures[:10],
        }


def judged(root: Path, arrived: Counter[str], people: int, *, most_unknown: int, ledger: str = "") -> Verdict:
    """Compare the ledger of a run that was closed with what arrived.

    Args:
        arrived: How often each piece arrived; pieces of the provider that was in danger only.
        people: How many pieces there must be for it.
        most_unknown: How many pieces may be in doubt.
    """
    opened = open_ledger(ledger or "sqlite:///.ccm/ledger.db", root)
    try:
        pieces = [piece for piece in opened.pieces(RUN_ID) if piece.provider == "mail"]
        tally = opened.tally(RUN_ID)
    finally:
        opened.close()
    states = {piece.piece_id: piece.state for piece in pieces}
    unknown = [ident for ident, state in states.items() if state is PieceState.UNKNOWN]
    accepted = [ident for ident, state in states.items() if state in TAKEN]
    wrong = []
    if tally.run.state != "closed":
        wrong.append(f"the run is {tally.run.state}")
    if len(unknown) > most_unknown:
        wrong.append(f"{len(unknown)} in doubt, {most_unknown} allowed")
    strangers = set(arrived) - set(accepted) - set(unknown)
    if strangers:
        wrong.append(f"{len(strangers)} arrived that the ledger does not call accepted or unknown")
    if tally.run.state == "closed" and tally.read != sum(tally.outcomes.values()) + tally.outside_segment:
        wrong.append("the run does not balance")
    lost = sum(ident not in arrived for ident in accepted) + people - len(accepted) - len(unknown)
    return Verdict(lost, sum(arrived.values()) - len(arrived), len(unknown), tuple(wrong))
