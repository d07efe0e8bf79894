"""The files of print streams: `<run>.s001.pdf`, its manifest as JSON lines, and what lies beside it."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.stream import NotFilled, Placed, PrintStream, StreamAbout
from ccm.compose.document.stylesheet import font_paths
from ccm.deliver.outbox import main_name
from ccm.durable_file import create_once, sync_folder
from ccm.model.definitions import Channel
from ccm.model.records import PieceRecord
from ccm.model.workspace import Workspace
from ccm.release import Content, find_release
from ccm.run.contents import released_content, workspace_store
from ccm.run.sorting import Chosen

FORMAT = "ccm-stream-manifest 1"
_RANGE = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?")


@dataclass
class StreamMade:
    """One stream.

    apart: Why how many documents lie beside the stream.
    """

    stream: str
    documents: int = 0
    pages: int = 0
    pages_in_file: int = 0
    sheets: int = 0
    size_bytes: int = 0
    single_bytes: int = 0
    sha256: str = ""
    apart: Counter[str] = field(default_factory=Counter)


class StreamFiles:
    """Writes streams of one run into one folder.

    Args:
        by, reason: Who prints again, and why; empty for a first print.
    """

    def __init__(
        self,
        workspace: Workspace,
        run_id: str,
        folder: Path,
        chosen: Chosen,
        now: datetime,
        *,
        by: str = "",
        reason: str = "",
    ) -> None:
        self._store = workspace_store(workspace)
        self._workspace = workspace
        self._run_id = run_id
        self._folder = folder
        self._chosen = chosen
        self._now = now
        self._by = by
        self._reason = reason
        self._contents: dict[str, Content] = {}

    def are_there(self) -> bool:
        """Whether the folder has streams of this run."""
        return any(self._folder.glob(f"{self._run_id}.s[0-9]*.jsonl"))

    def free_name(self, start: str) -> str:
        """Return the next name that no manifest of the folder has."""
        number = 1
        while (self._folder / f"{start}{number:02}.jsonl").exists():
            number += 1
        return f"{start}{number:02}"

    def make(self, name: str, documents: Iterable[tuple[PieceRecord, bytes]], scratch: Path) -> StreamMade:
        """Write one stream: its PDF, what lies beside it, and at last its manifest; where that is, the rest is complete.

        Raises:
            OSError: If something could not be written.
        """
        writing = _Writing(name, self._chosen, scratch)
        try:
            for piece, content in documents:
                self._add(writing, piece, content)
            return self._finished(writing)
        finally:
            writing.close()

    def _add(self, writing: _Writing, piece: PieceRecord, content: bytes) -> None:
        if writing.stream is None:
            released = self._content(piece.release)
            writing.begin(piece, released, self._title(released), self._now)
        try:
            writing.add(piece, content)
        except NotFilled as refusal:
            path = self._folder / f"{writing.made.stream}.apart" / main_name(piece.piece_id, Channel.DOCUMENT)
            create_once(path, content)
            writing.put_apart(piece, refusal.reason)

    def _finished(self, writing: _Writing) -> StreamMade:
        made = writing.made
        if made.documents:
            writing.end()
            self._move(writing.pdf, f"{made.stream}.pdf")
        if made.documents or made.apart:
            head: dict[str, object] = {
                "manifest": FORMAT,
                "stream": made.stream,
                "run": self._run_id,
                "made_at": self._now.isoformat(timespec="seconds"),
                "sorted_by": list(self._chosen.by),
                "apart_by": list(self._chosen.apart),
                "duplex": self._chosen.duplex,
                "reprint_by": self._by or None,
                "reprint_reason": self._reason or None,
            }
            writing.seal(head)
            self._move(writing.manifest, f"{made.stream}.jsonl")
        return made

    def _move(self, file: Path, name: str) -> None:
        file.replace(self._folder / name)
        sync_folder(self._folder)

    def _content(self, release: str) -> Content:
        """Return the release that a piece was made from."""
        if release not in self._contents:
            self._contents[release] = released_content(self._store, find_release(self._store, release))
        return self._contents[release]

    def _title(self, content: Content) -> str:
        campaign = self._workspace.campaigns.get(self._run_id.partition(".")[0])
        return campaign.title if campaign is not None and campaign.title else content.template.definition.title


class _Writing:
    """One stream while it is written; everything lies in the scratch folder until it is whole."""

    def __init__(self, name: str, chosen: Chosen, scratch: Path) -> None:
        self.made = StreamMade(name)
        self.pdf, self.manifest, self._lines = (scratch / f"{name}.{ending}" for ending in ("pdf", "jsonl", "lines"))
        self.stream: PrintStream | None = None
        self._chosen = chosen
        self._file = self.pdf.open("wb")
        self._rows = self._lines.open("wb")
        self._scratch = (scratch / f"{name}.objects").open("w+b")
        self._hash = hashlib.sha256()

    def begin(self, piece: PieceRecord, content: Content, title: str, now: datetime) -> None:
        """Begin the PDF with the fonts of a release."""
        import uharfbuzz as hb

        files = [content.library.read(path) for path in font_paths(content.brand)]
        about = StreamAbout(self.made.stream, title, content.brand.definition.title, piece.locale or "en", now)
        fonts = [FontFile(one, hb.Face(one)) for one in files]
        self.stream = PrintStream(self._put, self._scratch, fonts, about)

    def add(self, piece: PieceRecord, content: bytes) -> None:
        """Take up a document.

        Raises:
            NotFilled: If it cannot be in a stream.
        """
        assert self.stream is not None
        if self.stream.is_full:
            raise NotFilled("the stream is full; make smaller ones with --most")
        placed = self.stream.add(content, piece.piece_id, whole_sheets=self._chosen.duplex)
        made = self.made
        made.documents += 1
        made.pages += placed.pages
        made.sheets += self._chosen.sheets(placed.pages)
        made.single_bytes += len(content)
        self._line(self._told(piece, placed))

    def _told(self, piece: PieceRecord, placed: Placed) -> dict[str, object]:
        return {
            "number": self.made.documents,
            "piece": piece.piece_id,
            "first_page": placed.first_page,
            "pages": placed.pages,
            "sheets": self._chosen.sheets(placed.pages),
            "sha256": piece.sha256,
        }

    def put_apart(self, piece: PieceRecord, reason: str) -> None:
        """Note a document that lies beside the stream."""
        file = f"{self.made.stream}.apart/{main_name(piece.piece_id, Channel.DOCUMENT)}"
        self.made.apart[reason] += 1
        self._line({"apart": piece.piece_id, "file": file, "pages": piece.pages, "sha256": piece.sha256, "why": reason})

    def end(self) -> None:
        """Finish the PDF durably."""
        assert self.stream is not None
        self.stream.end()
        self.made.pages_in_file = self.stream.pages
        self.made.size_bytes = self.stream.size_bytes
        self.made.sha256 = self._hash.hexdigest()
        self._file.flush()
        os.fsync(self._file.fileno())

    def seal(self, head: dict[str, object]) -> None:
        """Write the manifest: head, lines, sums."""
        self._rows.flush()
        made = self.made
        end = {
            "documents": made.documents,
            "apart": made.apart.total(),
            "pages": made.pages,
            "pages_in_file": made.pages_in_file,
            "sheets": made.sheets,
            "file": f"{made.stream}.pdf" if made.documents else None,
            "size_bytes": made.size_bytes,
            "sha256": made.sha256 or None,
        }
        with self.manifest.open("wb") as file, self._lines.open("rb") as lines:
            file.write(orjson.dumps(head) + b"\n")
            for chunk in iter(lambda: lines.read(1 << 16), b""):
                file.write(chunk)
            file.write(orjson.dumps(end) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Give back files."""
        for file in (self._file, self._rows, self._scratch):
            file.close()

    def _line(self, record: dict[str, object]) -> None:
        self._rows.write(orjson.dumps(record) + b"\n")

    def _put(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)


