"""Twelve rules, every channel and purpose, twenty-four time zones: nothing goes that a table written by hand forbids."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from plan.conftest import brief_of, campaign, recipient_of

from ccm.model.definitions import Channel, Purpose, QuietHours, Schedule
from ccm.model.permissions import Standing
from ccm.model.records import Communication, Consent, Recipient, Suppression
from ccm.plan import PlanBrief, plan
from ccm.plan.timing import wait_for

EMAIL, SMS, DOCUMENT = Channel.EMAIL, Channel.SMS, Channel.DOCUMENT
CHANNELS = (EMAIL, SMS, DOCUMENT)
MARKETING, TRANSACTIONAL, LEGAL = Purpose.MARKETING, Purpose.TRANSACTIONAL, Purpose.LEGAL
PURPOSES = (MARKETING, TRANSACTIONAL, LEGAL)
ZONES = (
    "Pacific/Pago_Pago", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Phoenix",
    "America/Denver", "America/Chicago", "America/New_York", "America/Santiago", "America/St_Johns", "America/Sao_Paulo",
    "Atlantic/Azores", "Europe/London", "Europe/Berlin", "Africa/Cairo", "Europe/Istanbul", "Asia/Tehran",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Shanghai", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Auckland",
    "Pacific/Kiritimati",
)  # fmt: skip
NOTHING = Standing()
DAYS = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-09-06", "2026-10-04", "2026-10-25", "2026-11-01", "2026-12-24")
NIGHT_BEGINS, NIGHT_ENDS = 21, 8  # hours where they live
QUIET = "21:00-08:00"

needs_zones = pytest.mark.skipif(not Path("/usr/share/zoneinfo/Asia/Kathmandu").exists(), reason="needs system zones")


# ── the other clock: the C library's, which shares no code with ours ─────────


@contextmanager
def c_library_zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


@cache
def is_night(zone: str, moment: datetime) -> bool:
    """Tell whether it is quiet there, by the hour on the wall."""
    with c_library_zone(zone):
        hour = time.localtime(moment.timestamp()).tm_hour
    return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS


# ── the table ────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Book:
    """What the permission store would say."""

    said: Standing = NOTHING
    reached: int = 0

    def standing(self, recipient: Recipient, email: str, phone: str) -> Standing:
        return self.said

    def contacts(self, recipient_id: str, since: datetime, but: str) -> int:
        return self.reached

    def token(self, recipient: Recipient, communication_id: str, email: str, locale: str) -> str:
        return "token"


@dataclass
class Case:
    """Somebody to whom everything may be sent, until rules are applied."""

    channel: Channel
    purpose: Purpose
    recipient: Recipient
    suppressions: tuple[Suppression, ...] = ()
    standing: Standing = NOTHING
    reached: int = 0
    at: str = "2026-01-01T07:00"


def agreed(case: Case, granted: bool, when: datetime) -> tuple[Consent, ...]:
    return tuple(Consent(purpose, channel, granted, when) for purpose in PURPOSES for channel in CHANNELS)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2030, 1, 1, tzinfo=UTC)
EVERY = frozenset(itertools.product(PURPOSES, CHANNELS))
ADDRESSED = frozenset(itertools.product(PURPOSES, (EMAIL, SMS)))
OF_MARKETING = frozenset(itertools.product((MARKETING,), CHANNELS))


def _no_consent(case: Case) -> None:
    case.recipient = replace(case.recipient, consents=())


def _refused(case: Case) -> None:
    case.recipient = replace(case.recipient, consents=agreed(case, False, LONG_AGO + timedelta(days=9)))


def _refused_here(case: Case) -> None:
    said = agreed(case, False, LONG_AGO + timedelta(days=9))
    case.standing = replace(case.standing, consents=said)


def _agrees_later(case: Case) -> None:
    case.recipient = replace(case.recipient, consents=agreed(case, True, FAR_AHEAD))


def _suppressed(case: Case) -> None:
    case.suppressions = (
        Suppression("ANA@bank.example", None, None, "x"),
        Suppression("0041 44 668 18 00", None, None, "x"),
    )


def _left_here(case: Case) -> None:
    left = (Suppression("", None, MARKETING, "unsubscribed"),)
    case.standing = replace(case.standing, email=left, phone=left)


def _erased(case: Case) -> None:
    case.standing = replace(case.standing, person=(Suppression("", None, None, "erased"),))


def _prefers_another(case: Case) -> None:
    case.recipient = replace(case.recipient, preferred_channels=(EMAIL,) if case.channel is SMS else (SMS,))


def _no_address(case: Case) -> None:
    case.recipient = replace(case.recipient, email=None, phone="")


def _broken_address(case: Case) -> None:
    case.recipient = replace(case.recipient, email="ana@bank.example, eve@evil.example", phone="12")


def _reached_often(case: Case) -> None:
    case.reached = 3


def _not_due(case: Case) -> None:
    case.at = "2027-06-01T12:00"


# What each rule forbids, as (purpose, channel). The twelfth rule, night, is asked of the other clock.
RULES: Mapping[str, tuple[Callable[[Case], None], frozenset[tuple[Purpose, Channel]]]] = {
    "no consent": (_no_consent, OF_MARKETING),
    "said no in the source": (_refused, frozenset(itertools.product((MARKETING, TRANSACTIONAL), CHANNELS))),
    "said no here": (_refused_here, frozenset(itertools.product((MARKETING, TRANSACTIONAL), CHANNELS))),
    "agrees in future": (_agrees_later, OF_MARKETING),
    "on the source's list": (_suppressed, ADDRESSED),
    "unsubscribed here": (_left_here, frozenset(itertools.product((MARKETING,), (EMAIL, SMS)))),
    "erased": (_erased, EVERY),
    "prefers another channel": (_prefers_another, frozenset(itertools.product((MARKETING, TRANSACTIONAL), (EMAIL, SMS)))),
    "no address": (_no_address, ADDRESSED),
    "broken address": (_broken_address, ADDRESSED),
    "reached often enough": (_reached_often, OF_MARKETING),
    "not due": (_not_due, EVERY),
}  # fmt: skip
NIGHT_STOPS = frozenset({MARKETING, TRANSACTIONAL})


def brief_for(case: Case, now: datetime) -> PlanBrief:
    fields: dict[str, Any] = {
        "purpose": case.purpose.value,
        "channels": {"together": [case.channel.value]},
        "schedule": {"at": case.at, "zone": "recipient", "quiet": QUIET},
        "limits": {"contacts": {"max": 3, "days": 7}},
    }
    book = Book(case.standing, case.reached)
    return brief_of(campaign(**fields), now=now, suppressions=case.suppressions, book=book)


def sends(channel: Channel, purpose: Purpose, zone: str, now: datetime, *rules: str) -> bool:
    """Plan for real."""
    case = Case(channel, purpose, recipient_of(zone=zone, consents=agreed_before()))
    for rule in rules:
        RULES[rule][0](case)
    (planned,) = plan([case.recipient], brief_for(case, now))
    return isinstance(planned, Communication)


def agreed_before() -> tuple[Consent, ...]:
    return tuple(Consent(purpose, channel, True, LONG_AGO) for purpose in PURPOSES for channel in CHANNELS)


def allowed(channel: Channel, purpose: Purpose, zone: str, now: datetime, *rules: str) -> bool:
    """Read the table."""
    if any((purpose, channel) in RULES[rule][1] for rule in rules):
        return False
    return not (purpose in NIGHT_STOPS and is_night(zone, now))


def moments(zone: str) -> list[datetime]:
    """Draw four moments on days when clocks change somewhere, always the same ones."""
    draw = random.Random(zone)
    return [
        datetime.fromisoformat(f"{draw.choice(DAYS)}T00:00+00:00") + timedelta(minutes=15 * draw.randrange(96))
        for _ in range(4)
    ]


@needs_zones
@pytest.mark.parametrize("zone", ZONES)
def test_nothing_goes_that_the_table_forbids(zone: str) -> None:
    """And everything goes that it allows: each rule alone, over channels, purposes and moments."""
    wrong, seen = [], 0
    for now in moments(zone):
        for rule, channel, purpose in itertools.product((None, *RULES), CHANNELS, PURPOSES):
            rules = (rule,) if rule else ()
            seen += 1
            if sends(channel, purpose, zone, now, *rules) != allowed(channel, purpose, zone, now, *rules):
                wrong.append((rule, channel, purpose, now))
    assert seen == 4 * 13 * 9
    assert wrong == []


@needs_zones
def test_rules_together_forbid_what_each_forbids() -> None:
    """Every pair of rules, at day and at night."""
    day, night = datetime(2026, 10, 25, 11, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)
    wrong = [
        (pair, channel, purpose, now)
        for pair in itertools.permutations(RULES, 2)
        if not {"no consent", "said no in the source", "agrees in future"} >= set(pair)  # the same columns
        if set(pair) != {"no address", "broken address"}
        for channel, purpose, now in itertools.product(CHANNELS, PURPOSES, (day, night))
        if sends(channel, purpose, "Europe/Berlin", now, *pair)
        and not allowed(channel, purpose, "Europe/Berlin", now, *pair)
    ]
    assert wrong == []


SCHEDULE = Schedule(at=datetime(2026, 1, 1), quiet=QuietHours.model_validate(QUIET))


@needs_zones
@pytest.mark.parametrize("zone", ZONES)
def test_quiet_hours_by_another_clock(zone: str) -> None:
    """Every quarter of an hour of days on which clocks change: the same verdict, and waiting ends when it says."""
    wrong = []
    for day, quarter in itertools.product(DAYS, range(96)):
        now = datetime.fromisoformat(f"{day}T00:00+00:00") + timedelta(minutes=15 * quarter)
        wait = wait_for(SCHEDULE, MARKETING, zone, None, now)
        night = is_night(zone, now)
        if (wait is not None) != night:
            wrong.append((now, "verdict"))
        if wait is not None and (wait.until is None or is_night(zone, wait.until)):
            wrong.append((now, "still night"))
        if wait is not None and wait.until and not is_night(zone, wait.until - timedelta(minutes=1)):
            wrong.append((now, "later than needed"))
    assert wrong == []


AMERICAN = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage",
            "Pacific/Honolulu", "America/Adak", "America/Phoenix")  # fmt: skip


@needs_zones
@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "EST5EDT7", "../etc/passwd"])
def test_an_unknown_zone_is_every_zone_of_the_country(zone: str) -> None:
    """Nobody in the country sleeps when something goes; where not even the country is known, nothing goes by itself."""
    for day, hour in itertools.product(DAYS, range(24)):
        now = datetime.fromisoformat(f"{day}T{hour:02}:00+00:00")
        goes = wait_for(SCHEDULE, MARKETING, zone, "US", now) is None
        if goes:
            assert not any(is_night(home, now) for home in AMERICAN), now
        assert wait_for(SCHEDULE, MARKETING, zone, None, now) is not None
    assert any(
        wait_for(SCHEDULE, MARKETING, zone, "US", datetime.fromisoformat(f"2026-12-24T{hour:02}:00+00:00")) is None
        for hour in range(24)
    )
