"""Composing a communication again from its release and its snapshot, as it was composed the first time."""

from __future__ import annotations

from dataclasses import replace

from ccm.compose import Composer
from ccm.model.records import Communication, ReleaseRef, Rendition
from ccm.release import Release, ReleaseError, ReleaseStore, find_release
from ccm.run.contents import released_content

_LONGEST_TEXT = 10  # segments; the campaign's own limit decided then, and it changes no byte of a text that passed


class DraftPiece(Exception):
    """The piece was made from the working folder; there is no release to compose it from again."""


class Replayer:
    """Composes from the release store alone; nothing of the working folder is read. Keep one per process."""

    def __init__(self, store: ReleaseStore) -> None:
        self._store = store
        self._releases: dict[ReleaseRef, Release] = {}
        self._composers: dict[ReleaseRef, Composer] = {}

    def release(self, communication: Communication) -> Release:
        """Return the release a communication was composed from.

        Raises:
            DraftPiece: If it was none.
            ReleaseError: If the store no longer has it, or its manifest changed.
        """
        ref = communication.release
        if ref.version.endswith("-draft"):
            raise DraftPiece(str(ref))
        if ref not in self._releases:
            self._releases[ref] = find_release(self._store, f"{ref.template}@{ref.version}+{ref.content_hash}")
        return self._releases[ref]

    def renditions(self, communication: Communication) -> dict[str, Rendition]:
        """Return the renditions of a communication by piece, those that can be made.

        Raises:
            DraftPiece: If it was made from the working folder.
            ReleaseError: Names the first file of the release that is missing or changed.
            ConfigurationFault: If this engine cannot read what an older one accepted.
        """
        release = self.release(communication)
        if release.ref not in self._composers:
            self._composers[release.ref] = self._made(release)
        composed = self._composers[release.ref].compose(communication)
        return {item.piece_id: item for item in composed.renditions}

    def _made(self, release: Release) -> Composer:
        content = released_content(self._store, release)
        definition = content.template.definition
        rules = definition.sms.model_copy(update={"max_segments": _LONGEST_TEXT})
        template = replace(content.template, definition=definition.model_copy(update={"sms": rules}))
        return Composer(template, content.brand, content.fragments, content.library)


__all__ = ["DraftPiece", "ReleaseError", "Replayer"]