@dataclass(frozen=True)
class StreamManifest:
    """What the manifest of a stream says.

    pieces: In the order of the stream, numbered from 1.
    """

    stream: str
    run_id: str
    duplex: bool
    pieces: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> StreamManifest:
        """Read one.

        Raises:
            ValueError: If it is none.
        """
        try:
            head, *lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
            assert_format(head)
            pieces = tuple(line["piece"] for line in lines if "piece" in line)
            return cls(head["stream"], head["run"], head["duplex"], pieces)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise ValueError(f"{path.name} is no manifest of a stream") from None

    def selected(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return the pieces that are named, each once and in the stream's order.

        Raises:
            ValueError: If one is not in the stream.
        """
        places = {piece: number for number, piece in enumerate(self.pieces, 1)}
        chosen: set[int] = set()
        for text in wanted:
            match = _RANGE.fullmatch(text)
            numbers = range(int(match[1]), int(match[2] or match[1]) + 1) if match else (places.get(text, 0),)
            if not numbers or not 1 <= numbers[0] <= numbers[-1] <= len(self.pieces):
                raise ValueError(f"stream {self.stream} has no {text[:60]!a}")
            chosen.update(numbers)
        return tuple(self.pieces[number - 1] for number in sorted(chosen))


def assert_format(head: Any) -> None:
    """Refuse what is no manifest of this form.

    Raises:
        ValueError: If it is not.
    """
    if head.get("manifest") != FORMAT:
        raise ValueError("another form")
