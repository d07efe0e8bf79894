"""Taking a person out of the ledger: their history still adds up, and nobody can tell any more whose it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from ccm.ledger.database import Database
from ccm.ledger.decisions import BROADCAST
from ccm.ledger.permission_tables import provider_events
from ccm.ledger.saving import chunks, execute_many
from ccm.ledger.tables import communications, events, pieces, remarks, runs

ERASED = "erased:"  # what the recipient id of an erased customer begins with; a keyed hash follows

_PAGE_ROWS = 500


@dataclass(frozen=True)
class PersonalPiece:
    """What erasing must know about one piece.

    purpose: Empty for pieces from before it was noted.
    """

    piece_id: str
    communication_id: str
    run_id: str
    recipient_id: str
    purpose: str
    provider: str
    state: str
    archived: str
    snapshot: str
    updated_at: datetime


class Eraser:
    """Reads and blanks what the ledger knows of people. States, outcomes and amounts stay, so sums stay."""

    def __init__(self, database: Database) -> None:
        """Take an open database; it is closed with this."""
        self._database = database

    @classmethod
    def open(cls, url: str, root: str | Path) -> Eraser:
        """Open the workspace's ledger, see `ccm.ledger.sql.open_ledger`."""
        return cls(Database(url, root))

    def communications_of(self, recipient_id: str) -> tuple[str, ...]:
        """Return the ids of every communication of a customer, also of those that were left out."""
        query = sa.select(communications.c.communication_id).where(communications.c.recipient_id == recipient_id)
        with self._database.read() as connection:
            return tuple(connection.scalars(query.order_by(communications.c.number)))

    def pieces_of(self, recipient_id: str) -> tuple[PersonalPiece, ...]:
        """Return every piece of a customer."""
        query = sa.select(pieces).where(pieces.c.recipient_id == recipient_id).order_by(pieces.c.number)
        with self._database.read() as connection:
            return tuple(map(_piece, connection.execute(query).mappings()))

    def older(self, purpose: str, before: datetime) -> Iterator[PersonalPiece]:
        """Stream customers' pieces of a purpose whose communication last changed before a time and is not blanked yet."""
        table, last, others = pieces.c, 0, pieces.alias()
        young = sa.exists().where(others.c.communication_id == table.communication_id, others.c.updated_at >= before)
        wanted = [table.purpose == purpose, table.updated_at < before, ~young]
        named = [table.recipient_id.not_like(f"{ERASED}%"), table.recipient_id.not_like(f"{BROADCAST}%")]
        while True:
            query = sa.select(pieces).where(*wanted, *named, table.number > last)
            with self._database.read() as connection:
                rows = connection.execute(query.order_by(table.number).limit(_PAGE_ROWS)).mappings().all()
            yield from map(_piece, rows)
            if len(rows) < _PAGE_ROWS:
                return
            last = rows[-1]["number"]

    def events_before(self, moment: datetime, *, really: bool) -> int:
        """Forget the ids of providers' events that were read before a time; return how many there were.

        They keep an event from counting twice, and failures of an address from being forgotten too soon.
        """
        old = provider_events.c.at < moment
        if not really:
            with self._database.read() as connection:
                return int(connection.scalar(sa.select(sa.func.count()).select_from(provider_events).where(old)) or 0)
        with self._database.write() as connection:
            return int(connection.execute(sa.delete(provider_events).where(old)).rowcount)

    def running(self, now: datetime) -> tuple[str, ...]:
        """Return the runs that a process is executing."""
        query = sa.select(runs.c.run_id).where(runs.c.owner.is_not(None), runs.c.lease_until > now)
        with self._database.read() as connection:
            return tuple(connection.scalars(query.order_by(runs.c.run_id)))

    def blank(self, idents: Sequence[str], stands_for: str) -> int:
        """Blank communications: whose they are, what they said, and where copies are.

        Args:
            idents: Communication ids.
            stands_for: Goes in place of the recipient's id.
        Returns:
            How many pieces were blanked.
        """
        blanked = 0
        with self._database.write() as connection:
            for part in chunks(idents):
                mine = pieces.c.communication_id.in_(part)
                subjects = [*part, *connection.scalars(sa.select(pieces.c.piece_id).where(mine))]
                gone = {"recipient_id": stands_for, "facts": "{}", "provider_id": "", "detail": ""}
                gone |= {"sha256": "", "archived": "", "snapshot": ""}
                blanked += connection.execute(sa.update(pieces).where(mine).values(gone)).rowcount
                theirs = communications.c.communication_id.in_(part)
                named = {"recipient_id": stands_for, "detail": ""}
                connection.execute(sa.update(communications).where(theirs).values(named))
                said = remarks.c.communication_id.in_(part)
                connection.execute(sa.update(remarks).where(said).values(message="", remedy=""))
                seen = connection.scalars(sa.select(communications.c.run_id).where(theirs).distinct()).all()
                for some in chunks(subjects):
                    told = events.c.run_id.in_(seen) & events.c.subject.in_(some)
                    connection.execute(sa.update(events).where(told).values(provider_id="", detail=""))
        return blanked

    def move(self, addresses: Mapping[str, tuple[str, str]]) -> None:
        """Note where rendition and snapshot of held pieces are now, by piece id."""
        query = sa.update(pieces).where(pieces.c.piece_id == sa.bindparam("b_id"))
        query = query.values(archived=sa.bindparam("b_archived"), snapshot=sa.bindparam("b_snapshot"))
        rows = [{"b_id": ident, "b_archived": one, "b_snapshot": two} for ident, (one, two) in addresses.items()]
        with self._database.write() as connection:
            execute_many(connection, query, rows)

    def scrub(self) -> bool:
        """Overwrite what blanked rows left in free pages and in the log.

        Returns:
            Whether nothing is left; False while another process reads, and on PostgreSQL, which cleans up by itself.
        """
        if self._database.engine.dialect.name != "sqlite":
            return False
        with closing(self._database.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA secure_delete=ON")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            answer = cursor.fetchone()
            return answer is not None and answer[0] == 0

    def close(self) -> None:
        """Give back connections."""
        self._database.close()


def _piece(row: sa.RowMapping) -> PersonalPiece:
    return PersonalPiece(
        row["piece_id"],
        row["communication_id"],
        row["run_id"],
        row["recipient_id"],
        row["purpose"],
        row["provider"],
        row["state"],
        row["archived"],
        row["snapshot"],
        row["updated_at"],
    )
