"""Any customer's message on every channel, before it goes. Writes nothing to the ledger, sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ccm.diagnostics import Diagnostic, Location
from ccm.load import load_recipients
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Exclusion, Recipient
from ccm.model.workspace import Workspace
from ccm.plan import plan, plan_broadcasts
from ccm.release import Release, find_release
from ccm.run.contents import ConfigurationFault, released_content, with_content, workspace_store
from ccm.run.prepare import Prepared, campaign_named, prepare
from ccm.run.workers import Made, Maker, MakerParts

APPROVED = "approved"  # in place of a version: what a run would take now


@dataclass(frozen=True)
class Preview:
    """One customer's message, and the broadcasts of the campaign in the same language.

    exclusion: Why the customer would get nothing; None when they would get it.
    made: What it looks like, also for somebody who would get nothing; None when the row's data is unsound.
    """

    prepared: Prepared
    made: Made | None
    exclusion: Exclusion | None
    broadcasts: tuple[Made, ...]


def preview_customer(
    workspace: Workspace,
    campaign: str,
    customer: str,
    *,
    now: datetime,
    locale: str | None = None,
    channels: Sequence[Channel] = (),
    occurrence: str | None = None,
    release: str = "",
) -> Preview:
    """Compose and check one customer's message.

    Args:
        customer: Recipient id or key of the source's row.
        locale: Instead of the customer's own.
        channels: Only these; all if empty.
        release: Version of the template to take, or `approved` for what a run would take; the working folder if empty.
    Raises:
        ConfigurationFault: If the campaign has errors or no such customer exists.
        ReleaseError: If there is no such release, or a byte of it changed.
    """
    prepared = _prepared(workspace, campaign, release, now, occurrence)
    recipient = _find(prepared, customer)
    if locale:
        recipient = replace(recipient, locale=locale)
    exclusion, planned = _planned(recipient, prepared)
    if planned is None:
        return Preview(prepared, None, exclusion, ())
    maker = Maker(MakerParts.of(prepared))
    made = maker.make(_only(planned, channels))
    broadcasts = [
        maker.make(only)
        for item in plan_broadcasts(prepared.brief)
        if isinstance(item, Communication)
        and item.language == planned.language
        and (only := _only(item, channels)).pieces
    ]
    return Preview(prepared, made, exclusion, tuple(broadcasts))


def _prepared(workspace: Workspace, name: str, release: str, now: datetime, occurrence: str | None) -> Prepared:
    """Prepare a campaign from the working folder, from what is approved, or from one release whatever became of it."""
    production = release == APPROVED
    frozen: Release | None = None
    if release and not production:
        campaign, store = campaign_named(workspace, name), workspace_store(workspace)
        wanted = release if "@" in release else f"{campaign.template_name}@{release}"
        frozen = find_release(store, wanted, campaign.brand)
        workspace = with_content(workspace, released_content(store, frozen))
    prepared = prepare(
        workspace, name, now=now, occurrence=occurrence, ignore_schedule=True, production=production, headers=False
    )
    if frozen is None:
        return prepared
    return replace(prepared, release=frozen.ref, brief=replace(prepared.brief, release=frozen.ref))


def _planned(recipient: Recipient, prepared: Prepared) -> tuple[Exclusion | None, Communication | None]:
    """Plan for real; somebody who would get nothing is shown all the same what it would look like."""
    planned = next(iter(plan([recipient], prepared.brief)))
    if isinstance(planned, Communication):
        return None, planned
    shown = next(iter(plan([recipient], replace(prepared.brief, ignore_exclusions=True))))
    return planned, shown if isinstance(shown, Communication) else None


def _find(prepared: Prepared, customer: str) -> Recipient:
    found = load_recipients(prepared.workspace, prepared.campaign, period=prepared.period, only=customer)
    recipient = next(iter(found), None)
    if recipient is None:
        source = prepared.campaign.audience.source
        raise ConfigurationFault(
            (
                Diagnostic(
                    "unknown-customer",
                    f'source "{source}" has no customer with that id',
                    "give the id as it stands in the source's key column",
                    Location(f"data/{source}.yaml"),
                ),
            )
        )
    return recipient


def _only(communication: Communication, channels: Sequence[Channel]) -> Communication:
    """Keep the wanted channels; a document is composed for the email that carries it."""
    if not channels:
        return communication
    wanted = tuple(piece for piece in communication.pieces if piece.channel in channels)
    return replace(communication, pieces=wanted)
