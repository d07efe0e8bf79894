"""Addresses brought into one form: email lower-domain ASCII, telephone E.164. A field holds one address or it is refused."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

# Top-level names that no mail can reach (RFC 2606, RFC 6761); allowed, because test data lives there.
_RESERVED = frozenset({"test", "invalid"})
_PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]{1,180}"
)  # never near 254 signs, the longest allowed
_PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2015\u2212\u00b7]+")


class AddressInvalid(ValueError):
    """An address cannot be used; the message says the expected form and never the address."""


def normalised_email(raw: str) -> str:
    """Return an email address as it goes into an envelope.

    Internationalised domains come back in their ASCII form; the part before the @ keeps its case.

    Raises:
        AddressInvalid: For anything but exactly one plain address: two addresses, display names, quoted or
            non-ASCII local parts, control characters, encoded words, hosts without a dot.
    Why: `a@good.com,b@evil.com` must not reach two people, and `=?utf-8?…?=` must not become a header.
    """
    text = raw.strip(" \t\u00a0")
    local, _, domain = text.rpartition("@")
    if _PLAIN.fullmatch(text) is not None and len(local) <= 64 and local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES:
        return f"{local}@{_plain_domain(domain)}"
    return _validated(text)


@lru_cache(maxsize=4096)
def _plain_domain(domain: str) -> str:
    """Return a domain as an envelope carries it; asked once, because most people share a few."""
    return _validated(f"x@{domain}").rpartition("@")[2]


def _validated(text: str) -> str:
    if "=?" in text or any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in text):
        raise AddressInvalid("the email address holds control characters or an encoded word")
    suffix = ".example" if text.rpartition(".")[2].casefold() in _RESERVED else ""
    try:
        found = validate_email(text + suffix, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise AddressInvalid("the email address is not one plain address like name@example.com") from None
    return (found.ascii_email or found.normalized).removesuffix(suffix)


def normalised_phone(raw: str, country: str | None) -> str:
    """Return a telephone number in E.164 form.

    Args:
        raw: International with a plus, or national when the country is known.
        country: ISO 3166-1 alpha-2, or None.
    Raises:
        AddressInvalid: For letters, extensions, two numbers, a length that the country does not have, or a
            national number without a country.
    Why: Only the length is judged, not the number range: new ranges are opened faster than our tables are
        renewed, and ranges kept free for examples are refused by stricter rules.
    """
    text = raw.strip()
    if not _PHONE.fullmatch(text):
        raise AddressInvalid("the telephone number is not one plain number like +49 30 1234567")
    region = (country or "").upper() or None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as problem:
        if problem.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise AddressInvalid("the telephone number has no country code and no country is known") from None
        raise AddressInvalid("the telephone number is not one plain number like +49 30 1234567") from None
    if (
        number.extension
        or phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        raise AddressInvalid("the telephone number has the wrong length for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def national_digits(e164: str) -> str:
    """Return the digits after the country code; numbers written the national way compare by these."""
    return str(phonenumbers.parse(e164, None).national_number)
