"""The small workspace with a real mail server behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deliver.smtp_server import Mailbox
from run.small_workspace import CAMPAIGN, CCM, small_workspace


@dataclass
class SlowMailbox(Mailbox):
    """Takes a while over every message."""

    seconds: float = 0.2

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self.seconds)
        return answer

    def wait_for(self, count: int) -> None:
        """Wait until so many messages came."""
        until = time.monotonic() + 60
        while len(self.messages) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.messages) >= count


def mailing_workspace(root: Path, rows: Sequence[str], port: int, connections: int = 1) -> Path:
    """Write the workspace with its email going over SMTP to this machine."""
    settings = f"{{host: 127.0.0.1, port: {port}, tls: none, connections: {connections}, timeout_seconds: 10}}"
    return small_workspace(
        root,
        rows,
        ccm_dot_yaml=CCM + f"  mail: {{adapter: smtp, settings: {settings}}}\n",
        campaigns__news_dot_yaml=CAMPAIGN.replace("email: outbox", "email: mail"),
    )


def recipients_of(mailbox: Mailbox) -> list[str]:
    """Return who got a message, one entry per message, sorted."""
    return sorted(address for _, addresses, _ in mailbox.messages for address in addresses)
