"""The spool: documents that wait to be printed. A piece is accepted when its sealed note is there, which is written last."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ccm.deliver.outbox import main_name
from ccm.durable_file import create_once, remove_durably, replace_whole
from ccm.model.definitions import Channel
from ccm.model.records import DocumentRendition, Envelope, PostalAddress

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_GONE = ".gone"  # ending of the mark of a piece that was forgotten
_NOTE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,120})\.json")


@dataclass(frozen=True)
class SpooledPiece:
    """What the spool notes of one piece.

    brand: Title of the sender.
    sha256: Of the PDF, in hex.
    """

    piece_id: str
    run: str
    campaign: str
    occurrence: str
    brand: str
    release: str
    locale: str
    filename: str
    pages: int
    sha256: str
    postal: PostalAddress


class SpoolFault(Exception):
    """A piece of the spool cannot be used as it lies there; free of personal data.

    reason: A word for manifests.
    """

    def __init__(self, piece_id: str, reason: str, remedy: str) -> None:
        self.piece_id = piece_id
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{piece_id}: {reason}; {remedy}")


_RESTORE = "put the archived document and its note back into the spool"


class Spool:
    """The spool below one folder: `<folder>/<run>/<piece>.pdf` and `.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, envelope: Envelope, postal: PostalAddress) -> bool:
        """Keep a piece durably; one that is there stays as it is.

        Returns:
            Whether it was new.
        Raises:
            OSError: If it could not be written completely; the piece is then not accepted.
            ValueError: If key or run could leave the folder.
        Why: The PDF goes first. One without a note was left by a process that died, and is replaced.
        """
        rendition = envelope.rendition
        assert isinstance(rendition, DocumentRendition)
        note = self._note(envelope.tags.get("run", ""), envelope.key)
        if note.exists():
            return False
        piece = SpooledPiece(
            piece_id=envelope.key,
            run=envelope.tags.get("run", ""),
            campaign=envelope.tags.get("campaign", ""),
            occurrence=envelope.tags.get("occurrence", ""),
            brand=envelope.sender,
            release=envelope.release,
            locale=envelope.locale,
            filename=rendition.filename,
            pages=rendition.pages,
            sha256=hashlib.sha256(rendition.content).hexdigest(),
            postal=postal,
        )
        pdf = note.with_name(main_name(envelope.key, Channel.DOCUMENT))
        if not create_once(pdf, rendition.content) and pdf.read_bytes() != rendition.content:
            replace_whole(pdf, rendition.content)
        return create_once(note, sealed(asdict(piece)))

    def has(self, key: str) -> bool:
        """Tell whether a piece was accepted, in whatever run."""
        if not _NOTE.fullmatch(f"{key}.json") or not self.folder.is_dir():
            return False
        return any((run / f"{key}.json").is_file() for run in self.folder.iterdir())

    def gone(self, run: str) -> frozenset[str]:
        """Return the pieces of a run that were forgotten."""
        folder = self.folder / safe_run(run)
        return frozenset(path.stem for path in folder.glob(f"*{_GONE}")) if folder.is_dir() else frozenset()

    def holds(self, run: str, key: str) -> bool:
        """Tell whether there is a note or a document of a piece, whole or not."""
        note = self._note(run, key)
        return note.exists() or note.with_name(main_name(key, Channel.DOCUMENT)).exists()

    def mark_gone(self, run: str, key: str) -> None:
        """Write down durably that a piece is forgotten: batches have blank pages in its place.

        Why: Batches are decided once, and so is the number of every sheet; a document that just vanished would stop them.
        """
        create_once(self._note(run, key).with_suffix(_GONE), b"")

    def remove(self, run: str, key: str) -> bool:
        """Remove a piece's note and document; return whether there was any."""
        note = self._note(run, key)
        return bool(remove_durably(note.parent, (note.name, main_name(key, Channel.DOCUMENT))))

    def runs(self) -> tuple[str, ...]:
        """Return the runs that have pieces here, sorted."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in self.folder.iterdir() if path.is_dir() and _RUN.fullmatch(path.name)))

    def pieces(self, run: str) -> Iterator[SpooledPiece | SpoolFault]:
        """Read the notes of a run in the order of their ids; what cannot be used is a fault that names it."""
        folder = self.folder / safe_run(run)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name.startswith(".") or path.suffix in (".pdf", _GONE):
                continue
            match = _NOTE.fullmatch(path.name)
            if not match:
                yield SpoolFault(f"file {ascii(path.name)[:80]}", "unknown-file", "take it out of the spool")
                continue
            yield self._read(run, match[1], path)
        yield from self._orphans(folder)

    def _orphans(self, folder: Path) -> Iterator[SpoolFault]:
        """Name what looks like a document and cannot be one of ours; one of ours without a note was not accepted."""
        for path in sorted(folder.glob("*.pdf")) if folder.is_dir() else ():
            if not _NOTE.fullmatch(f"{path.stem}.json"):
                yield SpoolFault(f"file {ascii(path.name)[:80]}", "unknown-file", "take it out of the spool")

    def content(self, piece: SpooledPiece) -> bytes:
        """Return a piece's PDF, see `document`."""
        return self.document(piece.run, piece.piece_id, piece.sha256)

    def document(self, run: str, piece_id: str, sha256: str) -> bytes:
        """Return a PDF.

        Raises:
            SpoolFault: If it is missing or is not what was accepted.
        """
        path = self._note(run, piece_id).with_name(main_name(piece_id, Channel.DOCUMENT))
        try:
            content = b"" if path.is_symlink() else path.read_bytes()
        except FileNotFoundError:
            raise SpoolFault(piece_id, "missing-document", _RESTORE) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise SpoolFault(piece_id, "altered-document", _RESTORE)
        return content

    def _read(self, run: str, key: str, path: Path) -> SpooledPiece | SpoolFault:
        try:
            if path.is_symlink():
                raise ValueError("a link")
            piece = _PIECE.validate_python(unsealed(path.read_bytes()))
        except (OSError, ValueError, ValidationError):
            return SpoolFault(key, "altered-note", _RESTORE)
        if (piece.piece_id, piece.run) != (key, run):
            return SpoolFault(key, "altered-note", _RESTORE)
        return piece

    def _note(self, run: str, key: str) -> Path:
        main_name(key, Channel.DOCUMENT)  # refuses a key that could leave the folder
        return self.folder / safe_run(run) / f"{key}.json"


_PIECE = TypeAdapter(SpooledPiece)


def safe_run(run: str) -> str:
    """Return a run's folder name.

    Raises:
        ValueError: If it could leave the folder.
    """
    if not _RUN.fullmatch(run):
        raise ValueError("a run is letters, digits, dots, dashes and underscores")
    return run


def sealed(record: dict[str, object]) -> bytes:
    """Return a record as JSON with the SHA-256 of its content, so that a changed byte is seen."""
    return json.dumps(record | {"seal": _seal(record)}, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def unsealed(content: bytes) -> dict[str, object]:
    """Return the record of a sealed file.

    Raises:
        ValueError: If it is not as it was sealed.
    """
    record = json.loads(content)
    if not isinstance(record, dict) or record.pop("seal", None) != _seal(record):
        raise ValueError("the seal is broken")
    return record


def _seal(record: dict[str, object]) -> str:
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
