"""Erasing a customer: their key is destroyed, the ledger forgets whose their pieces were, and they stay suppressed.

The order makes every step repeatable; a command that was killed is given again:
 1. they are suppressed, so that no run writes to them meanwhile;
 2. pieces under a legal hold are sealed once more under a new key;
 3. copies that adapters keep go, the other objects leave the archive, and the ledger is blanked;
 4. their key is destroyed, or replaced by the one of the held pieces;
 5. free pages and logs of the databases are overwritten.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import KeyMissing, Vault, VaultLocked, read_snapshot
from ccm.ledger.erasing import ERASED, Eraser, PersonalPiece
from ccm.load import drop_staged_rows
from ccm.model.definitions import Purpose
from ccm.model.workspace import Workspace
from ccm.run.drafts import drop_drafts
from ccm.run.forgetting import SENT, Copies, Forgetter
from ccm.run.keeping import piece_name, snapshot_name
from ccm.run.permitted import open_permission_store
from ccm.run.spans import later
from ccm.run.suppressing import suppress_erased
from ccm.run.vault import open_vault

# Consent is what marketing rests on, so nothing obliges anybody to keep it against the person's will.
HOLDING = (Purpose.LEGAL, Purpose.TRANSACTIONAL)


@dataclass(frozen=True)
class Hold:
    """Pieces that the law keeps.

    until: The last of them may go then.
    """

    purpose: Purpose
    pieces: int
    until: datetime


@dataclass(frozen=True)
class Erasure:
    """What erasing one customer did.

    stands_for: What stands in the ledger in place of the customer's id.
    communications, pieces: How many no longer name them.
    key_destroyed: Whether nothing of theirs can be read any more; False where pieces are held or there was no key.
    holds: What stays readable, and until when.
    copies: What became of those at providers; some keep copies of their own.
    """

    stands_for: str
    communications: int
    pieces: int
    key_destroyed: bool
    holds: tuple[Hold, ...] = ()
    copies: Copies = field(default_factory=Copies)


@dataclass(frozen=True)
class ErasureReport:
    """What erasing did.

    running: Runs under way, which may write about them once more: erase again when they are through.
    scrubbed: Whether free pages and logs were overwritten; False while another process reads.
    """

    erasures: tuple[Erasure, ...]
    running: tuple[str, ...]
    scrubbed: bool


def held_until(workspace: Workspace, piece: PersonalPiece) -> datetime | None:
    """Return until when a piece must be kept, whoever asks to erase it; None if nothing holds it."""
    if piece.purpose not in HOLDING or piece.state not in SENT:
        return None
    span = workspace.definition.retention.get(Purpose(piece.purpose))
    return later(piece.updated_at, span) if span else None


def holds_of(workspace: Workspace, customer: str, now: datetime) -> tuple[Hold, ...]:
    """Return what erasing a customer now would keep."""
    eraser = open_eraser(workspace)
    try:
        return _summed(workspace, _held(workspace, eraser.pieces_of(customer), now))
    finally:
        eraser.close()


def open_eraser(workspace: Workspace) -> Eraser:
    """Open the workspace's ledger for erasing."""
    return Eraser.open(workspace.definition.ledger, workspace.root)


def erase(
    workspace: Workspace,
    customers: Sequence[str],
    *,
    at: datetime,
    evidence: str = "",
    done: Callable[[Erasure], None] = lambda erasure: None,
) -> ErasureReport:
    """Erase customers everywhere but where the law holds their pieces.

    Args:
        customers: Recipient ids as the source has them.
        at: Aware; holds that ended before are none.
        evidence: Number of the request; no personal data.
        done: Gets every erasure at once, before the next one begins.
    Raises:
        VaultLocked: If the master key is missing or wrong; nothing was erased.
        ConfigurationFault, LedgerError, ArchiveError: The command can be given again.
    """
    vault, eraser = open_vault(workspace), open_eraser(workspace)
    try:
        erasures = []
        with Forgetter(workspace) as forgetter:
            for customer in customers:
                erasures.append(_erase_one(workspace, vault, eraser, forgetter, customer, at, evidence))
                done(erasures[-1])
        vault.keys.scrub()
        _drop_pages(Path(workspace.root) / ".ccm" / "reports", customers)
        drop_staged_rows(workspace)
        drop_drafts(workspace)
        return ErasureReport(tuple(erasures), eraser.running(at), eraser.scrub())
    finally:
        eraser.close()
        vault.close()


