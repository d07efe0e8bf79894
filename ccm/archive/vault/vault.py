"""Keeping content under its owner's key, and giving it back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccm.archive.interface import Archive, ArchiveError
from ccm.archive.vault.owners import owner_of
from ccm.archive.vault.sealing import Kept, SealBroken, seal, unseal

if TYPE_CHECKING:
    from ccm.archive.vault.keys import KeyStore  # SQLAlchemy takes a third of a second


class KeyMissing(ArchiveError):
    """The owner's key is gone: erased, or never in this key store.

    erased: Whether it was destroyed on purpose.
    """

    def __init__(self, *, erased: bool) -> None:
        self.erased = erased
        if erased:
            super().__init__("this customer was erased", "nothing can bring it back; that is what erasing is for")
        else:
            super().__init__("the key store has no key of this customer", "restore the key store from its backup")


@dataclass(frozen=True)
class Sealed:
    """Something kept.

    address: Where in the archive; SHA-256 of the sealed bytes.
    sha256: Of the content itself, in hex.
    """

    address: str
    sha256: str


class Vault:
    """An archive with a key for each owner. May be shared by threads."""

    def __init__(self, archive: Archive, keys: KeyStore) -> None:
        """Use an open archive and an open key store; both are closed with the vault."""
        self.archive = archive
        self.keys = keys
        self._open: dict[str, bytes] = {}

    def unlock(self, recipient_ids: Iterable[str]) -> None:
        """Have the keys of these recipients ready, drawing new ones; those of the last call are forgotten.

        Why: One transaction for a window of recipients; a transaction for each would cost a disk's turn each.
        """
        self._open = dict(self.keys.ensured({owner_of(item) for item in recipient_ids}))

    def keep(self, recipient_id: str, name: str, kept: Kept) -> Sealed:
        """Seal and keep content; durable after `sync`. The same again changes nothing.

        Args:
            name: What it is kept as, such as a piece's id; needed to read it.
        Raises:
            ArchiveError: If it could not be kept completely.
        """
        owner = owner_of(recipient_id)
        key = self._open.get(owner) or self.keys.ensured([owner])[owner]
        ref = self.archive.put(seal(key, name, kept), "application/octet-stream")
        return Sealed(ref.sha256, hashlib.sha256(kept.content).hexdigest())

    def read(self, recipient_id: str, name: str, address: str) -> Kept:
        """Return what was kept.

        Raises:
            KeyMissing: If its owner was erased.
            SealBroken: If it was sealed as something else or with another key.
            ArchiveError: If it is missing, or its bytes changed.
        """
        return self.opened(recipient_id, name, self.archive.get(address))

    def opened(self, recipient_id: str, name: str, sealed: bytes) -> Kept:
        """Decrypt sealed bytes that are at hand, see `read`."""
        try:
            key = self.keys.key(owner_of(recipient_id))
        except LookupError:
            raise KeyMissing(erased=False) from None
        if key is None:
            raise KeyMissing(erased=True)
        try:
            return unseal(key, name, sealed)
        except SealBroken:
            following = self.keys.waiting(owner_of(recipient_id))  # an erasure that was killed on its way
            if following is None:
                raise
            return unseal(following, name, sealed)

    def moved(self, recipient_id: str, name: str, address: str) -> str:
        """Seal something kept once more, under the key that follows its owner's; the old bytes stay.

        Returns:
            Its new address; the same however often this is done before `KeyStore.succeed`.
        Raises:
            ArchiveError: See `read`.
        """
        successor = self.keys.successor(owner_of(recipient_id))
        kept = self.read(recipient_id, name, address)
        return self.archive.put(seal(successor, name, kept), "application/octet-stream").sha256

    def sync(self) -> None:
        """Make everything kept so far durable."""
        self.archive.sync()

    def close(self) -> None:
        """Forget the keys and give back connections."""
        self._open = {}
        self.keys.close()


__all__ = ["Kept", "KeyMissing", "SealBroken", "Sealed", "Vault"]
