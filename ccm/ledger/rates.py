"""Limits that all runs on all machines share, in the ledger's own database; they survive restarts.

The rate is kept as one number: when the next hand-over may begin (GCRA without a burst). A process reserves several
moments at once, so that thousands a second cost a few transactions; what it does not use of them is lost, never used twice.
The day's quota is counted by hours and holds for any 24 hours, as providers count it.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.database import Database
from ccm.ledger.rate_tables import rate_hours, rates
from ccm.model.rate import Grant, RateLimit

_HOUR = 3600
_DAY_HOURS = 24

# A next moment further ahead than this was written under a clock that ran ahead: nobody reserves so far.
_FURTHEST_SECONDS = 120.0
# Longest wish of a provider to be left alone that is believed.
_LONGEST_BLOCK_SECONDS = 3600.0


class RateStore:
    """Reservations and blocks, by key. Safe in threads and between processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, key: str, limit: RateLimit, wanted: int, now: float) -> Grant:
        """Reserve up to `wanted` hand-overs from now on.

        Args:
            key: Of the provider, or of provider and sender.
            now: Seconds since 1970.
        """
        interval = 1 / limit.per_second if limit.per_second else 0.0
        with self._database.write(durable=False, alone=False) as connection:
            next_at, blocked = _locked(connection, key, now)
            count, until = _left_of_the_day(connection, key, limit, wanted, now)
            first = max(next_at, blocked, now)
            if count:
                values = {"next_at": first + count * interval}
                connection.execute(sa.update(rates).where(rates.c.key == key), values)
        return Grant(first, count, interval, until)

    def block(self, key: str, until: float, now: float) -> None:
        """Let nobody begin a hand-over before a moment; a later one that stands already stays."""
        until = min(until, now + _LONGEST_BLOCK_SECONDS)
        with self._database.write(durable=False, alone=False) as connection:
            _, blocked = _locked(connection, key, now)
            values = {"blocked_until": max(blocked, until)}
            connection.execute(sa.update(rates).where(rates.c.key == key), values)

    def blocked_until(self, key: str) -> float:
        """Return until when nobody may begin; 0 for no block."""
        with self._database.read() as connection:
            found = connection.scalar(sa.select(rates.c.blocked_until).where(rates.c.key == key))
        return found or 0.0

    def close(self) -> None:
        """Give back connections."""
        self._database.close()


def open_rates(url: str, root: str | Path) -> RateStore:
    """Open the limits in the database of a workspace's ledger.

    Raises:
        LedgerError: If it cannot be opened.
    """
    return RateStore(Database(url, root))


def _locked(connection: Connection, key: str, now: float) -> tuple[float, float]:
    """Return next moment and block of a key, made if it is new; both are cut where only a wrong clock explains them."""
    query = sa.select(rates.c.next_at, rates.c.blocked_until).where(rates.c.key == key).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        _make(connection, key)
        row = connection.execute(query).one()
    next_at = row.next_at if row.next_at <= now + _FURTHEST_SECONDS else 0.0
    blocked = row.blocked_until if row.blocked_until <= now + _LONGEST_BLOCK_SECONDS else 0.0
    return next_at, blocked


def _make(connection: Connection, key: str) -> None:
    """Make a key's row; another process may be faster."""
    statement = "INSERT INTO rates (key, next_at, blocked_until) VALUES (:key, 0, 0) ON CONFLICT DO NOTHING"
    connection.execute(sa.text(statement), {"key": key})


def _left_of_the_day(connection: Connection, key: str, limit: RateLimit, wanted: int, now: float) -> tuple[int, float]:
    """Take from the day's quota what is left of it.

    Returns:
        How many, and for none of them when the first of the last 24 hours falls out.
    """
    if limit.per_day is None:
        return wanted, 0.0
    hour = int(now // _HOUR)
    table = rate_hours.c
    connection.execute(sa.delete(rate_hours).where(table.key == key, table.hour <= hour - _DAY_HOURS))
    rows = connection.execute(sa.select(table.hour, table.used).where(table.key == key).order_by(table.hour)).all()
    count = max(0, min(wanted, limit.per_day - sum(row.used for row in rows)))
    if not count:
        return 0, (rows[0].hour + _DAY_HOURS) * float(_HOUR)
    of_hour = (table.key == key) & (table.hour == hour)
    if connection.execute(sa.update(rate_hours).where(of_hour).values(used=table.used + count)).rowcount == 0:
        connection.execute(sa.insert(rate_hours), [{"key": key, "hour": hour, "used": count}])
    return count, 0.0
