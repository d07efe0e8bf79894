"""How far a run is and how fast it goes; and what stops it from inside: too many mistakes, or one of our own."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ccm.model.definitions import CampaignDefinition
from ccm.model.progress import RunProgress
from ccm.model.records import Finding, OutcomeKind
from ccm.model.workspace import Workspace

_MOMENTS = 30  # looks that the rate is taken over
_CHUNK = 1 << 20


class TooManyHeld(Exception):
    """More recipients were held for mistakes than the campaign allows; the run stopped by itself."""

    def __init__(self, held: int, seen: int, share: float) -> None:
        self.remedy = "mend the data or the template, or raise limits.held_share, and give the same command again"
        super().__init__(
            f"{held} of the first {seen} recipients are held for mistakes, more than the allowed {share:.0%}; {self.remedy}"
        )


class FilledOtherwise(Exception):
    """A filled document differs from what the layout engine makes; nothing of its window left."""

    def __init__(self, difference: Finding) -> None:
        self.remedy = difference.remedy
        super().__init__(f"the run stopped at piece {difference.piece_id}: {difference.message}; {self.remedy}")


@dataclass(frozen=True)
class Progress:
    """How far an execution is; passed to the listener after every window.

    per_second: Recipients with an outcome, over the last moments.
    total: Recipients of the source, about; None where they cannot be counted fast.
    """

    read: int
    done: int
    outcomes: Mapping[OutcomeKind, int]
    pieces: int
    per_second: float = 0.0
    total: int | None = None


class Pulse:
    """Works out the rate from the last looks."""

    def __init__(self, total: int | None) -> None:
        """Begin; total is about how many recipients there are, if that is known."""
        self._total = total
        self._looks: deque[tuple[datetime, int]] = deque(maxlen=_MOMENTS)

    def progress(self, read: int, done: int, pieces: int, now: datetime) -> RunProgress:
        """Return how far the execution is; called after every window and every other second."""
        self._looks.append((now, done))
        begun, before = self._looks[0]
        seconds = (now - begun).total_seconds()
        rate = (done - before) / seconds if seconds > 0 else 0.0
        total = None if self._total is None else max(self._total, read)
        return RunProgress(read, done, total, pieces, max(0.0, rate), now)


def about_how_many(workspace: Workspace, campaign: CampaignDefinition) -> int | None:
    """Return about how many recipients a source has: the lines of its text file; None for anything else.

    Why only about: a line break inside quotes counts too. It is for the time left, never for a sum.
    """
    rows = workspace.sources[campaign.audience.source].rows
    if rows.file is None or not rows.file.endswith((".csv", ".jsonl", ".ndjson")):
        return None
    path = Path(workspace.root) / "data" / rows.file
    try:
        with path.open("rb") as file:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))
    except OSError:
        return None
    return max(0, lines - path.suffix.count("csv"))
