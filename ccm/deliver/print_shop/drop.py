"""Handing finished batches to the print shop: into a folder or over SFTP, never over something that is there."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ccm.deliver.interface import DeliveryError
from ccm.deliver.outbox import check_folder, folder_fault
from ccm.deliver.print_shop.settings import PrintSettings
from ccm.deliver.print_shop.shelf import PrintFault, Shelf
from ccm.durable_file import create_once


class Drop(Protocol):
    """Where a print shop fetches its batches."""

    place: str  # for people, without user and secrets

    def put(self, path: Path) -> None:
        """Put one file there, complete or not at all; the same file twice is fine, another one of its name is refused."""

    def check(self) -> None:
        """See whether files could be put there, without putting any."""

    def close(self) -> None:
        """Give back the connection."""


class FolderDrop:
    """A folder, often a share that the print shop mounts."""

    def __init__(self, provider: str, folder: Path) -> None:
        self._provider = provider
        self._folder = folder
        self.place = str(folder)

    def put(self, path: Path) -> None:
        """Copy a file under a hidden name first."""
        target, content = self._folder / path.name, path.read_bytes()
        try:
            if not create_once(target, content) and _sha256(target.read_bytes()) != _sha256(content):
                raise occupied(path.name)
        except OSError as error:
            raise folder_fault(self._provider, error) from None

    def check(self) -> None:
        """See whether the folder can be written."""
        check_folder(self._provider, self._folder)

    def close(self) -> None:
        """Nothing is open."""


def open_drop(provider: str, settings: PrintSettings) -> Drop | None:
    """Return the configured drop; None when batches stay where they are.

    Raises:
        DeliveryError: If the server cannot be used.
    """
    if not settings.drop:
        return None
    if settings.drop.startswith("sftp://"):
        from ccm.deliver.print_shop.sftp import SftpDrop

        return SftpDrop(provider, settings)
    return FolderDrop(provider, Path(settings.drop))


def hand_over(shelf: Shelf, drop: Drop, run: str, *, now: datetime) -> tuple[str, ...]:
    """Hand over every complete batch of a run that was not handed over yet; checksums go last and say that all is there.

    Returns:
        The batches handed over now.
    Raises:
        PrintFault: If a file of a batch was altered here, or another one of its name is there.
        DeliveryError: If the print shop's place cannot be used; the same command goes on.
    """
    done = []
    for closing in shelf.closings(run):
        for batch in closing.batches:
            files = shelf.files(run, batch.batch)
            if not files.complete or files.sent.exists():
                continue
            altered = shelf.altered(files)
            if altered:
                raise PrintFault(
                    f"{altered} of batch {batch.batch} is not what was made",
                    "remove the files of this batch, then give the command again; they are made anew",
                )
            with shelf.locked():
                if not files.complete:  # withdrawn meanwhile: somebody of it was erased
                    continue
                create_once(files.begun, b"")
            for path in files.for_the_shop:
                drop.put(path)
            note = {"batch": batch.batch, "sent_at": now.isoformat(timespec="seconds"), "to": drop.place}
            create_once(files.sent, json.dumps(note, indent=1).encode() + b"\n")
            files.begun.unlink(missing_ok=True)
            done.append(batch.batch)
    return tuple(done)


def occupied(name: str) -> PrintFault:
    """Return the fault of a name that another file has."""
    return PrintFault(
        f"the print shop's folder has another file called {name}", "ask the print shop; nothing was overwritten"
    )


def refused(provider: str, message: str, remedy: str, *, retriable: bool = False) -> DeliveryError:
    """Return the fault of a place that cannot be used."""
    return DeliveryError(provider, message, remedy, retriable=retriable)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
