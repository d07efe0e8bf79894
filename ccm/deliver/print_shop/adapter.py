"""Print as a provider: a document is accepted when it lies durably in the spool. `ccm print` makes batches of it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from ccm.deliver.interface import Adapter, DeliveryError, Forgotten
from ccm.deliver.outbox import check_folder, folder_fault, is_safe_key
from ccm.deliver.packages import require_package
from ccm.deliver.print_shop.drop import open_drop
from ccm.deliver.print_shop.forgetting import forget
from ccm.deliver.print_shop.settings import PrintSettings, read_settings
from ccm.deliver.print_shop.shelf import PrintFault, Shelf
from ccm.deliver.print_shop.spool import Spool
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus

EXTRA = "ccm-engine[print]"


class PrintAdapter(Adapter):
    """Spools documents with their postal address."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        channels=(Channel.DOCUMENT,), attachments=False, deduplicates=True, looks_up=True, concurrency=8, postal=True
    )

    how_to_look_up: ClassVar[str] = "nothing to do: the next execution looks into the spool"

    def __init__(self, provider: str, settings: PrintSettings) -> None:
        self.provider = provider
        self.settings = settings
        self.spool = Spool(settings.folder / "spool")

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; every setting has a default."""
        return cls(provider, read_settings(provider, settings, root=root))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Keep a document; one that is there already is accepted as known, one without an address is refused."""
        if envelope.postal is None or not envelope.postal.lines:
            status = "no postal address"
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self.provider, provider_status=status)
        try:
            new = self.spool.put(envelope, envelope.postal)
        except OSError as error:
            raise folder_fault(self.provider, error) from None
        return self._accepted(envelope.key, "spooled" if new else "known")

    def look_up(self, key: str) -> Receipt | None:
        """Tell whether the spool has a piece."""
        return self._accepted(key, "known") if self.spool.has(key) else None

    def forget(self, pieces: Sequence[str]) -> Forgotten:
        """Remove letters from the spool and from batches; what the print shop has is told."""
        try:
            known = [key for key in pieces if is_safe_key(key)]
            return forget(self.spool, Shelf(self.settings.folder), known, fetched=not self.settings.drop)
        except PrintFault as fault:
            raise DeliveryError(self.provider, str(fault).partition(";")[0], fault.remedy, retriable=True) from None
        except OSError as error:
            raise folder_fault(self.provider, error) from None

    def verify(self) -> None:
        """Check that the folder can be written, that the batches can be made, and that the print shop's server answers."""
        check_folder(self.provider, self.settings.folder)
        require_package(self.provider, "pikepdf", EXTRA)
        drop = open_drop(self.provider, self.settings)
        if drop is not None:
            with contextlib.closing(drop):
                drop.check()

    def _accepted(self, key: str, status: str) -> Receipt:
        return Receipt(key, ReceiptStatus.ACCEPTED, self.provider, provider_id=key, provider_status=status)
