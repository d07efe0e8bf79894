"""One field, one address, one form."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import phonenumbers
import pytest

from ccm.plan import addresses
from ccm.plan.addresses import AddressInvalid, _validated, normalised_email, normalised_phone


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ana.B+c@Bank.EXAMPLE", "Ana.B+c@bank.example"),
        (" ana@bank.example ", "ana@bank.example"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@mail.test", "ana@mail.test"),
        ("ana@nowhere.invalid", "ana@nowhere.invalid"),
        ("o'brien@bank.example", "o'brien@bank.example"),
    ],
)
def test_emails(raw: str, expected: str) -> None:
    """Domains in lower-case ASCII; reserved names are fine, test data lives there."""
    assert normalised_email(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "a@good.example,b@evil.example", "a@good.example;b@evil.example", "a@good.example b@evil.example",
        "Ana <a@good.example>", "a@good.example\r\nBcc: b@evil.example", "a@good.example\n", "a\x00@good.example",
        "=?utf-8?q?a=0D=0ABcc:b?=@good.example", "a@localhost", "a@bank", "@good.example", "a@", "junk", "jürgen@good.example",
        '"a b"@good.example', "a@[127.0.0.1]", "a@good\u202e.example", "a@.invalid", "a" * 65 + "@good.example",
    ],
)  # fmt: skip
def test_refused_emails(raw: str) -> None:
    """Two people, headers, odd syntax: refused, and the message does not repeat the address."""
    with pytest.raises(AddressInvalid) as caught:
        normalised_email(raw)
    assert "good" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+41 44 668 18 00", None, "+41446681800"),
        ("044 668 18 00", "CH", "+41446681800"),
        ("(030) 23125-001", "de", "+493023125001"),
        ("+1 (202) 555-0123", "DE", "+12025550123"),
        ("+447700900123", None, "+447700900123"),  # kept free for films and examples
        ("٠٣٠٢٣١٢٥٠٠١", "DE", "+493023125001"),
        ("+55 (12) 3923-5555", "BR", "+551239235555"),
    ],
)
def test_phones(raw: str, country: str | None, expected: str) -> None:
    """E.164, national numbers by the recipient's country."""
    assert normalised_phone(raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "country"),
    [("044 668 18 00", None), ("12", "DE"), ("+1 800 FLOWERS", None), ("+493023125001 ext 4", None), ("+41446681800, +41446681801", None),
     ("+41446681800;x=1", None), ("+41446681800\nX: y", None), ("", "DE"), ("+999123456789", None), ("0446681800", "XX")],
)  # fmt: skip
def test_refused_phones(raw: str, country: str | None) -> None:
    """Letters, extensions, two numbers, wrong lengths, unknown countries."""
    with pytest.raises(AddressInvalid):
        normalised_phone(raw, country)


@pytest.mark.data
def test_naughty_strings_never_crash(shared_data: Path) -> None:
    """Hostile strings are refused or become one address without control characters."""
    strings = json.loads((shared_data / "vectors/naughty/blns.json").read_text())
    assert len(strings) > 400
    for text in [*strings, *(f"{text}@bank.example" for text in strings)]:
        for normalise in (normalised_email, lambda raw: normalised_phone(raw, "DE")):
            try:
                found = normalise(text)
            except AddressInvalid:
                continue
            assert found.isascii()
            assert found.isprintable()
            assert found.count("@") <= 1


_LOCALS = (
    "a",
    "A.b",
    "a..b",
    ".a",
    "a.",
    "x+y",
    "postmaster",
    "ABUSE",
    "Root",
    "a" * 64,
    "a" * 65,
    "-a",
    "a b",
    "\u00e4",
    "a'b",
    "o=x",
    "=?",
    "",
)
_DOMAINS = (
    "example.com", "EXAMPLE.com", "exa_mple.com", "-a.com", "a-.com", "a..com", ".com", "com", "localhost", "a.test", "b.invalid",
    "x.TEST", "xn--mnchen-3ya.de", "xn--", "m\u00fcnchen.de", "1.2.3.4", "[1.2.3.4]", "a.c", "a.123", "a" * 63 + ".com", "a" * 64 + ".com",
    ".".join(["a" * 60] * 3) + ".com", ".".join(["a" * 60] * 4) + ".com", "a.local", "ex ample.com", "a.onion", "example.com.", "arpa",
)  # fmt: skip


def test_the_domain_of_a_plain_address_is_asked_once_with_the_same_answer() -> None:
    """Plain addresses take a short way: it gives what the validator gives for the whole address, refusals too."""
    for local in _LOCALS:
        for domain in _DOMAINS:
            for text in (
                f"{local}@{domain}",
                f"{local}@@{domain}",
                f"{local}@b@{domain}",
                f"{local}{domain}",
                f"{local}@{domain},b@c.de",
            ):
                assert _said(normalised_email, f" {text}\t") == _said(_validated, text), text


def _said(normalise: Callable[[str], str], text: str) -> str:
    try:
        return normalise(text)
    except AddressInvalid as refused:
        return f"refused: {refused}"


def test_an_international_number_that_stands_as_it_is_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of all countries and random ones take a short way: it gives what the library gives, refusals too."""
    choose = random.Random(7)
    codes = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE] + ["999", "210", "80"]
    numbers = [
        phonenumbers.format_number(example, form)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        if (example := phonenumbers.example_number(region)) is not None
        for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    ]
    for code in codes:
        for length in range(14):
            digits = "".join(choose.choice("0123456789018") for _ in range(length))
            numbers += [f"+{code}{digits}", f"+{code} {digits[:3]}-{digits[3:]}"]
    asked = [(number, choose.choice([None, "GB", "US", "CA", "IT"])) for number in numbers]
    assert sum(bool(addresses._as_it_stands(number)) for number in numbers) > 500
    short = [_said(partial(normalised_phone, country=country), number) for number, country in asked]
    monkeypatch.setattr(addresses, "_INTERNATIONAL", re.compile("(?!)"))
    long = [_said(partial(normalised_phone, country=country), number) for number, country in asked]
    assert short == long
