"""Approving and retiring: bound to the hash, checked to the last byte, by a second person where the brand wants it."""

from __future__ import annotations

from datetime import datetime

from ccm.release.interface import ReleaseError, ReleaseStore
from ccm.release.layout import version_order
from ccm.release.manifest import Release
from ccm.release.shelf import releases_of, verify
from ccm.release.states import ReleaseState, Step, state_of, step_of, take_step


def approve(
    store: ReleaseStore, release: Release, *, by: str, at: datetime, four_eyes: bool, supersede: bool = False
) -> tuple[Release, ...]:
    """Approve a release for production.

    Args:
        four_eyes: The brand wants another person than the one who made the release.
        supersede: Retire the approved releases that would be effective at the same time.
    Returns:
        The releases that were retired for it.
    Raises:
        ReleaseError: If a byte changed, it is approved or retired already, the person may not, or two releases
            would be effective at once.
    """
    for problem in verify(store, release):
        raise ReleaseError(problem.code, problem.message, problem.remedy, problem.location.path)
    _refuse_taken(store, release)
    if four_eyes and by == release.created_by:
        raise ReleaseError(
            "four-eyes",
            f"{release.title} was made by {by}, and the brand wants a second person to approve it",
            "let somebody else approve it; --by or CCM_BY says who",
        )
    rivals = rivals_of(store, release)
    if rivals and not supersede:
        names = ", ".join(one.name for one in rivals)
        raise ReleaseError(
            "releases-overlap",
            f"{release.title} and {names} would be effective at the same time",
            f"retire the old one with --supersede, or release with --effective-from so that {release.name} takes over on a day",
        )
    if not take_step(store, release, Step(ReleaseState.APPROVED, by, at)):
        _refuse_taken(store, release)
    for rival in rivals:
        take_step(store, rival, Step(ReleaseState.RETIRED, by, at, f"superseded by {release.name}"))
    return rivals


def retire(store: ReleaseStore, release: Release, *, by: str, at: datetime, reason: str) -> None:
    """Take a release out of use for good; it stays for proof.

    Raises:
        ReleaseError: If it is retired already.
    """
    if not take_step(store, release, Step(ReleaseState.RETIRED, by, at, reason)):
        _refuse_taken(store, release)


def rivals_of(store: ReleaseStore, release: Release) -> tuple[Release, ...]:
    """Return the approved releases of the same major version that begin on the same day and share days with it."""
    major = version_order(release.version)[0]
    return tuple(
        one
        for one in releases_of(store, release.template, release.brand)
        if one.version != release.version
        and version_order(one.version)[0] == major
        and one.effective_from == release.effective_from
        and state_of(store, one) is ReleaseState.APPROVED
    )


def _refuse_taken(store: ReleaseStore, release: Release) -> None:
    for state in (ReleaseState.RETIRED, ReleaseState.APPROVED):
        step = step_of(store, release, state)
        if step is not None:
            raise ReleaseError(
                "release-approved" if state is ReleaseState.APPROVED else "release-retired",
                f"{release.title} was {state} by {step.by} on {step.at:%Y-%m-%d}" + _why(step),
                "nothing is left to do" if state is ReleaseState.APPROVED else "make a new release of the template",
            )


def _why(step: Step) -> str:
    return f" ({step.reason})" if step.reason else ""
