"""What flows through a run. Frozen, picklable, made by us and by nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from ccm.diagnostics import Diagnostic, Location, Severity
from ccm.model.definitions import Channel, FactKind, Purpose
from ccm.model.orphans import OrphanRows
from ccm.model.progress import RunOrder, RunProgress
from ccm.model.refusals import AddressFault

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _BASE32 for second in _BASE32)
_SIXTY_BITS = (1 << 60) - 1


def derived_id(prefix: str, *parts: str) -> str:
    """Derive an id: the same parts always give the same id, on every machine.

    Returns:
        prefix, a dash and 26 lower-case base32 characters (130 bits): safe in file names, headers and URLs.
    Why: A drawn id would let a second run send the same message under a new name.
    """
    bits = int.from_bytes(hashlib.sha256("\x1f".join((prefix, *parts)).encode()).digest()[:17]) >> 6
    high, low = bits >> 60, bits & _SIXTY_BITS
    pairs = _PAIRS  # b32encode takes four times as long, and every person of a source has an id
    return (
        f"{prefix}-{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}{pairs[high >> 30 & 1023]}"
        f"{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}{pairs[low >> 50]}"
        f"{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def run_id(campaign: str, occurrence: str) -> str:
    """Id of one campaign occurrence; readable, because operators type it."""
    return f"{campaign}.{occurrence}"


def communication_id(campaign: str, occurrence: str, recipient: str) -> str:
    """Id of one message to one recipient."""
    return derived_id("c", campaign, occurrence, recipient)


def piece_id(communication: str, channel: Channel) -> str:
    """Id of one channel's part of a communication."""
    return derived_id("p", communication, channel)


@dataclass(frozen=True)
class ReleaseRef:
    """Which version of a template a piece was made from.

    version: Semantic version; ends in -draft while it is the working folder.
    content_hash: SHA-256 over everything the message is made of, in hex.
    """

    template: str
    version: str
    content_hash: str

    def __str__(self) -> str:
        return f"{self.template}@{self.version}+{self.content_hash[:12]}"


# ── load → plan ──────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Consent:
    """Permission for one purpose and channel.

    given_at: When, if the source says.
    """

    purpose: Purpose
    channel: Channel
    granted: bool
    given_at: datetime | None = None


@dataclass(frozen=True)
class Suppression:
    """An address that must not be used; empty channel or purpose means all of them."""

    address: str
    channel: Channel | None
    purpose: Purpose | None
    reason: str


@dataclass(frozen=True)
class Recipient:
    """An addressee with typed data.

    recipient_id: The customer's id; `row:<line>` when the row has none.
    occurrence_key: What makes a repeat lawful when the campaign says `each`; otherwise empty.
    locale: BCP 47 tag as the source gave it; may be any locale, not only the template's.
    faults: What is wrong with the row; a recipient with faults is held.
    data: Values typed by the data contract.
    """

    recipient_id: str
    occurrence_key: str
    locale: str
    zone: str
    country: str | None
    email: str | None
    phone: str | None
    preferred_channels: tuple[Channel, ...]
    consents: tuple[Consent, ...]
    data: Mapping[str, object]
    location: Location
    faults: tuple[Diagnostic, ...] = ()


# ── plan → compose ───────────────────────────────────────────────────────────


class ExclusionReason(StrEnum):
    """Why a recipient or one channel of a communication was left out."""

    NOT_IN_SEGMENT = "not-in-segment"  # the campaign does not address them; not counted as in
    INVALID_DATA = "invalid-data"  # the row broke the data contract
    DUPLICATE_KEY = "duplicate-key"  # the key came a second time in the same run
    NO_CONSENT = "no-consent"  # purpose needs consent and there is none
    SUPPRESSED = "suppressed"  # the address is on the suppression list
    PREFERENCE = "preference"  # the recipient prefers other channels
    NO_ADDRESS = "no-address"  # the channel's address is missing
    INVALID_ADDRESS = "invalid-address"  # the address is not usable
    QUIET_HOURS = "quiet-hours"  # it is night where they live; the next run takes them
    NOT_DUE = "not-due"  # scheduled for later; the next run takes them
    COMPOSE_FAILED = "compose-failed"  # a required channel could not be made
    CHECK_FAILED = "check-failed"  # a required channel broke a rule
    LEFT_SOURCE = "left-source"  # was held for a mistake, and a later reading of the source no longer met them
    CONTACT_LIMIT = "contact-limit"  # marketing reached them often enough lately
    OPTED_OUT = "opted-out"  # they left while the run was going on
    CANCELLED = "cancelled"  # an operator cancelled the run before it was their turn
    NO_RELEASE = "no-effective-release"  # no approved release is effective on the message's date


