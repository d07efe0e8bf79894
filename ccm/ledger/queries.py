"""Reading the ledger: sums, history, pieces. Sums are made by the database, so memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ccm.ledger.amounts import exact
from ccm.ledger.database import Database
from ccm.ledger.decisions import Remark, RemarkKind, missing_run, settled_read
from ccm.ledger.rows import history_entry, orphans_of, piece_record, run_record
from ccm.ledger.tables import communications, pieces, remarks, runs, totals
from ccm.ledger.transitions import TAKEN
from ccm.model.definitions import Channel
from ccm.model.records import (
    ExclusionReason,
    HistoryEntry,
    Outcome,
    OutcomeKind,
    PieceRecord,
    PieceState,
    RunRecord,
    RunTally,
)

_PAGE_ROWS = 500


def page_of_pieces(database: Database, run_id: str, states: Sequence[PieceState]) -> Iterator[PieceRecord]:
    """Stream pieces page by page, so that no read transaction stays open while the caller works."""
    last = 0
    while True:
        query = sa.select(pieces).where(pieces.c.run_id == run_id, pieces.c.number > last)
        if states:
            query = query.where(pieces.c.state.in_(states))
        with database.read() as connection:
            rows = connection.execute(query.order_by(pieces.c.number).limit(_PAGE_ROWS)).mappings().all()
        yield from map(piece_record, rows)
        if len(rows) < _PAGE_ROWS:
            return
        last = rows[-1]["number"]


def page_of_outcomes(database: Database, run_id: str, kinds: Sequence[OutcomeKind]) -> Iterator[Outcome]:
    """Stream outcomes page by page."""
    last, table = 0, communications.c
    while True:
        query = sa.select(communications).where(table.run_id == run_id, table.number > last)
        query = query.where(table.outcome.in_(kinds) if kinds else table.outcome.is_not(None))
        with database.read() as connection:
            rows = connection.execute(query.order_by(table.number).limit(_PAGE_ROWS)).all()
        for row in rows:
            kind = OutcomeKind(row.outcome)
            yield Outcome(row.communication_id, row.recipient_id, kind, row.reason, row.until, row.detail)
        if len(rows) < _PAGE_ROWS:
            return
        last = rows[-1].number


def all_runs(connection: Connection) -> tuple[RunRecord, ...]:
    """Return all runs, newest first."""
    query = sa.select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id)
    return tuple(map(run_record, connection.execute(query).mappings()))


def history_of(connection: Connection, recipient_id: str) -> tuple[HistoryEntry, ...]:
    """Return a recipient's pieces, newest first, by one query."""
    query = (
        sa.select(pieces, runs.c.campaign, runs.c.occurrence)
        .join(runs, runs.c.run_id == pieces.c.run_id)
        .where(pieces.c.recipient_id == recipient_id)
        .order_by(pieces.c.updated_at.desc(), pieces.c.number)
    )
    return tuple(map(history_entry, connection.execute(query).mappings()))


def tally_of(connection: Connection, run_id: str) -> RunTally:
    """Sum up one run.

    Raises:
        LedgerError: If there is no such run.
    """
    run = connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).mappings().first()
    if run is None:
        raise missing_run(run_id)
    counted = _outcomes(connection, run_id)
    remark_counts = _remarks(connection, run_id)
    states, pages, segments = _pieces(connection, run_id)
    return RunTally(
        run=run_record(run),
        read=settled_read(run["read"], run["outside_segment"], counted.recipients, run["fence"]),
        outside_segment=run["outside_segment"],
        outcomes=dict(counted.outcomes),
        broadcasts=dict(counted.broadcasts),
        undecided=counted.undecided,
        reasons=dict(counted.reasons) | remark_counts[RemarkKind.CHANNEL_EXCLUSION],
        pieces=states,
        totals=_totals(connection, run_id),
        pages=pages,
        segments=segments,
        findings=remark_counts[RemarkKind.FINDING],
        slow_paths=remark_counts[RemarkKind.SLOW_PATH],
        locales=_locales(connection, run_id),
        possible_duplicates=_possible_duplicates(connection, run_id),
        opted_out=_opted_out(connection, run_id),
        documents=_documents(connection, run_id),
        taught=remark_counts[RemarkKind.TAUGHT],
        orphans=orphans_of(run["orphans"]),
        last_read=run["read"],
    )


