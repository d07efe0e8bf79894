"""Which release counts on which day. Pure, because planning asks it for every recipient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ccm.model.records import ReleaseRef


@dataclass(frozen=True)
class EffectiveRelease:
    """An approved release and the days it counts for.

    effective_from, effective_until: First and last day, both inclusive; None leaves that side open.
    """

    release: ReleaseRef
    effective_from: date | None = None
    effective_until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the release counts on a day at all."""
        after = self.effective_from is None or self.effective_from <= day
        return after and (self.effective_until is None or day <= self.effective_until)


def effective_on(candidates: Iterable[EffectiveRelease], day: date) -> tuple[EffectiveRelease, ...]:
    """Return what is effective on a day: one release, none, or several that nothing tells apart.

    A release that begins later takes over from one that began earlier, as a new price list does; two that begin
    on the same day (or both without a beginning) are both effective, which is a mistake.
    """
    covering = [item for item in candidates if item.covers(day)]
    latest = max((item.effective_from or date.min for item in covering), default=date.min)
    return tuple(item for item in covering if (item.effective_from or date.min) == latest)
