"""Years, months and days between two times, as retention counts them."""

from __future__ import annotations

from datetime import datetime, timedelta


def later(moment: datetime, span: str) -> datetime:
    """Return a time some years, months or days later; a day that month does not have becomes the first of the next.

    Args:
        span: A number with y, m or d, such as 6y.
    """
    count, unit = int(span[:-1]), span[-1]
    if unit == "d":
        return moment + timedelta(days=count)
    year, month = _month(moment, count * (12 if unit == "y" else 1))
    try:
        return moment.replace(year=year, month=month)
    except ValueError:
        year, month = divmod(year * 12 + month, 12)
        return moment.replace(year=year, month=month + 1, day=1)


def earlier(moment: datetime, span: str) -> datetime:
    """Return a time some years, months or days earlier; a day that month does not have becomes its 28th.

    Why the 28th: What is deleted by this time is then never deleted too soon.
    """
    count, unit = int(span[:-1]), span[-1]
    if unit == "d":
        return moment - timedelta(days=count)
    year, month = _month(moment, -count * (12 if unit == "y" else 1))
    try:
        return moment.replace(year=year, month=month)
    except ValueError:
        return moment.replace(year=year, month=month, day=28)


def _month(moment: datetime, months: int) -> tuple[int, int]:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return year, month + 1
