"""What the answers of HTTP services mean for a piece; every adapter that speaks HTTP reads them alike."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from ccm.model.records import Receipt, ReceiptStatus

OPTED_OUT = "opted out"  # in provider_status: the recipient wants nothing more; belongs on the suppression list


class NotTaken(Exception):
    """A hand-over that did not end as accepted. Free of personal data: codes alone, never the provider's sentences."""

    def __init__(self, status: ReceiptStatus, text: str, retry_after_seconds: float | None = None) -> None:
        self.status = status
        self.text = text
        self.retry_after_seconds = retry_after_seconds
        super().__init__(text)

    def receipt(self, key: str, provider: str) -> Receipt:
        """Return what the run is told."""
        return Receipt(key, self.status, provider, "", self.text, self.retry_after_seconds)


def rejected(text: str) -> NotTaken:
    """Return a refusal for good."""
    return NotTaken(ReceiptStatus.REJECTED, text)


def in_doubt(text: str) -> NotTaken:
    """Return a lost answer: bytes left, and only the provider knows what became of them."""
    return NotTaken(ReceiptStatus.UNKNOWN, text)


def meaning_of(status: int, text: str, headers: Mapping[str, str]) -> NotTaken:
    """Read an HTTP status whose body says nothing that the adapter knows.

    Args:
        status: Not 2xx, 401, 403 or 404, which are about the provider as a whole.
        text: The provider's code, for the receipt.
        headers: Any case; Retry-After is honoured.
    Why: 408 and 5xx may come from a machine on the way, after the provider took the message.
    """
    if status == 429:
        return NotTaken(ReceiptStatus.DEFERRED, text, retry_after(headers))
    if 400 <= status < 500 and status != 408:
        return rejected(text)
    return in_doubt(text)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a Retry-After header asks for, or None without one.

    A date is compared with the answer's own Date: the two clocks are the same.
    Source: RFC 9110 section 10.2.3.
    """
    known = {name.title(): value.strip() for name, value in headers.items()}
    text = known.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(known["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None
