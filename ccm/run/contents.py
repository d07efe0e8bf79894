"""From frozen files or the working folder to what composing takes: runs read the release, never the working files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from ccm.diagnostics import Diagnostic, Location, Severity, has_errors
from ccm.load import check_campaign, load_brand, load_fragments, load_template, read_yaml_file
from ccm.model.definitions import CampaignDefinition
from ccm.model.records import ReleaseRef
from ccm.model.workspace import ContentLibrary, Workspace
from ccm.release import (
    Content,
    Release,
    ReleaseError,
    ReleaseStore,
    approved_releases,
    as_diagnostic,
    engine_differences,
    find_release,
    library_of,
    open_store,
    refuse_retired,
    release_files,
    releases_on,
)


class ConfigurationFault(Exception):
    """The workspace or the campaign has errors; carries every diagnostic."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(str(item) for item in diagnostics))


@dataclass(frozen=True)
class Released:
    """The releases that one run's messages are made from.

    workspace: The workspace with the first release's template, brand and fragments in place of the working ones.
    releases: Those effective on any day that a message may carry; the first is what the run starts with.
    contents: By release.
    """

    workspace: Workspace
    store: ReleaseStore
    releases: tuple[Release, ...]
    contents: Mapping[ReleaseRef, Content]
    diagnostics: tuple[Diagnostic, ...]

    def refuse_retired(self) -> None:
        """Stop when one of the releases was retired meanwhile.

        Raises:
            ConfigurationFault: Names it.
        """
        try:
            refuse_retired(self.store, self.releases)
        except ReleaseError as error:
            raise ConfigurationFault((as_diagnostic(error),)) from None

    def refuse_a_step_back(self, begun_with: str) -> None:
        """Stop when a run goes on whose own release was retired and has no newer one in its place.

        Args:
            begun_with: What the run's record says, see `names_of`.
        Raises:
            ConfigurationFault: Names the retired release.
        """
        brand = self.releases[0].brand
        try:
            for name in begun_with.split(", "):
                begun = find_release(self.store, name, brand)
                if all(_order(one) <= _order(begun) for one in self.releases):
                    refuse_retired(self.store, (begun,))
        except ReleaseError as error:
            if error.code != "unknown-release":  # the run began with another brand or before there were releases
                raise ConfigurationFault((as_diagnostic(error),)) from None


def workspace_store(workspace: Workspace) -> ReleaseStore:
    """Open the workspace's release store."""
    return open_store(workspace.definition.releases, workspace.root)


def names_of(releases: Iterable[ReleaseRef]) -> str:
    """Return what a run's record says about its releases."""
    return ", ".join(str(item) for item in releases)


def message_days(campaign: CampaignDefinition, started_at: datetime) -> tuple[date, ...]:
    """Return every date that a message of the campaign may carry, in order.

    A schedule gives the same date everywhere; without one it is the date of the run's start where the recipient
    lives, which may be the day before or after.
    """
    if campaign.schedule is not None:
        return (campaign.schedule.at.date(),)
    day = started_at.date()
    return (day, day - timedelta(days=1), day + timedelta(days=1))


def released(workspace: Workspace, campaign: CampaignDefinition, started_at: datetime) -> Released:
    """Find the approved releases that a campaign's messages are made from, and read their files.

    Raises:
        ConfigurationFault: If there is none, two are effective at once, a byte changed, or the campaign does not fit.
        StoreUnusable: If the store cannot be read.
    """
    store = workspace_store(workspace)
    template, brand = campaign.template_name, campaign.brand
    try:
        approved = approved_releases(store, template, brand, campaign.template_range)
        chosen = releases_on(approved, message_days(campaign, started_at))
        contents = {one.ref: released_content(store, one) for one in chosen}
    except ReleaseError as error:
        raise ConfigurationFault((_at_campaign(error, campaign),)) from None
    _refuse_two_contracts(campaign, chosen, contents)
    spaces = [with_content(workspace, content) for content in contents.values()]
    diagnostics = [
        item
        for one, space in zip(chosen, spaces, strict=True)
        for item in _told_of_release(one, _fits(space, campaign), workspace, campaign)
    ]
    if has_errors(diagnostics):
        raise ConfigurationFault(tuple(diagnostics))
    diagnostics += [_other_engine(one, parts) for one in chosen if (parts := engine_differences(one.engine))]
    return Released(spaces[0], store, chosen, contents, tuple(dict.fromkeys(diagnostics)))


def released_content(store: ReleaseStore, release: Release, *, samples: bool = False) -> Content:
    """Return what a release's messages are made of, every byte checked.

    Raises:
        ReleaseError: If a byte changed or a file is missing.
        ConfigurationFault: If this engine cannot read what an older one accepted.
    """
    content = content_of(library_of(store, release, samples=samples), release.template, release.brand)
    definition = content.template.definition.model_copy(update={"version": release.version})
    return replace(content, template=replace(content.template, definition=definition))


