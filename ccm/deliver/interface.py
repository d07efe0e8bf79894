"""What a delivery adapter is: one required method. Third parties subclass `Adapter` and register it.

An adapter works in three steps that can be tested apart: build the payload (pure), post it, read the
provider's answer. Errors are told apart by one question: is it *proved* that nothing was accepted?
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from ccm.model.records import Capabilities, Envelope, Receipt


class DeliveryError(Exception):
    """The provider could not be used; nothing about a single piece. Free of personal data.

    Raise it for credentials, configuration and unreachable servers *before* any message bytes left.
    """

    def __init__(self, provider: str, message: str, remedy: str, *, retriable: bool) -> None:
        self.provider = provider
        self.message = f"{provider}: {message}"
        self.remedy = remedy
        self.retriable = retriable
        super().__init__(f"{provider}: {message}; {remedy}")


@dataclass(frozen=True)
class Forgotten:
    """What an adapter did to forget some pieces.

    removed: Ids of pieces of which it had a copy that is gone now.
    left: Where a copy of a piece stays out of reach, and whom to ask; one clause by piece id, no personal data. A piece
        may be in both.
    """

    removed: frozenset[str] = frozenset()
    left: Mapping[str, str] = field(default_factory=dict)


class Adapter(ABC):
    """Base of every delivery adapter."""

    capabilities: ClassVar[Capabilities]

    # What a person does to find out about a piece whose answer was lost; one clause, shown with the piece's id.
    how_to_look_up: ClassVar[str] = "search the provider's own records for the piece id"

    @property
    def concurrency(self) -> int:
        """Largest number of hand-overs at once; override where settings allow fewer than the capabilities say.

        Why: every hand-over under way when the process is killed may be in doubt afterwards, and one that only
        waits for a free connection need not be.
        """
        return self.capabilities.concurrency

    @classmethod
    @abstractmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make an adapter from its `settings` in ccm.yaml.

        Args:
            provider: The name it was configured under; goes into receipts.
            settings: Texts, environment variables already filled in.
            root: Absolute folder of the workspace, for relative paths.
        Raises:
            DeliveryError: If a setting is missing or wrong; names it.
        """

    @abstractmethod
    def deliver(self, envelope: Envelope) -> Receipt:
        """Hand over one piece. Called from several threads at once.

        Returns:
            A receipt: ACCEPTED, REJECTED (for good), DEFERRED (provably not accepted, may be tried again)
            or UNKNOWN (bytes left and no answer came).
        Raises:
            DeliveryError: If the provider as a whole cannot be used.
        """

    def deliver_many(self, envelopes: Iterable[Envelope]) -> Iterator[Receipt]:
        """Hand over several pieces; override where the provider has a batch call."""
        return map(self.deliver, envelopes)

    def look_up(self, key: str) -> Receipt | None:
        """Ask the provider what became of a piece whose answer was lost; None if it cannot tell."""
        return None

    def forget(self, pieces: Sequence[str]) -> Forgotten:
        """Remove every copy of some pieces that is in reach: files, objects, what waits in a spool.

        Override it where deliveries leave copies that we can take away. It is asked when a customer is erased, perhaps
        twice, and also about pieces that were never delivered; these are in neither part of the answer.

        Raises:
            DeliveryError: If it cannot be done now; the same command asks again.
        """
        return Forgotten()

    def verify(self) -> None:
        """Check credentials and reachability without sending; used by `ccm doctor`.

        Raises:
            DeliveryError: If the provider cannot be used.
        """
        return

    def account(self) -> frozenset[str]:
        """Return the names of the account that it posts to, as the network tells them; empty if there is none or it is not told.

        `ccm doctor` asks after `verify` and compares them with the handle that the brand declares.

        Raises:
            DeliveryError: If it cannot be asked.
        """
        return frozenset()

    def close(self) -> None:
        """Give back connections. Called once, after the last delivery."""
        return
