"""Print streams: the documents of a run in a few large PDFs, sorted for the printer, with a manifest each.

Documents are taken from the archive as they were accepted, each checked against the ledger's hash; nothing is composed that is
there. What filling did not make cannot share fonts, and is put beside the streams as it is.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import KeyMissing
from ccm.ledger.erasing import ERASED
from ccm.ledger.kept import KeptPieces
from ccm.ledger.transitions import TAKEN
from ccm.model.records import PieceRecord
from ccm.model.workspace import Workspace
from ccm.run.archived import SentPieces
from ccm.run.sorting import Chosen, SortedPieces, keys_of
from ccm.run.stream_files import StreamFiles, StreamMade, StreamManifest
from ccm.run.verifying import UnknownTarget, kept_pieces

_MOST_NAMED = 100  # documents of one reason that are in no stream


class BundleFault(Exception):
    """No streams can be made; free of personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


@dataclass(frozen=True)
class Bundled:
    """What one command made.

    pieces_in: Document pieces of the run.
    exceptions: Why how many of them are in no stream. left_out: The first of each reason, with it.
    """

    run_id: str
    folder: str
    streams: tuple[StreamMade, ...]
    pieces_in: int
    exceptions: Counter[str]
    left_out: tuple[tuple[str, str], ...]

    @property
    def apart(self) -> int:
        """Documents that lie beside the streams."""
        return sum(one.apart.total() for one in self.streams)

    @property
    def balanced(self) -> bool:
        """Whether every piece is in a stream, beside one, or an exception."""
        out = sum(one.documents + one.apart.total() for one in self.streams)
        return self.pieces_in == out + sum(self.exceptions.values())


class LeftOut:
    """Counts documents that are in no stream, by reason, and keeps the names of the first of each."""

    def __init__(self) -> None:
        self.exceptions: Counter[str] = Counter()
        self.named: list[tuple[str, str]] = []

    def add(self, piece: PieceRecord, reason: str) -> None:
        """Take note of one."""
        self.exceptions[reason] += 1
        if self.exceptions[reason] <= _MOST_NAMED:
            self.named.append((piece.piece_id, reason))


def bundle_run(
    workspace: Workspace,
    run_id: str,
    folder: Path,
    chosen: Chosen,
    *,
    now: datetime,
    listener: Callable[[], None] = lambda: None,
) -> Bundled:
    """Write the print streams of a run into a folder.

    Args:
        listener: Called after every document.
    Raises:
        UnknownTarget: If the ledger knows no such run.
        BundleFault: If the folder has streams of this run already, or no document has one of the keys.
        VaultLocked: If the master key is missing or wrong.
        OSError: If the folder cannot be written; give the command again, into another folder.
    """
    with ExitStack() as opened:
        kept = opened.enter_context(closing(kept_pieces(workspace)))
        if not kept.has_run(run_id):
            raise UnknownTarget(run_id)
        files = StreamFiles(workspace, run_id, folder, chosen, now)
        if files.are_there():
            raise BundleFault(f"{folder} has streams of {run_id} already", "name another folder with -o")
        folder.mkdir(parents=True, exist_ok=True)
        scratch = opened.enter_context(tempfile.TemporaryDirectory(prefix=".sorting-", dir=folder))
        table = opened.enter_context(closing(SortedPieces(Path(scratch) / "pieces", chosen)))
        sent = opened.enter_context(closing(SentPieces(workspace)))
        left_out = LeftOut()
        pieces_in = _sorted(kept, run_id, sent, chosen, table, left_out)
        made: list[StreamMade] = []
        for number, group in itertools.groupby(table.streams(), lambda one: one[0]):
            pieces = (_known(kept, item.piece_id) for _, item in group)
            stream = files.make(f"{run_id}.s{number:03}", _read(sent, pieces, left_out, listener), Path(scratch))
            if stream.documents or stream.apart:
                made.append(stream)
        return Bundled(run_id, str(folder), tuple(made), pieces_in, left_out.exceptions, tuple(left_out.named))


def print_again(
    workspace: Workspace, manifest: Path, wanted: Iterable[str], folder: Path, *, by: str, reason: str, now: datetime
) -> StreamMade:
    """Write documents of a stream again, in their order, as a small stream of its own.

    Args:
        manifest: Of the stream.
        wanted: Piece ids, numbers such as 7, or ranges such as 12-15.
    Raises:
        BundleFault: If the manifest is none, or has no such document.
        KeyMissing, ArchiveError: If one cannot be read any more; nothing is written then.
    """
    try:
        old = StreamManifest.read(manifest)
        pieces = old.selected(wanted)
    except ValueError as error:
        raise BundleFault(str(error), "name numbers, ranges such as 12-15, or piece ids of this stream") from None
    with ExitStack() as opened:
        kept = opened.enter_context(closing(kept_pieces(workspace)))
        sent = opened.enter_context(closing(SentPieces(workspace)))
        folder.mkdir(parents=True, exist_ok=True)
        files = StreamFiles(workspace, old.run_id, folder, Chosen(duplex=old.duplex), now, by=by, reason=reason)
        name = files.free_name(f"{old.stream}.r")
        scratch = opened.enter_context(tempfile.TemporaryDirectory(prefix=".sorting-", dir=folder))
        contents = ((one, sent.piece(one).content) for one in (_known(kept, piece) for piece in pieces))
        return files.make(name, contents, Path(scratch))


def _sorted(
    kept: KeptPieces, run_id: str, sent: SentPieces, chosen: Chosen, table: SortedPieces, left_out: LeftOut
) -> int:
    """Put every document of the run into the table, but for those that have no place there; returns how many it has."""
    there: set[str] = set()
    count = sorted_ = 0
    for piece in kept.documents_of(run_id):
        count += 1
        reason = _left_out(piece)
        if not reason:
            try:
                keys, found = keys_of(piece, sent.communication(piece), chosen)
            except KeyMissing:
                reason = "erased"
            except ArchiveError:
                reason = "snapshot-unreadable"
            else:
                there |= found
                sorted_ += 1
                table.add(piece, keys)
        if reason:
            left_out.add(piece, reason)
    missing = [key for key in chosen.keys if key not in there]
    if sorted_ and missing:
        raise BundleFault(
            f'no document has "{missing[0]}"', "sort by a field of the data contract; derived ones are not kept"
        )
    return count


def _left_out(piece: PieceRecord) -> str:
    """Return why a document cannot be in a stream; empty if it can."""
    if piece.recipient_id.startswith(ERASED):
        return "erased"
    if piece.state not in TAKEN:
        return str(piece.state)
    return "" if piece.snapshot else "no-snapshot"


def _known(kept: KeptPieces, piece_id: str) -> PieceRecord:
    piece = kept.piece(piece_id)
    if piece is None:
        raise BundleFault(f"the ledger has no piece {piece_id}", "use the ledger that the stream was made with")
    return piece


def _read(
    sent: SentPieces, pieces: Iterable[PieceRecord], left_out: LeftOut, listener: Callable[[], None]
) -> Iterator[tuple[PieceRecord, bytes]]:
    """Yield documents as they were accepted; one that cannot be read is an exception and stops nobody else."""
    for piece in pieces:
        listener()
        try:
            content = sent.piece(piece).content
        except KeyMissing:
            left_out.add(piece, "erased")
        except ArchiveError:
            left_out.add(piece, "not-as-accepted")
        else:
            yield piece, content
