"""Whether a channel may be used for a recipient, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import Standing
from ccm.model.records import Consent, ExclusionReason, OutcomeKind, Recipient
from ccm.plan.addresses import AddressInvalid, normalised_email, normalised_phone
from ccm.plan.suppressions import SuppressionIndex

# What must be mended before we can write; every other reason is a decision not to write.
MENDABLE = frozenset({ExclusionReason.INVALID_ADDRESS, ExclusionReason.INVALID_DATA})

NOTHING_KNOWN = Standing()


@dataclass(frozen=True)
class Usable:
    """A channel that may be used, with its address (empty for a document)."""

    channel: Channel
    address: str


@dataclass(frozen=True)
class Unusable:
    """A channel that must not or cannot be used."""

    channel: Channel
    reason: ExclusionReason
    detail: str = ""

    @property
    def outcome(self) -> OutcomeKind:
        """Held if mending the data would help, otherwise suppressed."""
        return OutcomeKind.HELD if self.reason in MENDABLE else OutcomeKind.SUPPRESSED


@dataclass(frozen=True)
class Address:
    """One address of a recipient.

    text: Normalised; as it was written when it cannot be used; empty when there is none.
    problem: Why it cannot be used, without the address.
    """

    text: str
    problem: str = ""


def addresses_of(recipient: Recipient) -> Mapping[Channel, Address]:
    """Return a recipient's addresses by channel."""
    return {Channel.EMAIL: _email(recipient), Channel.SMS: _phone(recipient)}


def judge(
    recipient: Recipient,
    addresses: Mapping[Channel, Address],
    channel: Channel,
    purpose: Purpose,
    suppressions: SuppressionIndex,
    now: datetime,
    standing: Standing = NOTHING_KNOWN,
) -> Usable | Unusable:
    """Decide on one channel of one recipient.

    The order is consent, suppression, preference, address; the first that fails is the reason.

    Source and permission store count alike.

    - Consent: marketing needs a granted one for this channel, not dated in the future. Transactional needs none, but an
      explicit refusal of transactional messages on the channel counts. Legal asks nobody.
    - Suppression: forbids for every purpose that the entry names; legal too.
    - Preference: the recipient's list of channels, empty for any. Legal ignores it, and so does the document: it is no
      way to reach people by itself but goes along, into the archive or to print.
    - Address: email and SMS need one; a document does not.
    """
    if not consent_allows((*recipient.consents, *standing.consents), channel, purpose, now):
        return Unusable(channel, ExclusionReason.NO_CONSENT, f"no {purpose} consent for {channel}")
    email, phone = addresses[Channel.EMAIL].text, addresses[Channel.SMS].text
    if standing.forbids(channel, purpose) or suppressions.find(channel, purpose, email=email, phone=phone):
        return Unusable(channel, ExclusionReason.SUPPRESSED, f"the {channel} address is on the suppression list")
    bound = purpose is not Purpose.LEGAL and channel is not Channel.DOCUMENT
    if bound and recipient.preferred_channels and channel not in recipient.preferred_channels:
        return Unusable(channel, ExclusionReason.PREFERENCE, f"the recipient does not want {channel}")
    if channel is Channel.DOCUMENT:
        return Usable(channel, "")
    address = addresses[channel]
    if not address.text:
        return Unusable(channel, ExclusionReason.NO_ADDRESS, f"the recipient has no address for {channel}")
    if address.problem:
        return Unusable(channel, ExclusionReason.INVALID_ADDRESS, address.problem)
    return Usable(channel, address.text)


def consent_allows(consents: tuple[Consent, ...], channel: Channel, purpose: Purpose, now: datetime) -> bool:
    """Tell whether consent permits a channel for a purpose.

    Of several entries the latest counts; where the dates do not tell, a refusal does. A grant dated after `now` is none yet.
    """
    if purpose is Purpose.LEGAL:
        return True
    entries = [entry for entry in consents if entry.purpose is purpose and entry.channel is channel]
    granted = [entry for entry in entries if entry.granted and _given(entry) <= now]
    refused = [entry for entry in entries if not entry.granted]
    if not granted:
        return purpose is Purpose.TRANSACTIONAL and not refused
    return not refused or max(map(_given, granted)) > max(map(_refused, refused))


_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


def _given(entry: Consent) -> datetime:
    return _aware(entry.given_at, _BEGINNING)


def _refused(entry: Consent) -> datetime:
    return _aware(entry.given_at, _END)


def _aware(moment: datetime | None, otherwise: datetime) -> datetime:
    if moment is None:
        return otherwise
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _email(recipient: Recipient) -> Address:
    raw = (recipient.email or "").strip(" \t")
    try:
        return Address(normalised_email(raw) if raw else "")
    except AddressInvalid as problem:
        return Address(raw, str(problem))


def _phone(recipient: Recipient) -> Address:
    raw = (recipient.phone or "").strip(" \t")
    try:
        return Address(normalised_phone(raw, recipient.country) if raw else "")
    except AddressInvalid as problem:
        return Address(raw, str(problem))
