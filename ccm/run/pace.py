"""How fast this process may use each provider: its share of the limits that all processes have together."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from ccm.model.rate import Grant, RateLimit

AHEAD_SECONDS = 0.25  # how much is reserved at once: enough for few transactions, little enough to lose
FRESH_SECONDS = 0.5  # how old may be what we know of another process's Retry-After


class SharedRates(Protocol):
    """Where reservations are kept; `ccm.ledger.rates.RateStore`."""

    def reserve(self, key: str, limit: RateLimit, wanted: int, now: float) -> Grant:
        """Reserve hand-overs."""

    def block(self, key: str, until: float, now: float) -> None:
        """Let nobody begin before a moment."""

    def blocked_until(self, key: str) -> float:
        """Return until when nobody may begin."""


class DayUsedUp(Exception):
    """The day's quota of a provider is used up; the run stops and can be resumed."""

    def __init__(self, provider: str, per_day: int, until: float) -> None:
        again = datetime.fromtimestamp(until, UTC)
        self.remedy = f"give the same command again from {again:%Y-%m-%d %H:%M} UTC on, or raise the provider's rate"
        super().__init__(f"{provider}: {per_day} hand-overs in 24 hours are used up; {self.remedy}")


@dataclass
class _Share:
    """What this process has reserved of one key."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    left: int = 0
    interval: float = 0.0
    blocked_until: float = 0.0
    looked_at: float = 0.0


class SharedPace:
    """`Pace` for a sender, over limits that all runs share."""

    def __init__(self, rates: SharedRates, limits: Mapping[str, RateLimit], clock: Callable[[], datetime]) -> None:
        """Begin with nothing reserved.

        Args:
            limits: By provider; one without is as fast as it takes them, but its wish to wait is honoured.
            clock: Aware UTC now; moments are compared between processes, so it is the wall clock.
        """
        self._rates = rates
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}

    def delay(self, provider: str, sender: str) -> float:
        """Reserve one hand-over and return the seconds to wait before it.

        Raises:
            DayUsedUp: If the last 24 hours took all that the provider gives.
            LedgerError: If the limits cannot be read or written.
        """
        limit = self._limits.get(provider)
        key = key_of(provider, sender, limit)
        share, now = self._share(key), self._clock().timestamp()
        with share.lock:
            if limit is not None:
                if not share.left:
                    self._refill(share, key, provider, limit, now)
                share.left -= 1
                moment, share.next_at = share.next_at, share.next_at + share.interval
                return max(0.0, moment - now, share.blocked_until - now)
            self._look(share, key, now)
            return max(0.0, share.blocked_until - now)

    def blocked(self, provider: str, sender: str) -> float:
        """Return the seconds for which the provider wants to be left alone."""
        key = key_of(provider, sender, self._limits.get(provider))
        share, now = self._share(key), self._clock().timestamp()
        with share.lock:
            self._look(share, key, now)
            return max(0.0, share.blocked_until - now)

    def hold_back(self, provider: str, sender: str, seconds: float) -> None:
        """Let nobody, in any process, use the provider for so long."""
        key = key_of(provider, sender, self._limits.get(provider))
        share, now = self._share(key), self._clock().timestamp()
        with share.lock:
            share.blocked_until = max(share.blocked_until, now + seconds)
            self._rates.block(key, share.blocked_until, now)

    def _share(self, key: str) -> _Share:
        with self._lock:
            return self._shares.setdefault(key, _Share())

    def _refill(self, share: _Share, key: str, provider: str, limit: RateLimit, now: float) -> None:
        wanted = math.ceil((limit.per_second or 400) * AHEAD_SECONDS)
        grant = self._rates.reserve(key, limit, wanted, now)
        if not grant.count:
            raise DayUsedUp(provider, limit.per_day or 0, grant.until)
        share.next_at, share.left, share.interval = grant.first, grant.count, grant.interval

    def _look(self, share: _Share, key: str, now: float) -> None:
        if not 0 <= now - share.looked_at < FRESH_SECONDS:
            share.looked_at = now
            share.blocked_until = max(share.blocked_until, self._rates.blocked_until(key))


def key_of(provider: str, sender: str, limit: RateLimit | None) -> str:
    """Return what a limit is counted under."""
    return f"{provider}/{sender}" if limit is not None and limit.per == "sender" else provider
