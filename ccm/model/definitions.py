"""What people author: workspace, brand, template, campaign, source. Text comes in, pydantic types it.

Every class is frozen and refuses unknown keys. The YAML reader hands over scalars as text; the JSON
Schema of each class is what editors use (`ccm schema`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ccm.model.rate import RateLimit

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
LocaleTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")]
SemanticVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class Definition(BaseModel):
    """Base of everything authored: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Channel(StrEnum):
    """A way to reach people. PDF is a format; its channel is `document`."""

    EMAIL = "email"  # one message per recipient
    SMS = "sms"  # one text message per recipient, one or more segments
    DOCUMENT = "document"  # a PDF: archived, attached, printed or linked
    MASTODON = "mastodon"  # social networks are broadcast: one post per campaign and locale
    BLUESKY = "bluesky"
    X = "x"
    FACEBOOK = "facebook"
    LINKEDIN = "linkedin"

    @property
    def is_social(self) -> bool:
        """Whether the channel is broadcast, one post for all, and not one piece per recipient."""
        return self not in (Channel.EMAIL, Channel.SMS, Channel.DOCUMENT)


class Purpose(StrEnum):
    """Why we may write to somebody; consent and unsubscribing hang on it."""

    TRANSACTIONAL = "transactional"  # part of a service the customer has; no consent needed
    MARKETING = "marketing"  # needs consent and a way to unsubscribe
    LEGAL = "legal"  # we are obliged to send it; preferences do not stop it


# ── data contract ────────────────────────────────────────────────────────────


class FieldType(StrEnum):
    """The type of one field of customer data."""

    TEXT = "text"  # any text
    INTEGER = "integer"  # whole number
    DECIMAL = "decimal"  # exact decimal number
    MONEY = "money"  # exact decimal with a currency
    PERCENT = "percent"  # 4.5 means 4.5 %
    DATE = "date"  # ISO 8601 date
    DATETIME = "datetime"  # ISO 8601 with offset; without one it is UTC
    BOOLEAN = "boolean"  # true/false, yes/no, 1/0
    CODE = "code"  # an identifier printed as it is: reference, coupon, IBAN
    LINK = "link"  # https address
    EMAIL = "email"  # email address
    PHONE = "phone"  # telephone number
    COUNTRY = "country"  # ISO 3166-1 alpha-2
    RECORD = "record"  # named fields
    LIST = "list"  # ordered items of one type


class FieldDefinition(Definition):
    """One field of the data contract.

    Short forms: `name: text`, `name: text?` (may be missing), `lines: {list: {…fields…}}`,
    `customer: {record: {…fields…}}`.
    """

    type: FieldType
    description: str = ""
    required: bool = Field(True, description="A missing or empty value holds the recipient.")
    values: tuple[str, ...] = Field((), description="The only texts allowed.")
    currency: str | None = Field(
        None, description="Money: an ISO code (EUR), or the path of the field that holds one (customer.currency)."
    )
    decimals: int | None = Field(
        None, ge=0, le=8, description="Most digits after the point; for money the currency's own unless given."
    )
    derive: str | None = Field(
        None, description="Jinja expression that computes the value; sees the sibling fields and the root fields."
    )
    fields: Mapping[Identifier, FieldDefinition] = Field({}, description="Fields of a record.")
    of: FieldDefinition | None = Field(None, description="Type of a list's items.")

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"type": given.removesuffix("?"), "required": "false" if given.endswith("?") else "true"}
        if isinstance(given, Mapping):
            given = dict(given)
            if "record" in given:
                given = {**given, "type": "record", "fields": given["record"]}
                del given["record"]
            if "list" in given:
                item = given.pop("list")
                of = item if isinstance(item, str) else {"type": "record", "fields": item}
                given = {**given, "type": "list", "of": of}
            kind = given.get("type")
            if isinstance(kind, str) and kind.endswith("?"):
                given = {**given, "type": kind[:-1], "required": "false"}
        return given

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if (self.type is FieldType.RECORD) != bool(self.fields):
            raise ValueError("a record, and only a record, has fields")
        if (self.type is FieldType.LIST) != (self.of is not None):
            raise ValueError('a list, and only a list, says the type of its items with "of"')
        if (self.type is FieldType.MONEY) != bool(self.currency):
            raise ValueError("money, and only money, needs a currency: a code or the path of the field that holds it")
        if self.values and self.type in (FieldType.RECORD, FieldType.LIST, FieldType.MONEY):
            raise ValueError("values are for fields that hold one value; give them to the items or the fields inside")
        if self.decimals is not None and self.type not in (FieldType.MONEY, FieldType.DECIMAL, FieldType.PERCENT):
            raise ValueError("decimals are for money, decimal and percent")
        return self


