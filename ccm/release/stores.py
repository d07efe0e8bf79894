"""From the workspace's setting to its release store."""

from __future__ import annotations

from pathlib import Path

from ccm.release.folder import FolderStore
from ccm.release.interface import ReleaseStore


def open_store(setting: str, root: str) -> ReleaseStore:
    """Open the store that `releases` in ccm.yaml names.

    Args:
        setting: A folder from the workspace's root, or `s3://bucket/prefix`.
        root: Absolute folder of the workspace.
    """
    if setting.startswith("s3://"):
        from ccm.release.s3 import S3Store

        return S3Store.at(setting)
    return FolderStore(Path(root) / setting, setting)
