"""Is all there that the source should give? What an author may have a run refuse before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ccm.load import count_rows, load_recipients
from ccm.model.orphans import OrphanRows
from ccm.plan import is_addressed
from ccm.run.prepare import Prepared


class TooFewRecipients(Exception):
    """The campaign has fewer recipients than its author expects; nothing was sent."""

    def __init__(self, found: int, least: int) -> None:
        self.remedy = (
            "see whether the export behind the source is complete, or lower limits.least_recipients, "
            "and give the same command again"
        )
        counted = "no recipients" if not found else "only 1 recipient" if found == 1 else f"only {found} recipients"
        super().__init__(
            f"the source has {counted} for this campaign, which must have {least}; nothing was sent; {self.remedy}"
        )


class TooManyOrphans(Exception):
    """More child rows belong to nobody than the campaign allows; nothing was sent."""

    def __init__(self, orphans: Sequence[OrphanRows], allowed: int) -> None:
        self.remedy = (
            "see whether rows of the main table are missing or its keys are written differently, or raise "
            "limits.orphan_rows, and give the same command again"
        )
        rows = sum(one.rows for one in orphans)
        places = ", ".join(str(place) for one in orphans for place in one.places)
        super().__init__(
            f"child rows that belong to no row of the main table: {rows}, more than the allowed {allowed} "
            f"(the first: {places}); nothing was sent; {self.remedy}"
        )


def refuse_few(prepared: Prepared) -> None:
    """Stop where the campaign has too few recipients.

    Counted are those inside the segment, up to the limit; where everybody is, rows are counted without being read.

    Raises:
        TooFewRecipients: Says how many there are.
    """
    workspace, campaign = prepared.workspace, prepared.campaign
    least = campaign.limits.least_recipients
    if not least:
        return
    if campaign.audience.segment.strip() == "true":
        found = count_rows(workspace, campaign, least)
    else:
        recipients = load_recipients(workspace, campaign, period=prepared.period)
        inside = (one for one in recipients if is_addressed(one, prepared.brief))
        found = sum(1 for _ in islice(inside, least))
    if found < least:
        raise TooFewRecipients(found, least)


def refuse_orphans(orphans: Sequence[OrphanRows], allowed: int | None) -> None:
    """Stop where too many child rows belong to nobody.

    Raises:
        TooManyOrphans: Says how many and where the first ones are.
    """
    if allowed is not None and sum(one.rows for one in orphans) > allowed:
        raise TooManyOrphans(orphans, allowed)