# ── template ─────────────────────────────────────────────────────────────────


class FactKind(StrEnum):
    """What sort of statement a fact is; decides how each locale writes it."""

    MONEY = "money"
    DATE = "date"
    PERCENT = "percent"
    NUMBER = "number"
    CODE = "code"
    LINK = "link"
    NAME = "name"
    TEXT = "text"


class FactDefinition(Definition):
    """A declared statement that every named variant must tell alike."""

    value: str = Field(description="Jinja expression over the data contract.")
    kind: FactKind
    title: str = Field("", description="What people call it; the fact's name when absent.")
    channels: tuple[Channel, ...] = Field((), description="Channels that must tell it; all of the template's if empty.")
    total: bool = Field(False, description="Money: summed up in the run's control totals.")


class TemplateChannels(Definition):
    """Which variants a template has."""

    required: tuple[Channel, ...] = Field(min_length=1)
    optional: tuple[Channel, ...] = ()
    broadcast: tuple[Channel, ...] = ()

    @model_validator(mode="after")
    def _sides(self) -> Self:
        if any(channel.is_social for channel in self.required + self.optional):
            raise ValueError("social channels go under broadcast: one post per campaign, not per recipient")
        if any(not channel.is_social for channel in self.broadcast):
            raise ValueError("only social channels are broadcast")
        return self

    @property
    def all(self) -> tuple[Channel, ...]:
        """Every channel, in declared order."""
        return self.required + self.optional + self.broadcast


class SmsAlphabet(StrEnum):
    """What to do with characters that the cheap SMS alphabet lacks."""

    AUTO = "auto"  # GSM-7 when it fits, otherwise UCS-2
    TRANSLITERATE = (
        "transliterate"  # bring close characters into GSM-7 (curly quotes, dashes); UCS-2 when that loses letters
    )
    GSM7 = "gsm7"  # GSM-7 only: what it lacks is transliterated or the piece is held


class SmsRules(Definition):
    """Limits for the template's text message."""

    alphabet: SmsAlphabet = SmsAlphabet.TRANSLITERATE
    max_segments: int = Field(3, ge=1, le=10)


class DocumentRules(Definition):
    """How the PDF is named and attached."""

    filename: str = Field("{{ message.piece_id }}.pdf", description="Jinja text; the name the customer sees.")
    attach_to_email: bool = Field(True, description="Attach the PDF to the email of the same communication.")
    attachments: tuple[str, ...] = Field((), description="Files beside the template that go inside the PDF.")
    fill: bool = Field(True, description="Fill pages where that is known to give what the layout engine gives.")
    compared: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Share of filled pages that are laid out by both and compared; a difference stops the run.",
    )


class TemplateDefinition(Definition):
    """`templates/<name>/template.yaml`: one message type."""

    template: Name
    title: str
    description: str = ""
    version: SemanticVersion = "1.0.0"
    purpose: Purpose
    locales: tuple[LocaleTag, ...] = Field(min_length=1, description="First one is the source language.")
    contract: Mapping[Identifier, FieldDefinition] = Field(description="Data of one recipient.")
    parameters: Mapping[Identifier, FieldDefinition] = Field(
        {}, description="Values that the campaign sets once for all."
    )
    facts: Mapping[Identifier, FactDefinition] = {}
    channels: TemplateChannels
    sms: SmsRules = SmsRules()
    document: DocumentRules = DocumentRules()


# ── brand ────────────────────────────────────────────────────────────────────


class FontFile(Definition):
    """One whole TTF or OTF file; subsets under one family print wrong glyphs."""

    family: str
    file: str = Field(description="Path from the brand's folder.")
    weight: str = Field("400", description="CSS font-weight; `100 900` for a variable font.")
    style: Literal["normal", "italic"] = "normal"