def _erase_one(
    workspace: Workspace,
    vault: Vault,
    eraser: Eraser,
    forgetter: Forgetter,
    customer: str,
    at: datetime,
    evidence: str,
) -> Erasure:
    pieces = eraser.pieces_of(customer)
    _suppress(workspace, vault, customer, pieces, at, evidence)
    held = _held(workspace, pieces, at)
    keeping = {piece.communication_id for piece in held}
    moved = _moved(vault, held)
    eraser.move(moved)
    stands_for = ERASED + vault.keys.tag(customer)
    # Pieces that were blanked before are asked about again: a provider may not have been there then.
    copies = forgetter.forget(
        [piece for piece in (*pieces, *eraser.pieces_of(stands_for)) if piece.communication_id not in keeping]
    )
    _remove(vault, {one for piece in pieces if piece not in held for one in (piece.archived, piece.snapshot)})
    gone = [ident for ident in eraser.communications_of(customer) if ident not in keeping]
    blanked = eraser.blank(gone, stands_for)
    if held:
        vault.keys.succeed(customer)
        _remove(vault, {one for piece in held for one in (piece.archived, piece.snapshot)} - _addresses(moved))
    destroyed = not held and vault.keys.destroy(customer, at=at)
    return Erasure(stands_for, len(gone), blanked, destroyed, _summed(workspace, held), copies)


def _held(workspace: Workspace, pieces: Iterable[PersonalPiece], now: datetime) -> tuple[PersonalPiece, ...]:
    """Return the pieces of every communication of which one is held: they explain each other."""
    pieces = tuple(pieces)
    keeping = {
        piece.communication_id
        for piece in pieces
        if (until := held_until(workspace, piece)) is not None and until > now
    }
    return tuple(piece for piece in pieces if piece.communication_id in keeping)


def _summed(workspace: Workspace, held: Sequence[PersonalPiece]) -> tuple[Hold, ...]:
    holds = []
    for purpose in HOLDING:
        ends = [held_until(workspace, piece) for piece in held if piece.purpose == purpose]
        known = [end for end in ends if end is not None]
        if known:
            holds.append(Hold(purpose, len(ends), max(known)))
    return tuple(holds)


def _suppress(
    workspace: Workspace, vault: Vault, customer: str, pieces: Iterable[PersonalPiece], at: datetime, evidence: str
) -> None:
    """Bar the customer and every address that a readable snapshot of theirs has."""
    addresses: dict[str, None] = {}
    for ident, address in {(one.communication_id, one.snapshot) for one in pieces if one.snapshot}:
        with contextlib.suppress(KeyMissing, VaultLocked, ArchiveError):  # a damaged one must not stop an erasure
            kept = vault.read(customer, snapshot_name(ident), address)
            addresses |= dict.fromkeys(item.address for item in read_snapshot(kept.content).pieces if item.address)
    store, keyring = open_permission_store(workspace)
    try:
        suppress_erased(store, keyring, recipient_id=customer, addresses=sorted(addresses), at=at, evidence=evidence)
    finally:
        store.close()


def _moved(vault: Vault, held: Sequence[PersonalPiece]) -> dict[str, tuple[str, str]]:
    """Seal held pieces under the customer's next key, durably; return their new addresses by piece."""
    moved = {}
    for piece in held:
        archived = piece.archived and vault.moved(piece.recipient_id, piece_name(piece.piece_id), piece.archived)
        snapshot = piece.snapshot and vault.moved(
            piece.recipient_id, snapshot_name(piece.communication_id), piece.snapshot
        )
        moved[piece.piece_id] = (archived, snapshot)
    vault.sync()
    return moved


def _addresses(moved: Mapping[str, tuple[str, str]]) -> set[str]:
    return {address for pair in moved.values() for address in pair}


def _remove(vault: Vault, addresses: Iterable[str]) -> None:
    """Take objects out of the archive. One that refuses (Object Lock) keeps noise, once the key is gone."""
    for address in filter(None, addresses):
        with contextlib.suppress(ArchiveError):
            vault.archive.remove(address)


def _drop_pages(folder: Path, customers: Sequence[str]) -> None:
    """Remove report pages that name a customer; `ccm report` makes them anew."""
    for page in folder.glob("*.html") if folder.is_dir() else ():
        text = page.read_text(encoding="utf-8")
        if any(customer in text for customer in customers):
            page.unlink()
