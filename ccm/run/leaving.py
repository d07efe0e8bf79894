"""What a link's holder writes down by leaving: by a click, by the page, or by a mail that quotes the link's token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import ConsentEntry, PermissionEntry, SuppressionEntry, SuppressionReason
from ccm.model.tokens import LinkClaims


def refusal_entries(
    claims: LinkClaims, purpose: Purpose, channel: Channel, now: datetime, source: str
) -> Iterator[PermissionEntry]:
    """Yield a no of the person, and a suppression of the address that the message came to.

    Why both: The same address may stand under another customer too; and a later word of the data source must not undo
        what its holder said to us.
    """
    evidence = claims.communication_id
    yield ConsentEntry(claims.person, purpose, channel, False, now, source, evidence, claims.brand)
    address = claims.email if channel is Channel.EMAIL else ""
    yield SuppressionEntry(
        address or claims.person,
        channel,
        purpose,
        SuppressionReason.UNSUBSCRIBED,
        now,
        source,
        evidence,
        claims.brand,
    )
