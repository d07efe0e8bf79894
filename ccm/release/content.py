"""Everything that the messages of one template in one brand are made of, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ccm.model.workspace import Brand, ContentLibrary, Fragment, Template


@dataclass(frozen=True)
class Content:
    """What is frozen, compared and composed with.

    library: Holds the files of the release, and the samples beside them.
    """

    template: Template
    brand: Brand
    fragments: Mapping[str, Fragment]
    library: ContentLibrary