@dataclass
class _Counted:
    outcomes: Counter[OutcomeKind] = field(default_factory=Counter)
    broadcasts: Counter[OutcomeKind] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    recipients: int = 0
    undecided: int = 0


def _outcomes(connection: Connection, run_id: str) -> _Counted:
    table = communications.c
    key = (table.outcome, table.reason, table.broadcast)
    query = sa.select(*key, sa.func.count().label("n")).where(table.run_id == run_id).group_by(*key).order_by(*key)
    counted = _Counted()
    for outcome, reason, broadcast, count in connection.execute(query):
        kinds = counted.broadcasts if broadcast else counted.outcomes
        counted.recipients += 0 if broadcast else count
        if outcome is None:
            counted.undecided += count
        else:
            kinds[OutcomeKind(outcome)] += count
        if reason:
            counted.reasons[reason] += count
    return counted


def _pieces(connection: Connection, run_id: str) -> tuple[dict[tuple[Channel, PieceState], int], int, int]:
    table = pieces.c
    query = (
        sa.select(table.channel, table.state, sa.func.count(), sa.func.sum(table.pages), sa.func.sum(table.segments))
        .where(table.run_id == run_id)
        .group_by(table.channel, table.state)
        .order_by(table.channel, table.state)
    )
    counts: dict[tuple[Channel, PieceState], int] = {}
    pages = segments = 0
    for channel, state, count, page_sum, segment_sum in connection.execute(query):
        counts[Channel(channel), PieceState(state)] = count
        if PieceState(state) in TAKEN:
            pages += int(page_sum)
            segments += int(segment_sum)
    return counts, pages, segments


def _totals(connection: Connection, run_id: str) -> dict[tuple[str, Channel, str], Decimal]:
    key = (totals.c.fact, pieces.c.channel, totals.c.currency)
    query = (
        sa.select(*key, sa.func.sum(totals.c.units), sa.func.sum(totals.c.nanos))
        .join(pieces, pieces.c.piece_id == totals.c.piece_id)
        .where(totals.c.run_id == run_id, pieces.c.state.in_(sorted(TAKEN)))
        .group_by(*key)
        .order_by(*key)
    )
    return {
        (fact, Channel(channel), currency): exact(int(units), int(nanos), currency)
        for fact, channel, currency, units, nanos in connection.execute(query)
    }


def _remarks(connection: Connection, run_id: str) -> dict[RemarkKind, dict[str, int]]:
    key = (remarks.c.kind, remarks.c.code, remarks.c.channel)
    query = sa.select(*key, sa.func.count().label("n")).where(remarks.c.run_id == run_id).group_by(*key).order_by(*key)
    counts: dict[RemarkKind, dict[str, int]] = {kind: {} for kind in RemarkKind}
    for kind, code, channel, count in connection.execute(query):
        remark = Remark(RemarkKind(kind), code, Channel(channel))
        counts[remark.kind][remark.title] = counts[remark.kind].get(remark.title, 0) + count
    return counts


def _possible_duplicates(connection: Connection, run_id: str) -> int:
    query = sa.select(sa.func.count()).where(pieces.c.run_id == run_id, pieces.c.possible_duplicate.is_(True))
    return connection.scalar(query) or 0


def _opted_out(connection: Connection, run_id: str) -> int:
    """Count held pieces that wait for nothing: their recipient left, or is left out by now."""
    settled = communications.c.communication_id == pieces.c.communication_id
    left = (pieces.c.detail == str(ExclusionReason.OPTED_OUT)) | (communications.c.outcome == OutcomeKind.SUPPRESSED)
    query = sa.select(sa.func.count()).select_from(pieces).join(communications, settled)
    query = query.where(pieces.c.run_id == run_id, pieces.c.state == PieceState.HELD, left)
    return connection.scalar(query) or 0


def _documents(connection: Connection, run_id: str) -> int:
    of_run = (pieces.c.run_id == run_id, pieces.c.channel == str(Channel.DOCUMENT), pieces.c.pages > 0)
    return connection.scalar(sa.select(sa.func.count()).where(*of_run)) or 0


def _locales(connection: Connection, run_id: str) -> dict[str, int]:
    table = communications.c
    query = (
        sa.select(table.locale, sa.func.count().label("n"))
        .where(table.run_id == run_id, table.locale != "", table.broadcast.is_(False))
        .group_by(table.locale)
        .order_by(table.locale)
    )
    return {row.locale: row.n for row in connection.execute(query)}
