"""When a recipient may be reached: due times and quiet hours in their own zone, across daylight-saving changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

from ccm.model.definitions import Purpose, QuietHours, Schedule
from ccm.model.records import ExclusionReason

# After two days of hopping from night to night there is no common waking hour.
_SEARCH = timedelta(hours=48)


@dataclass(frozen=True)
class Wait:
    """It is too early.

    until: The first moment to reach them, aware UTC; None when there is none.
    """

    reason: ExclusionReason
    until: datetime | None
    detail: str


@lru_cache(maxsize=2048)
def zone_of(name: str) -> ZoneInfo | None:
    """Return an IANA zone, or None if there is no such name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=512)
def possible_zones(name: str, country: str | None) -> tuple[ZoneInfo, ...]:
    """Return the zones somebody may live in: the named one, else those of their country, else all.

    Why: Where the zone is unknown the strictest one counts; nobody is woken because a column was empty.
    """
    zone = zone_of(name) if name else None
    if zone:
        return (zone,)
    territories = get_global("zone_territories")
    named = [key for key, territory in territories.items() if territory == (country or "").upper()]
    zones = tuple(found for found in map(zone_of, named or territories) if found)
    return zones or (ZoneInfo("Etc/GMT+12"), ZoneInfo("UTC"), ZoneInfo("Etc/GMT-14"))


def wait_for(schedule: Schedule | None, purpose: Purpose, zone: str, country: str | None, now: datetime) -> Wait | None:
    """Return why and until when a recipient has to wait, or None if now is right.

    Args:
        schedule: A time in the spring gap counts as the same distance after it; one that happens twice
            in autumn counts the first time.
        purpose: Legal messages keep no quiet hours.
        zone: The recipient's IANA zone; unknown names count as every zone of the country.
        now: Aware.
    """
    if schedule is None:
        return None
    homes = possible_zones(zone, country)
    due = max(_instant(schedule.at, home) for home in _schedule_zones(schedule, homes))
    quiet = schedule.quiet if purpose is not Purpose.LEGAL else None
    if now < due:
        return Wait(ExclusionReason.NOT_DUE, _waking(due, quiet, homes), "scheduled for later")
    waking = _waking(now, quiet, homes)
    if waking == now:
        return None
    detail = "quiet hours where they live"
    if waking is None:
        detail = "the time zone is unknown and at every hour it may be night; add a time zone or a country"
    return Wait(ExclusionReason.QUIET_HOURS, waking, detail)


def issued_at(schedule: Schedule | None, zone: str, started_at: datetime) -> datetime:
    """Return the time that the message carries, in the recipient's zone (UTC where it is unknown)."""
    home = zone_of(zone) if zone else None
    if schedule is None:
        return started_at.astimezone(home or UTC)
    if schedule.zone != "recipient":
        named = zone_of(schedule.zone)
        return schedule.at.replace(tzinfo=named or UTC)
    return schedule.at.replace(tzinfo=home or UTC)


def _schedule_zones(schedule: Schedule, homes: tuple[ZoneInfo, ...]) -> tuple[ZoneInfo, ...]:
    if schedule.zone == "recipient":
        return homes
    return possible_zones(schedule.zone, None)


def _instant(local: datetime, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _waking(moment: datetime, quiet: QuietHours | None, homes: tuple[ZoneInfo, ...]) -> datetime | None:
    """Return the first moment from the given one at which it is night in none of the zones."""
    if quiet is None or quiet.start == quiet.end:
        return moment
    candidate = moment
    while candidate - moment <= _SEARCH:
        later = max(_end_of_night(candidate, quiet, home) for home in homes)
        if later == candidate:
            return candidate
        candidate = later
    return None


def _end_of_night(moment: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime:
    """Return the end of the quiet hours that the moment falls into, or the moment itself."""
    local = moment.astimezone(zone)
    clock = local.time()
    if not is_quiet(clock, quiet):
        return moment
    day = local.date()
    if quiet.start > quiet.end and clock >= quiet.start:
        day += timedelta(days=1)
    # fold=1: when the end happens twice in autumn, the second one is surely after the night.
    return _instant(datetime.combine(day, quiet.end), zone, fold=1)


def is_quiet(clock: time, quiet: QuietHours) -> bool:
    """Tell whether a local clock time is within quiet hours: from the start on, up to but without the end."""
    if quiet.start < quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end
