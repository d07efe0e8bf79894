"""What a place for releases is: bytes by key, created once and never changed."""

from __future__ import annotations

from abc import ABC, abstractmethod


class ReleaseError(Exception):
    """A release could not be made, found or read; says what to do."""

    def __init__(self, code: str, message: str, remedy: str, place: str = "releases") -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        self.place = place
        super().__init__(f"{message}; {remedy}")


class StoreUnusable(Exception):
    """The folder or bucket of the releases cannot be read or written: an outside matter, not the author's."""

    def __init__(self, place: str, reason: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"the releases in {place} cannot be used ({reason}); {remedy}")


class ReleaseStore(ABC):
    """Base of every release store. Keys are relative paths with "/"; create-only."""

    @abstractmethod
    def create(self, key: str, content: bytes) -> bool:
        """Write a new key durably; an existing one is left as it is.

        Returns:
            Whether it was written; False if there was one already.
        Raises:
            StoreUnusable: If it could not be written.
        """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return the bytes of a key.

        Raises:
            KeyError: If there is none.
            StoreUnusable: If it could not be read.
        """

    @abstractmethod
    def listed(self, prefix: str = "") -> tuple[str, ...]:
        """Return the sorted keys that start with a prefix, without the objects unless asked for them.

        Raises:
            StoreUnusable: If they could not be listed.
        """

    @abstractmethod
    def place(self, key: str = "") -> str:
        """Return where a key is, for people: a path from the workspace's root, or an s3:// address."""
