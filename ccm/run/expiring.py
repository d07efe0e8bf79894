"""What is past its retention: leaves the archive and the copies of adapters, and the ledger no longer says whose it was."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import Vault
from ccm.ledger.erasing import ERASED, Eraser, PersonalPiece
from ccm.model.workspace import Workspace
from ccm.run.erasing import open_eraser
from ccm.run.forgetting import Copies, Forgetter
from ccm.run.spans import earlier
from ccm.run.vault import open_vault

EVENTS_KEPT = "1y"  # at least: mailboxes and queues hold events for weeks, and files are read again by mistake

_BATCH = 200  # communications blanked in one transaction


@dataclass(frozen=True)
class Expiry:
    """What expired.

    pieces: By purpose; those that wait for a provider are not among them.
    keys: Customers of whom nothing is left, and whose keys were destroyed.
    scrubbed: Whether free pages and logs of the databases were overwritten.
    events: Providers' events whose ids were forgotten.
    copies: What became of the pieces' copies at providers.
    waiting: Pieces of communications with a piece at a provider that could not be asked now; the next command takes them.
    """

    pieces: Mapping[str, int]
    keys: int
    scrubbed: bool
    events: int = 0
    copies: Copies = field(default_factory=Copies)
    waiting: int = 0


def expire(workspace: Workspace, *, at: datetime, really: bool = True) -> Expiry:
    """Delete what is past the retention of its purpose; a purpose without one is kept for ever.

    Copies that adapters keep go first, as when a customer is erased. Where one cannot be asked now, its communications stay
    as they are for the next command: once the ledger is blanked, nobody would find them again.
    Ids of providers' events go when they are older than every retention, and than `EVENTS_KEPT`.

    Args:
        at: Aware.
        really: False only counts.
    Raises:
        VaultLocked: If the master key is missing or wrong.
    """
    vault, eraser = open_vault(workspace), open_eraser(workspace)
    try:
        with Forgetter(workspace) as forgetter:
            ending = _Ending(vault, eraser, forgetter, at, really=really)
            for purpose, span in sorted(workspace.definition.retention.items()):
                ending.end(str(purpose), earlier(at, span))
        spans = [*workspace.definition.retention.values(), EVENTS_KEPT]
        old = min(earlier(at, span) for span in spans)
        events = eraser.events_before(old, really=really) if len(spans) > 1 else 0
        counts = dict(+ending.counts)
        if really and counts:
            vault.keys.scrub()
        scrubbed = bool(really and (counts or events)) and eraser.scrub()
        return Expiry(counts, ending.keys, scrubbed, events, ending.copies, ending.waiting)
    finally:
        eraser.close()
        vault.close()


class _Ending:
    """Gives up communications, a batch at a time, and adds up."""

    def __init__(self, vault: Vault, eraser: Eraser, forgetter: Forgetter, at: datetime, *, really: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.keys = 0
        self.copies = Copies()
        self.waiting = 0
        self._vault, self._eraser, self._forgetter = vault, eraser, forgetter
        self._at, self._really = at, really

    def end(self, purpose: str, before: datetime) -> None:
        """Give up everything of a purpose that is older."""
        found: dict[str, list[PersonalPiece]] = defaultdict(list)
        for piece in self._eraser.older(purpose, before):
            self.counts[purpose] += 1
            if not self._really:
                continue
            found[piece.communication_id].append(piece)
            if len(found) > _BATCH:
                last = next(reversed(found))  # it may go on
                rest = found.pop(last)
                self._give_up(purpose, found)
                found = defaultdict(list, {last: rest})
        self._give_up(purpose, found)

    def _give_up(self, purpose: str, found: Mapping[str, list[PersonalPiece]]) -> None:
        """Give up some communications; destroy the keys of customers of whom nothing is left."""
        copies = self._forgetter.forget([piece for pieces in found.values() for piece in pieces])
        self.copies = self.copies.with_more(copies)
        customers: dict[str, list[str]] = defaultdict(list)
        for ident, pieces in found.items():
            if any(piece.provider in copies.unasked for piece in pieces):
                self.counts[purpose] -= len(pieces)
                self.waiting += len(pieces)
                continue
            customers[pieces[0].recipient_id].append(ident)
            for address in {address for one in pieces for address in (one.archived, one.snapshot) if address}:
                with contextlib.suppress(ArchiveError):
                    self._vault.archive.remove(address)
        for customer, idents in customers.items():
            self._eraser.blank(idents, ERASED + self._vault.keys.tag(customer))
            if not self._eraser.pieces_of(customer):
                self.keys += self._vault.keys.destroy(customer, at=self._at)
