"""What text message providers agree on: numbers, sender names, and the word for a recipient who wants no more."""

from __future__ import annotations

import re

from ccm.deliver.interface import DeliveryError

OPTED_OUT = "opted out"  # in provider_status, for people

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}")


def is_phone_number(text: str) -> bool:
    """Tell whether a text is one number as E.164 writes it.

    Source: ITU-T E.164: at most 15 digits, country code first.
    """
    return _NUMBER.fullmatch(text) is not None


def sender_id(provider: str, sender: str) -> str:
    """Return the word that phones show in place of a number.

    Raises:
        DeliveryError: If networks would not carry it: not 1 to 11 Latin letters and digits, one letter at least.
    Why: Providers cut or replace such senders silently, or refuse every message one by one.
    Source: 3GPP TS 23.040 9.1.2.5: alphanumeric addresses take 11 characters of 7 bits.
    """
    if not _SENDER_ID.fullmatch(sender):
        raise DeliveryError(
            provider,
            "the brand's sender is neither a number nor a name of at most 11 Latin letters and digits",
            "correct the brand's sms sender",
            retriable=False,
        )
    return sender
