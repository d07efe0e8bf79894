"""Records to table rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from sqlalchemy import RowMapping

from ccm.diagnostics import Location
from ccm.ledger.amounts import total_of
from ccm.ledger.decisions import BROADCAST, remarks_of, told_facts, verdict_of
from ccm.model.definitions import Channel
from ccm.model.orphans import OrphanRows
from ccm.model.progress import RunOrder, RunProgress
from ccm.model.records import Decision, FactValue, HistoryEntry, PieceRecord, PieceState, RunRecord, StateChange

Values: TypeAlias = dict[str, Any]


def run_values(run: RunRecord) -> Values:
    """Return the columns of a run that is claimed for the first time."""
    return {
        "run_id": run.run_id,
        "campaign": run.campaign,
        "occurrence": run.occurrence,
        "release": run.release,
        "started_at": run.started_at,
        "detail": run.detail,
        "outside_segment": 0,
    }


def run_record(row: RowMapping) -> RunRecord:
    """Read a run."""
    return RunRecord(
        run_id=row["run_id"],
        campaign=row["campaign"],
        occurrence=row["occurrence"],
        release=row["release"],
        state=row["state"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        detail=row["detail"],
        order=RunOrder(row["wanted"]),
        progress=progress_of(row["progress"]),
        owner=row["owner"] or "",
        intents=row["intents"],
    )


def progress_text(progress: RunProgress) -> str:
    """Return progress as the ledger keeps it."""
    return orjson.dumps(asdict(progress)).decode()


def progress_of(text: str) -> RunProgress | None:
    """Read progress; None where nothing was said yet."""
    if not text:
        return None
    found = orjson.loads(text)
    return RunProgress(**{**found, "at": datetime.fromisoformat(found["at"])})


def orphans_text(orphans: Sequence[OrphanRows]) -> str:
    """Return orphan rows as the ledger keeps them; empty for none."""
    return orjson.dumps([asdict(one) for one in orphans]).decode() if orphans else ""


def orphans_of(text: str) -> tuple[OrphanRows, ...]:
    """Read orphan rows."""
    return tuple(
        OrphanRows(one["table"], one["rows"], tuple(Location(**place) for place in one["places"]))
        for one in (orjson.loads(text) if text else ())
    )


def communication_values(run_id: str, decision: Decision, now: datetime) -> Values:
    """Return the columns of a communication."""
    verdict = verdict_of(decision)
    return {
        "communication_id": decision.communication_id,
        "run_id": run_id,
        "recipient_id": decision.recipient_id,
        "broadcast": decision.recipient_id.startswith(BROADCAST),
        "locale": decision.locale,
        "outcome": verdict.kind,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "until": verdict.until,
        "decided_at": now,
    }


def piece_values(
    run_id: str, decision: Decision, piece: PieceRecord, now: datetime, *, attempts: int = 0, twice: bool = False
) -> Values:
    """Return the columns of a piece; attempts and the mark of a possible duplicate are those of earlier decisions."""
    return {
        "piece_id": piece.piece_id,
        "communication_id": decision.communication_id,
        "run_id": run_id,
        "recipient_id": decision.recipient_id,
        "channel": piece.channel,
        "state": piece.state,
        "required": piece.required,
        "provider": piece.provider,
        "release": piece.release,
        "locale": piece.locale,
        "provider_id": piece.provider_id,
        "detail": piece.detail,
        "sha256": piece.sha256,
        "pages": piece.pages,
        "segments": piece.segments,
        "attempts": max(piece.attempts, attempts),
        "updated_at": piece.updated_at or now,
        "facts": _facts_json(told_facts(decision, piece.channel)),
        "archived": piece.archived,
        "snapshot": piece.snapshot,
        "possible_duplicate": piece.possible_duplicate or twice,
        "size_bytes": piece.size_bytes,
        "purpose": decision.communication.purpose if decision.communication else "",
    }


def total_values(run_id: str, decision: Decision, piece: PieceRecord) -> list[Values]:
    """Return the rows that a piece adds to control totals, once it is accepted."""
    totals = [total_of(fact) for fact in told_facts(decision, piece.channel) if fact.total]
    return [
        {
            "piece_id": piece.piece_id,
            "run_id": run_id,
            "fact": total.fact,
            "currency": total.currency,
            "units": total.units,
            "nanos": total.nanos,
        }
        for total in totals
    ]


def remark_values(run_id: str, decision: Decision) -> list[Values]:
    """Return the rows of findings, slow paths and left-out channels."""
    return [
        {
            "communication_id": decision.communication_id,
            "run_id": run_id,
            "kind": remark.kind,
            "code": remark.code,
            "channel": remark.channel,
            "severity": remark.severity,
            "message": remark.message,
            "remedy": remark.remedy,
        }
        for remark in remarks_of(decision)
    ]


def event_values(
    run_id: str, subject: str, state: str, at: datetime, fence: int, change: StateChange | None = None
) -> Values:
    """Return one line of the history of states."""
    return {
        "run_id": run_id,
        "subject": subject,
        "state": state,
        "at": at,
        "fence": fence,
        "provider_id": change.provider_id if change else "",
        "detail": change.detail if change else "",
    }


def piece_record(row: RowMapping) -> PieceRecord:
    """Read a piece."""
    return PieceRecord(
        piece_id=row["piece_id"],
        communication_id=row["communication_id"],
        run_id=row["run_id"],
        recipient_id=row["recipient_id"],
        channel=Channel(row["channel"]),
        state=PieceState(row["state"]),
        required=row["required"],
        provider=row["provider"],
        release=row["release"],
        locale=row["locale"],
        provider_id=row["provider_id"],
        detail=row["detail"],
        sha256=row["sha256"],
        pages=row["pages"],
        segments=row["segments"],
        attempts=row["attempts"],
        updated_at=row["updated_at"],
        archived=row["archived"],
        snapshot=row["snapshot"],
        possible_duplicate=bool(row["possible_duplicate"]),
        size_bytes=row["size_bytes"],
    )


def history_entry(row: RowMapping) -> HistoryEntry:
    """Read a piece with its run for `history`."""
    return HistoryEntry(
        recipient_id=row["recipient_id"],
        campaign=row["campaign"],
        occurrence=row["occurrence"],
        channel=Channel(row["channel"]),
        state=PieceState(row["state"]),
        at=row["updated_at"],
        release=row["release"],
        provider=row["provider"],
        provider_id=row["provider_id"],
        sha256=row["sha256"],
        facts={name: fact["text"] for name, fact in orjson.loads(row["facts"]).items()},
        piece_id=row["piece_id"],
    )


def _facts_json(facts: tuple[FactValue, ...]) -> str:
    told = {fact.name: {"kind": fact.kind, "text": fact.text, "value": str(fact.value)} for fact in facts}
    return orjson.dumps(told).decode()