class OutcomeKind(StrEnum):
    """The last word on one recipient of a run."""

    ACCEPTED = "accepted"  # every required piece was accepted by its provider
    REJECTED = "rejected"  # a provider refused a required piece
    SUPPRESSED = "suppressed"  # we may not write: no consent, suppressed, preference, no address
    HELD = "held"  # something must be mended or waited for first
    UNKNOWN = "unknown"  # an answer was lost; never resent by itself


@dataclass(frozen=True)
class Exclusion:
    """One decision in one run: this recipient gets nothing.

    outcome: None when the campaign does not address them at all.
    detail: For a person, without personal data.
    until: For waiting reasons: when they may be reached.
    """

    recipient_id: str
    communication_id: str
    reason: ExclusionReason
    outcome: OutcomeKind | None
    detail: str = ""
    until: datetime | None = None
    location: Location | None = None


@dataclass(frozen=True)
class ChannelExclusion:
    """An optional channel that one communication goes without."""

    channel: Channel
    reason: ExclusionReason
    detail: str = ""


@dataclass(frozen=True)
class PlannedPiece:
    """One channel's part, not composed yet.

    address: Normalised email, E.164 number, account handle; empty for an archived document.
    """

    piece_id: str
    channel: Channel
    address: str
    required: bool
    provider: str


@dataclass(frozen=True)
class Communication:
    """One message to one recipient, all channels; or one broadcast in one locale.

    recipient_id: `broadcast:<locale>` for a broadcast.
    country: Of the recipient, if the source says; where the zone is unknown it tells which zones are possible.
    language: Locale of the texts, one of the template's.
    locale: Locale of numbers, money, dates and addresses: the recipient's own.
    pieces: In sending order.
    issued_at: Time that the message carries, scheduled or the run's; aware. Never the wall clock: bytes must come out alike.
    period: First and last day of the occurrence, both inclusive; None when it has none.
    alternatives: Policy FIRST: pieces to fall back on, in order, when the required one cannot be composed.
    unsubscribe_token: Signed; what the unsubscribe link of marketing ends in. Empty where nothing signs: previews.
    """

    communication_id: str
    run_id: str
    campaign: str
    occurrence: str
    recipient_id: str
    language: str
    locale: str
    zone: str
    purpose: Purpose
    release: ReleaseRef
    pieces: tuple[PlannedPiece, ...]
    data: Mapping[str, object]
    parameters: Mapping[str, object]
    issued_at: datetime
    period: tuple[date, date] | None = None
    exclusions: tuple[ChannelExclusion, ...] = ()
    country: str = ""
    alternatives: tuple[PlannedPiece, ...] = ()
    unsubscribe_token: str = ""

    @property
    def is_broadcast(self) -> bool:
        """Whether this is a social broadcast."""
        return self.recipient_id.startswith("broadcast:")


# ── compose → check ──────────────────────────────────────────────────────────


@dataclass(frozen=True)
class FactValue:
    """A declared fact of one communication.

    value: Money, date, Decimal, int or str, by kind.
    text: The form in the communication's locale, as every variant must tell it.
    """

    name: str
    kind: FactKind
    value: object
    text: str
    channels: tuple[Channel, ...]
    total: bool = False


@dataclass(frozen=True)
class Attachment:
    """A file that travels with a rendition."""

    filename: str
    media_type: str
    content: bytes
    alt: str = ""


_HINTS = frozenset({"outline", "fillings", "text_outline", "text_fillings"})


