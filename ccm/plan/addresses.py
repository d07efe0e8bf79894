"""Addresses brought into one form: email lower-domain ASCII, telephone E.164. A field holds one address or it is refused."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

# Top-level names that no mail can reach (RFC 2606, RFC 6761); allowed, because test data lives there.
_RESERVED = frozenset({"test", "invalid"})
_PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]{1,180}"
)  # never near 254 signs, the longest allowed
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]*(?:[ -][0-9]+)*")  # plain enough for `_as_it_stands`
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
    if _INTERNATIONAL.fullmatch(text) is not None and (found := _as_it_stands(text)):
        return found
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


def _as_it_stands(text: str) -> str:
    """Return an international number without its blanks and dashes where its form leaves nothing to be changed; else nothing.

    Why: The library tries what people may have meant, which takes longer than all else that is planned for a person.
        A number with a country code, no zero or other prefix behind it, and one of its country's lengths is left alone.
    """
    number = text.replace(" ", "").replace("-", "")
    for length in (1, 2, 3):
        form = _national_form(number[1 : 1 + length])
        if form is not None:
            national = number[1 + length :]
            plain = len(national) in form.lengths and national[0] != "0"
            return number if plain and (form.prefix is None or form.prefix.match(national) is None) else ""
    return ""


class _NationalForm(NamedTuple):
    """What numbers of a country code look like.

    lengths: Digits that they may have behind the country code.
    prefix: What is taken away or rewritten at the beginning of a national number; None if nothing is.
    """

    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


@lru_cache(maxsize=1200)  # all numbers of up to three digits
def _national_form(code: str) -> _NationalForm | None:
    region = phonenumbers.region_code_for_country_code(int(code))
    known = phonenumbers.PhoneMetadata.metadata_for_region(region, None)  # None where there is no such code
    if known is None or known.general_desc is None:
        return None
    lengths = frozenset(known.general_desc.possible_length) - frozenset(known.general_desc.possible_length_local_only)
    prefix = known.national_prefix_for_parsing
    return _NationalForm(lengths, re.compile(prefix) if prefix else None)


@lru_cache(maxsize=4096)
def national_digits(e164: str) -> str:
    """Return the digits after the country code; numbers written the national way compare by these."""
    return str(phonenumbers.parse(e164, None).national_number)
