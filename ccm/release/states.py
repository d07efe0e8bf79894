"""Draft → approved → retired: each step is a file of its own that names the manifest's hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ccm.release.interface import ReleaseError, ReleaseStore
from ccm.release.layout import release_key
from ccm.release.manifest import Release
from ccm.release.sealed import seal, unseal


class ReleaseState(StrEnum):
    """Where a release stands; it only moves forward."""

    DRAFT = "draft"  # frozen, nobody approved it
    APPROVED = "approved"  # production runs may use it
    RETIRED = "retired"  # kept for proof, never used again


@dataclass(frozen=True)
class Step:
    """One step of a release: who did it, when, and why."""

    state: ReleaseState
    by: str
    at: datetime
    reason: str = ""


def step_of(store: ReleaseStore, release: Release, state: ReleaseState) -> Step | None:
    """Return a step of a release, or None if it was not taken.

    Raises:
        ReleaseError: If the file of the step changed, or is bound to other bytes.
    """
    key = release_key(release.template, release.brand, release.version, state)
    place = store.place(key)
    try:
        record = unseal(store.read(key), place)
    except KeyError:
        return None
    if record.get("release") != release.hash:
        raise ReleaseError(
            "approval-mismatch",
            f"{place} is bound to other bytes than the release has",
            "restore both files from version control, or release and approve again",
            place,
        )
    return Step(state, record["by"], datetime.fromisoformat(record["at"]), record["reason"])


def state_of(store: ReleaseStore, release: Release) -> ReleaseState:
    """Return where a release stands."""
    for state in (ReleaseState.RETIRED, ReleaseState.APPROVED):
        if step_of(store, release, state) is not None:
            return state
    return ReleaseState.DRAFT


def take_step(store: ReleaseStore, release: Release, step: Step) -> bool:
    """Write a step; False if somebody else took it already."""
    content, _ = seal(
        {"release": release.hash, "by": step.by, "at": step.at.isoformat(timespec="seconds"), "reason": step.reason}
    )
    return store.create(release_key(release.template, release.brand, release.version, step.state), content)
