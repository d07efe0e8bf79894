"""Reading a store: the releases it holds, their files, and whether a byte changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ccm.diagnostics import Diagnostic, Location, suggest
from ccm.model.workspace import ContentLibrary
from ccm.release.interface import ReleaseError, ReleaseStore
from ccm.release.layout import object_key, parse_release_key, release_key, version_order
from ccm.release.manifest import Release, read_manifest
from ccm.release.sealed import unseal
from ccm.release.states import ReleaseState, step_of

_RESTORE = "restore the file from version control or a backup; the release cannot be used as it is"


def releases_of(store: ReleaseStore, template: str = "", brand: str = "") -> tuple[Release, ...]:
    """Return the releases of a template in a brand, or all of them, by template, brand and version.

    Raises:
        ReleaseError: If a manifest changed.
    """
    found = []
    for key in store.listed(f"{template}/{brand}/" if template and brand else f"{template}/" if template else ""):
        parsed = parse_release_key(key)
        if parsed and (not brand or parsed[1] == brand):
            found.append(parsed)
    found.sort(key=lambda item: (item[0], item[1], version_order(item[2])))
    return tuple(read_release(store, *item) for item in found)


def read_release(store: ReleaseStore, template: str, brand: str, version: str) -> Release:
    """Return one release.

    Raises:
        ReleaseError: If there is none, or its manifest changed.
    """
    key = release_key(template, brand, version)
    try:
        content = store.read(key)
    except KeyError:
        raise ReleaseError(
            "unknown-release",
            f"there is no release {template}@{version} of the brand {brand}",
            "see what there is with: ccm releases",
        ) from None
    return read_manifest(unseal(content, store.place(key)), store.place(key))


def find_release(store: ReleaseStore, name: str, brand: str = "") -> Release:
    """Return the release that a person or a piece names.

    Args:
        name: `monthly-statement@1.0.0`, or as pieces record it with the start of its content hash after a plus.
        brand: Needed where several brands have that version and no hash tells them apart.
    Raises:
        ReleaseError: If none or several are meant.
    """
    wanted, _, digest = name.partition("+")
    template, _, version = wanted.partition("@")
    known = [parsed for key in store.listed() if (parsed := parse_release_key(key))]
    named = [item for item in known if item[0] == template and item[2] == version and brand in ("", item[1])]
    found = [one for one in (read_release(store, *item) for item in named) if one.content_hash.startswith(digest)]
    if len(found) == 1:
        return found[0]
    if found:
        brands = ", ".join(one.brand for one in found)
        raise ReleaseError("ambiguous-release", f"{wanted} exists for {brands}", "say which one with --brand")
    names = {f"{item[0]}@{item[2]}" for item in known}
    remedy = suggest(wanted, names) if names else "make one with: ccm release TEMPLATE"
    where = f" of the brand {brand}" if brand else ""
    raise ReleaseError("unknown-release", f"there is no release {name}{where}", remedy)


def library_of(store: ReleaseStore, release: Release, *, samples: bool = False) -> ContentLibrary:
    """Return the frozen files of a release, every byte checked.

    Raises:
        ReleaseError: Names the first file that is missing or changed.
    """
    wanted = {**release.files, **(release.samples if samples else {})}
    files = {}
    for path, sha256 in wanted.items():
        content, problem = _object(store, release, path, sha256)
        if problem is not None:
            raise ReleaseError(problem.code, problem.message, problem.remedy, problem.location.path)
        files[path] = content
    return ContentLibrary(files)


def verify(store: ReleaseStore, release: Release) -> tuple[Diagnostic, ...]:
    """Check every byte of a release and of its steps; empty when nothing changed.

    Returns:
        One diagnostic for each file that changed or is missing.
    """
    return tuple(_faults(store, release))


def _faults(store: ReleaseStore, release: Release) -> Iterator[Diagnostic]:
    try:
        read_release(store, release.template, release.brand, release.version)
    except ReleaseError as error:
        yield as_diagnostic(error)
    for path, sha256 in {**release.files, **release.samples}.items():
        problem = _object(store, release, path, sha256)[1]
        if problem is not None:
            yield problem
    for state in (ReleaseState.APPROVED, ReleaseState.RETIRED):
        try:
            step_of(store, release, state)
        except ReleaseError as error:
            yield as_diagnostic(error)


def _object(store: ReleaseStore, release: Release, path: str, sha256: str) -> tuple[bytes, Diagnostic | None]:
    key = object_key(sha256)
    place = Location(store.place(key))
    try:
        content = store.read(key)
    except KeyError:
        what = f'the file "{path}" of {release.title} is missing'
        return b"", Diagnostic("release-incomplete", what, _RESTORE, place)
    if hashlib.sha256(content).hexdigest() != sha256:
        what = f'the file "{path}" of {release.title} changed after the release was made'
        return b"", Diagnostic("release-changed", what, _RESTORE, place)
    return content, None


def as_diagnostic(error: ReleaseError) -> Diagnostic:
    """Return an error as what is told beside others."""
    return Diagnostic(error.code, error.message, error.remedy, Location(error.place))
