"""The ledger's tables. A change here needs a new file in migrations/versions/."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
)

# SQLite numbers rows by itself only in a column of type INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; databases without zones keep it as plain UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the ledger takes aware times only")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("detail", Text, nullable=False),
    Column("read", BigInteger),  # None until an execution has read the whole source
    Column("outside_segment", BigInteger, nullable=False),
    Column("owner", Text),  # None when nobody holds the lease
    Column("lease_until", UtcTime),
    Column("fence", Integer, nullable=False),  # grows with every execution; an older one is refused
    Column("boot", Text, nullable=False),  # which start of the machine the last execution ran on
    Column("wanted", Text, nullable=False, server_default=""),  # pause or cancel, ordered from another terminal
    Column("progress", Text, nullable=False, server_default=""),  # JSON, for `ccm status`
    Column("intents", BigInteger, nullable=False, server_default="0"),  # grows with every group of intents, see `marks`
    Column("orphans", Text, nullable=False, server_default=""),  # JSON: child rows of the source that belong to nobody
)

communications = Table(
    "communications",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("communication_id", Text, nullable=False, unique=True),
    Column("run_id", Text, ForeignKey("runs.run_id"), nullable=False),
    Column("recipient_id", Text, nullable=False),
    Column("broadcast", Boolean, nullable=False),
    Column("locale", Text, nullable=False),  # empty where the recipient was left out before it was known
    Column("outcome", Text),  # None while pieces are still to be sent
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("until", UtcTime),
    Column("decided_at", UtcTime, nullable=False),
    Index("communications_by_run", "run_id", "outcome"),
    Index("communications_by_recipient", "recipient_id"),
)

pieces = Table(
    "pieces",
    metadata,
    Column("number", _NUMBER, primary_key=True),  # the order of decisions
    Column("piece_id", Text, nullable=False, unique=True),
    Column("communication_id", Text, nullable=False),
    Column("run_id", Text, ForeignKey("runs.run_id"), nullable=False),
    Column("recipient_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("required", Boolean, nullable=False),
    Column("provider", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("facts", Text, nullable=False),  # JSON: {name: {kind, text}} as this piece tells them
    Column("archived", Text, nullable=False, server_default=""),  # address of the sealed rendition
    Column("snapshot", Text, nullable=False, server_default=""),  # address of the sealed data it was composed from
    Column("purpose", Text, nullable=False, server_default=""),  # decides how long it is kept
    Column("possible_duplicate", Boolean, nullable=False, server_default=false()),  # sent again by an operator's order
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),  # of the rendition, for manifests
    Index("pieces_by_communication", "communication_id"),
    Index("pieces_by_run", "run_id"),
    Index("pieces_by_recipient", "recipient_id"),
)

totals = Table(
    "totals",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("piece_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("fact", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("nanos", BigInteger, nullable=False),
    Index("totals_by_piece", "piece_id"),
    Index("totals_by_run", "run_id"),
)

remarks = Table(
    "remarks",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("communication_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # finding, slow-path, taught or channel-exclusion
    Column("code", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Index("remarks_by_communication", "communication_id"),
    Index("remarks_by_run", "run_id"),
)

events = Table(
    "events",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("subject", Text, nullable=False),  # a piece, communication or run id
    Column("state", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("events_by_run", "run_id"),
)