class LogoFile(Definition):
    """The brand's mark."""

    file: str = Field(description="SVG or PNG, path from the brand's folder.")
    email: str | None = Field(None, description="PNG for mail clients, which show no SVG.")
    email_dark: str | None = Field(None, description="PNG for dark mode.")
    alt: str
    width_mm: float = Field(40, gt=0)


class EmailSender(Definition):
    """Who an email comes from."""

    name: str
    address: str
    reply_to: str | None = None
    unsubscribe_url: str | None = Field(
        None, description="https address; {token} is replaced by the recipient's token. Marketing needs it."
    )
    unsubscribe_mailto: str | None = None


class SmsSender(Definition):
    """Who a text message comes from."""

    sender: str = Field(description="E.164 number, short code or up to 11 letters and digits.")


class SocialSender(Definition):
    """The account that posts."""

    handle: str
    profile_url: str | None = None


class Senders(Definition):
    """Sender identity per channel."""

    email: EmailSender
    sms: SmsSender | None = None
    mastodon: SocialSender | None = None
    bluesky: SocialSender | None = None
    x: SocialSender | None = None
    facebook: SocialSender | None = None
    linkedin: SocialSender | None = None


class ApprovalRules(Definition):
    """What the brand asks of approvals."""

    four_eyes: bool = Field(False, description="Whoever made a release may not approve it.")


class ContactLimit(Definition):
    """How often marketing may reach the same person."""

    max: int = Field(ge=1, description="Communications that reach the person within the days.")
    days: int = Field(ge=1, le=366, description="Length of the sliding window.")


class BrandLimits(Definition):
    """What holds for all campaigns of a brand."""

    contacts: ContactLimit | None = Field(None, description="How often marketing may reach the same person.")


class BrandDefinition(Definition):
    """`brands/<name>/brand.yaml`."""

    brand: Name
    title: str = Field(description="The name that customers know.")
    tokens: tuple[str, ...] = Field(("tokens.json",), min_length=1, description="Later files override earlier ones.")
    logo: LogoFile
    fonts: tuple[FontFile, ...] = Field(min_length=1)
    senders: Senders
    address: tuple[str, ...] = Field(description="Postal lines of the company, as printed in the address window.")
    legal: Mapping[LocaleTag, tuple[str, ...]] = Field(description="Imprint lines per locale; falls back by language.")
    links: Mapping[Identifier, str] = Field({}, description="https addresses by name: home, help, privacy, …")
    contact: Mapping[Identifier, str] = Field({}, description="Texts by name: phone, hours, iban, bic, vat_id, …")
    avoid: Mapping[LocaleTag, tuple[str, ...]] = Field({}, description="Words that no rendition may contain.")
    approval: ApprovalRules = ApprovalRules()
    limits: BrandLimits = BrandLimits()


# ── campaign ─────────────────────────────────────────────────────────────────


class OccurrencePeriod(StrEnum):
    """How often the same campaign may lawfully reach the same recipient."""

    ONCE = "once"  # one time for ever
    DAILY = "daily"  # key 2026-10-31: the day before the scheduled one
    MONTHLY = "monthly"  # key 2026-10: the month before the scheduled one
    QUARTERLY = "quarterly"  # key 2026-Q3
    YEARLY = "yearly"  # key 2025


class OccurrenceEach(Definition):
    """One message for each value of a field: one per invoice, one per order."""

    each: str = Field(description="Path of the field whose value makes a repeat lawful, such as invoice.number.")


class Audience(Definition):
    """Who is addressed."""

    source: Name
    segment: str = Field("true", description="CEL expression over the data contract; typed at load.")


class GroupPolicy(StrEnum):
    """What `together` means for the recipient."""

    ALL = "all"  # every channel under together is sent, or none
    FIRST = "first"  # the first channel under together that composes and may be used


class CampaignChannels(Definition):
    """The channels of a campaign."""

    together: tuple[Channel, ...] = Field(min_length=1, description="All of these or nothing.")
    optional: tuple[Channel, ...] = Field((), description="Sent with the others where possible.")
    broadcast: tuple[Channel, ...] = Field((), description="One social post per network and locale.")
    policy: GroupPolicy = GroupPolicy.ALL

    @model_validator(mode="after")
    def _sides(self) -> Self:
        if any(channel.is_social for channel in self.together + self.optional):
            raise ValueError("social channels go under broadcast: one post per campaign, not per recipient")
        if any(not channel.is_social for channel in self.broadcast):
            raise ValueError("only social channels are broadcast")
        return self

    @property
    def all(self) -> tuple[Channel, ...]:
        """Every channel, in sending order."""
        return self.together + self.optional + self.broadcast


