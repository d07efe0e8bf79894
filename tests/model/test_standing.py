"""What an entry about a person, an email address or a number forbids."""

from __future__ import annotations

import pytest

from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import Standing
from ccm.model.records import Suppression

EMAIL, SMS, DOCUMENT = Channel.EMAIL, Channel.SMS, Channel.DOCUMENT
MARKETING, LEGAL = Purpose.MARKETING, Purpose.LEGAL


def entry(channel: Channel | None = None, purpose: Purpose | None = None) -> Suppression:
    return Suppression("", channel, purpose, "manual")


@pytest.mark.parametrize(
    ("standing", "channel", "purpose", "forbidden"),
    [
        (Standing(), EMAIL, MARKETING, False),
        (Standing(email=(entry(),)), EMAIL, LEGAL, True),  # every purpose, legal too
        (Standing(email=(entry(),)), SMS, MARKETING, False),  # the other address is free
        (Standing(email=(entry(),)), DOCUMENT, MARKETING, False),  # paper needs no address
        (Standing(email=(entry(DOCUMENT),)), DOCUMENT, MARKETING, True),
        (Standing(email=(entry(EMAIL, MARKETING),)), EMAIL, LEGAL, False),
        (Standing(phone=(entry(SMS),)), SMS, LEGAL, True),
        (Standing(phone=(entry(SMS),)), EMAIL, LEGAL, False),
        (Standing(person=(entry(),)), DOCUMENT, LEGAL, True),  # an erased person gets nothing at all
        (Standing(person=(entry(SMS),)), SMS, MARKETING, True),
        (Standing(person=(entry(SMS),)), EMAIL, MARKETING, False),
    ],
)
def test_what_an_entry_forbids(standing: Standing, channel: Channel, purpose: Purpose, forbidden: bool) -> None:
    """An entry concerns the channel of its address; one about a person concerns all that it names."""
    assert (standing.forbids(channel, purpose) is not None) is forbidden
