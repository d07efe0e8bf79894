"""Turn recipients into communications or exclusions, one by one, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ccm.model.definitions import Channel, GroupPolicy, Purpose
from ccm.model.permissions import Standing
from ccm.model.records import (
    ChannelExclusion,
    Communication,
    Exclusion,
    ExclusionReason,
    OutcomeKind,
    PlannedPiece,
    Recipient,
    ReleaseRef,
    communication_id,
)
from ccm.plan.brief import PlanBrief
from ccm.plan.capabilities import POSTAL_FIELD
from ccm.plan.locales import negotiate
from ccm.plan.permission import NOTHING_KNOWN, Address, Unusable, Usable, addresses_of, judge
from ccm.plan.suppressions import SuppressionIndex
from ccm.plan.timing import issued_at, wait_for

DUPLICATE_KEY = "duplicate-key"  # the code that a loader gives a row whose key came before


def plan(recipients: Iterable[Recipient], brief: PlanBrief) -> Iterator[Communication | Exclusion]:
    """Decide on every recipient: exactly one communication or one exclusion each, in their order.

    The rules apply in this order: sound data, segment, permission and address of every channel under the
    group policy, schedule and quiet hours. Nobody who must wait is kept waiting for a message they may not get.
    """
    index = SuppressionIndex.of(brief.suppressions)
    for recipient in recipients:
        yield _decide(recipient, brief, index)


def is_addressed(recipient: Recipient, brief: PlanBrief) -> bool:
    """Tell whether the campaign is for somebody; whose row is wrong counts, as they are held."""
    excluded = _unsound(recipient, brief) or _outside(recipient, brief)
    return excluded is None or excluded.outcome is not None


def _decide(recipient: Recipient, brief: PlanBrief, index: SuppressionIndex) -> Communication | Exclusion:
    excluded = _unsound(recipient, brief) or _outside(recipient, brief)
    if excluded:
        return excluded
    chosen = _choose(recipient, brief, index)
    if isinstance(chosen, Unusable):
        return _exclusion(recipient, brief, chosen.reason, chosen.outcome, chosen.detail)
    if _reached_often(recipient, brief):
        detail = "marketing reached them as often as limits.contacts allows"
        return _exclusion(recipient, brief, ExclusionReason.CONTACT_LIMIT, OutcomeKind.SUPPRESSED, detail)
    wait = None
    if not brief.ignore_schedule:
        wait = wait_for(brief.campaign.schedule, brief.purpose, recipient.zone, recipient.country, brief.now)
    if wait:
        waiting = _exclusion(recipient, brief, wait.reason, OutcomeKind.HELD, wait.detail)
        return replace(waiting, until=wait.until)
    issued = issued_at(brief.campaign.schedule, recipient.zone, brief.started_at or brief.now)
    release = brief.release_on(issued.date())
    if release is None:
        detail = f"no approved release is effective on {issued.date().isoformat()}"
        return _exclusion(recipient, brief, ExclusionReason.NO_RELEASE, OutcomeKind.HELD, detail)
    return _communication(recipient, brief, chosen, issued, release)


def _unsound(recipient: Recipient, brief: PlanBrief) -> Exclusion | None:
    """Hold a recipient whose row is wrong."""
    if not recipient.faults:
        return None
    first = recipient.faults[0]
    if any(fault.code == DUPLICATE_KEY for fault in recipient.faults):
        # The id of the row that came first must stay that row's own.
        own = f"{recipient.recipient_id}#{recipient.location.line}"
        ident = communication_id(brief.campaign.campaign, brief.occurrence_for(recipient), own)
        detail = "the key came before in the same source"
        reason = ExclusionReason.DUPLICATE_KEY
    else:
        ident = brief.communication_id_for(recipient)
        detail = f"{first.code}: {first.message}"
        reason = ExclusionReason.INVALID_DATA
    return Exclusion(recipient.recipient_id, ident, reason, OutcomeKind.HELD, detail, location=first.location)


def _outside(recipient: Recipient, brief: PlanBrief) -> Exclusion | None:
    """Leave out whom the campaign does not address."""
    if brief.ignore_exclusions:
        return None
    try:
        inside = brief.segment(recipient.data)
    except Exception as problem:  # the rule is authored: whatever it does on one row is that row's matter
        detail = f"the segment rule could not be evaluated on this row ({type(problem).__name__})"
        return _exclusion(recipient, brief, ExclusionReason.INVALID_DATA, OutcomeKind.HELD, detail)
    return None if inside else _exclusion(recipient, brief, ExclusionReason.NOT_IN_SEGMENT, None)


def _exclusion(
    recipient: Recipient, brief: PlanBrief, reason: ExclusionReason, outcome: OutcomeKind | None, detail: str = ""
) -> Exclusion:
    ident = brief.communication_id_for(recipient)
    return Exclusion(recipient.recipient_id, ident, reason, outcome, detail, location=recipient.location)


@dataclass(frozen=True)
class _Choice:
    """The channels of one communication, in declared order.

    alternatives: Under FIRST, what to fall back on when the required one cannot be composed.
    """

    required: tuple[Usable, ...]
    optional: tuple[Usable, ...]
    alternatives: tuple[Usable, ...]
    dropped: tuple[Unusable, ...]


def _choose(recipient: Recipient, brief: PlanBrief, index: SuppressionIndex) -> _Choice | Unusable:
    """Apply the group policy.

    ALL: one unusable channel of the group excludes the recipient; a decision against writing tells more than a mistake in an
    address, so it is the reason when both are there. FIRST: the first usable channel is taken, and the recipient is
    excluded when there is none; held if mending an address would give one.
    """
    channels = brief.campaign.channels
    addresses = addresses_of(recipient)
    standing = _standing(recipient, brief, addresses)

    def judged(channel: Channel) -> Usable | Unusable:
        verdict = judge(recipient, addresses, channel, brief.purpose, index, brief.now, standing)
        if isinstance(verdict, Usable) and brief.on_paper(channel) and not recipient.data.get(POSTAL_FIELD):
            verdict = Unusable(channel, ExclusionReason.NO_ADDRESS, "the recipient has no postal address")
        return Usable(channel, "") if brief.ignore_exclusions and isinstance(verdict, Unusable) else verdict

    group = [judged(channel) for channel in channels.together]
    extra = [judged(channel) for channel in channels.optional if channel not in channels.together]
    usable = tuple(verdict for verdict in group if isinstance(verdict, Usable))
    unusable = [verdict for verdict in group if isinstance(verdict, Unusable)]
    optional = tuple(verdict for verdict in extra if isinstance(verdict, Usable))
    dropped = tuple(verdict for verdict in extra if isinstance(verdict, Unusable))
    if channels.policy is GroupPolicy.ALL:
        if unusable:
            return min(unusable, key=lambda verdict: verdict.outcome is OutcomeKind.HELD)
        return _Choice(usable, optional, (), dropped)
    if not usable:
        return min(unusable, key=lambda verdict: verdict.outcome is not OutcomeKind.HELD)
    return _Choice(usable[:1], optional, usable[1:], (*unusable, *dropped))


def _standing(recipient: Recipient, brief: PlanBrief, addresses: Mapping[Channel, Address]) -> Standing:
    if brief.book is None:
        return NOTHING_KNOWN
    return brief.book.standing(recipient, addresses[Channel.EMAIL].text, addresses[Channel.SMS].text)


def _reached_often(recipient: Recipient, brief: PlanBrief) -> bool:
    """Tell whether marketing reached somebody as often lately as the brand or the campaign allows."""
    if brief.book is None or brief.ignore_exclusions:
        return False
    ident = brief.communication_id_for(recipient)
    for limit in brief.contact_limits:
        since = brief.now - timedelta(days=limit.days)
        if brief.book.contacts(recipient.recipient_id, since, ident) >= limit.max:
            return True
    return False


def _token(recipient: Recipient, brief: PlanBrief, choice: _Choice, locale: str) -> str:
    """Return the token of the unsubscribe link; only marketing has one."""
    if brief.book is None or brief.purpose is not Purpose.MARKETING:
        return ""
    chosen = choice.required + choice.optional + choice.alternatives
    email = next((item.address for item in chosen if item.channel is Channel.EMAIL), "")
    return brief.book.token(recipient, brief.communication_id_for(recipient), email, locale)


def _communication(
    recipient: Recipient, brief: PlanBrief, choice: _Choice, issued: datetime, release: ReleaseRef
) -> Communication:
    ident = brief.communication_id_for(recipient)
    language, locale = negotiate(recipient.locale, brief.template_of(release).locales)

    def pieces(chosen: tuple[Usable, ...], *, required: bool) -> tuple[PlannedPiece, ...]:
        return tuple(brief.piece(ident, item.channel, item.address, required=required) for item in chosen)

    return Communication(
        communication_id=ident,
        run_id=brief.run_id,
        campaign=brief.campaign.campaign,
        occurrence=brief.occurrence_for(recipient),
        recipient_id=recipient.recipient_id,
        language=language,
        locale=locale,
        zone=recipient.zone,
        purpose=brief.purpose,
        release=release,
        pieces=pieces(choice.required, required=True) + pieces(choice.optional, required=False),
        data=recipient.data,
        parameters=brief.parameters,
        issued_at=issued,
        period=brief.period,
        exclusions=tuple(ChannelExclusion(item.channel, item.reason, item.detail) for item in choice.dropped),
        alternatives=pieces(choice.alternatives, required=True),
        unsubscribe_token=_token(recipient, brief, choice, language),
        country=recipient.country or "",
    )