class QuietHours(Definition):
    """Local hours in which nothing is sent; may span midnight."""

    start: time
    end: time

    @model_validator(mode="before")
    @classmethod
    def _range(cls, given: Any) -> Any:
        if isinstance(given, str):
            match = re.fullmatch(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)", given)
            if not match:
                raise ValueError('write quiet hours as "21:00-08:00"')
            return {"start": match[1], "end": match[2]}
        return given


class Schedule(Definition):
    """When a campaign goes out."""

    at: datetime = Field(description="Local time without offset.")
    zone: str = Field("recipient", description="IANA zone name, or `recipient` for everyone's own.")
    quiet: QuietHours | None = None


class CampaignLimits(Definition):
    """When a run stops by itself."""

    held_share: float = Field(0.05, ge=0, le=1, description="Share of held recipients that stops the run.")
    failed_share: float = Field(
        0.5, ge=0, le=1, description="Share of the last hand-overs, rejected or unanswered, that stops the run."
    )
    sms_segments: int | None = Field(None, ge=1, le=10, description="Overrides the template's limit.")
    compose_seconds: int = Field(60, ge=0, le=3600, description="Of computing, for one recipient; 0 for no limit.")
    compose_memory_mb: int = Field(2000, ge=0, description="For one recipient; 0 for no limit.")
    orphan_rows: int | None = Field(
        None, ge=0, description="Most child rows without a row of the main table; more stop the run before it sends."
    )
    least_recipients: int = Field(
        0, ge=0, description="Fewer recipients stop the run before it sends; 0 for any number."
    )
    contacts: ContactLimit | None = Field(
        None, description="How often marketing of the brand may have reached the same person; beside the brand's limit."
    )


class CampaignDefinition(Definition):
    """`campaigns/<name>.yaml`: who, what, when, over which channels, under which purpose."""

    campaign: Name
    title: str = ""
    brand: Name
    template: str = Field(pattern=r"^[a-z][a-z0-9-]*(@\d+(\.\d+){0,2})?$", description="name@version range")
    purpose: Purpose
    occurrence: OccurrencePeriod | OccurrenceEach = OccurrencePeriod.ONCE
    audience: Audience
    channels: CampaignChannels
    locales: tuple[LocaleTag, ...] = Field((), description="Locales of broadcast posts; the template's if empty.")
    schedule: Schedule | None = None
    parameters: Mapping[Identifier, Any] = Field({}, description="Values for the template's parameters.")
    deliver: Mapping[Channel, Name] = Field(description="Provider of each channel, as named in ccm.yaml.")
    limits: CampaignLimits = CampaignLimits()

    @property
    def template_name(self) -> str:
        """Template name without the version range."""
        return self.template.partition("@")[0]

    @property
    def template_range(self) -> str:
        """Version range after the @; empty for any."""
        return self.template.partition("@")[2]


# ── sources and workspace ────────────────────────────────────────────────────


