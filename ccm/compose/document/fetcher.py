"""The only door between a page and files: it opens the content library and nothing else."""

from __future__ import annotations

import base64
import io
import posixpath
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from weasyprint.urls import URLFetcher, URLFetcherResponse

from ccm.compose.document.image_check import image_fault
from ccm.compose.document.layout_problem import LayoutProblem
from ccm.model.workspace import ContentLibrary

SCHEME = "ccm:"
MAX_DATA_BYTES = 512 * 1024
_DATA_TYPES = ("data:image/png", "data:image/jpeg", "data:image/svg+xml")
# Own table: the system's would differ from machine to machine.
MEDIA_TYPES = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".xml": "application/xml",
}

_AUTHORED = re.compile(r"[a-z0-9_./-]+\.[a-z0-9]{2,4}")


def library_url(path: str) -> str:
    """Return the address under which a page may use a file of the content library.

    Args:
        path: From the workspace's root, as in `ContentLibrary.files`.
    """
    return SCHEME + quote(path)


def media_type_of(path: str) -> str:
    """Return the media type by a file name's ending."""
    return MEDIA_TYPES.get(posixpath.splitext(path)[1].lower(), "application/octet-stream")


@dataclass
class FetchCount:
    """What one rendering asked for.

    denied: Schemes of addresses outside the library; never the address itself, it may hold customer data.
    missing: Library paths that do not exist, where they look like a file name and not like data.
    faulty: Library path and what is wrong with the image.
    """

    denied: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    faulty: list[tuple[str, str]] = field(default_factory=list)

    def problems(self) -> tuple[LayoutProblem, ...]:
        """Return every refused or missing file as an error, each once."""
        found = [
            LayoutProblem(
                "denied-address",
                f"the page wants to load something from outside the workspace ({scheme})",
                "put the file into the template or the brand and name it with asset()",
            )
            for scheme in self.denied
        ]
        found += [
            LayoutProblem(
                "missing-file", f'the workspace has no file "{path}"', "add the file, or correct its name in the page"
            )
            for path in self.missing
        ]
        found += [
            LayoutProblem("broken-image", f'the image "{path}" {fault}', "save the image anew")
            for path, fault in self.faulty
        ]
        return tuple(dict.fromkeys(found))


class LibraryFetcher(URLFetcher):  # type: ignore[misc]  # the engine has no types
    """Serves `ccm:` addresses and relative paths from the library, and small inline images.

    Why: The engine's own fetcher embeds `file://` and reaches the network. Raising alone is not
    enough: inside a nested SVG errors are swallowed, so every refusal is also counted.
    """

    def __init__(self, library: ContentLibrary, roots: tuple[str, ...]) -> None:
        """Make a fetcher.

        Args:
            library: Everything that may be read.
            roots: Folders that a relative path is looked up in, in this order, before the library's root.
        """
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self._library = library
        self._roots = roots
        self._sound: dict[str, str] = {}
        self.count = FetchCount()

    def begin(self) -> FetchCount:
        """Start counting for a new rendering."""
        self.count = FetchCount()
        return self.count

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """Return a file of the library, or raise `ValueError` and count why."""
        lowered = url[:32].lower()
        if lowered.startswith("data:"):
            return self._inline(url)
        if lowered.startswith(SCHEME):
            path = url[len(SCHEME) :]
        elif ":" in url.partition("/")[0] or url.startswith("//"):
            return self._deny(url.partition(":")[0])
        else:
            path = url
        return self._from_library(url, unquote(path.partition("?")[0].partition("#")[0]).lstrip("/"))

    def _from_library(self, url: str, asked: str) -> URLFetcherResponse:
        for root in (*self._roots, ""):
            path = posixpath.normpath(posixpath.join(root, asked))
            if path in self._library.files:
                return self._serve(url, path)
        self.count.missing.append(asked if _AUTHORED.fullmatch(asked) else "(unnamed)")
        raise ValueError("no such file in the content library")

    def _serve(self, url: str, path: str) -> URLFetcherResponse:
        content = self._library.files[path]
        media_type = media_type_of(path)
        if path not in self._sound:
            self._sound[path] = image_fault(content, media_type)
        if fault := self._sound[path]:
            self.count.faulty.append((path, fault))
            raise ValueError("broken image")
        return URLFetcherResponse(url, io.BytesIO(content), {"Content-Type": media_type})

    def _inline(self, url: str) -> URLFetcherResponse:
        if not url.lower().startswith(_DATA_TYPES) or len(url) > MAX_DATA_BYTES:
            return self._deny("data")
        head, _, payload = url.partition(",")
        try:
            content = _decoded(head, payload)
        except ValueError:
            return self._deny("data")
        media_type = head[len("data:") :].partition(";")[0].lower()
        if fault := image_fault(content, media_type):
            self.count.faulty.append(("inline", fault))
            raise ValueError("broken image")
        return URLFetcherResponse(url, io.BytesIO(content), {"Content-Type": media_type})

    def _deny(self, scheme: str) -> URLFetcherResponse:
        shown = scheme.lower() if scheme.isalnum() and scheme.isascii() and len(scheme) <= 10 else "unknown scheme"
        self.count.denied.append(shown)
        raise ValueError("only the content library may be read")


def _decoded(head: str, payload: str) -> bytes:
    raw = unquote(payload).encode() if ";base64" not in head.lower() else base64.b64decode(unquote(payload))
    if not raw:
        raise ValueError("empty")
    return raw
