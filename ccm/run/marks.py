"""How far a run has got, kept outside of its ledger, so that an older copy of the ledger is found out.

A ledger that was restored from a backup does not know what was sent after the backup was made, and would send it again.
So the number of intents ever written (`RunRecord.intents`, it only grows) is also kept in small files: beside the ledger,
and in the archive, which is usually backed up apart. It goes there after the ledger has it on the disk and before the first
of these hand-overs begins. Hence: a file that knows more than the ledger means that the ledger is older than what was sent.
A kill or a power cut can only leave the files behind the ledger, which is harmless.

Not found out: a restore that brings back ledger and archive at once, as a snapshot of a whole machine does. Restore one of
them and not the other, or look at the provider's own records first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ccm.ledger.interface import LedgerError
from ccm.model.records import derived_id
from ccm.model.workspace import Workspace

_WIDTH = 20  # digits, so that every number overwrites the one before completely


class RestoredLedger(Exception):
    """The ledger knows less of a run than was sent: it is an older copy. Nothing was sent."""

    remedy = (
        "restore the newest ledger; or, knowing that whatever went out after that copy was made goes out again, "
        "give the same command with --adopt"
    )

    def __init__(self, run_id: str, known: int, written: int) -> None:
        super().__init__(
            f"the ledger is older than what was sent: run {run_id} had {written} hand-overs written down, "
            f"this ledger knows {known}; {self.remedy}"
        )


class OutsideMarks:
    """The files of one run. One process at a time: whoever has the lease."""

    def __init__(self, folders: Sequence[Path], run_id: str) -> None:
        """Name the files; nothing is opened yet."""
        self._paths = [folder / derived_id("mark", run_id) for folder in folders]
        self._files: list[int] = []

    def highest(self) -> int:
        """Return the largest number that any file has; 0 where there is none."""
        return max((_read(path) for path in self._paths), default=0)

    def write(self, intents: int) -> None:
        """Note a number everywhere. Not synced: what a power cut takes was in the ledger before.

        Raises:
            LedgerError: If a file cannot be written. Why: Going on would make a later restore go unnoticed.
        """
        try:
            if not self._files:
                self._files = [_opened(path) for path in self._paths]
            for file in self._files:
                os.pwrite(file, f"{intents:0{_WIDTH}d}\n".encode(), 0)
        except OSError as error:
            raise LedgerError(
                f"the mark of how far the run is cannot be written ({error.strerror})",
                "check space and permissions of the archive and of the ledger's folder, and give the command again",
            ) from None

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            os.close(file)
        self._files = []


def mark_folders(workspace: Workspace) -> tuple[Path, ...]:
    """Return where marks are kept: beside the ledger, and in the archive where that is a folder."""
    root, definition = Path(workspace.root), workspace.definition
    ledger = definition.ledger
    path = ledger.removeprefix("sqlite:///") if ledger.startswith("sqlite:///") else ""
    beside = (root / path).parent if path else root / ".ccm"
    folders = [beside / "marks"]
    if "://" not in definition.archive:
        folders.append(root / definition.archive / ".marks")
    return tuple(folders)


def _read(path: Path) -> int:
    try:
        text = path.read_bytes()[:_WIDTH]
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
