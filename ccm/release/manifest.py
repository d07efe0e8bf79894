"""The manifest of a release: what it is made of, who made it, when it counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from ccm.model.records import ReleaseRef
from ccm.release.interface import ReleaseError
from ccm.release.layout import release_key
from ccm.release.sealed import SEAL, seal


class Bump(StrEnum):
    """How far a release is from the one before."""

    FIRST = "first"  # there is none before
    MAJOR = "major"  # contract or facts: campaigns and data must follow
    MINOR = "minor"  # structure or layout: it looks different
    PATCH = "patch"  # copy, colour, picture or engine
    NONE = "none"  # nothing changed


@dataclass(frozen=True)
class Release:
    """One immutable version of everything that the messages of a template in a brand are made of.

    files: SHA-256 in hex by path from the workspace's root.
    samples: The template's test customers, likewise; not part of the content hash.
    engine: Versions by name, see `engine_lock`.
    content_hash: SHA-256 over files and engine.
    effective_from, effective_until: First and last day, both inclusive; None leaves that side open.
    previous: The version it was compared with; empty for the first one.
    changes: What led to the bump, one line each.
    hash: Of the manifest itself; approvals are bound to it.
    """

    template: str
    brand: str
    version: str
    files: Mapping[str, str]
    samples: Mapping[str, str]
    engine: Mapping[str, str]
    content_hash: str
    created_at: datetime
    created_by: str
    effective_from: date | None
    effective_until: date | None
    previous: str
    bump: Bump
    changes: tuple[str, ...]
    hash: str = ""

    @property
    def name(self) -> str:
        """What people type: monthly-statement@1.0.0."""
        return f"{self.template}@{self.version}"

    @property
    def title(self) -> str:
        """The name with its brand, for messages."""
        return f"{self.name} ({self.brand})"

    @property
    def ref(self) -> ReleaseRef:
        """What pieces record."""
        return ReleaseRef(self.template, self.version, self.content_hash)

    @property
    def key(self) -> str:
        """Where the manifest lies in a store."""
        return release_key(self.template, self.brand, self.version)


def hash_of_content(files: Mapping[str, str], engine: Mapping[str, str]) -> str:
    """Return the SHA-256 over the hashes of files and the versions of the engine, in hex."""
    text = json.dumps({"engine": dict(engine), "files": dict(files)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(release: Release) -> tuple[bytes, str]:
    """Return the manifest's file and its hash."""
    return seal(
        {
            "template": release.template,
            "brand": release.brand,
            "version": release.version,
            "files": dict(release.files),
            "samples": dict(release.samples),
            "engine": dict(release.engine),
            "content_hash": release.content_hash,
            "created_at": release.created_at.isoformat(timespec="seconds"),
            "created_by": release.created_by,
            "effective_from": _day(release.effective_from),
            "effective_until": _day(release.effective_until),
            "previous": release.previous,
            "bump": str(release.bump),
            "changes": list(release.changes),
        }
    )


def read_manifest(record: Mapping[str, Any], place: str) -> Release:
    """Return the release of an unsealed manifest.

    Raises:
        ReleaseError: If the record is of another form, or its content hash is not that of its files.
    """
    try:
        release = Release(
            template=record["template"],
            brand=record["brand"],
            version=record["version"],
            files=record["files"],
            samples=record["samples"],
            engine=record["engine"],
            content_hash=record["content_hash"],
            created_at=datetime.fromisoformat(record["created_at"]),
            created_by=record["created_by"],
            effective_from=_parsed(record["effective_from"]),
            effective_until=_parsed(record["effective_until"]),
            previous=record["previous"],
            bump=Bump(record["bump"]),
            changes=tuple(record["changes"]),
            hash=record[SEAL],
        )
        sound = hash_of_content(release.files, release.engine) == release.content_hash and place.endswith(release.key)
    except (KeyError, TypeError, ValueError, AttributeError):
        sound = False
    if not sound:
        raise ReleaseError(
            "release-changed",
            f"{place} is not the manifest of this release",
            "restore the file from version control or a backup",
            place,
        )
    return release


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _parsed(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None
