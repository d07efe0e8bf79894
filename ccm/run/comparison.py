"""One communication composed again, held against what was kept of it: identical, or what exactly differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ccm.archive.interface import ContentChanged, ContentMissing
from ccm.archive.vault import Kept, KeyMissing, SealBroken, SnapshotUnreadable, Vault, VaultLocked, read_snapshot
from ccm.archive.vault.snapshot import changed_fields
from ccm.ledger.erasing import ERASED
from ccm.model.definitions import Channel
from ccm.model.records import Communication, PieceRecord, Rendition
from ccm.release import Release, ReleaseError, engine_differences
from ccm.run.contents import ConfigurationFault
from ccm.run.differing import first_difference
from ccm.run.keeping import FIELDS, THINNED, piece_name, snapshot_name
from ccm.run.replaying import DraftPiece, Replayer

_FONTS = (".ttf", ".otf", ".woff", ".woff2")


class Verdict(StrEnum):
    """What verifying says about one piece."""

    IDENTICAL = "identical"  # composed again, byte for byte the same
    DIFFERENT = "different"  # something changed; the causes say what
    ERASED = "erased"  # its customer was erased; nobody can read it any more
    DRAFT = "draft"  # made from the working folder, which keeps no versions
    NO_SNAPSHOT = "no-snapshot"  # sent before snapshots were kept


class CauseKind(StrEnum):
    """Where a difference comes from."""

    RELEASE = "release"  # the release itself: missing, other content, its manifest changed
    RELEASE_FILE = "release-file"  # a file of the release changed or is missing
    FONT = "font"  # a font of the release changed or is missing
    SNAPSHOT = "snapshot"  # the snapshot's bytes changed or are missing
    FIELD = "snapshot-field"  # a value of the snapshot is not the one the piece was made from
    ENGINE = "engine"  # another version of a part of the engine
    ARCHIVE = "archive"  # the archived rendition's bytes changed or are missing
    LEDGER = "ledger"  # the ledger's note is not what was sent
    KEY = "key"  # the customer's key is missing or changed
    UNEXPLAINED = "unexplained"  # everything it was made from is as it was, and yet it differs: a fault of the engine


@dataclass(frozen=True)
class Cause:
    """One thing that changed; free of personal data.

    what: Names it: the file, the field, the font, the engine's part and its versions.
    """

    kind: CauseKind
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass(frozen=True)
class Verified:
    """The result for one piece.

    notes: What differs without changing a byte, such as the version of an engine's part.
    thinned: Compared with the hash alone, because the archive gave up the rendition.
    """

    piece_id: str
    channel: Channel
    verdict: Verdict
    causes: tuple[Cause, ...] = ()
    notes: tuple[str, ...] = ()
    thinned: bool = False


@dataclass
class _Case:
    """One piece while it is compared; `content` is None where the archive has nothing to show."""

    piece: PieceRecord
    causes: list[Cause]
    content: bytes | None = None
    thinned: bool = False


class Verifier:
    """Verifies pieces with a vault and a replayer. Keep one per process."""

    def __init__(self, vault: Vault, replayer: Replayer) -> None:
        self._vault = vault
        self._replayer = replayer

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()

    def verify(self, pieces: Sequence[PieceRecord]) -> tuple[Verified, ...]:
        """Verify pieces of one communication with one snapshot.

        Raises:
            ArchiveError: If archive or key store cannot be used at all.
        """
        first = pieces[0]
        if first.recipient_id.startswith(ERASED):
            return _all(pieces, Verdict.ERASED)
        if not first.snapshot:
            return _all(pieces, Verdict.NO_SNAPSHOT)
        try:
            snapshot = self._opened(first, snapshot_name(first.communication_id), first.snapshot)
            communication = read_snapshot(snapshot.content)
        except KeyMissing as gone:
            if gone.erased:
                return _all(pieces, Verdict.ERASED)
            return _all(pieces, Verdict.DIFFERENT, (Cause(CauseKind.KEY, "the key store has no key of this customer"),))
        except VaultLocked:
            what = "the customer's key was changed in the key store"
            return _all(pieces, Verdict.DIFFERENT, (Cause(CauseKind.KEY, what),))
        except _Unreadable as unreadable:
            cause = Cause(CauseKind.SNAPSHOT, f"{unreadable.what} at the address {first.snapshot}")
            return tuple(self._without_snapshot(piece, cause) for piece in pieces)
        except SnapshotUnreadable as error:
            return _all(pieces, Verdict.DIFFERENT, (Cause(CauseKind.SNAPSHOT, str(error)),))
        cases = [self._case(piece, snapshot.content, communication) for piece in pieces]
        return self._compared(cases, communication)

    # ── what was kept ────────────────────────────────────────────────────

    def _opened(self, piece: PieceRecord, name: str, address: str) -> Kept:
        try:
            sealed = self._vault.archive.get(address)
        except ContentMissing:
            raise _Unreadable("it is missing in the archive") from None
        except ContentChanged:
            raise _Unreadable("its bytes changed") from None
        try:
            return self._vault.opened(piece.recipient_id, name, sealed)
        except SealBroken:
            raise _Unreadable("it was sealed as something else or with another key") from None

    def _without_snapshot(self, piece: PieceRecord, cause: Cause) -> Verified:
        """Say what can be said of a piece that cannot be composed again."""
        case = _Case(piece, [cause])
        self._read_rendition(case, None)
        return Verified(piece.piece_id, piece.channel, Verdict.DIFFERENT, tuple(case.causes), thinned=case.thinned)

    def _case(self, piece: PieceRecord, snapshot: bytes, communication: Communication) -> _Case:
        case = _Case(piece, [])
        if piece.release != str(communication.release):
            what = f"it notes the release {piece.release}, and the piece was made from {communication.release}"
            case.causes.append(Cause(CauseKind.LEDGER, what))
        self._read_rendition(case, snapshot)
        return case

    def _read_rendition(self, case: _Case, snapshot: bytes | None) -> None:
        piece = case.piece
        try:
            kept = self._opened(piece, piece_name(piece.piece_id), piece.archived)
        except _Unreadable as unreadable:
            case.causes.append(Cause(CauseKind.ARCHIVE, f"the rendition: {unreadable.what} at {piece.archived}"))
            return
        case.thinned = bool(kept.notes.get(THINNED))
        case.content = None if case.thinned else kept.content
        digests = kept.notes.get(FIELDS)
        if snapshot is not None and isinstance(digests, str):
            for path in changed_fields(snapshot, digests):
                case.causes.append(Cause(CauseKind.FIELD, f"{path} is not what the piece was made from"))

    # ── composing again ──────────────────────────────────────────────────

    def _compared(self, cases: list[_Case], communication: Communication) -> tuple[Verified, ...]:
        try:
            release = self._replayer.release(communication)
            renditions = self._replayer.renditions(communication)
        except DraftPiece:
            return tuple(_result(case, Verdict.DRAFT) for case in cases)
        except ReleaseError as error:
            return tuple(_with(case, _cause_of(error, self._replayer, communication)) for case in cases)
        except ConfigurationFault as fault:
            what = (
                f"this engine cannot read the release: {fault.diagnostics[0].code} in {fault.diagnostics[0].location}"
            )
            return tuple(_with(case, Cause(CauseKind.ENGINE, what)) for case in cases)
        return tuple(_judged(case, renditions.get(case.piece.piece_id), release) for case in cases)


class _Unreadable(Exception):
    """Something in the archive cannot be had."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


