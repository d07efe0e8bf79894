"""From a campaign's name to everything its run needs; nothing is sent here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from ccm import plugins
from ccm.check import CheckRules
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.diagnostics import Diagnostic, Location, has_errors, suggest
from ccm.load import check_source, compile_segment, load_parameters, load_suppressions
from ccm.model.definitions import CampaignDefinition, Channel, ProviderDefinition
from ccm.model.records import Capabilities, ReleaseRef, run_id
from ccm.model.workspace import Brand, Template, Workspace
from ccm.plan import OccurrenceError, PlanBrief, compare_capabilities, occurrence_of
from ccm.release import as_effective, resolve
from ccm.run.contents import ConfigurationFault, Released, names_of, released


@dataclass(frozen=True)
class Prepared:
    """One campaign occurrence, ready to be planned and composed.

    released: The approved releases that messages are made from; None for the working folder (previews, drafts).
    """

    workspace: Workspace
    campaign: CampaignDefinition
    template: Template
    brand: Brand
    release: ReleaseRef
    brief: PlanBrief
    rules: CheckRules
    period: tuple[date, date] | None
    diagnostics: tuple[Diagnostic, ...]
    released: Released | None = None

    @property
    def release_names(self) -> str:
        """What the run's record says about its releases."""
        return names_of(self.released.contents if self.released else (self.release,))

    def brand_of(self, release: ReleaseRef) -> Brand:
        """Return the brand as it is in a release."""
        content = self.released.contents.get(release) if self.released else None
        return content.brand if content else self.brand


def utc_now() -> datetime:
    """Read the clock; everything below the shell gets the time as an argument."""
    return datetime.now(UTC)  # noqa: TID251 - the shell is where the clock is read


def campaign_named(workspace: Workspace, name: str) -> CampaignDefinition:
    """Return a campaign, or raise with the nearest name."""
    try:
        return workspace.campaigns[name]
    except KeyError:
        raise ConfigurationFault(
            (
                Diagnostic(
                    "unknown-campaign",
                    f'the workspace has no campaign "{name}"',
                    suggest(name, workspace.campaigns),
                    Location(f"campaigns/{name}.yaml"),
                ),
            )
        ) from None


def prepare(
    workspace: Workspace,
    campaign_name: str,
    *,
    now: datetime,
    occurrence: str | None = None,
    ignore_schedule: bool = False,
    production: bool = False,
    started_at: datetime | None = None,
    headers: bool = True,
) -> Prepared:
    """Resolve a campaign to its template, brand, release, occurrence, segment and rules.

    Args:
        now: Aware UTC; the time that schedules and quiet hours are compared with.
        occurrence: Key that overrides the computed one, such as 2026-10.
        ignore_schedule: Previews and drafts show a message before its time, and at night.
        production: Take approved releases; otherwise the working folder.
        started_at: When the run began, if that was not now; decides which releases are effective.
        headers: Also read the tables' headers: a column that everybody needs must not be missing.
    Raises:
        ConfigurationFault: With every diagnostic, if any is an error.
    """
    campaign = campaign_named(workspace, campaign_name)
    frozen = released(workspace, campaign, started_at or now) if production else None
    workspace = frozen.workspace if frozen else workspace
    template = with_limits(workspace.templates[campaign.template_name], campaign)
    brand = workspace.brands[campaign.brand]
    key, period = _occurrence(campaign, now, occurrence)
    sending = _sending(workspace, campaign, template, headers=headers)
    diagnostics = (*(frozen.diagnostics if frozen else ()), *sending.diagnostics)
    if has_errors(diagnostics):
        raise ConfigurationFault(diagnostics)
    release = frozen.releases[0].ref if frozen else resolve(workspace, campaign.template_name, "", campaign.brand)
    source = workspace.sources[campaign.audience.source]
    brief = PlanBrief(
        campaign=campaign,
        template=template.definition,
        brand=brand,
        release=release,
        run_id=run_id(campaign.campaign, key),
        occurrence=key,
        period=period,
        now=now,
        segment=sending.segment,
        suppressions=load_suppressions(workspace, source),
        capabilities=sending.capabilities,
        parameters=sending.parameters,
        started_at=started_at,
        ignore_schedule=ignore_schedule,
        candidates=tuple(as_effective(one) for one in frozen.releases) if frozen else (),
        templates={ref: one.template.definition for ref, one in frozen.contents.items()} if frozen else {},
    )
    rules = CheckRules.for_campaign(campaign, template.definition, brand)
    rules = replace(rules, largest=largest_messages(campaign, brief.capabilities))
    return Prepared(workspace, campaign, template, brand, release, brief, rules, period, diagnostics, frozen)


