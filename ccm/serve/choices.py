"""What the holder of a link may choose, how it stands, and what a choice writes down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccm.ledger.permissions import PermissionStore
from ccm.model.audit import AuditAction
from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import ConsentEntry, PermissionEntry, Subjects, SuppressionEntry, SuppressionReason, in_force
from ccm.model.records import Consent
from ccm.model.tokens import LinkClaims
from ccm.plan.permission import consent_allows
from ccm.run.auditing import Witness
from ccm.run.leaving import refusal_entries
from ccm.run.permitted import standing_of

CHOOSABLE = (Purpose.MARKETING, Purpose.TRANSACTIONAL)  # legal messages ask nobody

SourceSays = Callable[[str], tuple[Consent, ...]]  # what the source says of a communication's recipient


@dataclass(frozen=True)
class Choice:
    """One purpose on one channel."""

    purpose: Purpose
    channel: Channel
    granted: bool

    @property
    def name(self) -> str:
        """What the form calls it."""
        return f"{self.purpose}.{self.channel}"


def choices(
    store: PermissionStore, claims: LinkClaims, channels: Sequence[Channel], source: tuple[Consent, ...], now: datetime
) -> tuple[Choice, ...]:
    """Return how everything that can be chosen stands.

    Args:
        source: What the data source says; what was said here counts beside it.
    Why: The message itself came with permission. So its own purpose by email stands unless something is written down.
    """
    subjects = Subjects(person=(claims.person,), email=(claims.email,) if claims.email else ())
    standing = standing_of(store.entries(subjects.all), subjects, claims.brand)
    said = (*standing.consents, *source)
    if not any(one.purpose is claims.purpose and one.channel is Channel.EMAIL for one in said):
        said = (*said, Consent(claims.purpose, Channel.EMAIL, granted=True))
    return tuple(
        Choice(
            purpose,
            channel,
            consent_allows(said, channel, purpose, now) and standing.forbids(channel, purpose) is None,
        )
        for purpose in CHOOSABLE
        for channel in channels
    )


def leave(
    store: PermissionStore, claims: LinkClaims, now: datetime, *, source: str, witness: Witness | None = None
) -> bool:
    """Write down that somebody unsubscribed from the purpose of a message by email.

    Args:
        source: one-click or page.
        witness: Notes it in the audit log.
    Returns:
        Whether it was news; the same link used twice writes nothing more.
    """
    subjects = Subjects(person=(claims.person,), email=(claims.email,) if claims.email else ())
    standing = standing_of(store.entries(subjects.all), subjects, claims.brand)
    barred = [*standing.person, *standing.email]
    if any(one.channel is Channel.EMAIL and one.purpose is claims.purpose and _left(one.reason) for one in barred):
        return False
    entries = list(refusal_entries(claims, claims.purpose, Channel.EMAIL, now, source))
    _write_down(store, claims, entries, [Choice(claims.purpose, Channel.EMAIL, False)], now, source, witness)
    return True


def choose(
    store: PermissionStore,
    claims: LinkClaims,
    offered: Sequence[Choice],
    wanted: Collection[str],
    shown: Collection[str],
    now: datetime,
    *,
    witness: Witness | None = None,
) -> int:
    """Write down what somebody changed on the page.

    Args:
        offered: What can be chosen.
        wanted: Names of choices that are on now.
        shown: Names of choices that were on when the page was shown; what was not touched is not written.
        witness: Notes it in the audit log.
    Returns:
        How many choices changed.
    """
    changed = [one for one in offered if (one.name in wanted) != (one.name in shown)]
    entries: list[PermissionEntry] = []
    for one in changed:
        if one.name in wanted:
            entries += _grant(store, claims, one.purpose, one.channel, now)
        else:
            entries += refusal_entries(claims, one.purpose, one.channel, now, "preference-page")
    chosen = [Choice(one.purpose, one.channel, one.name in wanted) for one in changed]
    if chosen:
        _write_down(store, claims, entries, chosen, now, "preference-page", witness)
    return len(changed)


def _write_down(
    store: PermissionStore,
    claims: LinkClaims,
    entries: Sequence[PermissionEntry],
    chosen: Sequence[Choice],
    now: datetime,
    source: str,
    witness: Witness | None,
) -> None:
    """Write entries, and in the same transaction what the audit log tells about them: the message, never the person."""
    witness = witness or Witness()
    with store.database.write() as connection:
        store.record_in(connection, entries)
        for one in chosen:
            action = AuditAction.OPTED_IN if one.granted else AuditAction.OPTED_OUT
            told = {"purpose": str(one.purpose), "channel": str(one.channel), "source": source, "brand": claims.brand}
            witness.note(connection, action, claims.communication_id, now, **told)
    witness.anchor()


def _left(reason: str) -> bool:
    return reason == SuppressionReason.UNSUBSCRIBED


def _grant(
    store: PermissionStore, claims: LinkClaims, purpose: Purpose, channel: Channel, now: datetime
) -> Iterator[PermissionEntry]:
    """Yield a yes of the person, and what lifts that they had left; complaints and bounces stay."""
    evidence, source = claims.communication_id, "preference-page"
    yield ConsentEntry(claims.person, purpose, channel, True, now, source, evidence, claims.brand)
    for entry in in_force(store.entries([claims.person, *([claims.email] if claims.email else [])])):
        same = entry.channel is channel and entry.purpose is purpose and entry.brand == claims.brand
        if same and _left(entry.reason):
            yield SuppressionEntry(
                entry.subject, channel, purpose, entry.reason, now, source, evidence, entry.brand, lifted=True
            )
