"""Images by the names that templates use: the brand's logo, files beside the template, files of the brand."""

from __future__ import annotations

import hashlib
import posixpath
import re
from urllib.parse import quote

from ccm.compose.email.mime import InlineImage
from ccm.compose.failure import ComposeFailure
from ccm.compose.printing import StaticText
from ccm.model.workspace import Brand, ContentLibrary, Template

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}
_CID = re.compile(r"\bcid:([0-9a-f]{24}@[a-z0-9-]+)")


class ImageShelf:
    """Finds images and gives them the address that a channel needs.

    Each address is made once per name, so this stays small.
    """

    def __init__(self, template: Template, brand: Brand, library: ContentLibrary) -> None:
        self._template = template
        self._brand = brand
        self._library = library
        self._by_cid: dict[str, InlineImage] = {}
        self._cids: dict[str, StaticText] = {}

    def in_email(self, name: str) -> str:
        """Return `cid:…` of an image that travels inside the message."""
        known = self._cids.get(name)
        if known is None:
            path = self._path(name, for_email=True)
            content = self._library.read(path)
            cid = f"{hashlib.sha256(content).hexdigest()[:24]}@{self._brand.name}"
            media_type = _TYPES.get(posixpath.splitext(path)[1].lower())
            if media_type is None or media_type == "image/svg+xml":
                raise ComposeFailure(
                    "unusable-image",
                    f'mail clients do not show "{path}"',
                    "use PNG, JPEG or GIF; logo.email for the logo",
                )
            self._by_cid[cid] = InlineImage(cid, posixpath.basename(path), media_type, content)
            known = self._cids[name] = StaticText(f"cid:{cid}")
        return known

    def in_document(self, name: str) -> str:
        """Return the address of an image of the content library, as documents and cards use it."""
        return StaticText("ccm:" + quote(self._path(name, for_email=False)))

    def used_in(self, html: str) -> tuple[InlineImage, ...]:
        """Return the images that a page shows, each once, in order."""
        return tuple(self._by_cid[cid] for cid in dict.fromkeys(_CID.findall(html)) if cid in self._by_cid)

    def _path(self, name: str, *, for_email: bool) -> str:
        logo = self._brand.definition.logo
        named = {
            "logo": (logo.email or logo.file) if for_email else logo.file,
            "logo-dark": logo.email_dark or logo.email or logo.file,
        }
        if name in named:
            return self._found([posixpath.join(self._brand.root, named[name])], name)
        roots = (self._template.root, self._brand.root)
        return self._found([posixpath.join(root, name) for root in roots], name, roots)

    def _found(self, paths: list[str], name: str, inside: tuple[str, ...] = ()) -> str:
        for path in paths:
            normal = posixpath.normpath(path)
            below = not inside or any(normal.startswith(f"{root}/") for root in inside)
            if below and normal in self._library.files:
                return normal
        raise ComposeFailure(
            "missing-image", f'there is no image "{name}"', "put it beside the template or into the brand's folder"
        )