def draft_content(workspace: Workspace, template: str, brand: str) -> Content:
    """Return what the working folder says today, with the template's samples."""
    root = workspace.templates[template].root
    paths = {*release_files(workspace, template, brand), *workspace.library.under(f"{root}/samples")}
    library = ContentLibrary({path: workspace.library.files[path] for path in sorted(paths)})
    return Content(workspace.templates[template], workspace.brands[brand], workspace.fragments, library)


def content_of(library: ContentLibrary, template_name: str, brand_name: str) -> Content:
    """Load template, brand and fragments from a library alone."""
    template, template_faults = load_template(library, template_name)
    brand, brand_faults = load_brand(library, brand_name)
    fragments, fragment_faults = load_fragments(library)
    diagnostics = (*template_faults, *brand_faults, *fragment_faults)
    if template is None or brand is None or has_errors(diagnostics):
        raise ConfigurationFault(diagnostics)
    return Content(template, brand, fragments, library)


def with_content(workspace: Workspace, content: Content) -> Workspace:
    """Return the workspace with a release's template, brand and fragments in place of the working ones.

    Other templates stay for what sources say about their columns; composing sees the release's library alone.
    """
    return replace(
        workspace,
        templates={**workspace.templates, content.template.name: content.template},
        brands={content.brand.name: content.brand},
        fragments=content.fragments,
        library=content.library,
    )


def _fits(workspace: Workspace, campaign: CampaignDefinition) -> tuple[Diagnostic, ...]:
    """Check the campaign against the frozen template and brand, as `ccm check` does against the working ones."""
    folder = Path(workspace.root) / "campaigns"
    path = next((one for one in sorted(folder.glob("*.y*ml")) if one.stem == campaign.campaign), None)
    if path is None:  # made in memory by a program; what cannot be placed is checked by prepare
        return ()
    file, problems = read_yaml_file(Path(workspace.root), f"campaigns/{path.name}")
    if problems:
        return problems
    broken: Mapping[str, frozenset[str]] = {"brands": frozenset(), "templates": frozenset(), "data": frozenset()}
    return tuple(check_campaign(workspace, campaign, file, broken))


def _told_of_release(
    release: Release, found: tuple[Diagnostic, ...], workspace: Workspace, campaign: CampaignDefinition
) -> Iterator[Diagnostic]:
    """Blame the release where the template in the working folder fits the campaign already."""
    fits_now: set[tuple[str, Location]] = set()
    behind = has_errors(found) and campaign.template_name in workspace.templates
    if behind:
        fits_now = {(item.code, item.location) for item in _fits(workspace, campaign)}
    for item in found:
        if not behind or item.severity is not Severity.ERROR or (item.code, item.location) in fits_now:
            yield item
            continue
        said = item.message.removeprefix("the template ")
        message = f"{release.name} {said}" if said != item.message else f"{release.name} is older: {item.message}"
        remedy = f"release and approve the template again: ccm release {release.template} --brand {release.brand}"
        yield Diagnostic("release-behind", message, remedy, item.location)


def _refuse_two_contracts(
    campaign: CampaignDefinition, releases: tuple[Release, ...], contents: Mapping[ReleaseRef, Content]
) -> None:
    """One table of recipients is read by one contract; a run across two major versions has two."""
    if len({release.version.partition(".")[0] for release in releases}) < 2:
        return
    names = " and ".join(one.name for one in releases)
    error = ReleaseError(
        "releases-overlap",
        f"messages of this run would be made from {names}, which have different contracts",
        f"pin the campaign to one major version, such as {releases[0].template}@{releases[0].version.partition('.')[0]}",
    )
    raise ConfigurationFault((_at_campaign(error, campaign),))


def _at_campaign(error: ReleaseError, campaign: CampaignDefinition) -> Diagnostic:
    """Tell the campaign's author; a changed file keeps its own place."""
    if error.code in ("release-changed", "release-incomplete", "approval-mismatch"):
        return as_diagnostic(error)
    return Diagnostic(error.code, error.message, error.remedy, Location(f"campaigns/{campaign.campaign}.yaml"))


def _other_engine(release: Release, parts: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        "engine-differs",
        f"{release.title} was made with another engine: {', '.join(parts)}",
        f"install what the release names, or release again with: ccm release {release.template} --brand {release.brand}",
        Location(release.key),
        Severity.WARNING,
    )


def _order(release: Release) -> tuple[int, ...]:
    return tuple(int(part) for part in release.version.split("."))
