"""Which occurrence of a campaign a run is: the key that makes a repeat lawful, and the days it is about."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from ccm.model.definitions import CampaignDefinition, OccurrenceEach, OccurrencePeriod, period_bounds, period_key

_FORMS = {
    OccurrencePeriod.ONCE: (re.compile(r"once"), "once"),
    OccurrencePeriod.DAILY: (re.compile(r"(\d{4})-(\d\d)-(\d\d)"), "2026-10-31"),
    OccurrencePeriod.MONTHLY: (re.compile(r"(\d{4})-(\d\d)"), "2026-10"),
    OccurrencePeriod.QUARTERLY: (re.compile(r"(\d{4})-Q([1-4])"), "2026-Q3"),
    OccurrencePeriod.YEARLY: (re.compile(r"(\d{4})"), "2026"),
}
_EACH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class OccurrenceError(ValueError):
    """An occurrence key was given by hand and does not fit the campaign."""

    def __init__(self, campaign: str, kind: str, example: str) -> None:
        self.remedy = f"write it like {example}"
        super().__init__(f'campaign "{campaign}" is {kind} and has no such occurrence; {self.remedy}')


def occurrence_of(
    campaign: CampaignDefinition, now: datetime, override: str | None = None
) -> tuple[str, tuple[date, date] | None]:
    """Return the key of the occurrence and its first and last day.

    Args:
        campaign: Its schedule's day counts when it has one, otherwise the day of `now`.
        now: Aware; only used without a schedule.
        override: A key given by hand, such as 2026-10.
    Returns:
        Key and period, both days inclusive; the period is None for `once` and `each`. The key of a run over
        `each` is the day it is for; what makes its repeats lawful is each recipient's own key.
    Raises:
        OccurrenceError: If the given key does not fit the campaign.
    """
    day = campaign.schedule.at.date() if campaign.schedule else now.date()
    if isinstance(campaign.occurrence, OccurrenceEach):
        if override is not None and not _EACH.fullmatch(override):
            raise OccurrenceError(campaign.campaign, "one message for each value", day.isoformat())
        return override or day.isoformat(), None
    if override is not None:
        day = _day_after(campaign, campaign.occurrence, override)
    key = period_key(campaign.occurrence, day)
    if campaign.occurrence is OccurrencePeriod.ONCE:
        return key, None
    start, after = period_bounds(campaign.occurrence, day)
    return key, (start, after - timedelta(days=1))


def _day_after(campaign: CampaignDefinition, kind: OccurrencePeriod, key: str) -> date:
    """Return the first day after the period that a key names; that day's last complete period is it."""
    form, example = _FORMS[kind]
    match = form.fullmatch(key)
    try:
        if match is None or key.startswith("0000"):
            raise ValueError(key)
        numbers = [int(number) for number in match.groups()]
        match kind:
            case OccurrencePeriod.ONCE:
                return date(2000, 1, 1)
            case OccurrencePeriod.DAILY:
                return date(*numbers) + timedelta(days=1)
            case OccurrencePeriod.MONTHLY:
                year, month = numbers
                return (date(year, month, 1) + timedelta(days=31)).replace(day=1)
            case OccurrencePeriod.QUARTERLY:
                year, quarter = numbers
                return date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
            case OccurrencePeriod.YEARLY:
                return date(numbers[0] + 1, 1, 1)
    except (ValueError, OverflowError):
        raise OccurrenceError(campaign.campaign, kind, example) from None