@dataclass(frozen=True)
class EmailRendition:
    """A composed email.

    html, text: As in the message; text is what a plain client shows.
    message: The whole RFC 5322 message, CRLF, ready to be handed over.
    outline, text_outline: Pieces of the HTML and of the text that customers share, in order.
    fillings, text_fillings: What stands between them, as it stands there. Outlines and fillings are hints that let a
        reader go faster; they are never believed, and do not travel between processes.
    """

    piece_id: str
    subject: str
    preheader: str
    html: str
    text: str
    message: bytes
    channel: Channel = Channel.EMAIL
    outline: tuple[str, ...] = field(default=(), compare=False, repr=False)
    fillings: tuple[str, ...] = field(default=(), compare=False, repr=False)
    text_outline: tuple[str, ...] = field(default=(), compare=False, repr=False)
    text_fillings: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __getstate__(self) -> dict[str, object]:
        """Leave the hints behind: they are longer than the message, and what was checked needs none."""
        return {name: value for name, value in self.__dict__.items() if name not in _HINTS}

    @property
    def content(self) -> bytes:
        """What the archive keeps."""
        return self.message


@dataclass(frozen=True)
class SmsRendition:
    """A composed text message.

    alphabet: gsm7 or ucs2.
    segments: The parts a carrier bills for, in order.
    """

    piece_id: str
    text: str
    alphabet: str
    segments: tuple[str, ...]
    channel: Channel = Channel.SMS

    @property
    def content(self) -> bytes:
        """What the archive keeps."""
        return self.text.encode()


@dataclass(frozen=True)
class DocumentRendition:
    """A composed PDF: PDF/A-3a and PDF/UA-1 in one file."""

    piece_id: str
    filename: str
    title: str
    pages: int
    content: bytes
    channel: Channel = Channel.DOCUMENT


@dataclass(frozen=True)
class SocialRendition:
    """A composed post for one network.

    length: In the network's own count; limit in the same unit.
    """

    piece_id: str
    channel: Channel
    text: str
    length: int
    limit: int
    language: str
    card: Attachment | None = None

    @property
    def content(self) -> bytes:
        """What the archive keeps."""
        return self.text.encode()


Rendition: TypeAlias = EmailRendition | SmsRendition | DocumentRendition | SocialRendition


@dataclass(frozen=True)
class Finding:
    """What composing or checking says about one piece; an error holds the communication if the piece is required.

    message: No personal data: it goes into logs and reports.
    """

    code: str
    message: str
    remedy: str
    piece_id: str
    channel: Channel
    severity: Severity = Severity.ERROR
    location: Location | None = None


@dataclass(frozen=True)
class Composed:
    """A communication with the renditions that could be made.

    slow_paths: Why a compiled shortcut was not taken, by channel; empty when all were.
    data: The customer's data as templates saw it, derived fields included; None when composing got no further.
    computed: Amounts and numbers that templates worked out from it: sums, differences, products.
    taught: Why the layout engine was asked although the page was filled then, by channel: it taught, or was compared with.
    """

    communication: Communication
    facts: tuple[FactValue, ...]
    renditions: tuple[Rendition, ...]
    findings: tuple[Finding, ...] = ()
    slow_paths: Mapping[Channel, str] = field(default_factory=dict)
    data: Mapping[str, object] | None = None
    computed: tuple[object, ...] = ()
    taught: Mapping[Channel, str] = field(default_factory=dict)


# ── deliver ──────────────────────────────────────────────────────────────────


class PieceState(StrEnum):
    """Where a piece stands. States only move forward."""

    PLANNED = "planned"  # decided, not made
    COMPOSED = "composed"  # made and checked, in the archive
    INTENT = "intent"  # written down that it will be handed over
    SENDING = "sending"  # handed to the adapter, no answer yet
    ACCEPTED = "accepted"  # the provider took it
    REJECTED = "rejected"  # the provider refused it for good
    UNKNOWN = "unknown"  # the answer was lost
    HELD = "held"  # not sent: composing, a check or another channel failed
    DELIVERED = "delivered"  # the provider says it arrived
    BOUNCED = "bounced"  # it came back
    COMPLAINED = "complained"  # the recipient called it spam

    @property
    def is_final(self) -> bool:
        """Whether a run has nothing left to do for this piece."""
        return self not in (PieceState.PLANNED, PieceState.COMPOSED, PieceState.INTENT, PieceState.SENDING)


class ReceiptStatus(StrEnum):
    """An adapter's answer at hand-over."""

    ACCEPTED = "accepted"  # the provider took responsibility
    DEFERRED = "deferred"  # provably not accepted, may be tried again
    REJECTED = "rejected"  # provably not accepted, trying again is pointless
    UNKNOWN = "unknown"  # the answer was lost after bytes had left


