"""What a run did to the disk and the network, read from strace; and what a power cut at any moment may have left.

The model is that of ALICE (OSDI 2014), a little harsher than ext4: a write is safe once a sync of its file that began
after it has ended; what is not safe may be there, be missing, or be torn, each write for itself and in any order. Names
are safe once their folder was synced.
"""

from __future__ import annotations

import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat", "open", "creat", "write", "pwrite64", "writev", "pwritev", "ftruncate", "truncate", "fsync", "fdatasync",
    "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "sendto",
)  # fmt: skip
SECTOR = 512  # bytes that a disk writes whole

_STARTED = re.compile(r"^(\d+)\s+(\w+)\((.*?)(?:\s*<unfinished \.\.\.>)?$", re.DOTALL)
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_RESULT = re.compile(r"^(.*)\)\s+=\s+(-?\d+)(?:<(.*?)>)?(?:\s.*)?$", re.DOTALL)
_FILE = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_PIECE = re.compile(rb"(?i)Message-ID:\s*<(p-[a-z2-7]{26})@")


@dataclass(frozen=True)
class Call:
    """One system call that succeeded.

    began, ended: Lines of the trace, from 0.
    """

    name: str
    arguments: str
    result: int
    began: int
    ended: int

    @property
    def path(self) -> str:
        """Path behind the descriptor of the first argument."""
        found = _FILE.match(self.arguments)
        return os.fsdecode(bytes.fromhex(found[1].replace("\\x", ""))) if found else ""

    @property
    def texts(self) -> list[bytes]:
        """All strings among the arguments."""
        return [bytes.fromhex(one.replace("\\x", "")) for one in _TEXT.findall(self.arguments)]

    @property
    def numbers(self) -> list[int]:
        """Numbers after the last string."""
        return [int(one) for one in re.findall(r",\s*(\d+)(?=\s*(?:,|$))", _TEXT.sub("", self.arguments))]


def read_trace(path: Path) -> Iterator[Call]:
    """Yield the calls in the order in which they ended."""
    open_calls: dict[tuple[str, str], tuple[int, str]] = {}
    with path.open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines):
            line = line.rstrip("\n")
            if resumed := _RESUMED.match(line):
                thread, name, rest = resumed.groups()
                began, first = open_calls.pop((thread, name), (number, ""))
                call = _finished(name, first + rest, began, number)
            elif started := _STARTED.match(line):
                thread, name, rest = started.groups()
                if line.endswith("<unfinished ...>"):
                    open_calls[thread, name] = (number, rest)
                    continue
                call = _finished(name, rest, number, number)
            else:
                continue
            if call is not None:
                yield call


def _finished(name: str, text: str, began: int, ended: int) -> Call | None:
    found = _RESULT.match(text)
    if found is None or int(found[2]) < 0:
        return None
    return Call(name, found[1], int(found[2]), began, ended)


# ── what happened to the disk ────────────────────────────────────────────────


@dataclass
class Change:
    """One change of a file or of a folder.

    at: When it was under way at the latest, in lines of the trace.
    safe_from: When it was surely on the disk; None if never.
    """

    at: int
    safe_from: int | None = None


@dataclass
class Written(Change):
    """Bytes of a file, or its length where data is None."""

    offset: int = 0
    data: bytes | None = None


@dataclass
class Named(Change):
    """A name appears or goes; `file` is the number of the file behind it, or None where it goes."""

    path: str = ""
    file: int | None = None


@dataclass
class Recording:
    """Everything that a run did to a folder, and when it handed over which piece.

    files: Changes of content by file number.
    sent: Line of the trace at which the end of a piece's message left.
    """

    root: Path
    start: dict[str, bytes]
    files: dict[int, list[Written]] = field(default_factory=lambda: defaultdict(list))
    names: list[Named] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    first: int = 0
    last: int = 0

    @classmethod
    def of(cls, trace: Path, root: Path, start: dict[str, bytes]) -> Recording:
        """Read a trace; `start` is what was in the folder before, by relative path."""
        recording = cls(root, start)
        Reader(recording).read(trace)
        return recording


