"""A folder as provider: every piece becomes files that people can open. The default, and what proofs go to."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from ccm.deliver.interface import Adapter, DeliveryError, Forgotten
from ccm.durable_file import create_once, remove_durably
from ccm.model.definitions import Channel
from ccm.model.records import (
    Capabilities,
    DocumentRendition,
    EmailRendition,
    Envelope,
    Receipt,
    ReceiptStatus,
    SmsRendition,
    SocialRendition,
)

_ENDINGS = {Channel.EMAIL: ".eml", Channel.DOCUMENT: ".pdf"}
_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_IMAGE_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg", "image/webp": ".webp"}
_OTHER_IMAGE = ".bin"


class OutboxAdapter(Adapter):
    """Writes `<folder>/<channel>/<piece id>.eml`, `.txt` or `.pdf`, each with a `.json` of its envelope.

    The main file is written last and only once: its presence is the proof that the piece was accepted.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        channels=tuple(Channel), deduplicates=True, looks_up=True, concurrency=8
    )

    def __init__(self, provider: str, folder: Path) -> None:
        self._provider = provider
        self._folder = folder

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `folder` is relative to the workspace, `outbox` if not given."""
        unknown = sorted(set(settings) - {"folder"})
        if unknown:
            raise DeliveryError(
                provider, f'setting "{unknown[0]}" is not known', "the outbox takes `folder` alone", retriable=False
            )
        return cls(provider, Path(root) / settings.get("folder", "outbox"))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Write the piece's files; a piece that is there already is accepted as known."""
        try:
            path = self._path(envelope.key, envelope.channel)
            if path.exists():
                return self._accepted(envelope.key, path, "known")
            for name, content in payload(envelope).items():
                written = create_once(path.with_name(name), content)
            return self._accepted(envelope.key, path, "written" if written else "known")
        except OSError as error:
            raise folder_fault(self._provider, error) from None

    def look_up(self, key: str) -> Receipt | None:
        """Tell whether the piece's main file is there."""
        if not is_safe_key(key):
            return None
        paths = (self._path(key, channel) for channel in Channel)
        return next((self._accepted(key, path, "known") for path in paths if path.exists()), None)

    def forget(self, pieces: Sequence[str]) -> Forgotten:
        """Remove the pieces' files."""
        removed: set[str] = set()
        try:
            for channel in Channel:
                names = {name: key for key in pieces if is_safe_key(key) for name in _names(key, channel)}
                removed |= {names[name] for name in remove_durably(self._folder / channel, names)}
        except OSError as error:
            raise folder_fault(self._provider, error) from None
        return Forgotten(frozenset(removed))

    def verify(self) -> None:
        """Check that the folder can be written."""
        check_folder(self._provider, self._folder)

    def _path(self, key: str, channel: Channel) -> Path:
        return self._folder / channel / main_name(key, channel)

    def _accepted(self, key: str, path: Path, status: str) -> Receipt:
        name = path.relative_to(self._folder).as_posix()
        return Receipt(key, ReceiptStatus.ACCEPTED, self._provider, provider_id=name, provider_status=status)


def check_folder(provider: str, folder: Path) -> None:
    """Check that a folder can be made and written.

    Raises:
        DeliveryError: If not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_fault(provider, error) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise folder_fault(provider, PermissionError(errno.EACCES, ""))


def folder_fault(provider: str, error: OSError) -> DeliveryError:
    """Return the fault of a folder that cannot be written: nothing was accepted, and waiting does not help."""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return DeliveryError(
        provider,
        f"its folder could not be written ({reason})",
        "free space or correct its permissions, then give the command again",
        retriable=False,
    )


def is_safe_key(key: str) -> bool:
    """Tell whether a key can be part of a file's name."""
    return bool(_SAFE_KEY.fullmatch(key))


def main_name(key: str, channel: Channel) -> str:
    """Return the name of a piece's main file.

    Raises:
        ValueError: If the key could leave the folder.
    """
    if not is_safe_key(key):
        raise ValueError("a piece id is letters, digits, dots, dashes and underscores")
    return key + _ENDINGS.get(channel, ".txt")


def _names(key: str, channel: Channel) -> tuple[str, ...]:
    """Return every name that a file of a piece may have, the main file's first: it is the proof that there is one."""
    endings = (".json", *_IMAGE_ENDINGS.values(), _OTHER_IMAGE)
    return (main_name(key, channel), *(key + ending for ending in endings))


def payload(envelope: Envelope) -> dict[str, bytes]:
    """Return the piece's files by name, the main file last."""
    key, rendition = envelope.key, envelope.rendition
    files: dict[str, bytes] = {}
    details: dict[str, object] = {
        "piece": key,
        "channel": envelope.channel,
        "sender": envelope.sender,
        "address": envelope.address,
        "tags": dict(envelope.tags),
    }
    match rendition:
        case EmailRendition():
            details |= {"subject": rendition.subject, "preheader": rendition.preheader}
        case SmsRendition():
            details |= {"alphabet": rendition.alphabet, "segments": list(rendition.segments)}
        case DocumentRendition():
            details |= {"filename": rendition.filename, "title": rendition.title, "pages": rendition.pages}
        case SocialRendition():
            details |= {"language": rendition.language, "length": rendition.length, "limit": rendition.limit}
            if rendition.card:
                name = key + _IMAGE_ENDINGS.get(rendition.card.media_type, _OTHER_IMAGE)
                details |= {"card": name, "alt": rendition.card.alt}
                files[name] = rendition.card.content
    files[f"{key}.json"] = json.dumps(details, ensure_ascii=False, indent=2).encode() + b"\n"
    files[main_name(key, envelope.channel)] = rendition.content
    return files
