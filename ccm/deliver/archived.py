"""Documents whose delivery is the archive copy: they are kept for the customer portal, for print or for proof."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from ccm.deliver.interface import Adapter, DeliveryError, Forgotten
from ccm.deliver.outbox import check_folder, folder_fault, is_safe_key, main_name
from ccm.durable_file import create_once, remove_durably
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus


class ArchivedAdapter(Adapter):
    """Accepts what the run has put into the archive already; with `folder` it also drops a copy there.

    Why: The run archives every rendition before anything is sent, so accepting needs no second copy.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.DOCUMENT,), deduplicates=True, concurrency=8)

    def __init__(self, provider: str, folder: Path | None) -> None:
        self._provider = provider
        self._folder = folder

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `folder` is optional and relative to the workspace."""
        unknown = sorted(set(settings) - {"folder"})
        if unknown:
            raise DeliveryError(
                provider, f'setting "{unknown[0]}" is not known', "the archive takes `folder` alone", retriable=False
            )
        return cls(provider, Path(root) / settings["folder"] if settings.get("folder") else None)

    def deliver(self, envelope: Envelope) -> Receipt:
        """Accept the document under the hash of its content."""
        if self._folder is not None:
            self._drop(self._folder, envelope)
        sha256 = hashlib.sha256(envelope.rendition.content).hexdigest()
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, sha256, "archived")

    def forget(self, pieces: Sequence[str]) -> Forgotten:
        """Remove the copies below `folder`; the archive itself is forgotten by destroying the customer's key."""
        names = {main_name(key, Channel.DOCUMENT): key for key in pieces if is_safe_key(key)}
        removed: set[str] = set()
        try:
            if self._folder is not None and self._folder.is_dir():
                for place in (self._folder, *(path for path in self._folder.iterdir() if path.is_dir())):
                    removed |= {names[name] for name in remove_durably(place, names)}
        except OSError as error:
            raise folder_fault(self._provider, error) from None
        return Forgotten(frozenset(removed))

    def verify(self) -> None:
        """Check that the folder, if there is one, can be written."""
        if self._folder is not None:
            check_folder(self._provider, self._folder)

    def _drop(self, folder: Path, envelope: Envelope) -> None:
        occurrence = envelope.tags.get("run", "")
        place = folder / occurrence if occurrence and "/" not in occurrence and ".." not in occurrence else folder
        try:
            create_once(place / main_name(envelope.key, envelope.channel), envelope.rendition.content)
        except OSError as error:
            raise folder_fault(self._provider, error) from None
