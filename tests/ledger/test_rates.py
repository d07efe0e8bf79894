"""Limits that all runs share: never faster than the rate over all processes, never more than the day's quota."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccm.ledger.rates import RateStore, open_rates
from ccm.model.rate import RateLimit

NOW = 1_800_000_000.0
HOUR = 3600.0


def test_two_processes_share_a_rate(ledger_url: str, tmp_path: Path) -> None:
    """Whoever reserves, and whenever it was opened: moments are an interval apart, over everybody."""
    limit = RateLimit(per_second=10)
    taken: list[float] = []

    def work() -> None:
        store = open_rates(ledger_url, tmp_path)
        for _ in range(5):
            grant = store.reserve("mail", limit, 3, NOW)
            taken.extend(grant.first + number * grant.interval for number in range(grant.count))
        store.close()

    open_rates(ledger_url, tmp_path).close()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == pytest.approx([NOW + number / 10 for number in range(60)])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RateStore]:
    """A store in a new file."""
    opened = open_rates("sqlite:///ledger.db", tmp_path)
    yield opened
    opened.close()


def test_the_quota_holds_for_any_24_hours(store: RateStore) -> None:
    """5 a day: after three in one hour and two in the next, none until the first hour has left the window."""
    limit = RateLimit(per_day=5)
    assert store.reserve("sms", limit, 3, NOW).count == 3
    assert store.reserve("sms", limit, 9, NOW + HOUR).count == 2
    refused = store.reserve("sms", limit, 1, NOW + 2 * HOUR)
    assert (refused.count, refused.until) == (0, (NOW // HOUR + 24) * HOUR)
    assert store.reserve("sms", limit, 9, refused.until).count == 3
    assert store.reserve("another", limit, 9, NOW).count == 5


def test_a_block_is_for_everybody(store: RateStore) -> None:
    """A provider's wish to wait moves the next moment; a shorter wish does not cut a longer one."""
    store.block("mail", NOW + 20, NOW)
    store.block("mail", NOW + 5, NOW)
    assert store.blocked_until("mail") == NOW + 20
    assert store.reserve("mail", RateLimit(per_second=1), 1, NOW).first == NOW + 20
    assert store.blocked_until("other") == 0


def test_a_clock_that_ran_ahead_stops_nothing(store: RateStore) -> None:
    """Moments of tomorrow were written under a wrong clock and do not count."""
    day = 24 * HOUR
    store.reserve("mail", RateLimit(per_second=1), 5, NOW + day)
    store.block("mail", NOW + day + 20, NOW + day)
    assert store.reserve("mail", RateLimit(per_second=1), 1, NOW).first == NOW
