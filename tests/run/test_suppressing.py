"""Suppressions by hand, from lists and after an erasure; words of people, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ccm.ledger.permissions import PermissionStore, open_permissions
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, SuppressionReason, in_force
from ccm.plan.addresses import AddressInvalid
from ccm.run.contents import ConfigurationFault
from ccm.run.permitted import address_subject, person_subject, standing_of, subjects_of
from ccm.run.suppressing import Ban, agree, lift, plain_address, read_suppressions, suppress_erased
from ccm.testing.samples import NOON

KEYS = Keyring.of("a secret of some length")
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PermissionStore]:
    opened = open_permissions("sqlite:///ledger.db", tmp_path, KEYS.idents)
    yield opened
    opened.close()


def test_an_erased_person_stays_away_and_leaves_no_word(store: PermissionStore) -> None:
    """Barred by id and by every address, for every channel and purpose; consents are gone."""
    said = ConsentEntry("", Purpose.MARKETING, Channel.EMAIL, True, NOON, "form", "F-1")
    agree(store, KEYS, said, recipient_id="C-1", addresses=["ann@example.org"])
    assert (
        suppress_erased(store, KEYS, recipient_id="C-1", addresses=["Ann@example.org", "+12025550123"], at=LATER) == 3
    )
    subjects = subjects_of(KEYS, "C-1", "ann@example.org", "+12025550123")
    standing = standing_of(store.entries(subjects.all), subjects, "any")
    assert standing.consents == ()
    for channel in (Channel.EMAIL, Channel.SMS, Channel.DOCUMENT):
        found = standing.forbids(channel, Purpose.LEGAL)
        assert found is not None
        assert found.reason == "erased"
    stranger = subjects_of(KEYS, "C-2", "ann@example.org", "")  # the address comes back under a new id
    assert standing_of(store.entries(stranger.all), stranger, "any").forbids(Channel.EMAIL, Purpose.LEGAL)


def test_lifting_takes_back_what_it_names(store: PermissionStore) -> None:
    """Only the reason, or every reason; only the channel, or all."""
    subject = address_subject(KEYS, "ann@example.org")
    complaint = Ban(SuppressionReason.COMPLAINED, Channel.EMAIL, Purpose.MARKETING)
    manual = Ban()
    store.record([complaint.on(subject, NOON), manual.on(subject, NOON)])
    assert lift(store, KEYS, [subject], Ban(channel=Channel.SMS), LATER, any_reason=True) == 0
    assert lift(store, KEYS, [subject], Ban(), LATER, any_reason=False) == 1
    assert [entry.reason for entry in in_force(store.entries([subject]))] == ["complained"]
    assert lift(store, KEYS, [subject], Ban(), LATER, any_reason=True) == 1
    assert in_force(store.entries([subject])) == ()


def test_a_yes_takes_back_unsubscribing_and_nothing_else(store: PermissionStore) -> None:
    """Who subscribes again is written to; a complaint stays a complaint."""
    subject = person_subject(KEYS, "C-1")
    left = Ban(SuppressionReason.UNSUBSCRIBED, Channel.EMAIL, Purpose.MARKETING, "bank")
    store.record([left.on(subject, NOON), replace(left, reason=SuppressionReason.COMPLAINED).on(subject, NOON)])
    said = ConsentEntry("", Purpose.MARKETING, Channel.EMAIL, True, LATER, "form", brand="bank")
    agree(store, KEYS, said, recipient_id="C-1")
    assert [entry.reason for entry in in_force(store.entries([subject]))] == ["complained"]
    agree(store, KEYS, replace(said, granted=False), recipient_id="C-1")
    subjects = subjects_of(KEYS, "C-1", "", "")
    words = standing_of(store.entries(subjects.all), subjects, "bank").consents
    assert [word.granted for word in words] == [True, False]


def test_a_list_is_entered_as_it_stands(tmp_path: Path) -> None:
    """Columns count before the options; numbers without a country code take the country that is given."""
    path = tmp_path / "list.csv"
    path.write_text(
        "﻿Address,channel,purpose,reason,brand\nAnn@Example.org,email,marketing,complained,bank\n030 1234567,,,,\n",
        encoding="utf-8",
    )
    first, second = read_suppressions(path, KEYS, Ban(channel=Channel.SMS), NOON, country="DE")
    assert (first.subject, first.channel, first.reason) == (
        address_subject(KEYS, "ann@example.org"),
        Channel.EMAIL,
        SuppressionReason.COMPLAINED,
    )
    assert (second.subject, second.channel, second.brand) == (address_subject(KEYS, "+49301234567"), Channel.SMS, "")


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("mail\na@example.org\n", "missing-column", 1),
        ("", "missing-column", 1),
        ("address\na@example.org\nnobody\n", "malformed-row", 3),
        ("address\na@example.org,b@example.org\n\"a@example.org,b@example.org\"\n", "malformed-row", 2),
        ('address\n"a@example.org,b@example.org"\n', "malformed-row", 2),
        ("address\n0301234567\n", "malformed-row", 2),  # of which country?
        ("address,reason\na@example.org,angry\n", "malformed-row", 2),
        ("address,channel\na@example.org,fax\n", "malformed-row", 2),
        ("address\n\n\nnobody\n", "malformed-row", 4),
    ],
)  # fmt: skip
def test_one_bad_row_stops_the_whole_list(tmp_path: Path, text: str, code: str, line: int) -> None:
    """The place is told, the address is not."""
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationFault) as problem:
        read_suppressions(path, KEYS, Ban(), NOON)
    fault = problem.value.diagnostics[0]
    assert (fault.code, fault.location.line) == (code, line)
    assert "example.org" not in str(fault)
    assert "nobody" not in fault.message


def test_an_address_is_one_plain_address() -> None:
    """Neither two, nor a name with it, nor a number of an unknown country; the message shows none."""
    assert plain_address("Ann@EXAMPLE.org") == "Ann@example.org"
    assert plain_address("030 1234567", "DE") == "+49301234567"
    for text in ("a@example.org, b@example.org", "Ann <a@example.org>", "0301234567", "secret"):
        with pytest.raises(AddressInvalid) as problem:
            plain_address(text)
        assert text not in str(problem.value)
