"""Releases in a folder of the workspace, as plain files that git keeps well."""

from __future__ import annotations

import os
from pathlib import Path

from ccm.durable_file import create_once
from ccm.release.interface import ReleaseStore, StoreUnusable
from ccm.release.layout import OBJECTS

_REMEDY = "check that the folder may be read and written and that the disk has space"


class FolderStore(ReleaseStore):
    """Keeps every key as a file below a folder, which is made at the first release."""

    def __init__(self, root: Path, shown: str) -> None:
        """Use a folder.

        Args:
            root: Absolute.
            shown: The folder as people know it: relative to the workspace.
        """
        self._root = root
        self._shown = shown

    def create(self, key: str, content: bytes) -> bool:
        """Write a new file atomically."""
        try:
            return create_once(self._root / key, content)
        except OSError as error:
            raise self._unusable(error) from None

    def read(self, key: str) -> bytes:
        """Return a file's bytes."""
        try:
            return (self._root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        except OSError as error:
            raise self._unusable(error) from None

    def listed(self, prefix: str = "") -> tuple[str, ...]:
        """Walk the folder, objects only when the prefix asks for them."""
        start = self._root / prefix.rpartition("/")[0]
        found: list[str] = []
        try:
            for folder, inner, names in os.walk(start, onerror=_refused):
                if Path(folder) == self._root and not prefix:
                    inner[:] = [name for name in inner if name != OBJECTS]
                below = Path(folder).relative_to(self._root).as_posix()
                found += [name if below == "." else f"{below}/{name}" for name in names if not name.startswith(".")]
        except OSError as error:
            raise self._unusable(error) from None
        return tuple(sorted(key for key in found if key.startswith(prefix)))

    def place(self, key: str = "") -> str:
        """Return a path from the workspace's root."""
        return f"{self._shown}/{key}" if key else self._shown

    def _unusable(self, error: OSError) -> StoreUnusable:
        return StoreUnusable(self._shown, error.strerror or type(error).__name__, _REMEDY)


def _refused(error: OSError) -> None:
    """Let a folder that may not be read be an error; one that is not there holds nothing."""
    if not isinstance(error, FileNotFoundError):
        raise error
