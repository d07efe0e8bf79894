"""What `ccm check` asks beyond the files themselves: do the providers and the data's headers fit the campaigns?"""

from __future__ import annotations

from ccm.diagnostics import Diagnostic
from ccm.load import check_source
from ccm.model.workspace import Workspace
from ccm.plan import compare_capabilities
from ccm.run.prepare import campaign_named, provider_capabilities


def check_campaigns(workspace: Workspace, only: str | None = None) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the workspace's campaigns, or with one of them.

    Raises:
        ConfigurationFault: If there is no campaign of that name.
    """
    chosen = [campaign_named(workspace, only)] if only else list(workspace.campaigns.values())
    found: list[Diagnostic] = []
    for campaign in chosen:
        template = workspace.templates.get(campaign.template_name)
        source = workspace.sources.get(campaign.audience.source)
        if template is None or source is None:
            continue  # reported by load already
        found += compare_capabilities(campaign, provider_capabilities(workspace, campaign), template.definition)
        found += check_source(workspace, source, template)
    return tuple(dict.fromkeys(found))
