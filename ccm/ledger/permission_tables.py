"""The tables of the permission store. A change here needs a new file in migrations/versions/."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from ccm.ledger.tables import UtcTime, metadata

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

permission_revision = Table(
    "permission_revision",
    metadata,
    Column("id", Integer, primary_key=True),  # one row, 1
    Column("revision", BigInteger, nullable=False),  # grows with every change, in the order of commits
)

permission_keys = Table(
    "permission_keys",
    metadata,
    Column("ident", Text, primary_key=True),  # names of the secrets that marks were made with
)

consents = Table(
    "consents",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),  # a mark, never an address or an id
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("brand", Text, nullable=False),  # empty for every brand
    Column("granted", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Index("consents_by_subject", "subject"),
    Index("consents_by_revision", "revision"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("channel", Text, nullable=False),  # empty for every channel
    Column("purpose", Text, nullable=False),  # empty for every purpose
    Column("brand", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lifted", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Index("suppressions_by_subject", "subject"),
    Index("suppressions_by_revision", "revision"),
)

provider_events = Table(
    "provider_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # mark of the address; empty where the event names none
    Column("at", UtcTime, nullable=False),  # when we read it
    Index("provider_events_by_subject", "subject"),
)

run_purposes = Table(
    "run_purposes",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("brand", Text, nullable=False),
    Column("purpose", Text, nullable=False),
)
