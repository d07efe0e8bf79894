"""The vault: an archive whose content is encrypted with a key for each customer; without the key it is noise."""

from ccm.archive.vault.master import MasterKey, VaultLocked, master_key
from ccm.archive.vault.owners import WORKSPACE, owner_of
from ccm.archive.vault.sealing import Kept, SealBroken
from ccm.archive.vault.snapshot import SnapshotUnreadable, read_snapshot, write_snapshot
from ccm.archive.vault.vault import KeyMissing, Vault

__all__ = [
    "WORKSPACE",
    "Kept",
    "KeyMissing",
    "MasterKey",
    "SealBroken",
    "SnapshotUnreadable",
    "Vault",
    "VaultLocked",
    "master_key",
    "owner_of",
    "read_snapshot",
    "write_snapshot",
]
