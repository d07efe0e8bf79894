"""What the permission store holds and what planning asks of it. Subjects are marks (`Keyring`): nobody can read them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ccm.model.definitions import Channel, Purpose
from ccm.model.records import Consent, Recipient, Suppression


class SuppressionReason(StrEnum):
    """Why an address or a person must not be used."""

    UNSUBSCRIBED = "unsubscribed"  # by the link or the page
    BOUNCED = "bounced-hard"  # the address does not exist
    BOUNCED_OFTEN = "bounced-often"  # it came back for a passing reason, again and again
    COMPLAINED = "complained"  # the recipient called a message spam
    STOP_REPLY = "stop-reply"  # the recipient answered STOP
    ERASED = "erased"  # the person was erased and stays away
    MANUAL = "manual"  # somebody here entered it


@dataclass(frozen=True)
class ConsentEntry:
    """One statement of a person about one purpose and channel. Entries are added, never changed; the latest counts.

    subject: Mark of a recipient id or of an address.
    at: When it was said, aware.
    source: Where it was said: preference-page, one-click, import, operator, …
    evidence: What proves it, such as the id of the communication whose link was used; no personal data.
    brand: Empty for every brand.
    """

    subject: str
    purpose: Purpose
    channel: Channel
    granted: bool
    at: datetime
    source: str
    evidence: str = ""
    brand: str = ""


@dataclass(frozen=True)
class SuppressionEntry:
    """An address or person that must not be used, or no longer so when `lifted`. The last entry of its kind counts.

    subject: Mark of a recipient id or of an address.
    channel, purpose: None for all of them.
    brand: Empty for every brand.
    """

    subject: str
    channel: Channel | None
    purpose: Purpose | None
    reason: SuppressionReason
    at: datetime
    source: str
    evidence: str = ""
    brand: str = ""
    lifted: bool = False


PermissionEntry = ConsentEntry | SuppressionEntry


def in_force(entries: Iterable[PermissionEntry]) -> tuple[SuppressionEntry, ...]:
    """Return the suppressions that are not lifted; the last of the same kind counts.

    Args:
        entries: In the order they were written.
    """
    last: dict[tuple[object, ...], SuppressionEntry] = {}
    for entry in entries:
        if isinstance(entry, SuppressionEntry):
            last[entry.subject, entry.channel, entry.purpose, entry.brand, entry.reason] = entry
    return tuple(entry for entry in last.values() if not entry.lifted)


@dataclass(frozen=True)
class Subjects:
    """The marks of one person, under every key: what entries about them may be filed under."""

    person: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every mark."""
        return self.person + self.email + self.phone


@dataclass(frozen=True)
class Standing:
    """What is written down about one person.

    consents: Every statement, of the person and of their addresses.
    person, email, phone: Suppressions in force, by what they are filed under.
    """

    consents: tuple[Consent, ...] = ()
    person: tuple[Suppression, ...] = ()
    email: tuple[Suppression, ...] = ()
    phone: tuple[Suppression, ...] = ()

    def forbids(self, channel: Channel, purpose: Purpose) -> Suppression | None:
        """Return the entry that forbids a channel for a purpose, or None.

        Why: An entry about an address concerns the channel of that address. An entry about a person concerns all. A
            document has no address of its own: it is stopped by entries about the person, or by one that names it.
        """
        own = {Channel.EMAIL: self.email, Channel.SMS: self.phone}.get(channel, ())
        for entry in (*self.person, *own):
            if entry.channel in (None, channel) and entry.purpose in (None, purpose):
                return entry
        for entry in (*self.email, *self.phone) if channel is Channel.DOCUMENT else ():
            if entry.channel is channel and entry.purpose in (None, purpose):
                return entry
        return None


class PermissionBook(Protocol):
    """What planning asks about people while a run goes on."""

    def standing(self, recipient: Recipient, email: str, phone: str) -> Standing:
        """Return what is written down about a recipient.

        Args:
            email: Normalised where possible; empty if there is none.
            phone: E.164 where possible; empty if there is none.
        """

    def contacts(self, recipient_id: str, since: datetime, but: str) -> int:
        """Return how many marketing communications of the brand reached a recipient since a time.

        Args:
            but: The communication that is being decided on; it does not count against itself.
        """

    def token(self, recipient: Recipient, communication_id: str, email: str, locale: str) -> str:
        """Return the signed token of a communication's unsubscribe link; always the same for the same communication."""


class NewsKind(StrEnum):
    """What a provider or a recipient says after the hand-over."""

    DELIVERED = "delivered"  # it arrived
    BOUNCED = "bounced"  # it came back for good: the address does not work
    FAILED = "failed"  # it did not arrive, and the address may still be good
    DELAYED = "delayed"  # still being tried
    COMPLAINED = "complained"  # the recipient called it spam
    STOPPED = "stopped"  # the recipient wants no more of this channel
    UNSUBSCRIBED = "unsubscribed"  # a mail asks to leave, with the token of the message that it answers
    STARTED = "started"  # the recipient takes a STOP back
    ASKED = "asked"  # the recipient asked for help
    OTHER = "other"  # nothing that concerns us: opened, sent, an unknown word


@dataclass(frozen=True)
class News:
    """One event that a provider or a mail server reported, read into our words.

    event_id: The same for the same event, however often it is reported; the provider's name stands in front.
    piece_id: Empty where the event names none.
    address: Whom it concerns; for the suppression list alone, which keeps its mark; never shown or logged.
    detail: The provider's code or word, free of personal data.
    at: When it happened, aware; None where nobody says.
    proved: Signed by the provider. A mail can be written by anybody: its address must be the piece's own to count.
    sender: Our number that a text message was sent to.
    token: Of the unsubscribe link that a mail quotes; counts only if we signed it.
    """

    event_id: str
    kind: NewsKind
    channel: Channel
    piece_id: str = ""
    address: str = field(default="", repr=False)
    detail: str = ""
    at: datetime | None = None
    proved: bool = True
    sender: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class NewsTally:
    """What became of a batch of events.

    applied: Events by kind, known ones left out.
    moved: Pieces that stand elsewhere now.
    suppressed: Suppressions that were written.
    repeated: Known already.
    strange: About no piece of ours, or with a token that is not ours.
    """

    applied: Mapping[NewsKind, int] = field(default_factory=dict)
    moved: int = 0
    suppressed: int = 0
    repeated: int = 0
    strange: int = 0