class _Sending(NamedTuple):
    """What a campaign says beside its template, typed and checked against it."""

    segment: Callable[[Mapping[str, object]], bool]
    parameters: Mapping[str, object]
    capabilities: Mapping[str, Capabilities]
    diagnostics: tuple[Diagnostic, ...]


def _sending(workspace: Workspace, campaign: CampaignDefinition, template: Template, *, headers: bool) -> _Sending:
    segment, segment_faults = compile_segment(campaign, template)
    parameters, parameter_faults = load_parameters(template, campaign)
    capabilities = provider_capabilities(workspace, campaign)
    lacking = compare_capabilities(campaign, capabilities, template.definition)
    source = workspace.sources[campaign.audience.source]
    columns = [one for one in check_source(workspace, source, template) if has_errors((one,))] if headers else []
    return _Sending(
        segment, parameters, capabilities, (*segment_faults, *parameter_faults, *lacking, *dict.fromkeys(columns))
    )


def _occurrence(
    campaign: CampaignDefinition, now: datetime, wanted: str | None
) -> tuple[str, tuple[date, date] | None]:
    try:
        return occurrence_of(campaign, now, wanted)
    except OccurrenceError as error:
        place = Location(f"campaigns/{campaign.campaign}.yaml")
        raise ConfigurationFault((Diagnostic("wrong-occurrence", str(error), error.remedy, place),)) from None


def with_limits(template: Template, campaign: CampaignDefinition) -> Template:
    """Return the template with the campaign's own limit for text messages in place of the template's."""
    if campaign.limits.sms_segments is None:
        return template
    rules = template.definition.sms.model_copy(update={"max_segments": campaign.limits.sms_segments})
    return replace(template, definition=template.definition.model_copy(update={"sms": rules}))


def provider_capabilities(workspace: Workspace, campaign: CampaignDefinition) -> Mapping[str, Capabilities]:
    """Return what each of the campaign's providers can do, without opening any."""
    providers = workspace.definition.providers
    return {
        name: plugins.load_adapter(providers[name].adapter).capabilities
        for name in sorted(set(campaign.deliver.values()))
        if name in providers
    }


def largest_messages(campaign: CampaignDefinition, capabilities: Mapping[str, Capabilities]) -> dict[Channel, int]:
    """Return the most bytes that each channel's provider takes, where it says so."""
    said = {channel: capabilities[name].max_bytes for channel, name in campaign.deliver.items() if name in capabilities}
    return {channel: size for channel, size in said.items() if size is not None}


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def settings_from_environment(name: str, provider: ProviderDefinition, environ: Mapping[str, str]) -> dict[str, str]:
    """Fill ${NAME} in a provider's settings.

    Raises:
        DeliveryError: If a variable is not set; names it, never its value.
    """

    def fill(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise DeliveryError(
                name,
                f"environment variable {match[1]} is not set",
                f"set it, or change the provider {name} in ccm.yaml",
                retriable=False,
            )
        return environ[match[1]]

    return {key: _VARIABLE.sub(fill, value) for key, value in provider.settings.items()}


def open_adapters(workspace: Workspace, names: set[str]) -> dict[str, Adapter]:
    """Open the configured providers with these names."""
    adapters: dict[str, Adapter] = {}
    try:
        for name in sorted(names):
            provider = workspace.definition.providers[name]
            settings = settings_from_environment(name, provider, os.environ)
            kind = plugins.load_adapter(provider.adapter)
            adapters[name] = kind.from_settings(name, settings, root=workspace.root)
    except BaseException:
        for adapter in adapters.values():
            adapter.close()
        raise
    return adapters


Clock = Callable[[], datetime]
