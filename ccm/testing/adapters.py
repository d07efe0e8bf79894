"""Delivery adapters that behave badly on purpose. They keep what they were given, so tests can ask."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from ccm.deliver.interface import Adapter
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus


class RecordingAdapter(Adapter):
    """Accepts everything and keeps it.

    delivered: Envelopes in order of hand-over.
    log: File that gets one line per hand-over before the answer; survives a kill of this process.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=tuple(Channel), concurrency=4)

    def __init__(self, provider: str = "fake", *, log: Path | None = None) -> None:
        self.provider = provider
        self.log = log
        self.delivered: list[Envelope] = []
        self.closed = False
        self._lock = threading.Lock()

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `log` is a file relative to the workspace."""
        return cls(provider, log=Path(root) / settings["log"] if "log" in settings else None)

    def deliver(self, envelope: Envelope) -> Receipt:
        """Keep the envelope and accept it."""
        self._keep(envelope)
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self.provider, f"id-{envelope.key}", "kept")

    def close(self) -> None:
        """Remember that this was called."""
        self.closed = True

    def tries(self, key: str) -> int:
        """Return how often a piece was handed over."""
        return Counter(envelope.key for envelope in self.delivered)[key]

    def _keep(self, envelope: Envelope) -> int:
        with self._lock:
            self.delivered.append(envelope)
            if self.log:
                with self.log.open("a") as file:
                    file.write(envelope.key + "\n")
            return self.tries(envelope.key)


class FlakyAdapter(RecordingAdapter):
    """Defers every piece some times, then accepts it."""

    def __init__(self, provider: str = "fake", *, log: Path | None = None, times: int = 2) -> None:
        super().__init__(provider, log=log)
        self.times = times

    def deliver(self, envelope: Envelope) -> Receipt:
        """Defer, or accept."""
        if self._keep(envelope) <= self.times:
            return Receipt(envelope.key, ReceiptStatus.DEFERRED, self.provider, provider_status="busy")
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self.provider, f"id-{envelope.key}", "kept")


class RejectingAdapter(RecordingAdapter):
    """Refuses everything for good."""

    def deliver(self, envelope: Envelope) -> Receipt:
        """Refuse."""
        self._keep(envelope)
        return Receipt(envelope.key, ReceiptStatus.REJECTED, self.provider, provider_status="refused")


class LostAnswerAdapter(RecordingAdapter):
    """Takes everything and never gets to say so."""

    def deliver(self, envelope: Envelope) -> Receipt:
        """Keep the envelope and answer that nobody knows."""
        self._keep(envelope)
        return Receipt(envelope.key, ReceiptStatus.UNKNOWN, self.provider, provider_status="no answer")


class SlowAdapter(RecordingAdapter):
    """Accepts after a while."""

    def __init__(self, provider: str = "fake", *, log: Path | None = None, seconds: float = 0.05) -> None:
        super().__init__(provider, log=log)
        self.seconds = seconds

    def deliver(self, envelope: Envelope) -> Receipt:
        """Wait, then accept."""
        time.sleep(self.seconds)
        return super().deliver(envelope)


class DyingAdapter(RecordingAdapter):
    """Kills its own process in the middle of a hand-over.

    after: Hand-overs that succeed first.
    taken: Whether the provider already has the piece when the process dies.
    """

    def __init__(self, provider: str = "fake", *, log: Path | None = None, after: int = 0, taken: bool = True) -> None:
        super().__init__(provider, log=log)
        self.after = after
        self.taken = taken

    def deliver(self, envelope: Envelope) -> Receipt:
        """Accept, or die as from kill -9."""
        if len(self.delivered) >= self.after:
            if self.taken:
                self._keep(envelope)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().deliver(envelope)