class Reader:
    """Follows names, files and sockets through a trace."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._file_of: dict[str, int] = {}
        self._length: dict[int, int] = {}
        self._position: dict[str, int] = defaultdict(int)
        self._talk: dict[str, str] = {}
        for number, (path, content) in enumerate(recording.start.items()):
            self._file_of[path] = number
            self._length[number] = len(content)

    def read(self, trace: Path) -> None:
        """Read it all."""
        for call in read_trace(trace):
            self.recording.last = max(self.recording.last, call.ended)
            if call.name == "sendto":
                self._sent(call)
            elif call.name in ("openat", "open", "creat"):
                self._opened(call)
            elif call.name in ("fsync", "fdatasync"):
                self._synced(call)
            elif call.name in ("write", "pwrite64", "ftruncate"):
                self._wrote(call)
            else:
                self._renamed(call)

    def _inside(self, path: str) -> str | None:
        """Return a path relative to the recorded folder, or None for one outside."""
        try:
            return str(Path(path).relative_to(self.recording.root))
        except ValueError:
            return None

    def _opened(self, call: Call) -> None:
        path = self._inside(os.fsdecode(call.texts[0]))
        if path is None or "O_CREAT" not in call.arguments:
            return
        if path not in self._file_of:
            number = len(self._length)
            self._file_of[path], self._length[number] = number, 0
            self.recording.names.append(Named(call.began, path=path, file=number))
        elif "O_TRUNC" in call.arguments:
            self.recording.files[self._file_of[path]].append(Written(call.began, offset=0))
        self._position[path] = 0

    def _wrote(self, call: Call) -> None:
        path = self._inside(call.path)
        if path is None or path not in self._file_of:
            return
        number = self._file_of[path]
        if call.name == "ftruncate":
            self.recording.files[number].append(Written(call.began, offset=call.numbers[-1]))
            return
        data = call.texts[0][: call.result]
        offset = call.numbers[-1] if call.name == "pwrite64" else self._position[path]
        self._position[path] = offset + len(data)
        self.recording.files[number].append(Written(call.began, offset=offset, data=data))

    def _synced(self, call: Call) -> None:
        path = self._inside(call.path)
        if path is None:
            return
        if path in self._file_of:
            safe: list[Change] = [*self.recording.files[self._file_of[path]]]
        else:
            safe = [one for one in self.recording.names if str(Path(one.path).parent) == path]
        for change in safe:
            if change.safe_from is None and change.at < call.began:
                change.safe_from = call.ended

    def _renamed(self, call: Call) -> None:
        paths = [self._inside(os.fsdecode(text)) for text in call.texts]
        if any(path is None for path in paths) or "mkdir" in call.name or "rmdir" in call.name:
            return  # folders are made when a name in them is kept
        source = str(paths[0])
        number = self._file_of.get(source)
        if number is None:
            return
        if len(paths) == 2:
            self._file_of[str(paths[1])] = number
            self.recording.names.append(Named(call.began, path=str(paths[1]), file=number))
        if not call.name.startswith("link"):
            del self._file_of[source]
            self.recording.names.append(Named(call.began, path=source, file=None))

    def _sent(self, call: Call) -> None:
        """Note the piece whose message ends here: from now on the server may have it."""
        data = call.texts[0]
        if found := _PIECE.search(data):
            self._talk[call.path] = found[1].decode()
        if data.endswith(b"\r\n.\r\n") or data == b".\r\n":
            piece = self._talk.get(call.path)
            if piece is not None:
                self.recording.sent.setdefault(piece, call.began)
                self.recording.first = self.recording.first or call.began


# ── what may be left ─────────────────────────────────────────────────────────


def image(recording: Recording, cut: int, rng: random.Random) -> dict[str, bytes]:
    """Return what a power cut may have left, by relative path.

    Args:
        cut: Line of the trace at which the power went.
    """
    names: dict[str, int | None] = {path: number for number, path in enumerate(recording.start)}
    for change in recording.names:
        if change.at < cut and (is_safe(change, cut) or rng.random() < 0.5):
            names[change.path] = change.file
    beginnings = list(recording.start.values())
    contents: dict[str, bytes] = {}
    lucky = rng.random()  # how much of what was not safe got through
    for path, number in names.items():
        if number is not None:
            begin = beginnings[number] if number < len(beginnings) else b""
            contents[path] = content(begin, recording.files.get(number, []), cut, rng, lucky)
    return contents


def content(begin: bytes, changes: list[Written], cut: int, rng: random.Random, lucky: float) -> bytes:
    """Return what a file may hold."""
    found = bytearray(begin)
    for change in changes:
        if change.at >= cut:
            break
        safe = is_safe(change, cut)
        if not safe and rng.random() > lucky:
            continue
        if change.data is None:
            del found[change.offset :]
            found.extend(bytes(change.offset - len(found)))
            continue
        data = change.data
        if not safe and rng.random() < 0.2:
            data = data[: rng.randrange(0, len(data) + SECTOR, SECTOR)]  # torn
        found.extend(bytes(max(0, change.offset - len(found))))
        found[change.offset : change.offset + len(data)] = data
    return bytes(found)


def is_safe(change: Change, cut: int) -> bool:
    """Whether a change was on the disk before the power went."""
    return change.safe_from is not None and change.safe_from < cut
