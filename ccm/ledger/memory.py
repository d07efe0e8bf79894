"""The ledger's twin in memory, for tests and for trying a campaign without a trace. Forgets everything at exit."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ccm.ledger.amounts import exact, total_of
from ccm.ledger.decisions import (
    BROADCAST,
    Remark,
    RemarkKind,
    Verdict,
    in_time,
    missing_run,
    refuse_backward,
    refuse_lost,
    remarks_of,
    settleable,
    settled_read,
    told_facts,
    verdict_of,
)
from ccm.ledger.interface import LeaseLost, Ledger, RunBusy
from ccm.ledger.transitions import FINAL_OUTCOMES, HANDED_OVER, TAKEN
from ccm.model.definitions import Channel
from ccm.model.orphans import OrphanRows
from ccm.model.progress import RunOrder, RunProgress
from ccm.model.records import (
    Decision,
    ExclusionReason,
    FactValue,
    HistoryEntry,
    Outcome,
    OutcomeKind,
    PieceRecord,
    PieceState,
    RunRecord,
    RunTally,
    StateChange,
)


@dataclass
class _Run:
    record: RunRecord
    owner: str | None = None
    lease_until: datetime | None = None
    executions: int = 0
    read: int | None = None
    outside_segment: int = 0
    orphans: tuple[OrphanRows, ...] = ()


@dataclass
class _Communication:
    run_id: str
    recipient_id: str
    locale: str
    verdict: Verdict
    remarks: tuple[Remark, ...]


@dataclass
class _Piece:
    record: PieceRecord
    facts: tuple[FactValue, ...] = field(default=())


class MemoryLedger(Ledger):
    """Keeps everything in dictionaries; promises the same as `SqlLedger` but for surviving the process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._runs: dict[str, _Run] = {}
        self._communications: dict[str, _Communication] = {}
        self._pieces: dict[str, _Piece] = {}  # in the order of decisions

    def claim_run(self, run: RunRecord, *, owner: str, now: datetime, lease_seconds: float) -> RunRecord:
        """Create the run or take it up; see `Ledger.claim_run`."""
        until = now + timedelta(seconds=lease_seconds)
        with self._lock:
            known = self._runs.setdefault(run.run_id, _Run(replace(run, state="open", finished_at=None)))
            if known.owner not in (None, owner) and known.lease_until and known.lease_until > now:
                known.lease_until = min(known.lease_until, until)
                raise RunBusy(run.run_id, str(known.owner), known.lease_until)
            known.owner, known.lease_until, known.executions = owner, until, known.executions + 1
            known.record = replace(known.record, state="open", finished_at=None, owner=owner)
            return known.record

    def renew_lease(self, run_id: str, *, owner: str, now: datetime, lease_seconds: float) -> None:
        """Hold the lease longer; see `Ledger.renew_lease`."""
        with self._lock:
            self._hold(run_id, owner).lease_until = now + timedelta(seconds=lease_seconds)

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
        with self._lock:
            run = self._hold(run_id, owner)
            stopped = state == "stopped"
            run.record = replace(run.record, state=state, finished_at=now, detail=detail, owner="")
            run.read, run.outside_segment = (None, 0) if stopped else (read, outside_segment)
            run.orphans = () if stopped else tuple(orphans)
            run.owner = run.lease_until = None

    def known(self, communication_ids: Sequence[str]) -> Mapping[str, tuple[PieceRecord, ...]]:
        """Return pieces of decided communications; see `Ledger.known`."""
        with self._lock:
            return {
                one: tuple(piece.record for piece in self._pieces.values() if piece.record.communication_id == one)
                for one in communication_ids
                if one in self._communications
            }

    def final(self, communication_ids: Sequence[str]) -> frozenset[str]:
        """Return communications with a final outcome; see `Ledger.final`."""
        with self._lock:
            return frozenset(
                one
                for one in communication_ids
                if one in self._communications and self._communications[one].verdict.kind in FINAL_OUTCOMES
            )

    def save(self, run_id: str, decisions: Sequence[Decision], *, owner: str, now: datetime) -> None:
        """Write decisions; see `Ledger.save`."""
        refuse_lost(decisions)
        for decision in decisions:
            for fact in decision.facts:
                if fact.total:
                    total_of(fact)  # refuses what cannot be summed, before anything is written
        with self._lock:
            self._hold(run_id, owner)
            final = self.final([decision.communication_id for decision in decisions])
            for decision in decisions:
                if decision.communication_id not in final:
                    self._save_one(run_id, decision, now)

    def advance(self, run_id: str, changes: Sequence[StateChange], *, owner: str, durable: bool) -> None:
        """Move pieces forward; see `Ledger.advance`."""
        with self._lock:
            run = self._hold(run_id, owner)
            of_run = {key: piece for key, piece in self._pieces.items() if piece.record.run_id == run_id}
            states = {key: piece.record.state for key, piece in of_run.items()}
            refuse_backward(changes, states)
            intents = sum(change.state is PieceState.INTENT for change in changes)
            run.record = replace(run.record, intents=run.record.intents + intents)
            for change in in_time(changes, states):
                piece = of_run[change.piece_id]
                piece.record = replace(
                    piece.record,
                    state=change.state,
                    updated_at=change.at,
                    provider_id=change.provider_id or piece.record.provider_id,
                    detail=change.detail,
                    attempts=piece.record.attempts + (change.state is PieceState.SENDING),
                    possible_duplicate=piece.record.possible_duplicate or change.possible_duplicate,
                )

    def settle(self, run_id: str, outcomes: Sequence[Outcome], *, owner: str, now: datetime) -> None:
        """Write outcomes; see `Ledger.settle`."""
        with self._lock:
            self._hold(run_id, owner)
            current = {key: one.verdict.kind for key, one in self._communications.items() if one.run_id == run_id}
            for outcome in settleable(outcomes, current):
                one = self._communications[outcome.communication_id]
                one.verdict = replace(one.verdict, kind=outcome.kind, reason=outcome.reason, until=outcome.until)

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
        """Move pieces forward and write outcomes at once; see `Ledger.record`."""
        with self._lock:
            super().record(run_id, changes, outcomes, owner=owner, now=now, durable=durable)

    def adopt(self, run_id: str, intents: int, *, owner: str, now: datetime) -> None:
        """Take an older copy of the ledger for the truth; see `Ledger.adopt`."""
        with self._lock:
            run = self._hold(run_id, owner)
            run.record = replace(run.record, intents=intents)
            for piece in self._pieces.values():
                if piece.record.run_id == run_id and piece.record.state is PieceState.INTENT:
                    piece.record = replace(piece.record, state=PieceState.SENDING, updated_at=now)

    def order(self, run_id: str, order: RunOrder) -> None:
        """Order a run to pause, to be cancelled or to go on; see `Ledger.order`."""
        with self._lock:
            run = self._known_run(run_id)
            run.record = replace(run.record, order=order)

    def ordered(self, run_id: str) -> RunOrder:
        """Return what was ordered last; see `Ledger.ordered`."""
        with self._lock:
            return self._known_run(run_id).record.order

    def tell(self, run_id: str, progress: RunProgress, *, owner: str) -> None:
        """Write how far the execution is; see `Ledger.tell`."""
        with self._lock:
            run = self._hold(run_id, owner)
            run.record = replace(run.record, progress=progress)

    def pieces(self, run_id: str, *, states: Sequence[PieceState] = ()) -> Iterator[PieceRecord]:
        """Stream the pieces of a run; see `Ledger.pieces`."""
        with self._lock:
            found = [piece.record for piece in self._pieces.values() if piece.record.run_id == run_id]
        return iter([record for record in found if not states or record.state in states])

    def outcomes(self, run_id: str, *, kinds: Sequence[OutcomeKind] = ()) -> Iterator[Outcome]:
        """Stream the outcomes of a run; see `Ledger.outcomes`."""
        with self._lock:
            found = [(key, one) for key, one in self._communications.items() if one.run_id == run_id]
        return iter(
            [
                Outcome(key, one.recipient_id, said.kind, said.reason, said.until, said.detail)
                for key, one in found
                if (said := one.verdict).kind is not None and (not kinds or said.kind in kinds)
            ]
        )

    def tally(self, run_id: str) -> RunTally:
        """Sum up a run; see `Ledger.tally`."""
        with self._lock:
            if run_id not in self._runs:
                raise missing_run(run_id)
            run = self._runs[run_id]
            people, posts = self._of_run(run_id, posts=False), self._of_run(run_id, posts=True)
            made = [piece for piece in self._pieces.values() if piece.record.run_id == run_id]
            taken = [piece.record for piece in made if piece.record.state in TAKEN]
            counts = _remark_counts([*people, *posts])
            reasons = Counter(one.verdict.reason for one in (*people, *posts) if one.verdict.reason)
            return RunTally(
                run=run.record,
                read=settled_read(run.read, run.outside_segment, len(people), run.executions),
                outside_segment=run.outside_segment,
                outcomes=_outcome_counts(people),
                broadcasts=_outcome_counts(posts),
                undecided=sum(one.verdict.kind is None for one in (*people, *posts)),
                reasons=dict(reasons) | counts[RemarkKind.CHANNEL_EXCLUSION],
                pieces=dict(Counter((piece.record.channel, piece.record.state) for piece in made)),
                totals=_totals(made),
                pages=sum(record.pages for record in taken),
                segments=sum(record.segments for record in taken),
                findings=dict(counts[RemarkKind.FINDING]),
                slow_paths=dict(counts[RemarkKind.SLOW_PATH]),
                locales=dict(Counter(one.locale for one in people if one.locale)),
                possible_duplicates=sum(piece.record.possible_duplicate for piece in made),
                opted_out=sum(map(self._waits_for_nothing, made)),
                documents=sum(piece.record.channel is Channel.DOCUMENT and piece.record.pages > 0 for piece in made),
                taught=dict(counts[RemarkKind.TAUGHT]),
                orphans=run.orphans,
                last_read=run.read,
            )

    def _waits_for_nothing(self, piece: _Piece) -> bool:
        verdict = self._communications[piece.record.communication_id].verdict
        left = piece.record.detail == ExclusionReason.OPTED_OUT or verdict.kind is OutcomeKind.SUPPRESSED
        return piece.record.state is PieceState.HELD and left

    def runs(self) -> tuple[RunRecord, ...]:
        """Return all runs, newest first."""
        with self._lock:
            records = sorted((run.record for run in self._runs.values()), key=lambda record: record.run_id)
        return tuple(sorted(records, key=lambda record: record.started_at, reverse=True))

    def history(self, recipient_id: str) -> tuple[HistoryEntry, ...]:
        """Return a recipient's pieces; see `Ledger.history`."""
        with self._lock:
            found = [self._entry(one) for one in self._pieces.values() if one.record.recipient_id == recipient_id]
        return tuple(sorted(found, key=lambda entry: entry.at, reverse=True))

    def close(self) -> None:
        """Do nothing; there are no connections."""

    def _hold(self, run_id: str, owner: str) -> _Run:
        run = self._known_run(run_id)
        if run.owner != owner:
            raise LeaseLost(run_id)
        return run

    def _known_run(self, run_id: str) -> _Run:
        if run_id not in self._runs:
            raise missing_run(run_id)
        return self._runs[run_id]

    def _save_one(self, run_id: str, decision: Decision, now: datetime) -> None:
        earlier = {key: one for key, one in self._pieces.items() if self._belongs(one, decision)}
        kept = {key for key, one in earlier.items() if one.record.state in HANDED_OVER}
        for key in earlier.keys() - kept:
            del self._pieces[key]
        for piece in decision.pieces:
            if piece.piece_id in kept:
                continue
            before = earlier[piece.piece_id].record if piece.piece_id in earlier else piece
            record = replace(
                piece,
                run_id=run_id,
                communication_id=decision.communication_id,
                recipient_id=decision.recipient_id,
                attempts=max(piece.attempts, before.attempts),
                possible_duplicate=piece.possible_duplicate or before.possible_duplicate,
                updated_at=piece.updated_at or now,
            )
            self._pieces[piece.piece_id] = _Piece(record, told_facts(decision, piece.channel))
        self._communications[decision.communication_id] = _Communication(
            run_id, decision.recipient_id, decision.locale, verdict_of(decision), remarks_of(decision)
        )

    def _belongs(self, piece: _Piece, decision: Decision) -> bool:
        return piece.record.communication_id == decision.communication_id

    def _of_run(self, run_id: str, *, posts: bool) -> list[_Communication]:
        return [
            one
            for one in self._communications.values()
            if one.run_id == run_id and one.recipient_id.startswith(BROADCAST) is posts
        ]

    def _entry(self, piece: _Piece) -> HistoryEntry:
        record = piece.record
        run = self._runs[record.run_id].record
        assert record.updated_at is not None
        return HistoryEntry(
            recipient_id=record.recipient_id,
            campaign=run.campaign,
            occurrence=run.occurrence,
            channel=record.channel,
            state=record.state,
            at=record.updated_at,
            release=record.release,
            provider=record.provider,
            provider_id=record.provider_id,
            sha256=record.sha256,
            facts={fact.name: fact.text for fact in piece.facts},
            piece_id=record.piece_id,
        )


def _outcome_counts(communications: Sequence[_Communication]) -> dict[OutcomeKind, int]:
    return dict(Counter(one.verdict.kind for one in communications if one.verdict.kind is not None))


def _remark_counts(communications: Sequence[_Communication]) -> dict[RemarkKind, dict[str, int]]:
    counts: dict[RemarkKind, Counter[str]] = {kind: Counter() for kind in RemarkKind}
    for one in communications:
        for remark in one.remarks:
            counts[remark.kind][remark.title] += 1
    return {kind: dict(counter) for kind, counter in counts.items()}


def _totals(made: Sequence[_Piece]) -> dict[tuple[str, Channel, str], Decimal]:
    sums: defaultdict[tuple[str, Channel, str], list[int]] = defaultdict(lambda: [0, 0])
    for piece in made:
        for fact in piece.facts:
            if fact.total and piece.record.state in TAKEN:
                total = total_of(fact)
                entry = sums[total.fact, piece.record.channel, total.currency]
                entry[0] += total.units
                entry[1] += total.nanos
    return {key: exact(units, nanos, key[2]) for key, (units, nanos) in sums.items()}
