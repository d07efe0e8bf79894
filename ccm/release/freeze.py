"""From the working folder to an immutable release."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from ccm.model.workspace import Workspace
from ccm.release.content import Content
from ccm.release.difference import Change, compare, farthest, reaches
from ccm.release.engine import engine_differences, engine_lock
from ccm.release.interface import ReleaseError, ReleaseStore
from ccm.release.layout import object_key, version_order
from ccm.release.manifest import Bump, Release, hash_of_content, write_manifest
from ccm.release.resolve import release_files


@dataclass(frozen=True)
class ReleaseOrder:
    """What a person says about a new release.

    bump: None computes it from the difference.
    by: Who makes it.
    at: When, aware.
    """

    by: str
    at: datetime
    bump: Bump | None = None
    effective_from: date | None = None
    effective_until: date | None = None


def draft_changes(last: Release | None, before: Content | None, now: Content) -> tuple[Change, ...]:
    """List what a release of the working folder would change, the engine included."""
    if last is None or before is None:
        return ()
    changes = compare(before, now)
    engine = engine_differences(last.engine)
    return (*changes, *(Change(Bump.PATCH, "engine", part.split(" ")[0], part.partition(" ")[2]) for part in engine))


def freeze(
    workspace: Workspace, now: Content, last: Release | None, changes: Sequence[Change], order: ReleaseOrder
) -> Release:
    """Describe the next release of a template in a brand; nothing is written.

    Args:
        last: The one with the highest version, if there is any.
        changes: What differs from it, see `draft_changes`.
    Raises:
        ReleaseError: If nothing changed, the wanted bump is too small, or the days end before they begin.
    """
    if order.effective_from and order.effective_until and order.effective_until < order.effective_from:
        raise ReleaseError("wrong-dates", "the release would end before it begins", "swap the two days")
    template, brand = now.template.name, now.brand.name
    files = {path: workspace.library.hash_of(path) for path in release_files(workspace, template, brand)}
    samples = {
        path: workspace.library.hash_of(path) for path in workspace.library.under(f"{now.template.root}/samples")
    }
    needed = _needed(last, files, changes, order)
    bump = _wanted(order.bump, needed)
    engine = engine_lock()
    return Release(
        template=template,
        brand=brand,
        version=_next_version(last, bump, now.template.definition.version),
        files=files,
        samples=samples,
        engine=engine,
        content_hash=hash_of_content(files, engine),
        created_at=order.at,
        created_by=order.by,
        effective_from=order.effective_from,
        effective_until=order.effective_until,
        previous=last.version if last else "",
        bump=bump,
        changes=tuple(str(item) for item in changes),
    )


def keep(store: ReleaseStore, release: Release, workspace: Workspace) -> Release:
    """Write a release: objects first, the manifest last, so that a release is there completely or not at all.

    Returns:
        The release with the hash of its manifest.
    Raises:
        ReleaseError: If somebody else made that version meanwhile.
        StoreUnusable: If the store cannot be written.
    """
    for path, sha256 in {**release.files, **release.samples}.items():
        content = workspace.library.read(path)
        key = object_key(sha256)
        if not store.create(key, content) and hashlib.sha256(store.read(key)).hexdigest() != sha256:
            raise ReleaseError(
                "release-changed",
                f'{store.place(key)} holds other bytes than its name says, and "{path}" needs it',
                "remove that file; the next release writes it anew",
                store.place(key),
            )
    content, digest = write_manifest(release)
    if not store.create(release.key, content):
        raise ReleaseError(
            "release-exists",
            f"{release.title} was made by somebody else meanwhile",
            "give the command again; it takes the next version",
            store.place(release.key),
        )
    return replace(release, hash=digest)


def _needed(last: Release | None, files: dict[str, str], changes: Sequence[Change], order: ReleaseOrder) -> Bump:
    if last is None:
        return Bump.FIRST
    needed = farthest(changes)
    if needed is Bump.NONE:
        days = (order.effective_from, order.effective_until)
        redated = any(days) and days != (last.effective_from, last.effective_until)
        if not redated and dict(last.files) == files:
            raise ReleaseError(
                "nothing-changed", f"{last.title} is what the folder says", "change something first, or approve it"
            )
        return Bump.PATCH
    return needed


def _wanted(given: Bump | None, needed: Bump) -> Bump:
    if given is None or needed is Bump.FIRST:
        return needed
    if not reaches(given, needed):
        raise ReleaseError(
            "bump-too-small", f"the difference asks for {needed}, not {given}", f"say --bump {needed}, or leave it out"
        )
    return given


def _next_version(last: Release | None, bump: Bump, declared: str) -> str:
    """Return the next version; the one that template.yaml declares where it is higher."""
    if last is None:
        return declared
    major, minor, patch = version_order(last.version)
    if bump is Bump.MAJOR:
        following = f"{major + 1}.0.0"
    elif bump is Bump.MINOR:
        following = f"{major}.{minor + 1}.0"
    else:
        following = f"{major}.{minor}.{patch + 1}"
    return max(following, declared, key=version_order)
