"""Compare what a campaign asks of its providers with what they can do, before anything is composed."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.diagnostics import Diagnostic, Location, suggest
from ccm.model.definitions import CampaignDefinition, Channel, FieldType, TemplateDefinition
from ccm.model.records import Capabilities

POSTAL_FIELD = "address"  # the record of the data contract that letters go to


def compare_capabilities(
    campaign: CampaignDefinition, capabilities: Mapping[str, Capabilities], template: TemplateDefinition | None = None
) -> tuple[Diagnostic, ...]:
    """Return what the providers of a campaign cannot do.

    Args:
        campaign: Names one provider per channel under `deliver`.
        capabilities: By provider name.
        template: Tells whether the document is attached to the email; assumed so when not given.
    """
    location = Location(f"campaigns/{campaign.campaign}.yaml")
    found: list[Diagnostic] = []
    for channel in dict.fromkeys(campaign.channels.all):
        provider = campaign.deliver.get(channel)
        if provider is None:
            message = f"channel {channel} has no provider"
            found.append(Diagnostic("provider-missing", message, f"add {channel} under deliver", location))
        elif provider not in capabilities:
            message = f'channel {channel} names the provider "{provider}", which is not configured'
            found.append(Diagnostic("provider-unknown", message, suggest(provider, capabilities), location))
        elif channel not in capabilities[provider].channels:
            able = sorted(name for name, known in capabilities.items() if channel in known.channels)
            remedy = (
                f"use {' or '.join(able)} for {channel}" if able else f"configure a provider for {channel} in ccm.yaml"
            )
            message = f'provider "{provider}" cannot deliver {channel}'
            found.append(Diagnostic("provider-channel", message, remedy, location))
        elif channel is Channel.EMAIL and _attaches(campaign, template) and not capabilities[provider].attachments:
            message = f'provider "{provider}" cannot carry the attached document'
            remedy = "use another provider for email, or set document.attach_to_email to false in the template"
            found.append(Diagnostic("provider-attachments", message, remedy, location))
        elif channel is Channel.DOCUMENT and capabilities[provider].postal and not _has_postal_address(template):
            message = f'provider "{provider}" prints, and the template\'s data contract has no postal address'
            remedy = f"add a record called {POSTAL_FIELD} with street, city, postal_code and country to the contract"
            found.append(Diagnostic("provider-postal", message, remedy, location))
    return tuple(found)


def _attaches(campaign: CampaignDefinition, template: TemplateDefinition | None) -> bool:
    return Channel.DOCUMENT in campaign.channels.all and (template is None or template.document.attach_to_email)


def _has_postal_address(template: TemplateDefinition | None) -> bool:
    field = template.contract.get(POSTAL_FIELD) if template else None
    return template is None or (field is not None and field.type is FieldType.RECORD)
