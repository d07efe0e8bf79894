"""Occurrence keys and periods."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ccm.plan import OccurrenceError, occurrence_of
from tests.plan.conftest import campaign

NOW = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "override", "key", "days"),
    [
        ("once", None, "once", None),
        ("daily", None, "2026-11-01", ("2026-11-01", "2026-11-01")),
        ("monthly", None, "2026-10", ("2026-10-01", "2026-10-31")),
        ("quarterly", None, "2026-Q3", ("2026-07-01", "2026-09-30")),
        ("yearly", None, "2025", ("2025-01-01", "2025-12-31")),
        ({"each": "invoice.number"}, None, "2026-11-02", None),
        ("once", "once", "once", None),
        ("daily", "2024-02-29", "2024-02-29", ("2024-02-29", "2024-02-29")),
        ("monthly", "2024-02", "2024-02", ("2024-02-01", "2024-02-29")),
        ("monthly", "2025-12", "2025-12", ("2025-12-01", "2025-12-31")),
        ("quarterly", "2025-Q4", "2025-Q4", ("2025-10-01", "2025-12-31")),
        ("quarterly", "2026-Q1", "2026-Q1", ("2026-01-01", "2026-03-31")),
        ("yearly", "2024", "2024", ("2024-01-01", "2024-12-31")),
        ({"each": "invoice.number"}, "spring", "spring", None),
    ],
)
def test_key_and_period(kind: object, override: str | None, key: str, days: tuple[str, str] | None) -> None:
    """The last complete period before the day, or the one that is named; both days inclusive."""
    found, period = occurrence_of(campaign(occurrence=kind), NOW, override)
    assert found == key
    assert (period and tuple(day.isoformat() for day in period)) == days


def test_schedule_decides_the_day() -> None:
    """A campaign with a schedule means the period before it, whenever the command is given."""
    scheduled = campaign(schedule={"at": "2026-03-01T08:00"})
    assert occurrence_of(scheduled, NOW)[0] == "2026-02"


@pytest.mark.parametrize(
    ("kind", "override"),
    [("once", "twice"), ("daily", "2026-02-30"), ("monthly", "2026-13"), ("monthly", "2026-00"), ("monthly", "2026-1"),
     ("quarterly", "2026-Q5"), ("yearly", "0000"), ("yearly", "26"), ({"each": "a"}, "../x"), ("monthly", "2026-10\n")],
)  # fmt: skip
def test_wrong_key(kind: object, override: str) -> None:
    """A key that does not fit is refused with an example of one that does."""
    with pytest.raises(OccurrenceError) as caught:
        occurrence_of(campaign(occurrence=kind), NOW, override)
    assert caught.value.remedy.startswith("write it like ")
