"""The ledger in a database: SQLite by default. Every write checks the lease in its own transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.database import Database
from ccm.ledger.decisions import missing_run, refuse_lost
from ccm.ledger.interface import LeaseLost, Ledger, RunBusy
from ccm.ledger.queries import all_runs, history_of, page_of_outcomes, page_of_pieces, tally_of
from ccm.ledger.rows import event_values, orphans_text, piece_record, progress_text, run_record, run_values
from ccm.ledger.saving import chunks, execute_many, final_among, is_among, save_chunk
from ccm.ledger.sqlite_steps import OutOfTheOrdinary, record_in_few
from ccm.ledger.stepping import record_steps
from ccm.ledger.tables import communications, events, pieces, runs
from ccm.model.orphans import OrphanRows
from ccm.model.progress import RunOrder, RunProgress
from ccm.model.records import (
    Decision,
    HistoryEntry,
    Outcome,
    OutcomeKind,
    PieceRecord,
    PieceState,
    RunRecord,
    RunTally,
    StateChange,
)

_NO_TIME = datetime.min.replace(tzinfo=UTC)  # for calls without outcomes; their changes carry their own times
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")


def open_ledger(url: str, root: str | Path) -> Ledger:
    """Open the workspace's ledger, making or migrating its tables if needed.

    Args:
        url: SQLAlchemy URL from `ledger` in ccm.yaml; a relative SQLite path starts at root.
        root: Absolute folder of the workspace.
    Raises:
        LedgerError: If it cannot be opened.
    """
    return SqlLedger(Database(url, root), boot=_boot_id())


def _boot_id() -> str:
    """Return what tells two starts of this machine apart; empty where the system does not say."""
    try:
        return _BOOT_FILE.read_text().strip()
    except OSError:
        return ""


class SqlLedger(Ledger):
    """A ledger on a `Database`. May be shared by threads; every process opens its own."""

    def __init__(self, database: Database, *, boot: str) -> None:
        """Use an open database.

        Args:
            database: With its tables up to date.
            boot: Which start of the machine this is. After another one, commits that did not wait for the
                disk may be gone, so pieces with a written intent count as handed over.
        """
        self._database = database
        self._boot = boot
        self._fences: dict[tuple[str, str], int] = {}

    def claim_run(self, run: RunRecord, *, owner: str, now: datetime, lease_seconds: float) -> RunRecord:
        """Create the run or take it up; see `Ledger.claim_run`."""
        until = now + timedelta(seconds=lease_seconds)
        busy: RunBusy | None = None
        with self._database.write() as connection:
            row = _locked_run(connection, run.run_id)
            if row is None:
                values = run_values(run) | {"state": "open", "fence": 0, "boot": self._boot}
                connection.execute(sa.insert(runs), [values])
                row = _locked_run(connection, run.run_id)
            assert row is not None
            if row["owner"] not in (None, owner) and row["lease_until"] > now:
                busy = RunBusy(run.run_id, row["owner"], min(row["lease_until"], until))
                # A lease longer than ours was written under a clock that ran ahead: a living owner renews it.
                _set_run(connection, run.run_id, lease_until=busy.until)
            else:
                self._take_up(connection, row, owner, now, until)
        if busy:
            raise busy
        with self._database.read() as connection:
            return run_record(connection.execute(sa.select(runs).where(runs.c.run_id == run.run_id)).mappings().one())

    def renew_lease(self, run_id: str, *, owner: str, now: datetime, lease_seconds: float) -> None:
        """Hold the lease longer; see `Ledger.renew_lease`."""
        with self._database.write(durable=False, alone=False) as connection:
            self._hold(connection, run_id, owner)
            _set_run(connection, run_id, lease_until=now + timedelta(seconds=lease_seconds))

    def close_run(
        self,
        run_id: str,
        *,
        owner: str,
        state: str,
        now: datetime,
        read: int | None,
        outside_segment: int,
        detail: str = "",
        orphans: Sequence[OrphanRows] = (),
    ) -> None:
        """End this execution and give the lease back; see `Ledger.close_run`."""
        with self._database.write() as connection:
            fence = self._hold(connection, run_id, owner)
            _set_run(
                connection,
                run_id,
                state=state,
                finished_at=now,
                # A stopped execution has not seen the whole source; its counts would be wrong.
                read=None if state == "stopped" else read,
                outside_segment=0 if state == "stopped" else outside_segment,
                orphans="" if state == "stopped" else orphans_text(orphans),
                detail=detail,
                owner=None,
                lease_until=None,
            )
            connection.execute(sa.insert(events), [event_values(run_id, run_id, state, now, fence)])

    def known(self, communication_ids: Sequence[str]) -> Mapping[str, tuple[PieceRecord, ...]]:
        """Return pieces of decided communications; see `Ledger.known`."""
        found: dict[str, tuple[PieceRecord, ...]] = {}
        with self._database.read() as connection:
            for ids in chunks(communication_ids):
                mine = is_among(connection, communications.c.communication_id, ids)
                found |= dict.fromkeys(connection.scalars(sa.select(communications.c.communication_id).where(mine)), ())
                theirs = is_among(connection, pieces.c.communication_id, ids)
                query_pieces = sa.select(pieces).where(theirs).order_by(pieces.c.number)
                for row in connection.execute(query_pieces).mappings():
                    found[row["communication_id"]] += (piece_record(row),)
        return found

    def final(self, communication_ids: Sequence[str]) -> frozenset[str]:
        """Return communications with a final outcome; see `Ledger.final`."""
        with self._database.read() as connection:
            return frozenset().union(*(final_among(connection, ids) for ids in chunks(communication_ids)))

    def save(self, run_id: str, decisions: Sequence[Decision], *, owner: str, now: datetime) -> None:
        """Write decisions durably; see `Ledger.save`."""
        refuse_lost(decisions)
        with self._database.write(alone=False) as connection:
            fence = self._hold(connection, run_id, owner)
            for chunk in chunks(decisions):
                save_chunk(connection, run_id, chunk, fence, now)

    def advance(self, run_id: str, changes: Sequence[StateChange], *, owner: str, durable: bool) -> None:
        """Move pieces forward; see `Ledger.advance`."""
        self.record(run_id, changes, (), owner=owner, now=_NO_TIME, durable=durable)

    def settle(self, run_id: str, outcomes: Sequence[Outcome], *, owner: str, now: datetime) -> None:
        """Write outcomes; see `Ledger.settle`."""
        self.record(run_id, (), outcomes, owner=owner, now=now, durable=True)

    def record(
        self,
        run_id: str,
        changes: Sequence[StateChange],
        outcomes: Sequence[Outcome],
        *,
        owner: str,
        now: datetime,
        durable: bool,
    ) -> None:
        """Move pieces forward and write outcomes in one transaction; see `Ledger.record`."""
        if self._database.is_sqlite and _one_step_each(changes, outcomes):
            try:
                with self._database.write_sqlite(durable=durable) as cursor:
                    holder = cursor.execute("SELECT owner, fence FROM runs WHERE run_id = ?", (run_id,)).fetchone()
                    record_in_few(cursor, run_id, changes, outcomes, self._fence(holder, run_id, owner), now)
                return
            except OutOfTheOrdinary:
                pass  # rolled back; the general way knows what to do
        with self._database.write(durable=durable, alone=False) as connection:
            record_steps(connection, run_id, changes, outcomes, self._hold(connection, run_id, owner), now)

    def adopt(self, run_id: str, intents: int, *, owner: str, now: datetime) -> None:
        """Take an older copy of the ledger for the truth; see `Ledger.adopt`."""
        with self._database.write() as connection:
            fence = self._hold(connection, run_id, owner)
            _doubt_intents(connection, run_id, fence, now)
            _set_run(connection, run_id, intents=intents)
            connection.execute(sa.insert(events), [event_values(run_id, run_id, "adopted", now, fence)])

    def order(self, run_id: str, order: RunOrder) -> None:
        """Order a run to pause, to be cancelled or to go on; see `Ledger.order`."""
        with self._database.write() as connection:
            if _locked_run(connection, run_id) is None:
                raise missing_run(run_id)
            _set_run(connection, run_id, wanted=order.value)

    def ordered(self, run_id: str) -> RunOrder:
        """Return what was ordered last; see `Ledger.ordered`."""
        with self._database.read() as connection:
            wanted = connection.scalar(sa.select(runs.c.wanted).where(runs.c.run_id == run_id))
        if wanted is None:
            raise missing_run(run_id)
        return RunOrder(wanted)

    def tell(self, run_id: str, progress: RunProgress, *, owner: str) -> None:
        """Write how far the execution is; see `Ledger.tell`."""
        with self._database.write(durable=False, alone=False) as connection:
            self._hold(connection, run_id, owner)
            _set_run(connection, run_id, progress=progress_text(progress))

    def pieces(self, run_id: str, *, states: Sequence[PieceState] = ()) -> Iterator[PieceRecord]:
        """Stream the pieces of a run; see `Ledger.pieces`."""
        return page_of_pieces(self._database, run_id, states)

    def outcomes(self, run_id: str, *, kinds: Sequence[OutcomeKind] = ()) -> Iterator[Outcome]:
        """Stream the outcomes of a run; see `Ledger.outcomes`."""
        return page_of_outcomes(self._database, run_id, kinds)

    def tally(self, run_id: str) -> RunTally:
        """Sum up a run; see `Ledger.tally`."""
        with self._database.read() as connection:
            return tally_of(connection, run_id)

    def runs(self) -> tuple[RunRecord, ...]:
        """Return all runs, newest first."""
        with self._database.read() as connection:
            return all_runs(connection)

    def history(self, recipient_id: str) -> tuple[HistoryEntry, ...]:
        """Return a recipient's pieces; see `Ledger.history`."""
        with self._database.read() as connection:
            return history_of(connection, recipient_id)

    def close(self) -> None:
        """Give back connections."""
        self._database.close()

    def _take_up(self, connection: Connection, row: sa.RowMapping, owner: str, now: datetime, until: datetime) -> None:
        run_id, fence = row["run_id"], row["fence"] + 1
        ended_badly = row["owner"] is not None
        if ended_badly and (row["boot"] != self._boot or not self._boot):
            _doubt_intents(connection, run_id, fence, now)
        _set_run(
            connection,
            run_id,
            state="open",
            finished_at=None,
            owner=owner,
            lease_until=until,
            fence=fence,
            boot=self._boot,
        )
        connection.execute(sa.insert(events), [event_values(run_id, run_id, "claimed", now, fence)])
        self._fences[run_id, owner] = fence

    def _hold(self, connection: Connection, run_id: str, owner: str) -> int:
        """Check the lease inside the writing transaction and return its fence."""
        return self._fence(connection.execute(_HOLDER, {"b_run": run_id}).first(), run_id, owner)

    def _fence(self, holder: Any, run_id: str, owner: str) -> int:
        if holder is None:
            raise missing_run(run_id)
        name, fence = holder
        if name != owner or self._fences.get((run_id, owner), fence) != fence:
            raise LeaseLost(run_id)
        return int(fence)