@dataclass(frozen=True)
class Capabilities:
    """What an adapter can do; plan compares before anything is composed.

    max_bytes: Largest message; None means no limit known.
    deduplicates: The provider drops a second hand-over with the same key.
    looks_up: A lost answer can be asked for later.
    postal: Documents go out on paper: each envelope carries the postal address, and a recipient without one is left out.
    """

    channels: tuple[Channel, ...]
    max_bytes: int | None = None
    attachments: bool = True
    deduplicates: bool = False
    looks_up: bool = False
    concurrency: int = 8
    postal: bool = False


@dataclass(frozen=True)
class PostalAddress:
    """Where a letter goes: the field `address` of the data contract, laid out.

    lines: As in the envelope's window, in the layout of the country.
    name, company: Whom it addresses; one of them may be empty.
    country: ISO 3166-1 alpha-2; empty when the data does not say.
    """

    lines: tuple[str, ...]
    name: str = ""
    company: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True)
class Envelope:
    """What an adapter gets: one piece and where it goes.

    key: The piece id; also the idempotency key where a provider takes one.
    release, locale: What the piece was made from, and for; for records beside it.
    postal: For documents, where the provider's capabilities ask for it.
    """

    key: str
    channel: Channel
    sender: str
    address: str
    rendition: Rendition
    tags: Mapping[str, str] = field(default_factory=dict)
    release: str = ""
    locale: str = ""
    postal: PostalAddress | None = None


@dataclass(frozen=True)
class Receipt:
    """What an adapter answers.

    provider_status: The provider's own word, free of personal data.
    retry_after_seconds: When the provider asked us to wait.
    address_fault: With REJECTED: the address is to be suppressed on its channel. None where the provider does not say so.
    """

    key: str
    status: ReceiptStatus
    provider: str
    provider_id: str = ""
    provider_status: str = ""
    retry_after_seconds: float | None = None
    address_fault: AddressFault | None = None


# ── archive, ledger, reconcile ───────────────────────────────────────────────


@dataclass(frozen=True)
class ArchiveRef:
    """Where a rendition is kept.

    sha256: Of the content, in hex; also its address.
    """

    sha256: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True)
class PieceRecord:
    """One piece as the ledger knows it.

    sha256: Of what was composed, in hex; empty for what was never composed and for a customer who was erased.
    archived: Address of the sealed rendition in the archive.
    snapshot: Address of the sealed data it was composed from.
    size_bytes: Of the rendition; 0 where it was not kept.
    """

    piece_id: str
    communication_id: str
    run_id: str
    recipient_id: str
    channel: Channel
    state: PieceState
    required: bool
    provider: str
    release: str
    locale: str
    provider_id: str = ""
    detail: str = ""
    sha256: str = ""
    pages: int = 0
    segments: int = 0
    attempts: int = 0
    updated_at: datetime | None = None
    archived: str = ""
    snapshot: str = ""
    possible_duplicate: bool = False
    size_bytes: int = 0


@dataclass(frozen=True)
class RunRecord:
    """One execution of one campaign occurrence, as the ledger keeps it.

    state: open, closed, stopped or cancelled.
    order: What an operator ordered from another terminal.
    progress: How far the execution is or was; None before it said anything.
    owner: Which process executes it now; empty for none.
    intents: Hand-overs that were ever written down; only grows, so that an older copy of a ledger can be told.
    """

    run_id: str
    campaign: str
    occurrence: str
    release: str
    state: str
    started_at: datetime
    finished_at: datetime | None = None
    detail: str = ""
    order: RunOrder = RunOrder.NONE
    progress: RunProgress | None = None
    owner: str = ""
    intents: int = 0


