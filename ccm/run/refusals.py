"""What providers say about addresses while they refuse pieces goes where events go: into the permission store."""

from __future__ import annotations

from collections.abc import Callable

from ccm.events.reading import word
from ccm.model.permissions import News, NewsKind
from ccm.model.records import Envelope, Receipt
from ccm.model.refusals import AddressFault
from ccm.model.workspace import Workspace
from ccm.run.events import event_desk
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


def listening(workspace: Workspace, permissions: Permissions, clock: Clock) -> Callable[[Envelope, Receipt], None]:
    """Return what a sender tells of refusals. An opt-out is kept for the brand whose number it concerns, as a STOP is.

    What is returned raises LedgerError if it cannot be written.
    """
    desk = event_desk(workspace, permissions.store, permissions.keyring, clock=clock)

    def heard(envelope: Envelope, receipt: Receipt) -> None:
        news = refusal_news(envelope, receipt)
        if news is not None:
            desk.apply((news,))

    return heard
