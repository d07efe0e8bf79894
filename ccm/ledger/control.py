"""Control totals of a run by what became of its pieces: what came in, what went out, and where the rest is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from ccm.ledger.amounts import exact
from ccm.ledger.database import Database
from ccm.ledger.tables import pieces, totals
from ccm.ledger.transitions import TAKEN
from ccm.model.definitions import Channel
from ccm.model.records import PieceState


@dataclass(frozen=True)
class ControlTotal:
    """One fact in one channel and currency.

    taken_in: Over every piece that was composed, held ones too.
    out: Over the pieces that a provider took.
    exceptions: Over the others, by state.
    """

    fact: str
    channel: Channel
    currency: str
    taken_in: Decimal
    out: Decimal
    exceptions: dict[PieceState, Decimal]

    @property
    def balanced(self) -> bool:
        """Whether in = out + exceptions, to the last cent."""
        return self.taken_in == self.out + sum(self.exceptions.values(), Decimal(0))


class ControlTotals:
    """Sums that the database makes; memory does not grow with a run."""

    def __init__(self, database: Database) -> None:
        """Take an open database; it is closed with this."""
        self._database = database

    @classmethod
    def open(cls, url: str, root: str | Path) -> ControlTotals:
        """Open the workspace's ledger, see `ccm.ledger.sql.open_ledger`."""
        return cls(Database(url, root))

    def of_run(self, run_id: str) -> tuple[ControlTotal, ...]:
        """Return the totals of a run, sorted by fact, channel and currency."""
        key = (totals.c.fact, pieces.c.channel, totals.c.currency)
        sums = (sa.func.sum(totals.c.units), sa.func.sum(totals.c.nanos))
        of_run = totals.c.run_id == run_id
        joined = sa.and_(pieces.c.piece_id == totals.c.piece_id, of_run)
        whole = sa.select(*key, *sums).join(pieces, joined).group_by(*key).order_by(*key)
        apart = sa.select(*key, pieces.c.state, *sums).join(pieces, joined).group_by(*key, pieces.c.state)
        with self._database.read() as connection:
            by_state: dict[tuple[str, str, str], dict[PieceState, Decimal]] = {}
            for fact, channel, currency, state, units, nanos in connection.execute(apart):
                amount = exact(int(units), int(nanos), currency)
                by_state.setdefault((fact, channel, currency), {})[PieceState(state)] = amount
            rows = connection.execute(whole).all()
        return tuple(
            _total(fact, channel, currency, exact(int(units), int(nanos), currency), by_state[fact, channel, currency])
            for fact, channel, currency, units, nanos in rows
        )

    def close(self) -> None:
        """Give back connections."""
        self._database.close()


def _total(
    fact: str, channel: str, currency: str, taken_in: Decimal, states: dict[PieceState, Decimal]
) -> ControlTotal:
    out = sum((amount for state, amount in states.items() if state in TAKEN), Decimal(0))
    rest = {state: states[state] for state in PieceState if state in states and state not in TAKEN}
    return ControlTotal(fact, Channel(channel), currency, taken_in, out, rest)
