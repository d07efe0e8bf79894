"""What providers say about addresses while they refuse pieces goes where events go: into the permission store."""

from __future__ import annotations

import threading
from functools import partial

from ccm.events.reading import word
from ccm.model.permissions import News, NewsKind
from ccm.model.records import Envelope, Receipt
from ccm.model.refusals import AddressFault
from ccm.model.workspace import Workspace
from ccm.run.events import EventDesk, event_desk
from ccm.run.permitted import Permissions
from ccm.run.prepare import Clock

_KINDS = {AddressFault.OPTED_OUT: NewsKind.STOPPED, AddressFault.NO_SUCH_ADDRESS: NewsKind.BOUNCED}


def refusal_news(envelope: Envelope, receipt: Receipt) -> News | None:
    """Return what a refusal says about the address; None if it says nothing.

    Why without the piece: its state is the refusal itself, which the sender writes down.
    """
    if receipt.address_fault is None:
        return None
    event_id = f"{receipt.provider}/{receipt.key}/{receipt.address_fault}"
    kind, detail = _KINDS[receipt.address_fault], word(receipt.provider_status)
    return News(event_id, kind, envelope.channel, "", envelope.address, detail, sender=envelope.sender)


class Listener:
    """What a sender tells of refusals. An opt-out is kept for the brand whose number it concerns, as a STOP is."""

    def __init__(self, workspace: Workspace, permissions: Permissions, clock: Clock) -> None:
        """Open nothing before the first refusal: most runs have none."""
        self._open = partial(event_desk, workspace, permissions.store, permissions.keyring, clock=clock)
        self._lock = threading.Lock()
        self._desk: EventDesk | None = None

    def heard(self, envelope: Envelope, receipt: Receipt) -> None:
        """Write down what a refusal says about the address. Called from several threads.

        Raises:
            LedgerError: If it cannot be written.
        """
        news = refusal_news(envelope, receipt)
        if news is not None:
            with self._lock:
                self._desk = self._desk or self._open()
            self._desk.apply((news,))

    def close(self) -> None:
        """Give back connections."""
        if self._desk is not None:
            self._desk.close()
