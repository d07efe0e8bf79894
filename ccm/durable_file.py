"""Writing a file so that it is there completely or not at all. Imports nothing of ours."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Collection
from pathlib import Path

# What file systems without links say: FAT, network shares, folders of object stores.
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
_SHOWN = 40  # characters of a file's name that the name of its half file has
_counter = itertools.count()


def create_once(path: Path, content: bytes, *, sync: bool = True) -> bool:
    """Write a new file atomically; an existing one is left as it is.

    Args:
        path: Its folder is made if needed.
        content: The whole content.
        sync: Wait for the disk, so that the file survives a power cut.
    Returns:
        Whether the file was written; False if there is one already.
    Raises:
        OSError: If it could not be written completely; nothing is left at the path.
    Why: A temporary name and a link are the only way to be atomic and create-only at once; `rename` would replace.
    """
    temporary = _write_beside(path, content, sync=sync)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            return False
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    if sync:
        sync_folder(path.parent)
    return True


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file atomically and durably in place of an existing one.

    Raises:
        OSError: If it could not be written completely; the old file stays.
    """
    temporary = _write_beside(path, content, sync=True)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_durably(folder: Path, names: Collection[str]) -> frozenset[str]:
    """Remove files of a folder, and the half files that a killed process left of them.

    Returns:
        The names of those that were there.
    Raises:
        OSError: If one could not be removed.
    """
    if not folder.is_dir():
        return frozenset()
    shortened = {name[:_SHOWN]: name for name in names}
    found = {name: folder / name for name in names if (folder / name).exists() or (folder / name).is_symlink()}
    half = [path for path in folder.glob(".*.tmp") if path.name[1:].rsplit(".", 2)[0] in shortened]
    for path in (*found.values(), *half):
        path.unlink(missing_ok=True)
    if found or half:
        sync_folder(folder)
    return frozenset(found) | {shortened[path.name[1:].rsplit(".", 2)[0]] for path in half}


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    _sync(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_beside(path: Path, content: bytes, *, sync: bool) -> Path:
    temporary = path.parent / f".{path.name[:_SHOWN]}.{os.getpid()}-{next(_counter)}.tmp"
    try:
        file = temporary.open("xb", buffering=0)
    except FileNotFoundError:
        _make_folders(path.parent, sync=sync)
        file = temporary.open("xb", buffering=0)
    try:
        with file:
            view = memoryview(content)
            while view:  # a nearly full disk takes a part only, and says so at the next call
                view = view[file.write(view) :]
            if sync:
                os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def _make_folders(folder: Path, *, sync: bool) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if sync:
        for one in missing:
            sync_folder(one.parent)
