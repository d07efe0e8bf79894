"""What a status and a Retry-After header mean."""

from __future__ import annotations

import pytest

from ccm.deliver.answers import meaning_of, retry_after
from ccm.model.records import ReceiptStatus


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"retry-after": " 5 "}, 5),
        ({"Retry-After": "Sun, 22 Nov 2026 10:01:30 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 90),
        ({"Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "Sun, 22 Nov 2026 10:01:30 GMT"}, None),  # whose clock?
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds or a date, as RFC 9110 allows."""
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, ReceiptStatus.REJECTED),
        (408, ReceiptStatus.UNKNOWN),
        (413, ReceiptStatus.REJECTED),
        (422, ReceiptStatus.REJECTED),
        (429, ReceiptStatus.DEFERRED),
        (500, ReceiptStatus.UNKNOWN),
        (503, ReceiptStatus.UNKNOWN),
        (302, ReceiptStatus.UNKNOWN),
    ],
)
def test_meaning_of_a_status(status: int, meaning: ReceiptStatus) -> None:
    """Only what proves that nothing was accepted is not unknown."""
    assert meaning_of(status, "x", {}).status is meaning
