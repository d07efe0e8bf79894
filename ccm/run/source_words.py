"""What a data source says today about the recipient of something that went out some time ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ccm.load import load_recipients
from ccm.load.source.tables import SourceUnreadable
from ccm.model.records import Consent, Recipient
from ccm.model.workspace import Workspace

if TYPE_CHECKING:
    from ccm.ledger.permissions import PermissionStore


def source_words(workspace: Workspace, store: PermissionStore) -> Callable[[str], tuple[Consent, ...]]:
    """Return what finds the consents that a source holds; it gives none where campaign, row or source are gone.

    Why: A preference page shows how things stand, and part of that stands in the source.
    """

    def find(communication_id: str) -> tuple[Consent, ...]:
        found = store.addressee(communication_id)
        rows = _rows(workspace, *found) if found else ()
        return tuple(consent for recipient in rows for consent in recipient.consents)

    return find


def source_emails(workspace: Workspace) -> Callable[[str, str], frozenset[str]]:
    """Return what finds the email addresses that a source holds for a recipient of a run."""

    def find(recipient_id: str, run_id: str) -> frozenset[str]:
        return frozenset(row.email.strip() for row in _rows(workspace, recipient_id, run_id) if row.email)

    return find


def _rows(workspace: Workspace, recipient_id: str, run_id: str) -> tuple[Recipient, ...]:
    """Return a recipient's rows in the source of a run's campaign; none where campaign, row or source are gone."""
    campaign = workspace.campaigns.get(run_id.partition(".")[0])
    if campaign is None:
        return ()
    try:
        return tuple(load_recipients(workspace, campaign, period=None, only=recipient_id))
    except SourceUnreadable:
        return ()
