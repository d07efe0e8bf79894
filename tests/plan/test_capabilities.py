"""What a provider cannot do is said before anything is composed."""

from __future__ import annotations

import pytest

from ccm.model.definitions import Channel
from ccm.model.records import Capabilities
from ccm.plan import compare_capabilities
from tests.plan.conftest import campaign, template

ABLE = {"outbox": Capabilities(tuple(Channel)), "archive": Capabilities((Channel.DOCUMENT,))}
NO_FILES = Capabilities(tuple(Channel), attachments=False)


@pytest.mark.parametrize(
    ("fields", "capabilities", "codes"),
    [
        ({}, ABLE, []),
        ({"deliver": {"email": "outbox", "document": "archive"}}, ABLE, ["provider-missing"]),
        ({"deliver": {"email": "outbx", "sms": "outbox", "document": "archive"}}, ABLE, ["provider-unknown"]),
        ({"deliver": {"email": "outbox", "sms": "archive", "document": "archive"}}, ABLE, ["provider-channel"]),
        ({}, ABLE | {"outbox": NO_FILES}, ["provider-attachments"]),
        ({"channels": {"together": ["email"]}}, ABLE | {"outbox": NO_FILES}, []),
    ],
)
def test_comparison(fields: dict[str, object], capabilities: dict[str, Capabilities], codes: list[str]) -> None:
    """Each gap has its code, a place and a remedy."""
    found = compare_capabilities(campaign(**fields), capabilities, template())
    assert [item.code for item in found] == codes
    assert all(item.location.path == "campaigns/offer.yaml" and item.remedy for item in found)


def test_attachments_count_only_if_attached() -> None:
    """A template that does not attach its document asks for no attachments."""
    apart = template(document={"attach_to_email": False})
    assert compare_capabilities(campaign(), ABLE | {"outbox": NO_FILES}, apart) == ()


def test_remedy_names_the_nearest_provider() -> None:
    """A misspelt provider is suggested."""
    (found,) = compare_capabilities(campaign(deliver={"email": "outbx", "sms": "outbox", "document": "archive"}), ABLE)
    assert '"outbox"' in found.remedy


def test_a_printer_needs_a_postal_address_in_the_contract() -> None:
    """Said before anything is composed, and gone when the contract has one."""
    able = ABLE | {"archive": Capabilities((Channel.DOCUMENT,), postal=True)}
    assert [item.code for item in compare_capabilities(campaign(), able, template())] == ["provider-postal"]
    contract = {"customer": {"record": {"name": "text"}}, "address": {"record": {"street": "text"}}}
    assert compare_capabilities(campaign(), able, template(contract=contract)) == ()
