"""What planning needs to know, handed in whole by the shell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from ccm.model.definitions import (
    CampaignDefinition,
    Channel,
    ContactLimit,
    OccurrenceEach,
    Purpose,
    TemplateDefinition,
)
from ccm.model.permissions import PermissionBook
from ccm.model.records import Capabilities, PlannedPiece, Recipient, ReleaseRef, Suppression, communication_id, piece_id
from ccm.model.releases import EffectiveRelease, effective_on
from ccm.model.workspace import Brand


@dataclass(frozen=True)
class PlanBrief:
    """Everything that planning one run needs beside the recipients.

    occurrence: Key of the run's occurrence, see `occurrence_of`.
    period: First and last day of the occurrence, both inclusive.
    now: Aware UTC; decides what is due and where it is night.
    segment: The campaign's rule over a recipient's data; may raise on odd data.
    capabilities: By provider name, as `CampaignDefinition.deliver` names them.
    started_at: When the run began, aware; what messages without a schedule carry as their time. A resumed run
        hands in its first start, so that a later render gives the same bytes. `now` when absent.
    ignore_schedule: Previews and drafts: everything is due and it is never night.
    ignore_exclusions: Preview: plan every channel for anyone with sound data, permitted or not. Never for sending.
    candidates: Approved releases with their days; every message takes the one of its own date. Empty for the working
        folder, where all take `release`.
    templates: Definition by release, where it is not `template`.
    book: What is written down about people beside the source: consents, suppressions, contacts. None in previews.
    """

    campaign: CampaignDefinition
    template: TemplateDefinition
    brand: Brand
    release: ReleaseRef
    run_id: str
    occurrence: str
    period: tuple[date, date] | None
    now: datetime
    segment: Callable[[Mapping[str, object]], bool]
    suppressions: tuple[Suppression, ...] = ()
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    started_at: datetime | None = None
    ignore_schedule: bool = False
    ignore_exclusions: bool = False
    candidates: tuple[EffectiveRelease, ...] = ()
    templates: Mapping[ReleaseRef, TemplateDefinition] = field(default_factory=dict)
    book: PermissionBook | None = None

    @property
    def purpose(self) -> Purpose:
        """The campaign's purpose, but marketing as soon as either campaign or template says so.

        Why: A campaign must not send an offer without consent by calling it transactional.
        """
        if Purpose.MARKETING in (self.campaign.purpose, self.template.purpose):
            return Purpose.MARKETING
        return self.campaign.purpose

    @property
    def contact_limits(self) -> tuple[ContactLimit, ...]:
        """How often marketing may reach the same person: the brand's limit and the campaign's, where there are any."""
        limits = (self.brand.definition.limits.contacts, self.campaign.limits.contacts)
        return tuple(limit for limit in limits if limit) if self.purpose is Purpose.MARKETING else ()

    def release_on(self, day: date) -> ReleaseRef | None:
        """Return the release of a message with this date; None when not exactly one is effective."""
        if not self.candidates:
            return self.release
        effective = effective_on(self.candidates, day)
        return effective[0].release if len(effective) == 1 else None

    def template_of(self, release: ReleaseRef) -> TemplateDefinition:
        """Return the template's definition as it is in a release."""
        return self.templates.get(release, self.template)

    def occurrence_for(self, recipient: Recipient) -> str:
        """Return the occurrence part of a recipient's ids: their own key when the campaign says `each`."""
        if isinstance(self.campaign.occurrence, OccurrenceEach):
            return recipient.occurrence_key
        return self.occurrence

    def communication_id_for(self, recipient: Recipient) -> str:
        """Return the id of what this recipient gets, or would have got."""
        return communication_id(self.campaign.campaign, self.occurrence_for(recipient), recipient.recipient_id)

    def on_paper(self, channel: Channel) -> bool:
        """Tell whether a channel's provider prints, so that it needs a postal address."""
        can = self.capabilities.get(str(self.campaign.deliver.get(channel, "")))
        return channel is Channel.DOCUMENT and can is not None and can.postal

    def piece(self, communication: str, channel: Channel, address: str, *, required: bool) -> PlannedPiece:
        """Return a planned piece with its derived id and provider."""
        provider = str(self.campaign.deliver.get(channel, ""))
        return PlannedPiece(piece_id(communication, channel), channel, address, required, provider)
