"""Whether a campaign fits the rest of the workspace: references, channels, purpose, parameters, segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ccm.diagnostics import Diagnostic, Location, Severity, suggest
from ccm.load.contract import contract_reader, unknown_fields
from ccm.load.segment import Segment
from ccm.load.yaml_reader import YamlFile
from ccm.model.definitions import (
    CampaignDefinition,
    Channel,
    FieldDefinition,
    FieldType,
    OccurrenceEach,
    Purpose,
    TemplateDefinition,
)
from ccm.model.workspace import Brand, Template, Workspace


def check_campaign(
    workspace: Workspace, campaign: CampaignDefinition, file: YamlFile, broken: Mapping[str, frozenset[str]]
) -> Iterator[Diagnostic]:
    """Check a campaign against the workspace.

    Args:
        broken: Names by folder of what is there but has mistakes of its own.
    """
    brand = workspace.brands.get(campaign.brand)
    template = workspace.templates.get(campaign.template_name)
    if brand is None and campaign.brand not in broken["brands"]:
        yield _unknown("brand", campaign.brand, workspace.brands, file.at(("brand",)))
    if template is None and campaign.template_name not in broken["templates"]:
        yield _unknown("template", campaign.template_name, workspace.templates, file.at(("template",)))
    source = campaign.audience.source
    if source not in workspace.sources and source not in broken["data"]:
        yield _unknown("source", source, workspace.sources, file.at(("audience", "source")))
    yield from _providers(workspace, campaign, file)
    yield from _zone(campaign, file)
    if brand is not None:
        yield from _senders(campaign, brand, file)
    if template is not None:
        yield from _against_template(campaign, template.definition, file)


def _unknown(kind: str, name: str, known: Mapping[str, object], place: Location) -> Diagnostic:
    return Diagnostic(f"unknown-{kind}", f'there is no {kind} "{name}"', suggest(name, known), place)


def _providers(workspace: Workspace, campaign: CampaignDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    providers = workspace.definition.providers
    for channel in campaign.channels.all:
        if channel not in campaign.deliver:
            remedy = f'add "{channel}: {next(iter(providers), "outbox")}" under deliver'
            what = f"no provider delivers the channel {channel}"
            yield Diagnostic("missing-provider", what, remedy, file.at(("deliver",), key=True))
    for channel, provider in campaign.deliver.items():
        if provider not in providers:
            yield _unknown("provider", provider, providers, file.at(("deliver", channel)))
        if channel not in campaign.channels.all:
            what = f"the campaign does not use the channel {channel}"
            place = file.at(("deliver", channel), key=True)
            yield Diagnostic("unused-provider", what, "remove the line, or add the channel", place, Severity.WARNING)


def _zone(campaign: CampaignDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    schedule = campaign.schedule
    if schedule is None:
        return
    if schedule.at.tzinfo is not None:
        what, remedy = "the time has an offset", "write local time without one, and name the zone"
        yield Diagnostic("invalid-value", what, remedy, file.at(("schedule", "at")))
    if schedule.zone == "recipient":
        return
    try:
        ZoneInfo(schedule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        remedy = "write an IANA name, such as Europe/Berlin, or recipient"
        yield Diagnostic("unknown-zone", "there is no such time zone", remedy, file.at(("schedule", "zone")))


def _senders(campaign: CampaignDefinition, brand: Brand, file: YamlFile) -> Iterator[Diagnostic]:
    senders = brand.definition.senders
    for channel in campaign.channels.all:
        if channel is not Channel.DOCUMENT and getattr(senders, channel) is None:
            remedy = f'add "{channel}" under senders in {brand.root}/brand.yaml'
            what = f'the brand "{brand.name}" has no sender for {channel}'
            yield Diagnostic("missing-sender", what, remedy, file.at(("brand",)))
    one_click = senders.email.unsubscribe_url  # a mailto beside it is fine, alone it takes more than one click
    if campaign.purpose is Purpose.MARKETING and Channel.EMAIL in campaign.channels.all and not one_click:
        remedy = f"add unsubscribe_url under senders.email in {brand.root}/brand.yaml"
        what = "marketing email needs a one-click way to unsubscribe, and the brand has none"
        yield Diagnostic("missing-unsubscribe", what, remedy, file.at(("purpose",)))


def _against_template(
    campaign: CampaignDefinition, template: TemplateDefinition, file: YamlFile
) -> Iterator[Diagnostic]:
    if not in_range(template.version, campaign.template_range):
        # Runs take a release in the range, and are checked against that one; the working folder has moved on.
        remedy = f"write {template.template}@{template.version.partition('.')[0]} when the campaign is to follow it"
        what = f"the working folder has version {template.version}; the campaign takes releases of its range only"
        yield Diagnostic("version-mismatch", what, remedy, file.at(("template",)), Severity.WARNING)
        return
    yield from _purpose(campaign, template, file)
    yield from _channels(campaign, template, file)
    for index, locale in enumerate(campaign.locales):
        if locale not in template.locales:
            remedy = suggest(locale, template.locales)
            what = f'the template has no locale "{locale}"'
            yield Diagnostic("unknown-locale", what, remedy, file.at(("locales", index)))
    if isinstance(campaign.occurrence, OccurrenceEach):
        yield from _each(campaign.occurrence.each, template, file)
    yield from typed_parameters(template, campaign, file)[1]
    yield from _segment(campaign, template, file)


def in_range(version: str, wanted: str) -> bool:
    """Tell whether a version is in a range: 1 takes 1.x.y, 1.2 takes 1.2.x, empty takes all."""
    return not wanted or version.split(".")[: wanted.count(".") + 1] == wanted.split(".")


def _purpose(campaign: CampaignDefinition, template: TemplateDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    """Refuse a purpose that would reach people whom the template's own purpose may not reach."""
    given, meant = campaign.purpose, template.purpose
    evades_consent = meant is Purpose.MARKETING and given is not Purpose.MARKETING
    claims_duty = given is Purpose.LEGAL and meant is not Purpose.LEGAL
    if evades_consent or claims_duty:
        what = f"a {given} campaign cannot send a {meant} template"
        yield Diagnostic("purpose-mismatch", what, f"write purpose: {meant}", file.at(("purpose",)))


