"""Giving up archived PDFs whose release and snapshot give the same bytes again; hash and snapshot stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from ccm.archive.vault import Kept, Vault
from ccm.ledger.kept import KeptPieces
from ccm.model.workspace import Workspace
from ccm.run.comparison import Verdict
from ccm.run.keeping import THINNED, piece_name
from ccm.run.vault import open_vault
from ccm.run.verifying import kept_pieces, verify

_PDF = b"application/pdf"


def thin(
    workspace: Workspace, run_id: str, *, workers: int = 1, listener: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Replace every PDF of a run, and every email that carries one, by a note; only after it verified identical.

    Args:
        listener: Called after every piece.
    Returns:
        Counts of `thinned`, `already` thinned, `small` (nothing to save), and of every verdict that kept a piece whole;
        `bytes` is what was given up.
    Raises:
        UnknownTarget, VaultLocked, WorkerDied: See `verify`.
        ArchiveError: If the archive refuses to give something up (Object Lock).
    """
    counts: Counter[str] = Counter()
    vault, kept = open_vault(workspace), kept_pieces(workspace)
    try:
        for result in verify(workspace, run_id, workers=workers):
            if result.verdict is not Verdict.IDENTICAL:
                counts[str(result.verdict)] += 1
            elif result.thinned:
                counts["already"] += 1
            else:
                given_up = _thinned(vault, kept, result.piece_id)
                counts["thinned" if given_up else "small"] += 1
                counts["bytes"] += given_up
            listener()
    finally:
        kept.close()
        vault.close()
    return counts


def _thinned(vault: Vault, kept: KeptPieces, piece_id: str) -> int:
    """Give up one rendition; the note is durable before the ledger points to it, and the bytes go last.

    Returns:
        Bytes given up; 0 where there is no PDF in it.
    """
    piece = kept.piece(piece_id)
    assert piece is not None
    name = piece_name(piece_id)
    whole = vault.read(piece.recipient_id, name, piece.archived)
    if whole.media_type != _PDF.decode() and _PDF not in whole.content:
        return 0
    note: Kept = replace(whole, content=b"", notes={**whole.notes, THINNED: True})
    address = vault.keep(piece.recipient_id, name, note).address
    vault.sync()
    kept.moved(piece_id, address)
    vault.archive.remove(piece.archived)
    return len(whole.content)
