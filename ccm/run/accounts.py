"""Whose account a network's provider posts to, beside the account that the brand names: a mistyped token posts elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel, SocialSender
from ccm.model.workspace import Workspace


def compare_account(workspace: Workspace, provider: str, adapter: Adapter) -> None:
    """Compare the account of a provider with the handles of all brands whose campaigns post through it.

    Raises:
        DeliveryError: If a brand declares another account; names both.
    """
    handles = declared_handles(workspace, provider, adapter.capabilities.channels)
    names = adapter.account() if handles else frozenset()
    for brand, handle in handles:
        if names and not is_named(handle, names):
            raise DeliveryError(
                provider,
                f"posts as {' or '.join(sorted(names))}, and brand {brand} declares {handle}",
                f"give the provider the account's own credentials, or correct `handle` in brands/{brand}/brand.yaml",
                retriable=False,
            )


def declared_handles(workspace: Workspace, provider: str, channels: Iterable[Channel]) -> tuple[tuple[str, str], ...]:
    """Return brands with the handle that each declares for a channel that one of its campaigns has through a provider."""
    found = set()
    for campaign in workspace.campaigns.values():
        brand = workspace.brands.get(campaign.brand)
        for channel in channels:
            sender = getattr(brand.definition.senders, channel.value, None) if brand else None
            if campaign.deliver.get(channel) == provider and isinstance(sender, SocialSender):
                found.add((campaign.brand, sender.handle))
    return tuple(sorted(found))


def is_named(handle: str, names: Iterable[str]) -> bool:
    """Tell whether a handle is one of an account's names.

    Letters count alike in either case, and a sign before the name does not count. A handle without its server is any
    server's; a server may stand on a machine below the domain of its handles, as Mastodon's often does.
    """
    user, _, server = _plain(handle).partition("@")
    for name in map(_plain, names):
        known, _, machine = name.partition("@")
        if known == user and (not server or server == machine or machine.endswith(f".{server}")):
            return True
    return False


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