def _channels(campaign: CampaignDefinition, template: TemplateDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    for side in ("together", "optional", "broadcast"):
        for index, channel in enumerate(getattr(campaign.channels, side)):
            place = file.at(("channels", side, index))
            if channel not in template.channels.all:
                what = f"the template has no channel {channel}"
                yield Diagnostic("unknown-channel", what, suggest(channel, template.channels.all), place)
            if campaign.channels.all.count(channel) > 1 and side != "together":
                what = f"the channel {channel} is listed twice"
                yield Diagnostic("duplicate-channel", what, "keep one", place)
    lacking = [channel for channel in template.channels.required if channel not in campaign.channels.together]
    if lacking:
        names = ", ".join(lacking)
        place = file.at(("channels", "together"), key=True)
        what = f"the template requires {names}, and the campaign does not send it together with the others"
        yield Diagnostic("required-channel", what, f"add {names} under together", place, Severity.WARNING)


def _each(path: str, template: TemplateDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    fields: Mapping[str, FieldDefinition] = template.contract
    field: FieldDefinition | None = None
    for step in path.split("."):
        field = fields.get(step)
        if field is None:
            what = f'the contract has no field "{path}"'
            yield Diagnostic("unknown-field", what, suggest(step, fields), file.at(("occurrence", "each")))
            return
        fields = field.fields
    if field is not None and field.type in (FieldType.RECORD, FieldType.LIST):
        what, remedy = f'"{path}" is not one value', "name a field that identifies the occasion, such as invoice.number"
        yield Diagnostic("wrong-shape", what, remedy, file.at(("occurrence", "each")))


# ── parameters and segment ───────────────────────────────────────────────────


def load_parameters(
    template: Template | TemplateDefinition, campaign: CampaignDefinition
) -> tuple[Mapping[str, object], tuple[Diagnostic, ...]]:
    """Type the campaign's values for the template's parameters."""
    definition = template.definition if isinstance(template, Template) else template
    return typed_parameters(definition, campaign, None)


def typed_parameters(
    template: TemplateDefinition, campaign: CampaignDefinition, file: YamlFile | None
) -> tuple[Mapping[str, object], tuple[Diagnostic, ...]]:
    """Type the campaign's parameters; with its file, mistakes carry line and column."""
    data, faults = contract_reader(template.parameters).read(campaign.parameters)
    found = []
    for fault in (*unknown_fields(campaign.parameters, template.parameters), *faults):
        if file is None:
            place = Location(f"campaigns/{campaign.campaign}.yaml")
        else:
            place = file.at(("parameters", *fault.steps), key=fault.code == "unknown-field")
        message = fault.message.replace("the contract has no field", "the template has no parameter")
        remedy = f'add it under "parameters"; {fault.remedy}' if fault.code == "missing-value" else fault.remedy
        found.append(Diagnostic(fault.code, message, remedy, place))
    return data, tuple(found)


def _segment(campaign: CampaignDefinition, template: TemplateDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    steps = ("audience", "segment")
    if "segment" not in file.place.children["audience"].children:
        return
    start = file.at(steps)
    block = file.place.children["audience"].children["segment"].block
    for item in Segment(campaign.audience.segment, template.contract).mistakes():
        # A block's text starts on the next line, at an indentation that YAML has taken away.
        column = 0 if block or item.line > 1 else start.column + item.column - 1
        place = Location(start.path, start.line + item.line - (0 if block else 1), column)
        yield Diagnostic(item.code, item.message, item.remedy, place)
