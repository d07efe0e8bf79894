"""Uses the public names as a stranger would; the type checker reads it, and a test runs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

from ccm import (
    Adapter,
    Capabilities,
    Diagnostic,
    Envelope,
    Receipt,
    ReceiptStatus,
    RunOptions,
    RunReport,
    Workspace,
    load_workspace,
    run_campaign,
)
from ccm.model.definitions import Channel


class Pigeon(Adapter):
    """The smallest adapter there can be."""

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.SMS,))

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        return cls()

    def deliver(self, envelope: Envelope) -> Receipt:
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, "pigeon")


def errors_of(folder: Path) -> list[Diagnostic]:
    """Return what is wrong with a workspace."""
    _, diagnostics = load_workspace(folder)
    return [item for item in diagnostics if item.severity == "error"]


def send(workspace: Workspace, campaign: str) -> RunReport:
    """Run a campaign as of a fixed time."""
    return run_campaign(workspace, campaign, RunOptions(as_of=datetime(2026, 11, 2, 11, 30, tzinfo=UTC)))