def _all(pieces: Iterable[PieceRecord], verdict: Verdict, causes: tuple[Cause, ...] = ()) -> tuple[Verified, ...]:
    return tuple(Verified(one.piece_id, one.channel, verdict, causes) for one in pieces)


def _result(case: _Case, verdict: Verdict, notes: tuple[str, ...] = ()) -> Verified:
    return Verified(case.piece.piece_id, case.piece.channel, verdict, tuple(case.causes), notes, case.thinned)


def _with(case: _Case, cause: Cause) -> Verified:
    return replace(_result(case, Verdict.DIFFERENT), causes=(*case.causes, cause))


def _judged(case: _Case, rendition: Rendition | None, release: Release) -> Verified:
    """Compare three: composed again, archived, noted. Two that agree tell which one changed."""
    engine = engine_differences(release.engine)
    noted = case.piece.sha256
    again = hashlib.sha256(rendition.content).hexdigest() if rendition else ""
    kept = hashlib.sha256(case.content).hexdigest() if case.content is not None else ""
    if kept and again == kept != noted:
        case.causes.append(Cause(CauseKind.LEDGER, "its hash is not that of the piece that was sent"))
    elif kept and again == noted != kept:
        case.causes.append(Cause(CauseKind.ARCHIVE, "the rendition was exchanged for another one"))
    elif again != noted and not _explained(case):
        case.causes += _why(case, rendition, engine)
    if case.causes:
        return _result(case, Verdict.DIFFERENT)
    return _result(case, Verdict.IDENTICAL, tuple(f"engine differs: {part}" for part in engine))


def _explained(case: _Case) -> bool:
    """Whether a field of the snapshot is known to be another; then no other cause is looked for."""
    return any(cause.kind is CauseKind.FIELD for cause in case.causes)


def _why(case: _Case, rendition: Rendition | None, engine: tuple[str, ...]) -> list[Cause]:
    where = "it cannot be composed any more" if rendition is None else "it is composed otherwise"
    if rendition is not None and case.content is not None:
        where = first_difference(case.piece.channel, case.content, rendition.content)
    if engine:
        return [Cause(CauseKind.ENGINE, f"{part} ({where})") for part in engine]
    return [Cause(CauseKind.UNEXPLAINED, where)]


def _cause_of(error: ReleaseError, replayer: Replayer, communication: Communication) -> Cause:
    """Name the file of the release that changed, or the release itself."""
    try:
        files = replayer.release(communication).files
    except ReleaseError:
        files = {}
    path = next((path for path in sorted(files) if f'"{path}"' in error.message), None)
    if path is None:
        return Cause(CauseKind.RELEASE, error.message)
    return Cause(CauseKind.FONT if path.lower().endswith(_FONTS) else CauseKind.RELEASE_FILE, error.message)
