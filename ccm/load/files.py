"""The content library: the bytes of everything under brands/ and templates/, and paths inside the workspace."""

from __future__ import annotations

import posixpath
from pathlib import Path

from ccm.diagnostics import Diagnostic, Location
from ccm.model.workspace import ContentLibrary

CONTENT_FOLDERS = ("brands", "templates")
MAX_FILE_BYTES = 64_000_000  # the largest CJK font is about 20 MB


def read_library(root: Path) -> tuple[ContentLibrary, tuple[Diagnostic, ...]]:
    """Read every content file; hidden files and links that lead out of the workspace are left out.

    Why: a link to /etc/passwd would travel inside a message otherwise.
    """
    files: dict[str, bytes] = {}
    diagnostics: list[Diagnostic] = []
    inside = root.resolve()
    for path in _content_files(root):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            what = "this link leads out of the workspace"
            diagnostics.append(Diagnostic("outside-workspace", what, "copy the file instead", Location(name)))
            continue
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                what = f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB"
                diagnostics.append(Diagnostic("file-too-large", what, "make it smaller", Location(name)))
                continue
            files[name] = path.read_bytes()
        except OSError as error:
            what = f"the file cannot be read: {error.strerror or type(error).__name__}"
            remedy = "check that you may read it"
            diagnostics.append(Diagnostic("unreadable-file", what, remedy, Location(name)))
    return ContentLibrary(files), tuple(diagnostics)


def _content_files(root: Path) -> list[Path]:
    found: list[Path] = []
    folders = [root / name for name in CONTENT_FOLDERS]
    while folders:
        folder = folders.pop()
        if not folder.is_dir():
            continue
        for path in folder.iterdir():
            if path.name.startswith(".") or path.name in ("__pycache__", "Thumbs.db"):
                continue
            if path.is_dir():
                if not path.is_symlink():
                    folders.append(path)
            else:
                found.append(path)
    return sorted(found)


def inside(folder: str, relative: str) -> str | None:
    """Return the path of a file named relative to a folder, from the root; None if it leads out of the workspace."""
    if relative.startswith("/") or "\\" in relative or "\x00" in relative:
        return None
    path = posixpath.normpath(posixpath.join(folder, relative))
    return None if path == ".." or path.startswith(("../", "/")) else path


def folders_in(library: ContentLibrary, folder: str) -> tuple[str, ...]:
    """Return the sorted names of what lies directly in a folder and holds files."""
    prefix = folder + "/"
    below = (path[len(prefix) :] for path in library.files if path.startswith(prefix))
    return tuple(sorted({path.partition("/")[0] for path in below if "/" in path}))
