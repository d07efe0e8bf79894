"""Opening the workspace's vault: its archive, its key store and the master key that only the shell may read."""

from __future__ import annotations

import os
from pathlib import Path

from ccm.archive.folder import FolderArchive
from ccm.archive.interface import Archive
from ccm.archive.vault import Vault, master_key
from ccm.model.workspace import Workspace

MASTER_FILE = Path(".ccm") / "keys" / "master.key"


def open_vault(workspace: Workspace, *, make: bool = False) -> Vault:
    """Open archive and key store.

    Args:
        make: Draw a master key at first use; otherwise a missing one is an error, because nothing could be read.
    Raises:
        VaultLocked: If the master key is missing or wrong; nothing was sent.
        ArchiveError: If the archive or the key store cannot be used.
    """
    from ccm.archive.vault.keys import (
        KeyStore,
        is_there,
        readable_by_owner_only,
    )  # SQLAlchemy takes a third of a second

    archive = open_archive(workspace)
    url, root = workspace.definition.keys, workspace.root
    # A new key opens nothing of a store that is there already; its own is to be found, not drawn.
    master = master_key(os.environ, Path(root) / MASTER_FILE, make=make and not is_there(url, root))
    keys = KeyStore.open(url, root, master)
    readable_by_owner_only(url, root)
    return Vault(archive, keys)


def open_archive(workspace: Workspace) -> Archive:
    """Open the workspace's archive: a folder, or s3://bucket/prefix."""
    place = workspace.definition.archive
    if place.startswith("s3://"):
        from ccm.archive.s3 import S3Archive

        return S3Archive.at(place)
    return FolderArchive(Path(workspace.root) / place)
