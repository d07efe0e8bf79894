"""Adapters that keep what they were given where the recipient can fetch it."""

from __future__ import annotations

from abc import ABC, abstractmethod


class GivesLinks(ABC):
    """Mixed into an adapter whose provider hands out time-limited addresses."""

    @abstractmethod
    def link(self, provider_id: str) -> str:
        """Return an address at which the holder fetches a delivered piece; made here, nothing is asked.

        Args:
            provider_id: As the receipt gave it.
        Returns:
            The address; empty if the piece is not kept by this provider.
        Raises:
            DeliveryError: If there are no credentials to make one with.
        """
