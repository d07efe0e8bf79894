"""What is past its retention: leaves the archive, and the ledger no longer says whose it was."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import Vault
from ccm.ledger.erasing import ERASED, Eraser, PersonalPiece
from ccm.model.workspace import Workspace
from ccm.run.erasing import open_eraser
from ccm.run.spans import earlier
from ccm.run.vault import open_vault

EVENTS_KEPT = "1y"  # at least: mailboxes and queues hold events for weeks, and files are read again by mistake

_BATCH = 200  # communications blanked in one transaction


@dataclass(frozen=True)
class Expiry:
    """What expired.

    pieces: By purpose.
    keys: Customers of whom nothing is left, and whose keys were destroyed.
    scrubbed: Whether free pages and logs of the databases were overwritten.
    events: Providers' events whose ids were forgotten.
    """

    pieces: Mapping[str, int]
    keys: int
    scrubbed: bool
    events: int = 0


def expire(workspace: Workspace, *, at: datetime, really: bool = True) -> Expiry:
    """Delete what is past the retention of its purpose; a purpose without one is kept for ever.

    Ids of providers' events go when they are older than every retention, and than `EVENTS_KEPT`.

    Args:
        at: Aware.
        really: False only counts.
    Raises:
        VaultLocked: If the master key is missing or wrong.
    """
    vault, eraser = open_vault(workspace), open_eraser(workspace)
    counts: Counter[str] = Counter()
    keys = 0
    try:
        for purpose, span in sorted(workspace.definition.retention.items()):
            waiting: dict[str, list[PersonalPiece]] = defaultdict(list)
            for piece in eraser.older(str(purpose), earlier(at, span)):
                counts[str(purpose)] += 1
                waiting[piece.communication_id].append(piece)
                if really and len(waiting) > _BATCH:
                    ended = dict(list(waiting.items())[:-1])  # the last one may go on
                    keys += _end(vault, eraser, ended, at)
                    waiting = defaultdict(list, list(waiting.items())[-1:])
            if really:
                keys += _end(vault, eraser, waiting, at)
        spans = [*workspace.definition.retention.values(), EVENTS_KEPT]
        old = min(earlier(at, span) for span in spans)
        events = eraser.events_before(old, really=really) if len(spans) > 1 else 0
        if really and counts:
            vault.keys.scrub()
        return Expiry(dict(counts), keys, bool(really and (counts or events)) and eraser.scrub(), events)
    finally:
        eraser.close()
        vault.close()


def _end(vault: Vault, eraser: Eraser, waiting: Mapping[str, list[PersonalPiece]], at: datetime) -> int:
    """Give up some communications; destroy the keys of customers of whom nothing is left."""
    customers: dict[str, list[str]] = defaultdict(list)
    for ident, pieces in waiting.items():
        customers[pieces[0].recipient_id].append(ident)
        for address in {address for one in pieces for address in (one.archived, one.snapshot) if address}:
            with contextlib.suppress(ArchiveError):
                vault.archive.remove(address)
    destroyed = 0
    for customer, idents in customers.items():
        eraser.blank(idents, ERASED + vault.keys.tag(customer))
        if not eraser.pieces_of(customer):
            destroyed += vault.keys.destroy(customer, at=at)
    return destroyed
