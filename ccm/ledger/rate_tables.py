"""Tables of the limits that all runs share; see `rates`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Table, Text

from ccm.ledger.tables import metadata

rates = Table(
    "rates",
    metadata,
    Column("key", Text, primary_key=True),  # provider, or provider and sender
    Column("next_at", Double, nullable=False),  # seconds since 1970: when the next hand-over may begin
    Column("blocked_until", Double, nullable=False),  # the same: until when the provider wants to be left alone
)

rate_hours = Table(
    "rate_hours",
    metadata,
    Column("key", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # hours since 1970
    Column("used", BigInteger, nullable=False),
)
