"""Whose account is posted to: a provider whose network names another one than the brand declares is not fine."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from deliver.contract_server import ContractServer, Told
from deliver.social_contracts import PAGE, X_KEYS

from ccm.deliver.linkedin import LinkedInAdapter
from ccm.load import load_workspace
from ccm.model.definitions import Channel, ProviderDefinition
from ccm.model.workspace import Workspace
from ccm.run import doctor
from ccm.run.accounts import is_named

CAMPAIGN = "winter-offer"
SETTINGS: dict[Channel, dict[str, str]] = {
    Channel.X: X_KEYS,
    Channel.FACEBOOK: {"page": PAGE, "access_token": "t"},
    Channel.MASTODON: {"access_token": "t"},
    Channel.BLUESKY: {"identifier": "brand.example", "password": "t"},
}
# What the network says, and whether it is the account that the sample's supplier declares.
ANSWERS: list[tuple[Channel, dict[str, object], bool]] = [
    (Channel.X, {"data": {"id": "1", "username": "juniperenergy"}}, True),
    (Channel.X, {"data": {"id": "1", "username": "JuniperBrewery"}}, False),
    (Channel.X, {"data": {"id": "1"}}, True),
    (Channel.FACEBOOK, {"id": PAGE, "username": "JuniperEnergy"}, True),
    (Channel.FACEBOOK, {"id": PAGE, "username": "other"}, False),
    (Channel.FACEBOOK, {"id": PAGE}, True),
    (
        Channel.MASTODON,
        {"id": "1", "username": "juniper", "url": "https://social.juniper.example/@juniper"},
        True,
    ),
    (Channel.MASTODON, {"id": "1", "username": "juniper", "url": "https://elsewhere.example/@juniper"}, False),
    (Channel.MASTODON, {"id": "1"}, True),
    (Channel.BLUESKY, {"did": "did:plc:1", "accessJwt": "j", "handle": "juniper.example"}, True),
    (Channel.BLUESKY, {"did": "did:plc:1", "accessJwt": "j", "handle": "juniper-fans.example"}, False),
]


@cache
def sample() -> Workspace:
    workspace, _ = load_workspace(Path(__file__).resolve().parents[2], lint=False)
    assert workspace is not None
    return workspace


def posting(channel: Channel, address: str) -> Workspace:
    """Return the sample with one provider, through which its offer goes to a network."""
    where = "server" if channel is Channel.MASTODON else "service"
    provider = ProviderDefinition(adapter=channel.value, settings={**SETTINGS[channel], where: address})
    campaign = sample().campaigns[CAMPAIGN]
    campaign = campaign.model_copy(update={"deliver": {**campaign.deliver, channel: "network"}})
    definition = sample().definition.model_copy(update={"providers": {"network": provider}})
    return replace(sample(), definition=definition, campaigns={CAMPAIGN: campaign})


@pytest.mark.parametrize(("channel", "answer", "fine"), ANSWERS)
def test_the_doctor_compares_accounts(
    channel: Channel, answer: dict[str, object], fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another account is told with both names and what to do; a network that names none is not doubted."""
    monkeypatch.setattr(doctor, "CHECKS", {})
    with ContractServer(lambda asked: Told(200, answer)) as server:
        (found,) = doctor.examine(posting(channel, server.url), timeout_seconds=60)
    assert found.fine is fine, found
    if not fine:
        assert "and brand juniper-energy declares" in found.detail
        assert "handle" in found.remedy


def test_a_provider_that_cannot_tell_is_not_doubted() -> None:
    """LinkedIn shows the name of an organisation only to tokens that may do more than post."""
    settings = {"author": "urn:li:organization:1", "access_token": "t", "version": "202610"}
    adapter = LinkedInAdapter.from_settings("network", settings, root="/")
    assert adapter.account() == frozenset()
    adapter.close()


@pytest.mark.parametrize(
    ("handle", "names", "same"),
    [
        ("@Brand", {"brand"}, True),
        ("brand", {"@brand@social.example"}, True),
        ("@brand@social.example", {"@brand@social.example"}, True),
        ("@brand@example.org", {"@brand@mastodon.example.org"}, True),
        ("@brand@example.org", {"@brand@badexample.org"}, False),
        ("@brand@example.org", {"@other@example.org"}, False),
        ("brand.example", {"did:plc:1", "brand.example"}, True),
        ("brand.example", {"brand.example.org"}, False),
    ],
)
def test_names_of_one_account(handle: str, names: set[str], same: bool) -> None:
    """Case and signs do not count; a server below the handle's domain is its own, one that only ends alike is not."""
    assert is_named(handle, names) is same
