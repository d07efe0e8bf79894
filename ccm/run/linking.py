"""Addresses at which a customer fetches documents that were delivered into a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ccm import plugins
from ccm.deliver.links import GivesLinks
from ccm.model.records import HistoryEntry, PieceState
from ccm.model.workspace import Workspace
from ccm.run.prepare import open_adapters

_THERE = frozenset({PieceState.ACCEPTED, PieceState.DELIVERED})


def links_of(workspace: Workspace, entries: Iterable[HistoryEntry]) -> Mapping[str, str]:
    """Return links by the provider's id of what a customer got; nothing is asked of the provider.

    Raises:
        DeliveryError: If a provider that gives links cannot be opened.
        PluginError: If its adapter is not installed.
    """
    there = [entry for entry in entries if entry.state in _THERE and entry.provider_id]
    providers = workspace.definition.providers
    wanted = {
        entry.provider
        for entry in there
        if entry.provider in providers
        and issubclass(plugins.load_adapter(providers[entry.provider].adapter), GivesLinks)
    }
    adapters = open_adapters(workspace, wanted)
    found: dict[str, str] = {}
    try:
        for entry in there:
            adapter = adapters.get(entry.provider)
            if isinstance(adapter, GivesLinks) and (link := adapter.link(entry.provider_id)):
                found[entry.provider_id] = link
    finally:
        for adapter in adapters.values():
            adapter.close()
    return found
