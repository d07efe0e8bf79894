"""A campaign stops itself when too much of what it sends fails."""

from __future__ import annotations

from collections import deque

from ccm.model.records import ReceiptStatus

RECENT = 100  # answers that are looked at: a provider that breaks after a million good ones is seen at once
ENOUGH = 50  # answers before the share means anything


class TooManyFailed(Exception):
    """More hand-overs failed than the campaign allows; the run stopped by itself and can be resumed."""

    def __init__(self, failed: int, seen: int, share: float) -> None:
        self.remedy = (
            "look at the providers' answers with `ccm status`, then give the same command again, "
            "or raise limits.failed_share of the campaign"
        )
        super().__init__(
            f"{failed} of the last {seen} pieces were rejected, deferred or left without an answer, "
            f"more than the allowed {share:.0%}; {self.remedy}"
        )


class Circuit:
    """Watches the answers of all providers of a run."""

    def __init__(self, share: float = 1.0) -> None:
        """Begin closed.

        Args:
            share: Of the last answers that may fail, from 0 to 1; 1 allows everything.
        """
        self._share = share
        self._recent: deque[bool] = deque(maxlen=RECENT)

    def saw(self, status: ReceiptStatus) -> TooManyFailed | None:
        """Count the last answer about a piece; return the reason to stop when there is one."""
        self._recent.append(status is not ReceiptStatus.ACCEPTED)
        failed, seen = sum(self._recent), len(self._recent)
        if seen < ENOUGH or failed <= self._share * seen:
            return None
        return TooManyFailed(failed, seen, self._share)
