"""Which releases a campaign's range means: approved, not retired, effective on the days of its messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ccm.model.releases import EffectiveRelease, effective_on
from ccm.release.interface import ReleaseError, ReleaseStore
from ccm.release.layout import in_range
from ccm.release.manifest import Release
from ccm.release.shelf import releases_of
from ccm.release.states import ReleaseState, state_of, step_of


def approved_releases(store: ReleaseStore, template: str, brand: str, version_range: str) -> tuple[Release, ...]:
    """Return the approved releases in a range, oldest first.

    Args:
        version_range: 1 takes 1.x.y, 1.2 takes 1.2.x, empty takes all.
    Raises:
        ReleaseError: If there is none; says what there is and what to do.
    """
    known = releases_of(store, template, brand)
    wanted = [one for one in known if in_range(one.version, version_range)]
    states = {one.version: state_of(store, one) for one in wanted}
    found = tuple(one for one in wanted if states[one.version] is ReleaseState.APPROVED)
    if found:
        return found
    asked = f"{template}@{version_range}" if version_range else template
    waiting = [one for one in wanted if states[one.version] is ReleaseState.DRAFT]
    if waiting:
        raise ReleaseError(
            "not-approved",
            f"{waiting[-1].title} is not approved",
            f"approve it with: ccm approve {waiting[-1].name} --brand {brand}; or look at it first with --draft",
        )
    if wanted:
        raise ReleaseError(
            "release-retired",
            f"every release of {asked} for {brand} is retired",
            f"make and approve a new one with: ccm release {template} --brand {brand}",
        )
    if known:
        raise ReleaseError(
            "no-release",
            f"no release of {template} for {brand} is in the range {version_range}",
            f"there is {', '.join(one.version for one in known[-5:])}; change the campaign's range, or release again",
        )
    raise ReleaseError(
        "no-release",
        f"{template} has no release for the brand {brand}, and a production run takes approved releases only",
        f"ccm release {template} --brand {brand}, then ccm approve; or look at it first with --draft",
    )


def as_effective(release: Release) -> EffectiveRelease:
    """Return what planning knows of a release."""
    return EffectiveRelease(release.ref, release.effective_from, release.effective_until)


def releases_on(releases: Iterable[Release], days: Iterable[date]) -> tuple[Release, ...]:
    """Return the releases that messages of these days are made from, each once.

    Raises:
        ReleaseError: If none is effective on any of the days, or two are effective on one.
    """
    listed = tuple(releases)
    by_ref = {one.ref: one for one in listed}
    found: dict[str, Release] = {}
    for day in days:
        effective = effective_on((as_effective(one) for one in listed), day)
        if len(effective) > 1:
            names = " and ".join(by_ref[item.release].name for item in effective)
            raise ReleaseError(
                "releases-overlap",
                f"{names} for {listed[0].brand} are both effective on {day.isoformat()}",
                "retire one with: ccm retire; or pin the campaign to one major version",
            )
        for item in effective:
            found[by_ref[item.release].version] = by_ref[item.release]
    if not found:
        spans = ", ".join(f"{one.version} {span(one)}" for one in listed)
        raise ReleaseError(
            "no-effective-release",
            f"no approved release of {listed[0].template} for {listed[0].brand} is effective on the messages' date",
            f"the approved ones are: {spans}; release again with other days",
        )
    return tuple(found.values())


def refuse_retired(store: ReleaseStore, releases: Iterable[Release]) -> None:
    """Stop a run whose release was retired meanwhile.

    Raises:
        ReleaseError: Names it, who retired it, and when.
    """
    for release in releases:
        step = step_of(store, release, ReleaseState.RETIRED)
        if step is not None:
            raise ReleaseError(
                "release-retired",
                f"{release.title} was retired by {step.by} on {step.at:%Y-%m-%d}"
                + (f" ({step.reason})" if step.reason else ""),
                "release and approve a newer version, then give the command again: it goes on with that one",
            )


def span(release: Release) -> str:
    """Return the days of a release for people."""
    if release.effective_from and release.effective_until:
        return f"{release.effective_from} to {release.effective_until}"
    if release.effective_from:
        return f"from {release.effective_from}"
    return f"until {release.effective_until}" if release.effective_until else "any day"
