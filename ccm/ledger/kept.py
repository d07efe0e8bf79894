"""Pieces and where they are kept: what verifying, reading, thinning and expiring need beside the ledger itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from ccm.ledger.database import Database
from ccm.ledger.rows import piece_record
from ccm.ledger.tables import pieces, runs
from ccm.model.definitions import Channel
from ccm.model.records import PieceRecord

_PAGE_ROWS = 500


class KeptPieces:
    """Reads and changes addresses only; states, outcomes and sums are the ledger's. Safe in threads."""

    def __init__(self, database: Database) -> None:
        """Take an open database; it is closed with this."""
        self._database = database

    @classmethod
    def open(cls, url: str, root: str | Path) -> KeptPieces:
        """Open the workspace's ledger, see `ccm.ledger.sql.open_ledger`."""
        return cls(Database(url, root))

    def has_run(self, run_id: str) -> bool:
        """Tell whether the ledger knows a run."""
        with self._database.read() as connection:
            return connection.execute(sa.select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is not None

    def count(self, run_id: str) -> int:
        """Return how many pieces of a run have a snapshot."""
        query = sa.select(sa.func.count()).where(pieces.c.run_id == run_id, pieces.c.snapshot != "")
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def piece(self, piece_id: str) -> PieceRecord | None:
        """Return one piece, or None."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(pieces).where(pieces.c.piece_id == piece_id)).mappings().first()
        return piece_record(row) if row else None

    def of_run(self, run_id: str) -> Iterator[PieceRecord]:
        """Stream the pieces of a run that were composed, those of one communication and snapshot together.

        Page by page, so that no read transaction stays open while the caller works.
        """
        last = ("", "", 0)
        table = pieces.c
        key = sa.tuple_(table.communication_id, table.snapshot, table.number)
        while True:
            query = sa.select(pieces).where(table.run_id == run_id, table.sha256 != "", key > sa.tuple_(*last))
            query = query.order_by(table.communication_id, table.snapshot, table.number).limit(_PAGE_ROWS)
            with self._database.read() as connection:
                rows = connection.execute(query).mappings().all()
            yield from map(piece_record, rows)
            if len(rows) < _PAGE_ROWS:
                return
            last = (rows[-1]["communication_id"], rows[-1]["snapshot"], rows[-1]["number"])

    def documents_of(self, run_id: str) -> Iterator[PieceRecord]:
        """Stream every document of a run, whatever became of it, in the order decided."""
        last = 0
        while True:
            query = sa.select(pieces).where(pieces.c.run_id == run_id, pieces.c.channel == str(Channel.DOCUMENT))
            query = query.where(pieces.c.number > last).order_by(pieces.c.number).limit(_PAGE_ROWS)
            with self._database.read() as connection:
                rows = connection.execute(query).mappings().all()
            yield from map(piece_record, rows)
            if len(rows) < _PAGE_ROWS:
                return
            last = rows[-1]["number"]

    def moved(self, piece_id: str, archived: str) -> None:
        """Note that a piece's rendition is kept at another address now."""
        with self._database.write() as connection:
            connection.execute(sa.update(pieces).where(pieces.c.piece_id == piece_id), {"archived": archived})

    def close(self) -> None:
        """Give back connections."""
        self._database.close()