@dataclass(frozen=True)
class Decision:
    """What a run decided about one recipient; written in one transaction per window.

    communication: None when the recipient was excluded before there was one.
    pieces: State COMPOSED (or HELD) with hash, pages and segments filled in.
    outcome: Set when it is already final (excluded, held); None while pieces are still to be sent.
    """

    communication_id: str
    recipient_id: str
    locale: str
    communication: Communication | None
    pieces: tuple[PieceRecord, ...] = ()
    facts: tuple[FactValue, ...] = ()
    findings: tuple[Finding, ...] = ()
    exclusion: Exclusion | None = None
    outcome: Outcome | None = None
    slow_paths: Mapping[Channel, str] = field(default_factory=dict)
    taught: Mapping[Channel, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StateChange:
    """One step of one piece.

    possible_duplicate: An operator ordered it sent again although it may have gone out; the piece keeps the mark.
    """

    piece_id: str
    state: PieceState
    at: datetime
    provider_id: str = ""
    detail: str = ""
    possible_duplicate: bool = False


@dataclass(frozen=True)
class RunTally:
    """Sums that the ledger made of one run; `reconcile` turns them into a report.

    outcomes: By kind. Recipients outside the segment are counted apart.
    undecided: Communications, broadcasts too, without an outcome.
    reasons: Exclusion and hold reasons with their counts.
    totals: Exact sums of total facts over accepted pieces, by (fact, channel, currency).
    pages, segments: Over accepted pieces.
    broadcasts: Outcomes of social posts, which address nobody in particular; not among `outcomes`.
    possible_duplicates: Pieces that an operator ordered sent again although they may have gone out before.
    opted_out: Held pieces of people who left in time, or get nothing any more; nobody has to look after them.
    documents: Documents that were made, whatever became of them.
    taught: Why the layout engine was asked for documents that were filled then, with counts.
    orphans: Child rows of the source that belong to nobody.
    last_read: Rows that the last complete reading of the source gave; None if there was none.
    """

    run: RunRecord
    read: int
    outside_segment: int
    outcomes: Mapping[OutcomeKind, int]
    undecided: int
    reasons: Mapping[str, int]
    pieces: Mapping[tuple[Channel, PieceState], int]
    totals: Mapping[tuple[str, Channel, str], Decimal]
    pages: int
    segments: int
    findings: Mapping[str, int]
    slow_paths: Mapping[str, int]
    locales: Mapping[str, int]
    broadcasts: Mapping[OutcomeKind, int] = field(default_factory=dict)
    possible_duplicates: int = 0
    opted_out: int = 0
    documents: int = 0
    taught: Mapping[str, int] = field(default_factory=dict)
    orphans: tuple[OrphanRows, ...] = ()
    last_read: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The last word on one recipient of one run.

    detail: Place and message for the person who mends it; no personal data.
    """

    communication_id: str
    recipient_id: str
    kind: OutcomeKind
    reason: str = ""
    until: datetime | None = None
    detail: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """One line of "who got what, when, in which version, with which facts"."""

    recipient_id: str
    campaign: str
    occurrence: str
    channel: Channel
    state: PieceState
    at: datetime
    release: str
    provider: str
    provider_id: str
    sha256: str
    facts: Mapping[str, str]
    piece_id: str = ""


@dataclass(frozen=True)
class RunReport:
    """The sums of a run; `balanced` is the promise that nobody was lost.

    read: Recipients the source gave. addressed: those inside the segment (= in).
    totals: Sum of every total fact by (fact, channel, currency) over accepted pieces.
    """

    run_id: str
    campaign: str
    occurrence: str
    release: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    read: int
    outside_segment: int
    outcomes: Mapping[OutcomeKind, int]
    reasons: Mapping[str, int]
    pieces: Mapping[Channel, Mapping[PieceState, int]]
    totals: Mapping[tuple[str, Channel, str], Decimal]
    pages: int
    segments: int
    findings: Mapping[str, int]
    slow_paths: Mapping[str, int]
    locales: Mapping[str, int]
    broadcasts: Mapping[OutcomeKind, int] = field(default_factory=dict)
    possible_duplicates: int = 0
    opted_out: int = 0
    documents: int = 0
    taught: Mapping[str, int] = field(default_factory=dict)
    orphans: tuple[OrphanRows, ...] = ()
    last_read: int | None = None

    @property
    def in_full(self) -> dict[str, int]:
        """Why documents took the full path, with counts."""
        prefix = f"{Channel.DOCUMENT}: "
        return {why.removeprefix(prefix): count for why, count in self.slow_paths.items() if why.startswith(prefix)}

    @property
    def filled(self) -> int:
        """Documents that were filled without asking the layout engine."""
        return max(0, self.documents - sum(self.taught.values()) - sum(self.in_full.values()))

    @property
    def addressed(self) -> int:
        """Recipients that the campaign is for."""
        return self.read - self.outside_segment

    @property
    def balanced(self) -> bool:
        """Whether in = accepted + rejected + suppressed + held + unknown."""
        return self.addressed == sum(self.outcomes.values())
