"""What an archive is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ccm.model.records import ArchiveRef


class ArchiveError(Exception):
    """The archive could not keep or give something; free of personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


class ContentMissing(ArchiveError):
    """The archive does not have what it was asked for."""


class ContentChanged(ArchiveError):
    """The archive has other bytes than those it was given."""


class Archive(ABC):
    """Base of every archive: create-only, content-addressed."""

    @abstractmethod
    def put(self, content: bytes, media_type: str) -> ArchiveRef:
        """Keep content; readable at once, durable after the next `sync`. Keeping the same bytes twice is fine.

        Raises:
            ArchiveError: If it could not be written completely (full disk, no permission).
        """

    @abstractmethod
    def get(self, sha256: str) -> bytes:
        """Return content, checked against its hash.

        Raises:
            ContentMissing: If there is none.
            ContentChanged: If its bytes changed.
            ArchiveError: If the archive cannot be used.
        """

    def remove(self, sha256: str) -> bool:
        """Take content out for good: what is past its retention, or a rendition that was thinned.

        Returns:
            Whether it was there.
        Raises:
            ArchiveError: If it could not be removed, or this archive never gives anything up.
        """
        raise ArchiveError("this archive keeps everything", "remove it with the means of that archive")

    def sync(self) -> None:
        """Make everything put so far durable; call it before anything that relies on it is written down.

        Raises:
            ArchiveError: If the disk refuses.
        """
        return
