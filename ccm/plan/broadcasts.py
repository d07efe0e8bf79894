"""Plan the social posts of a campaign: one per locale, with a piece per network."""

from __future__ import annotations

from collections.abc import Iterator

from ccm.model.definitions import Channel, Purpose, Schedule
from ccm.model.records import Communication, Exclusion, ExclusionReason, OutcomeKind, communication_id
from ccm.plan.brief import PlanBrief
from ccm.plan.locales import negotiate
from ccm.plan.timing import issued_at, wait_for


def plan_broadcasts(brief: PlanBrief) -> Iterator[Communication | Exclusion]:
    """Plan one communication per locale of the broadcast; an exclusion that waits while it is not due yet.

    A schedule in everyone's own zone means UTC here, and a post wakes nobody, so quiet hours do not count.
    """
    networks = brief.campaign.channels.broadcast
    for tag in dict.fromkeys(brief.campaign.locales or brief.template.locales) if networks else ():
        recipient = f"broadcast:{tag}"
        ident = communication_id(brief.campaign.campaign, brief.occurrence, recipient)
        schedule = _post_schedule(brief.campaign.schedule)
        wait = None if brief.ignore_schedule else wait_for(schedule, Purpose.LEGAL, "UTC", None, brief.now)
        if wait:
            yield Exclusion(recipient, ident, wait.reason, OutcomeKind.HELD, wait.detail, wait.until)
            continue
        issued = issued_at(schedule, "UTC", brief.started_at or brief.now)
        release = brief.release_on(issued.date())
        if release is None:
            detail = f"no approved release is effective on {issued.date().isoformat()}"
            yield Exclusion(recipient, ident, ExclusionReason.NO_RELEASE, OutcomeKind.HELD, detail)
            continue
        language, locale = negotiate(tag, brief.template_of(release).locales)
        yield Communication(
            communication_id=ident,
            run_id=brief.run_id,
            campaign=brief.campaign.campaign,
            occurrence=brief.occurrence,
            recipient_id=recipient,
            language=language,
            locale=locale,
            zone="UTC",
            purpose=brief.purpose,
            release=release,
            pieces=tuple(brief.piece(ident, network, _handle(brief, network), required=True) for network in networks),
            data={},
            parameters=brief.parameters,
            issued_at=issued,
            period=brief.period,
        )


def _post_schedule(schedule: Schedule | None) -> Schedule | None:
    if schedule is None or schedule.zone != "recipient":
        return schedule
    return schedule.model_copy(update={"zone": "UTC"})


def _handle(brief: PlanBrief, network: Channel) -> str:
    """Return the brand's account on a network; empty when the brand names none."""
    sender = getattr(brief.brand.definition.senders, network.value)
    return sender.handle if sender else ""
