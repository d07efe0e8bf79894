"""The loaded workspace: definitions with their files, ready for every phase. Picklable, reads nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ccm.model.definitions import (
    BrandDefinition,
    CampaignDefinition,
    Channel,
    SourceDefinition,
    TemplateDefinition,
    WorkspaceDefinition,
)


class MissingContent(LookupError):
    """A file that the content library does not hold."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f'the workspace has no file "{path}"')


@dataclass(frozen=True)
class ContentLibrary:
    """Every file that a message may be made of; composing reads from here and from nowhere else.

    files: Bytes by path from the workspace's root, with "/" between folders.
    """

    files: Mapping[str, bytes]

    def read(self, path: str) -> bytes:
        """Return a file's bytes, or raise `MissingContent`."""
        try:
            return self.files[path]
        except KeyError:
            raise MissingContent(path) from None

    def text(self, path: str) -> str:
        """Return a file as UTF-8 text."""
        return self.read(path).decode("utf-8")

    def hash_of(self, path: str) -> str:
        """Return the file's SHA-256 in hex."""
        return hashlib.sha256(self.read(path)).hexdigest()

    def under(self, folder: str) -> tuple[str, ...]:
        """Return the sorted paths below a folder."""
        prefix = folder.rstrip("/") + "/"
        return tuple(sorted(path for path in self.files if path.startswith(prefix)))


@dataclass(frozen=True)
class Token:
    """One resolved design token.

    path: Dotted name, such as color.brand.primary.
    type: W3C type: color, dimension, fontFamily, …; empty if the file does not say.
    value: CSS text, aliases resolved.
    """

    path: str
    type: str
    value: str


@dataclass(frozen=True)
class Brand:
    """A brand with its resolved tokens.

    root: Folder from the workspace's root, such as brands/northwind-bank.
    """

    definition: BrandDefinition
    root: str
    tokens: Mapping[str, Token]

    @property
    def name(self) -> str:
        """The brand's folder name."""
        return self.definition.brand


class VariantPart(StrEnum):
    """Which file of a channel's variant."""

    BODY = "body"  # email.mjml or email.html, sms.txt, document.html, social.<network>.txt
    TEXT = "text"  # email.txt
    STYLE = "style"  # document.css
    CARD = "card"  # card.html, the picture of social posts


@dataclass(frozen=True)
class Variant:
    """The authored form for one channel.

    path: From the workspace's root; its ending tells the format (.mjml, .html, .txt, .css).
    """

    channel: Channel
    part: VariantPart
    path: str
    source: str


@dataclass(frozen=True)
class Catalogue:
    """One gettext catalogue, compiled.

    messages: Forms by (context or "", msgid); one form, or one per plural.
    plural_rule: C expression of the Plural-Forms header.
    """

    locale: str
    path: str
    messages: Mapping[tuple[str, str], tuple[str, ...]]
    plural_rule: str


@dataclass(frozen=True)
class Template:
    """A message type with all its files.

    root: Such as templates/monthly-statement.
    variants: By channel and part; a card belongs to every social channel and stands under the first.
    catalogues: By locale of the definition; the source language needs none.
    samples: Raw data of named test customers.
    """

    definition: TemplateDefinition
    root: str
    variants: Mapping[tuple[Channel, VariantPart], Variant]
    catalogues: Mapping[str, Catalogue]
    samples: Mapping[str, Mapping[str, object]]

    @property
    def name(self) -> str:
        """The template's folder name."""
        return self.definition.template

    def body(self, channel: Channel) -> Variant | None:
        """Return the main file of a channel, if the template has one."""
        return self.variants.get((channel, VariantPart.BODY))


@dataclass(frozen=True)
class Fragment:
    """A shared content block; one form per channel.

    forms: Path of each form by file name: email.mjml, email.txt, sms.txt, document.html, social.txt.
    """

    name: str
    root: str
    forms: Mapping[str, str]
    catalogues: Mapping[str, Catalogue]


@dataclass(frozen=True)
class Workspace:
    """Everything that authors wrote, loaded.

    root: Absolute folder on this machine; only the shell and adapters use it.
    """

    root: str
    definition: WorkspaceDefinition
    brands: Mapping[str, Brand]
    templates: Mapping[str, Template]
    fragments: Mapping[str, Fragment]
    campaigns: Mapping[str, CampaignDefinition]
    sources: Mapping[str, SourceDefinition]
    library: ContentLibrary