def _one_step_each(changes: Sequence[StateChange], outcomes: Sequence[Outcome]) -> bool:
    return len({item.piece_id for item in changes}) == len(changes) and len(
        {item.communication_id for item in outcomes}
    ) == len(outcomes)


_HOLDER = sa.select(runs.c.owner, runs.c.fence).where(runs.c.run_id == sa.bindparam("b_run")).with_for_update()


def _locked_run(connection: Connection, run_id: str) -> sa.RowMapping | None:
    return connection.execute(sa.select(runs).where(runs.c.run_id == run_id).with_for_update()).mappings().first()


def _set_run(connection: Connection, run_id: str, **values: object) -> None:
    connection.execute(sa.update(runs).where(runs.c.run_id == run_id), values)


def _doubt_intents(connection: Connection, run_id: str, fence: int, now: datetime) -> None:
    """After a power cut an intent may have been sent although the mark of sending is gone."""
    doubtful = sa.and_(pieces.c.run_id == run_id, pieces.c.state == PieceState.INTENT)
    ids = connection.scalars(sa.select(pieces.c.piece_id).where(doubtful)).all()
    connection.execute(sa.update(pieces).where(doubtful), {"state": PieceState.SENDING, "updated_at": now})
    lines = [event_values(run_id, piece, PieceState.SENDING, now, fence) for piece in ids]
    execute_many(connection, sa.insert(events), lines)