class TableDefinition(Definition):
    """Where rows come from: exactly one of file or url."""

    file: str | None = Field(None, description="CSV, Parquet or JSONL beside the source file.")
    url: str | None = Field(None, description="SQLAlchemy URL; ${NAME} takes an environment variable.")
    table: str | None = Field(None, description="Table of the database.")
    query: str | None = Field(None, description="SELECT of the database, instead of a table.")
    columns: Mapping[str, str] = Field({}, description="Renames: our name → column in the table.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"file": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError("name a file or a url")
        if self.url is not None and (self.table is None) == (self.query is None):
            raise ValueError("a url needs a table or a query")
        return self


class ChildTable(Definition):
    """Rows that belong to a recipient's row."""

    rows: TableDefinition
    key: str = Field(description="Column that holds the parent's key.")
    period: str | None = Field(
        None, description="Date or month column; only rows of the occurrence's period are joined."
    )
    order: tuple[str, ...] = Field((), description="Columns to sort by; file order if empty.")
    single: bool = Field(False, description="At most one row, joined as a record and not as a list.")


class ConsentColumns(Definition):
    """Columns that hold consent, as yes/no or the ISO time it was given."""

    email: str | None = None
    sms: str | None = None
    document: str | None = None


class RecipientColumns(Definition):
    """Which columns address a recipient."""

    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    country: str | None = None
    zone: str | None = Field(None, description="IANA time zone.")
    channels: str | None = Field(None, description="Preferred channels, separated by spaces; empty means any.")
    consent: Mapping[Purpose, ConsentColumns] = {}


class SourceDefinition(Definition):
    """`data/<name>.yaml`: a table of recipients with child tables joined by key.

    A column called `a.b` becomes field b of record a; a plain column goes into `record`.
    """

    source: Name
    rows: TableDefinition
    key: str = Field(description="Column that identifies a row; must be unique.")
    recipient_id: str | None = Field(None, description="Column of the customer's id, when it is not the key.")
    record: Identifier = Field("customer", description="Record of the contract that plain columns go into.")
    recipient: RecipientColumns
    children: Mapping[Identifier, ChildTable] = {}
    suppressions: TableDefinition | None = Field(
        None, description="Table with columns address, channel, purpose, reason; empty channel or purpose means all."
    )
    default_locale: LocaleTag | None = None
    default_zone: str = "UTC"
    default_country: str | None = None


class ProviderDefinition(Definition):
    """One configured delivery provider."""

    adapter: Name = Field(description="Name of a `ccm.delivery` entry point.")
    settings: Mapping[Identifier, str] = Field(
        {}, description="Adapter settings; ${NAME} takes an environment variable."
    )
    rate: RateLimit | None = Field(None, description='How fast it may be used: "14/s", or per_second and per_day.')


Retention = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}[ymd]$")]


class WorkspaceDefinition(Definition):
    """`ccm.yaml` in the workspace's root."""

    workspace: Name
    ledger: str = Field("sqlite:///.ccm/ledger.db", description="SQLAlchemy URL, relative to the workspace.")
    archive: str = Field("archive", description="Folder of the archive, or s3://bucket/prefix.")
    keys: str = Field(
        "sqlite:///.ccm/keys/keys.db",
        description="SQLAlchemy URL of the customers' keys; backed up apart from archive and ledger.",
    )
    retention: Mapping[Purpose, Retention] = Field(
        {}, description="How long pieces of a purpose are kept: 6y, 18m or 90d; without an entry, for ever."
    )
    releases: str = Field("releases", description="Folder of the releases, or s3://bucket/prefix.")
    providers: Mapping[Name, ProviderDefinition] = Field(
        {
            "outbox": ProviderDefinition(adapter="outbox", settings={"folder": "outbox"}),
            "archive": ProviderDefinition(adapter="archive"),
        }
    )


def period_key(period: OccurrencePeriod, day: date) -> str:
    """Return the occurrence key of the last complete period before a day.

    Example: MONTHLY and 2026-11-02 give "2026-10"; ONCE gives "once".
    """
    start, _ = period_bounds(period, day)
    match period:
        case OccurrencePeriod.ONCE:
            return "once"
        case OccurrencePeriod.DAILY:
            return start.isoformat()
        case OccurrencePeriod.MONTHLY:
            return f"{start:%Y-%m}"
        case OccurrencePeriod.QUARTERLY:
            return f"{start.year}-Q{(start.month + 2) // 3}"
        case OccurrencePeriod.YEARLY:
            return f"{start.year}"


def period_bounds(period: OccurrencePeriod, day: date) -> tuple[date, date]:
    """Return first day and first day after the last complete period before a day."""
    match period:
        case OccurrencePeriod.ONCE:
            return date.min, date.max
        case OccurrencePeriod.DAILY:
            return date.fromordinal(day.toordinal() - 1), day
        case OccurrencePeriod.MONTHLY:
            months, step = day.year * 12 + day.month - 1, 1
        case OccurrencePeriod.QUARTERLY:
            months, step = day.year * 12 + (day.month - 1) // 3 * 3, 3
        case OccurrencePeriod.YEARLY:
            months, step = day.year * 12, 12
    first = months - step
    return date(first // 12, first % 12 + 1, 1), date(months // 12, months % 12 + 1, 1)
