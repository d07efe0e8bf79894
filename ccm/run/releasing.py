"""Making, approving and listing releases of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccm.diagnostics import Diagnostic, Location, has_errors, suggest
from ccm.load import lint_templates
from ccm.model.workspace import Workspace
from ccm.release import (
    Bump,
    Change,
    Release,
    ReleaseError,
    ReleaseOrder,
    ReleaseState,
    ReleaseStore,
    Step,
    approve,
    draft_changes,
    freeze,
    keep,
    release_files,
    releases_of,
    rivals_of,
    state_of,
    step_of,
    verify,
)
from ccm.run.contents import ConfigurationFault, draft_content, released_content, workspace_store


@dataclass(frozen=True)
class Affected:
    """A template whose next release an edit changes, too.

    through: The shared files of the edit that it uses.
    """

    template: str
    brand: str
    through: tuple[str, ...]


@dataclass(frozen=True)
class MadeRelease:
    """A new release, what led to its version, and who else is touched by the same edit.

    rivals: Approved releases that would be effective at the same time; approving it retires them or is refused.
    """

    release: Release
    changes: tuple[Change, ...]
    affected: tuple[Affected, ...]
    rivals: tuple[Release, ...] = ()


@dataclass(frozen=True)
class ReleaseRow:
    """One release as a list shows it.

    state: Its last step; the step says who and when.
    """

    release: Release
    state: ReleaseState
    step: Step | None


@dataclass(frozen=True)
class NextRelease:
    """What the working folder would become: nothing, when it is what the last release says."""

    template: str
    brand: str
    last: Release | None
    bump: Bump
    changes: tuple[Change, ...]


def brands_for(workspace: Workspace, template: str) -> tuple[str, ...]:
    """Return the brands that campaigns send a template in; all brands if no campaign does."""
    used = {one.brand for one in workspace.campaigns.values() if one.template_name == template}
    return tuple(sorted(used & set(workspace.brands))) or tuple(sorted(workspace.brands))


def make_release(
    workspace: Workspace,
    diagnostics: Sequence[Diagnostic],
    template: str,
    brand: str,
    order: ReleaseOrder,
    *,
    write: bool = True,
) -> MadeRelease:
    """Freeze a template in a brand.

    Args:
        diagnostics: What loading said; mistakes in files of the release refuse it, others do not matter.
        write: False only says what would be made.
    Raises:
        ConfigurationFault: If the template, its fragments or the brand have errors.
        ReleaseError: If nothing changed, or the order does not fit the difference.
        StoreUnusable: If the store cannot be used.
    """
    _refuse_faulty(workspace, diagnostics, template, brand)
    store = workspace_store(workspace)
    coming = next_release(workspace, store, template, brand)
    now = draft_content(workspace, template, brand)
    release = freeze(workspace, now, coming.last, coming.changes, order)
    affected = _affected(workspace, store, release, coming.last)
    kept = keep(store, release, workspace) if write else release
    return MadeRelease(kept, coming.changes, affected, rivals_of(store, kept))


def next_release(workspace: Workspace, store: ReleaseStore, template: str, brand: str) -> NextRelease:
    """Compare the working folder with the last release, whatever became of that."""
    known = releases_of(store, template, brand)
    last = known[-1] if known else None
    if last is None:
        return NextRelease(template, brand, None, Bump.FIRST, ())
    changes = draft_changes(last, released_content(store, last), draft_content(workspace, template, brand))
    ranks = [item.level for item in changes]
    bump = next((level for level in (Bump.MAJOR, Bump.MINOR, Bump.PATCH) if level in ranks), Bump.NONE)
    return NextRelease(template, brand, last, bump, changes)


def approve_release(
    workspace: Workspace, release: Release, *, by: str, at: datetime, supersede: bool
) -> tuple[Release, ...]:
    """Approve a release under the rules of its brand; returns the releases that were retired for it.

    Turning four eyes off needs four eyes: the last approved release's brand has a say as well.
    """
    store = workspace_store(workspace)
    for problem in verify(store, release):
        raise ReleaseError(problem.code, problem.message, problem.remedy, problem.location.path)
    approved = [
        one
        for one in releases_of(store, release.template, release.brand)
        if state_of(store, one) is ReleaseState.APPROVED
    ]
    rules = [released_content(store, one).brand.definition.approval for one in (release, *approved[-1:])]
    four_eyes = any(rule.four_eyes for rule in rules)
    return approve(store, release, by=by, at=at, four_eyes=four_eyes, supersede=supersede)


def listed_releases(workspace: Workspace) -> tuple[ReleaseRow, ...]:
    """Return every release with where it stands."""
    store = workspace_store(workspace)
    rows = []
    for release in releases_of(store):
        state = state_of(store, release)
        step = None if state is ReleaseState.DRAFT else step_of(store, release, state)
        rows.append(ReleaseRow(release, state, step))
    return tuple(rows)


def next_releases(workspace: Workspace) -> tuple[NextRelease, ...]:
    """Return what every template would become in every brand that uses it or has a release of it."""
    store = workspace_store(workspace)
    pairs = {(name, brand) for name in workspace.templates for brand in brands_for(workspace, name)}
    pairs |= {(one.template, one.brand) for one in releases_of(store)}
    there = [pair for pair in sorted(pairs) if pair[0] in workspace.templates and pair[1] in workspace.brands]
    return tuple(next_release(workspace, store, template, brand) for template, brand in there)


def _refuse_faulty(workspace: Workspace, diagnostics: Sequence[Diagnostic], template: str, brand: str) -> None:
    for kind, name, known in (("template", template, workspace.templates), ("brand", brand, workspace.brands)):
        if name not in known:
            own = [item for item in diagnostics if item.location.path.startswith(f"{kind}s/{name}/")]
            place = Location(f"{kind}s/{name}")
            missing = Diagnostic(f"unknown-{kind}", f'there is no {kind} "{name}"', suggest(name, known), place)
            raise ConfigurationFault(tuple(own) or (missing,))
    files = set(release_files(workspace, template, brand))
    own = [item for item in (*diagnostics, *lint_templates(workspace, [template])) if item.location.path in files]
    if has_errors(own):
        raise ConfigurationFault(tuple(dict.fromkeys(own)))


def _affected(
    workspace: Workspace, store: ReleaseStore, release: Release, last: Release | None
) -> tuple[Affected, ...]:
    """Return the other templates and brands with releases whose next one the same shared files change."""
    if last is None:
        return ()
    changed = {path for path in {*release.files, *last.files} if release.files.get(path) != last.files.get(path)}
    shared = {path for path in changed if not path.startswith(f"templates/{release.template}/")}
    newest = {(one.template, one.brand): one for one in releases_of(store)}
    newest.pop((release.template, release.brand), None)
    found = []
    for (template, brand), one in sorted(newest.items()):
        if template not in workspace.templates or brand not in workspace.brands:
            continue
        uses = {*release_files(workspace, template, brand), *one.files} & shared
        touched = [path for path in uses if one.files.get(path) != _hash_now(workspace, path)]
        if touched:
            found.append(Affected(template, brand, tuple(sorted(touched))))
    return tuple(found)


def _hash_now(workspace: Workspace, path: str) -> str | None:
    return workspace.library.hash_of(path) if path in workspace.library.files else None
