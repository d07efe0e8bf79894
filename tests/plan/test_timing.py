"""Nobody is written to at night or too early, in any zone, on the days when clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from ccm.model.definitions import Channel, Purpose, QuietHours, Schedule
from ccm.model.records import Communication, Consent, Exclusion, ExclusionReason
from ccm.plan import plan
from ccm.plan.timing import issued_at, possible_zones, wait_for
from tests.plan.conftest import brief_of, campaign, recipient_of

ZONES = (
    "Pacific/Pago_Pago", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago",
    "America/New_York", "America/Halifax", "America/St_Johns", "America/Sao_Paulo", "Atlantic/Azores", "UTC", "Europe/London",
    "Europe/Berlin", "Africa/Cairo", "Asia/Tehran", "Asia/Dubai", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Tokyo",
    "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Kiritimati",
)  # fmt: skip
# Clocks change on some of these days in Europe, America, Australia, Egypt and New Zealand; one day is plain.
DAYS = (
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 4, 24),
    date(2026, 7, 1),
    date(2026, 10, 25),
    date(2026, 11, 1),
)
QUIET = "21:00-08:00"


def night(moment: datetime, zone: str) -> bool:
    """Say whether the wall clock shows night: arithmetic of its own, on minutes of the day."""
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    minutes = int(((moment - datetime(2026, 1, 1, tzinfo=UTC)) + offset).total_seconds() // 60) % 1440
    return minutes >= 21 * 60 or minutes < 8 * 60


def too_early(moment: datetime, zone: str, at: datetime) -> bool:
    """Say whether the scheduled time has not come yet there, by the offset of that day's midnight.

    The offset before a spring gap puts a time inside the gap at the same distance after it.
    """
    offset = datetime.combine(at.date(), time(0), ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return moment < at.replace(tzinfo=UTC) - offset


def test_there_are_24_zones() -> None:
    """The table below covers what it says."""
    assert len(set(ZONES)) == 24


@pytest.mark.parametrize("zone", ZONES)
def test_no_wrong_send(zone: str) -> None:
    """Consent rules × channels × purposes × hours of seven days: 0 wrong sends, and nobody waits without reason."""
    at = datetime(2026, 3, 8, 2, 30)  # does not exist in America that day
    checked = sent = 0
    for purpose, channel in product(Purpose, (Channel.EMAIL, Channel.SMS)):
        definition = campaign(
            purpose=purpose.value,
            channels={"together": [channel.value]},
            schedule={"at": at.isoformat(), "zone": "recipient", "quiet": QUIET},
        )
        brief = brief_of(definition)
        for granted, on in ((None, channel), (True, channel), (False, channel), (True, Channel.DOCUMENT)):
            consents = () if granted is None else (Consent(purpose, on, granted),)
            may = {
                Purpose.MARKETING: granted is True and on is channel,
                Purpose.TRANSACTIONAL: granted is not False,
                Purpose.LEGAL: True,
            }[purpose]
            only = {"phone": None} if channel is Channel.EMAIL else {"email": None}
            someone = recipient_of(zone=zone, consents=consents, **only)
            for day, hour in product(DAYS, range(0, 24, 2)):
                now = datetime.combine(day, time(hour, 20), UTC)
                (decision,) = plan([someone], replace(brief, now=now))
                asleep = purpose is not Purpose.LEGAL and night(now, zone)
                right = may and not too_early(now, zone, at) and not asleep
                assert isinstance(decision, Communication) is right, (zone, purpose, channel, granted, now)
                checked += 1
                sent += right
    assert checked == 3 * 2 * 4 * 7 * 12
    assert sent > 250


@pytest.mark.parametrize("zone", ZONES)
def test_until_is_the_first_waking_moment(zone: str) -> None:
    """At `until` it is day, one minute before it was not: compared with a walk minute by minute."""
    schedule = Schedule(at=datetime(2026, 1, 1), zone="recipient", quiet=QuietHours(start=time(21), end=time(8)))
    for day, hour in product(DAYS, range(0, 24, 3)):
        now = datetime.combine(day, time(hour, 20), UTC)
        wait = wait_for(schedule, Purpose.MARKETING, zone, None, now)
        if wait is None:
            assert not night(now, zone)
            continue
        walk = now
        while night(walk, zone):
            walk += timedelta(minutes=1)
        assert wait.until == walk, (zone, now)


@pytest.mark.parametrize(
    ("zone", "at", "due"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30"),  # in the gap: 03:30 summer time
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # twice: the first
        ("America/New_York", "2026-11-02T08:30", "2026-11-02T13:30"),
        ("Pacific/Kiritimati", "2026-11-02T08:30", "2026-11-01T18:30"),
    ],
)
def test_due_across_clock_changes(zone: str, at: str, due: str) -> None:
    """Due at the moment in UTC, and not a second before."""
    schedule = Schedule(at=datetime.fromisoformat(at))
    moment = datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert wait_for(schedule, Purpose.TRANSACTIONAL, zone, None, moment) is None
    early = wait_for(schedule, Purpose.TRANSACTIONAL, zone, None, moment - timedelta(seconds=1))
    assert early is not None
    assert (early.reason, early.until) == (ExclusionReason.NOT_DUE, moment)


def test_quiet_hours_within_a_day() -> None:
    """Hours that do not span midnight end on the same day; equal ends mean none."""
    noon = Schedule(at=datetime(2026, 1, 1), zone="UTC", quiet=QuietHours(start=time(12), end=time(14)))
    wait = wait_for(noon, Purpose.MARKETING, "UTC", None, datetime(2026, 5, 5, 12, 0, tzinfo=UTC))
    assert wait is not None
    assert wait.until == datetime(2026, 5, 5, 14, 0, tzinfo=UTC)
    assert wait_for(noon, Purpose.MARKETING, "UTC", None, datetime(2026, 5, 5, 14, 0, tzinfo=UTC)) is None
    never = noon.model_copy(update={"quiet": QuietHours(start=time(12), end=time(12))})
    assert wait_for(never, Purpose.MARKETING, "UTC", None, datetime(2026, 5, 5, 12, 0, tzinfo=UTC)) is None


def test_due_at_night_waits_for_the_morning() -> None:
    """What becomes due in quiet hours is promised for their end."""
    schedule = Schedule(at=datetime(2026, 5, 5, 23), quiet=QuietHours(start=time(21), end=time(8)))
    wait = wait_for(schedule, Purpose.MARKETING, "Europe/London", None, datetime(2026, 5, 5, tzinfo=UTC))
    assert wait is not None
    assert wait.until == datetime(2026, 5, 6, 7, 0, tzinfo=UTC)


def test_unknown_zone_is_the_strictest() -> None:
    """Every zone of the country must agree; without a country every zone of the world."""
    schedule = Schedule(at=datetime(2026, 11, 2, 8, 30), quiet=QuietHours(start=time(21), end=time(8)))
    assert len(possible_zones("junk/zone", "US")) > 5
    # 08:30 in Honolulu (UTC-10) is 18:30 UTC; Adak and Honolulu are the last of the United States.
    for now, reason in (
        (datetime(2026, 11, 2, 18, 0, tzinfo=UTC), ExclusionReason.NOT_DUE),
        (datetime(2026, 11, 2, 18, 31, tzinfo=UTC), None),
    ):
        wait = wait_for(schedule, Purpose.TRANSACTIONAL, "junk/zone", "US", now)
        assert (wait.reason if wait else None) == reason
    wait = wait_for(schedule, Purpose.TRANSACTIONAL, "", None, datetime(2026, 12, 2, 12, 0, tzinfo=UTC))
    assert wait is not None
    assert (wait.reason, wait.until) == (ExclusionReason.QUIET_HOURS, None)
    assert wait_for(schedule, Purpose.LEGAL, "", None, datetime(2026, 12, 2, 12, 0, tzinfo=UTC)) is None


def test_issued_at_is_the_scheduled_local_time() -> None:
    """The message carries the scheduled time in its reader's zone, whenever the run gets to it."""
    started = datetime(2026, 11, 2, 12, tzinfo=UTC)
    own = Schedule(at=datetime(2026, 11, 2, 8, 30))
    assert issued_at(own, "Asia/Tokyo", started).isoformat() == "2026-11-02T08:30:00+09:00"
    assert issued_at(own, "junk", started).isoformat() == "2026-11-02T08:30:00+00:00"
    fixed = own.model_copy(update={"zone": "Europe/Paris"})
    assert issued_at(fixed, "Asia/Tokyo", started).isoformat() == "2026-11-02T08:30:00+01:00"
    assert issued_at(None, "Asia/Tokyo", started).isoformat() == "2026-11-02T21:00:00+09:00"


def test_held_until_is_in_the_exclusion() -> None:
    """The report can say when they may be reached."""
    definition = campaign(schedule={"at": "2026-11-02T08:30", "quiet": QUIET})
    (decision,) = plan([recipient_of(zone="Asia/Tokyo")], brief_of(definition))  # 21:00 there
    assert isinstance(decision, Exclusion)
    assert (decision.reason, decision.until) == (ExclusionReason.QUIET_HOURS, datetime(2026, 11, 2, 23, 0, tzinfo=UTC))
