"""What of a decided communication goes into the archive: each rendition, and one snapshot of the data beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ccm.archive.vault import Kept, Vault
from ccm.archive.vault.snapshot import MEDIA_TYPE
from ccm.model.definitions import Channel
from ccm.model.records import Decision, PieceRecord, PieceState
from ccm.run.workers import Made, snapshot_of

MEDIA_TYPES = {Channel.EMAIL: "message/rfc822", Channel.DOCUMENT: "application/pdf"}
PLAIN_TEXT = "text/plain; charset=utf-8"
FIELDS = "fields"  # the note of a rendition that holds the digests of the data it was made from
THINNED = "thinned"  # the note of a rendition whose content was given up


def keep(vault: Vault, decisions: Sequence[Decision], made: Sequence[Made]) -> list[Decision]:
    """Archive what is going out of some decisions, and note where.

    Args:
        made: What was composed; decisions without something made are given back as they are.
    Returns:
        The decisions in the same order; every piece that goes out has hash and addresses.
    Raises:
        ArchiveError: If something could not be kept completely; nothing was sent.
    """
    found = {item.composed.communication.communication_id: item for item in made}
    going = {item.communication_id for item in decisions if any(map(_goes_out, item.pieces))} & found.keys()
    vault.unlock(item.recipient_id for item in decisions if item.communication_id in going)
    return [
        _kept(vault, item, found[item.communication_id]) if item.communication_id in going else item
        for item in decisions
    ]


def _goes_out(piece: PieceRecord) -> bool:
    return piece.state is PieceState.COMPOSED


def _kept(vault: Vault, decision: Decision, made: Made) -> Decision:
    recipient, ident = decision.recipient_id, decision.communication_id
    snapshot, digests = made.snapshot or snapshot_of(made.composed.communication)
    address = vault.keep(recipient, snapshot_name(ident), Kept(snapshot, MEDIA_TYPE)).address
    notes = {FIELDS: digests}
    pieces = []
    for piece in decision.pieces:
        rendition = made.rendition(piece.piece_id)
        if rendition is not None and _goes_out(piece):
            kept = Kept(rendition.content, MEDIA_TYPES.get(piece.channel, PLAIN_TEXT), notes)
            sealed = vault.keep(recipient, piece_name(piece.piece_id), kept)
            size = len(rendition.content)
            piece = replace(piece, sha256=sealed.sha256, archived=sealed.address, snapshot=address, size_bytes=size)
        pieces.append(piece)
    return replace(decision, pieces=tuple(pieces))


def snapshot_name(communication_id: str) -> str:
    """Return what a snapshot is sealed as."""
    return f"snapshot {communication_id}"


def piece_name(piece_id: str) -> str:
    """Return what a rendition is sealed as."""
    return f"piece {piece_id}"
