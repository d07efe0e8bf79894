"""Why messages of a template are slow: composes some of them for real, and finds the line that sends them down the full path.

What a refusal means is not guessed from its words. A declaration is taken out and the same customer composed again: it is the
culprit when the reason goes away with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ccm.compose import Composer
from ccm.diagnostics import Diagnostic, Location, suggest
from ccm.load import load_recipients
from ccm.model.definitions import Channel
from ccm.model.records import Communication
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.contents import ConfigurationFault
from ccm.run.prepare import Prepared, prepare
from ccm.run.speed_places import Place, Sources, remedy_for

EXPLAINED = (Channel.DOCUMENT, Channel.EMAIL)
COMPILED = "compiled"
FILLED = "filled"


@dataclass(frozen=True)
class SlowReason:
    """One reason for the full path.

    count: Of the customers that were looked at. example: One of them, by id.
    places: Where it is written; empty where that could not be found.
    proved: Taking out what stands there makes the reason go away.
    """

    channel: Channel
    reason: str
    count: int
    example: str
    places: tuple[Place, ...]
    proved: bool
    remedy: str


@dataclass(frozen=True)
class Explanation:
    """What was looked at and found.

    counts: By channel: how many were filled, compiled (the engine was asked, and the page filled then) and made in full.
    """

    template: str
    brand: str
    campaign: str
    customers: int
    counts: dict[Channel, dict[str, int]]
    reasons: tuple[SlowReason, ...]


def explain_speed(
    workspace: Workspace, template: str, *, brand: str = "", campaign: str = "", customers: int = 50, now: datetime
) -> Explanation:
    """Compose some customers' messages of a template and explain what is slow about them.

    Args:
        campaign: Whose source gives the customers; the first that sends the template if empty.
        customers: How many are looked at.
    Raises:
        ConfigurationFault: If there is no such template, or no campaign sends it.
    """
    prepared = _prepared(workspace, template, brand, campaign, now)
    composer = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)
    counts: dict[Channel, dict[str, int]] = {}
    found: dict[tuple[Channel, str], list[Communication]] = {}
    looked = 0
    for communication in itertools.islice(_communications(prepared), customers):
        looked += 1
        composed = composer.compose(communication)
        made = {rendition.channel for rendition in composed.renditions}
        for channel in EXPLAINED:
            if channel not in made:
                continue
            reason = composed.slow_paths.get(channel, "")
            word = "full" if reason else COMPILED if channel in composed.taught else FILLED
            sums = counts.setdefault(channel, {FILLED: 0, COMPILED: 0, "full": 0})
            sums[word] += 1
            if reason:
                found.setdefault((channel, reason), []).append(communication)
    reasons = tuple(
        _explained(prepared, channel, reason, slow)
        for (channel, reason), slow in sorted(found.items(), key=lambda one: -len(one[1]))
    )
    return Explanation(template, prepared.brand.name, prepared.campaign.campaign, looked, counts, reasons)


def _explained(prepared: Prepared, channel: Channel, reason: str, slow: list[Communication]) -> SlowReason:
    sources = Sources.of(prepared.template, prepared.workspace, channel)

    def persists(changed: Sources) -> bool:
        """Whether the same customer still takes the full path for this reason."""
        template, library = changed.applied(prepared.template, prepared.workspace.library)
        composer = Composer(template, prepared.brand, prepared.workspace.fragments, library)
        return composer.compose(only(slow[0], channel)).slow_paths.get(channel, "") == reason

    places, proved = sources.culprits(reason, persists)
    return SlowReason(channel, reason, len(slow), slow[0].recipient_id, places, proved, remedy_for(channel, reason))


def only(communication: Communication, channel: Channel) -> Communication:
    """Return a communication with one channel alone."""
    return replace(communication, pieces=tuple(one for one in communication.pieces if one.channel is channel))


def _communications(prepared: Prepared) -> Iterator[Communication]:
    """Yield messages as a run would plan them; somebody who may not be written to is looked at all the same."""
    brief = replace(prepared.brief, ignore_exclusions=True)
    recipients = load_recipients(prepared.workspace, prepared.campaign, period=prepared.period)
    return (one for one in plan(recipients, brief) if isinstance(one, Communication))


def _prepared(workspace: Workspace, template: str, brand: str, campaign: str, now: datetime) -> Prepared:
    if template not in workspace.templates:
        place = Location(f"templates/{template}")
        wrong = Diagnostic(
            "unknown-template", f'there is no template "{template}"', suggest(template, workspace.templates), place
        )
        raise ConfigurationFault((wrong,))
    senders = {
        name: one
        for name, one in sorted(workspace.campaigns.items())
        if one.template_name == template and brand in ("", one.brand) and campaign in ("", name)
    }
    if not senders:
        remedy = "name another with --campaign or --brand, or write a campaign for it"
        wrong = Diagnostic("no-campaign", f"no campaign like that sends {template}", remedy, Location("campaigns"))
        raise ConfigurationFault((wrong,))
    return prepare(workspace, next(iter(senders)), now=now, ignore_schedule=True, headers=False)
