"""A sent piece as it was sent: from the archive, or composed again where the archive gave the rendition up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import KeyMissing, read_snapshot
from ccm.ledger.erasing import ERASED
from ccm.model.records import Communication, PieceRecord
from ccm.model.workspace import Workspace
from ccm.run.contents import workspace_store
from ccm.run.keeping import MEDIA_TYPES, PLAIN_TEXT, THINNED, piece_name, snapshot_name
from ccm.run.replaying import DraftPiece, Replayer
from ccm.run.vault import open_vault
from ccm.run.verifying import UnknownTarget, kept_pieces


class NotKept(ArchiveError):
    """The piece was never composed, so there is nothing to give."""

    def __init__(self, piece: PieceRecord) -> None:
        super().__init__(
            f"{piece.piece_id} was never composed ({piece.state}: {piece.detail or 'no detail'})",
            "see why with: ccm report",
        )


class ComposedOtherwise(ArchiveError):
    """A thinned piece does not come out as it was sent."""

    def __init__(self, piece_id: str) -> None:
        super().__init__(
            f"{piece_id} was thinned, and composing it again does not give what was sent",
            f"see what changed with: ccm verify {piece_id}",
        )


@dataclass(frozen=True)
class SentPiece:
    """A piece as it was sent.

    composed_again: The archive has its hash alone; these bytes were composed now and agree with it.
    """

    piece: PieceRecord
    content: bytes
    media_type: str
    composed_again: bool = False


def sent_piece(workspace: Workspace, piece_id: str) -> SentPiece:
    """Return a piece as it was sent, checked against the ledger's hash.

    Raises:
        UnknownTarget: If the ledger knows no such piece.
        KeyMissing: If its customer was erased.
        ArchiveError: If it cannot be read, or is not what the ledger noted.
    """
    kept = kept_pieces(workspace)
    try:
        piece = kept.piece(piece_id)
    finally:
        kept.close()
    if piece is None:
        raise UnknownTarget(piece_id)
    if piece.recipient_id.startswith(ERASED):
        raise KeyMissing(erased=True)
    if not piece.sha256:
        raise NotKept(piece)
    sent = SentPieces(workspace)
    try:
        return sent.piece(piece)
    finally:
        sent.close()


class SentPieces:
    """Reads one sent piece after the other. Keep one per process."""

    def __init__(self, workspace: Workspace) -> None:
        """Open the vault.

        Raises:
            VaultLocked: If the master key is missing or wrong.
        """
        self.vault = open_vault(workspace)
        self.replayer = Replayer(workspace_store(workspace))

    def piece(self, piece: PieceRecord) -> SentPiece:
        """Return a piece as it was sent; raises as `sent_piece` does."""
        return _checked(self._read(piece))

    def communication(self, piece: PieceRecord) -> Communication:
        """Return what a piece was composed from.

        Raises:
            KeyMissing: If its customer was erased.
            ArchiveError: If it cannot be read.
        """
        snapshot = self.vault.read(piece.recipient_id, snapshot_name(piece.communication_id), piece.snapshot)
        return read_snapshot(snapshot.content)

    def close(self) -> None:
        """Close the vault."""
        self.vault.close()

    def _read(self, piece: PieceRecord) -> SentPiece:
        media_type = MEDIA_TYPES.get(piece.channel, PLAIN_TEXT)
        if not piece.archived:  # kept before the archive was encrypted
            return SentPiece(piece, self.vault.archive.get(piece.sha256), media_type)
        kept = self.vault.read(piece.recipient_id, piece_name(piece.piece_id), piece.archived)
        if not kept.notes.get(THINNED):
            return SentPiece(piece, kept.content, kept.media_type)
        try:
            rendition = self.replayer.renditions(self.communication(piece)).get(piece.piece_id)
        except DraftPiece:
            rendition = None
        if rendition is None:
            raise ComposedOtherwise(piece.piece_id)
        return SentPiece(piece, rendition.content, kept.media_type, composed_again=True)


def _checked(sent: SentPiece) -> SentPiece:
    if hashlib.sha256(sent.content).hexdigest() == sent.piece.sha256:
        return sent
    if sent.composed_again:
        raise ComposedOtherwise(sent.piece.piece_id)
    raise ArchiveError(
        f"what the archive has of {sent.piece.piece_id} is not what the ledger noted",
        f"see what changed with: ccm verify {sent.piece.piece_id}",
    )
