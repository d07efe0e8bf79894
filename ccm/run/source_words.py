"""What a data source says today about the recipient of a communication that went out some time ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ccm.load import load_recipients
from ccm.load.source.tables import SourceUnreadable
from ccm.model.records import Consent
from ccm.model.workspace import Workspace

if TYPE_CHECKING:
    from ccm.ledger.permissions import PermissionStore


def source_words(workspace: Workspace, store: PermissionStore) -> Callable[[str], tuple[Consent, ...]]:
    """Return what finds the consents that a source holds; it gives none where campaign, row or source are gone.

    Why: A preference page shows how things stand, and part of that stands in the source.
    """

    def find(communication_id: str) -> tuple[Consent, ...]:
        found = store.addressee(communication_id)
        campaign = workspace.campaigns.get(found[1].partition(".")[0]) if found else None
        if found is None or campaign is None:
            return ()
        try:
            recipients = load_recipients(workspace, campaign, period=None, only=found[0])
            return tuple(consent for recipient in recipients for consent in recipient.consents)
        except SourceUnreadable:
            return ()

    return find
