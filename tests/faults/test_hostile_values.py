"""Hostile values in every field: no extra header, no extra recipient, by two parsers. A sample of `make faults`."""

from __future__ import annotations

import pytest
from faults.fault_tools import needs

from benchmarks.faults.injection import FIELDS, Case, inject, wrong, wrong_by_strict_reading
from benchmarks.faults.sink import Stored

pytestmark = pytest.mark.timeout(900)  # whole runs, many of them: slow where others use the machine

HEAD = (
    b"From: a@plain.example\nTo: c00001@example.org\nSubject: Hello\nDate: Mon, 02 Nov 2026 12:00:00 +0000\n"
    b"Message-ID: <p-aaaaaaaaaaaaaaaaaaaaaaaaaa@plain.example>\nContent-Language: en\n"
    b"Auto-Submitted: auto-generated\nFeedback-ID: x\nMIME-Version: 1.0\n"
)
BODY = (
    b'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\nx\n'
    b"--b\nContent-Type: text/html\n\n<p>x</p>\n--b--\n"
)
CASE = Case(1, "name", "Ann")


def test_a_sample_of_values_in_every_field() -> None:
    """Naughty strings, line breaks and encoded words, through composing and SMTP and back."""
    needs("smtp-sink")
    tally = inject(step=47)
    assert len(FIELDS) == 10
    assert tally.kills > 100
    assert tally.good, tally.failures


def test_a_sound_message_passes() -> None:
    """The readers have no prejudice."""
    assert wrong(Stored("p", ("c00001@example.org",), HEAD + BODY), CASE) == []


@pytest.mark.parametrize(
    ("recipients", "head", "what"),
    [
        (("c00001@example.org",), b"Bcc: evil@attacker.example\n", "header bcc"),
        (("c00001@example.org",), b"Subject: twice\n", "2 headers subject"),
        (("c00001@example.org", "evil@attacker.example"), b"", "2 recipients"),
        (("evil@attacker.example",), b"", "another recipient"),
        (("c00001@example.org",), b"no header at all\n", "a line that is no header"),
    ],
)
def test_what_a_value_could_do_is_seen(recipients: tuple[str, ...], head: bytes, what: str) -> None:
    """An extra header, recipient or line is noticed."""
    assert what in wrong(Stored("p", recipients, HEAD + head + BODY), CASE)


def test_the_strict_reader_sees_what_a_library_forgives() -> None:
    """A bare carriage return and a line of blanks are no part of a header."""
    found = wrong_by_strict_reading(b"Subject: a\rBcc: x\n \nFrom: a\n\nbody")
    assert {"a line that is none", "an empty fold"} <= set(found)
