"""A process's share of the limits: no faster than allowed, few transactions, blocks of others seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from ccm.ledger.rates import RateStore, open_rates
from ccm.model.rate import RateLimit
from ccm.run.pace import DayUsedUp, SharedPace, key_of
from ccm.testing import FixedClock


class Counted(RateStore):
    """Counts how often reservations are made."""

    reserved = 0

    def reserve(self, *args, **kwargs):
        self.reserved += 1
        return super().reserve(*args, **kwargs)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Counted]:
    opened = open_rates("sqlite:///ledger.db", tmp_path)
    opened.__class__ = Counted
    yield opened
    opened.close()


def test_two_thousand_a_second_cost_four_transactions(store: Counted) -> None:
    """A second's worth is spaced by half a millisecond and reserved a quarter of a second at a time."""
    clock = FixedClock()
    pace = SharedPace(store, {"mail": RateLimit(per_second=2000)}, clock)
    waits = [pace.delay("mail", "a") for _ in range(2000)]
    assert waits == pytest.approx([number / 2000 for number in range(2000)], abs=1e-4)
    assert store.reserved == 4


def test_a_restart_goes_on_where_the_last_process_was(store: Counted) -> None:
    """What was reserved by a process that is gone is not given out again."""
    clock, limits = FixedClock(), {"mail": RateLimit(per_second=4)}
    assert SharedPace(store, limits, clock).delay("mail", "a") == 0
    assert SharedPace(store, limits, clock).delay("mail", "a") == pytest.approx(0.25)


def test_senders_have_rates_of_their_own_where_that_is_said(store: Counted) -> None:
    """Per sender: two numbers do not wait for each other; per provider they do."""
    clock = FixedClock()
    own = SharedPace(store, {"sms": RateLimit(per_second=1, per="sender")}, clock)
    assert [own.delay("sms", "+1"), own.delay("sms", "+2")] == [0, 0]
    one = SharedPace(store, {"fax": RateLimit(per_second=1)}, clock)
    assert [one.delay("fax", "+1"), one.delay("fax", "+2")] == [0, pytest.approx(1)]
    assert key_of("fax", "+1", None) == "fax"


def test_the_wish_of_a_provider_reaches_other_processes(store: Counted) -> None:
    """Another process hears of a Retry-After within half a second, with or without a rate."""
    clock = FixedClock()
    mine, other = SharedPace(store, {}, clock), SharedPace(store, {}, clock)
    assert other.delay("mail", "a") == 0
    mine.hold_back("mail", "a", 10)
    assert mine.delay("mail", "a") == pytest.approx(10)
    clock.advance(0.6)
    assert other.delay("mail", "a") == other.blocked("mail", "a") == pytest.approx(9.4)


def test_a_used_up_day_says_when(store: Counted) -> None:
    """The run stops with the time from which the same command goes on."""
    pace = SharedPace(store, {"sms": RateLimit(per_day=2)}, FixedClock())
    assert [pace.delay("sms", "a"), pace.delay("sms", "a")] == [0, 0]
    with pytest.raises(DayUsedUp, match=r"sms: 2 hand-overs in 24 hours are used up; .* 2026-11-03 12:00 UTC"):
        pace.delay("sms", "a")


@pytest.mark.parametrize(
    ("text", "per_second", "per_day"),
    [
        ("14/s", 14, None),
        ("600/min", 10, None),
        ("3600/hour", 1, None),
        ("50000/day", None, 50000),
        ("0.5/s", 0.5, None),
    ],
)
def test_short_forms(text: str, per_second: float | None, per_day: int | None) -> None:
    """As people say it."""
    limit = RateLimit.model_validate(text)
    assert (limit.per_second, limit.per_day) == (per_second, per_day)


@pytest.mark.parametrize("wrong", ["14", "fast", "0/s", {}, {"per_second": -1}, {"per_minute": 3}])
def test_nonsense_is_refused(wrong: object) -> None:
    """A rate that says nothing is a mistake."""
    with pytest.raises(ValidationError):
        RateLimit.model_validate(wrong)
