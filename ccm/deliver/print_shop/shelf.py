"""Where closings and batches lie, and how they are written: a closing once and before its batches, a batch's checksums last."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ccm.deliver.print_shop.records import BatchPlan, Closing
from ccm.deliver.print_shop.spool import safe_run, sealed, unsealed
from ccm.durable_file import create_once, replace_whole

_CLOSING = TypeAdapter(Closing)


class PrintFault(Exception):
    """Batches cannot be made or handed over; free of personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


@dataclass(frozen=True)
class BatchFiles:
    """The files of one batch, by what they are."""

    pdf: Path
    manifest: Path
    table: Path
    checksums: Path
    sent: Path
    begun: Path

    @property
    def complete(self) -> bool:
        """Whether the batch is finished: its checksums are written last."""
        return self.checksums.exists()

    @property
    def told(self) -> bool:
        """Whether the print shop has it, or may have a part of it: handing over began."""
        return self.sent.exists() or self.begun.exists()

    @property
    def for_the_shop(self) -> tuple[Path, ...]:
        """What the print shop gets, in this order: checksums last, they say that the rest is there."""
        return (self.pdf, self.manifest, self.table, self.checksums)


class Shelf:
    """Closings and batches below one print folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time decide and make batches here; a killed one leaves no lock behind.

        Raises:
            PrintFault: If another process is at it.
            OSError: If the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PrintFault("another process is making batches here", "wait for it, then try again") from None
            yield

    def sweep(self, run: str) -> None:
        """Remove half files of a killed process; the lock is held by the caller, so nobody is writing them."""
        for folder in (self._closings(run), self.folder / "batches" / safe_run(run)):
            for path in folder.glob(".*.tmp") if folder.is_dir() else ():
                path.unlink(missing_ok=True)

    def closings(self, run: str) -> tuple[Closing, ...]:
        """Return the closings of a run, oldest first.

        Raises:
            PrintFault: If one was altered; names it.
        """
        folder = self._closings(run)
        paths = sorted(folder.glob("[0-9][0-9][0-9][0-9].json")) if folder.is_dir() else ()
        return tuple(self._closing(run, path) for path in paths)

    def add(self, closing: Closing) -> None:
        """Write a closing durably; from then on its pieces belong to its batches.

        Raises:
            OSError: If it could not be written; nothing was decided then.
        """
        path = self._closings(closing.run) / f"{closing.number:04}.json"
        if not create_once(path, sealed(asdict(closing))):
            raise PrintFault(f"closing {closing.number} of {closing.run} is there already", "give the command again")

    def files(self, run: str, batch: str) -> BatchFiles:
        """Return where a batch's files are, or will be."""
        folder = self.folder / "batches" / safe_run(run)
        names = (f"{batch}{ending}" for ending in (".pdf", ".json", ".csv", ".sha256", ".sent.json", ".begun"))
        return BatchFiles(*(folder / name for name in names))

    def keep(self, files: BatchFiles, contents: dict[Path, bytes]) -> None:
        """Write the files of a batch that is not complete; checksums last."""
        for path in files.for_the_shop:
            content = contents[path]
            if not create_once(path, content) and path.read_bytes() != content:
                replace_whole(path, content)

    def altered(self, files: BatchFiles) -> str:
        """Return the name of a file that is not what the checksums of a complete batch say; empty if all are."""
        try:
            lines = files.checksums.read_text(encoding="ascii").splitlines()
            wanted = {line.partition("  ")[2]: line.partition("  ")[0] for line in lines}
        except (OSError, UnicodeDecodeError):
            return files.checksums.name
        for path in files.for_the_shop[:-1]:
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != wanted.get(path.name):
                return path.name
        return ""

    def withdraw(self, files: BatchFiles) -> bool:
        """Remove a batch that nobody was told of, so that it is made anew; checksums first. Return whether it was there."""
        found = [path for path in reversed(files.for_the_shop) if path.exists()]
        for path in found:
            path.unlink()
        return bool(found)

    def find(self, batch: str) -> tuple[Closing, BatchPlan]:
        """Return a batch by its name.

        Raises:
            PrintFault: If there is none.
        """
        folder = self.folder / "closings"
        for run in sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ():
            if batch.startswith(f"{run}."):
                for closing in self.closings(run):
                    for plan in closing.batches:
                        if plan.batch == batch:
                            return closing, plan
        raise PrintFault(f"there is no batch {batch!a}", "list them with: ccm print list")

    def runs(self) -> tuple[str, ...]:
        """Return the runs that have closings."""
        folder = self.folder / "closings"
        return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()

    def _closing(self, run: str, path: Path) -> Closing:
        try:
            return _CLOSING.validate_python(unsealed(path.read_bytes()))
        except (ValueError, ValidationError):
            raise PrintFault(
                f"closing {path.stem} of {run} was altered", "put the file back from a backup; nothing was printed"
            ) from None

    def _closings(self, run: str) -> Path:
        return self.folder / "closings" / safe_run(run)
