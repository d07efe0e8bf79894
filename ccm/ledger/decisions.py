"""What a decision means for the ledger, whichever database keeps it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ccm.diagnostics import Severity
from ccm.ledger.interface import LedgerError
from ccm.ledger.transitions import OPEN_OUTCOMES, comes_late, may_follow
from ccm.model.definitions import Channel
from ccm.model.records import Decision, FactValue, Outcome, OutcomeKind, PieceState, StateChange

BROADCAST = "broadcast:"  # what the recipient id of a social post begins with


class RemarkKind(StrEnum):
    """What a remark on a communication is about."""

    FINDING = "finding"  # composing or checking complained
    SLOW_PATH = "slow-path"  # a compiled shortcut was not taken
    TAUGHT = "taught"  # the layout engine was asked, and the page filled then
    CHANNEL_EXCLUSION = "channel-exclusion"  # an optional channel was left out


@dataclass(frozen=True, slots=True)
class Remark:
    """One line of a communication that reports count."""

    kind: RemarkKind
    code: str
    channel: Channel
    severity: str = ""
    message: str = ""
    remedy: str = ""

    @property
    def title(self) -> str:
        """The name that a report counts it under."""
        return self.code if self.kind in (RemarkKind.FINDING, RemarkKind.TAUGHT) else f"{self.channel}: {self.code}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A communication's outcome so far; kind is None while pieces are still to be sent."""

    kind: OutcomeKind | None
    reason: str = ""
    detail: str = ""
    until: datetime | None = None


def verdict_of(decision: Decision) -> Verdict:
    """Return what is decided about the recipient."""
    exclusion, outcome = decision.exclusion, decision.outcome
    detail = exclusion.detail if exclusion else ""
    if exclusion and exclusion.location:
        detail = f"{exclusion.location}: {detail}"
    if outcome:
        return Verdict(outcome.kind, outcome.reason, outcome.detail or detail, outcome.until)
    if exclusion:
        return Verdict(exclusion.outcome, exclusion.reason, detail, exclusion.until)
    return Verdict(None)


def told_facts(decision: Decision, channel: Channel) -> tuple[FactValue, ...]:
    """Return the facts that the piece of one channel tells."""
    return tuple(fact for fact in decision.facts if not fact.channels or channel in fact.channels)


def remarks_of(decision: Decision) -> tuple[Remark, ...]:
    """Return findings, slow paths and left-out channels."""
    remarks = [
        Remark(RemarkKind.FINDING, item.code, item.channel, item.severity, item.message, item.remedy)
        for item in decision.findings
    ]
    remarks += [
        Remark(RemarkKind.SLOW_PATH, why, channel, Severity.WARNING) for channel, why in decision.slow_paths.items()
    ]
    remarks += [Remark(RemarkKind.TAUGHT, why, channel) for channel, why in decision.taught.items()]
    if decision.communication:
        remarks += [
            Remark(RemarkKind.CHANNEL_EXCLUSION, item.reason, item.channel, message=item.detail)
            for item in decision.communication.exclusions
        ]
    return tuple(remarks)


def refuse_lost(decisions: Sequence[Decision]) -> None:
    """Refuse decisions that would make a recipient vanish from the sums.

    Raises:
        LedgerError: If one communication is decided twice in one call, or a decision has neither pieces to
            send nor an outcome.
    """
    seen: set[str] = set()
    for decision in decisions:
        if decision.communication_id in seen:
            raise LedgerError(
                f"communication {decision.communication_id} is decided twice in one call",
                "give a recipient who comes twice an id of its own",
            )
        seen.add(decision.communication_id)
        if not decision.pieces and verdict_of(decision).kind is None:
            raise LedgerError(
                f"communication {decision.communication_id} has neither a piece nor an outcome",
                "count recipients outside the segment instead of saving them",
            )


def missing_run(run_id: str) -> LedgerError:
    """Return the error for a run that was never claimed."""
    return LedgerError(f'the ledger knows no run "{run_id}"', "list the runs with `ccm status`")


def refuse_backward(changes: Iterable[StateChange], states: Mapping[str, PieceState]) -> None:
    """Refuse a list of changes if one of them is not allowed after the ones before it.

    Args:
        changes: In order; a piece may come more than once.
        states: Current states of the run's pieces, at least of those that change.
    Raises:
        LedgerError: If a piece is not of this run or its state would move back.
    """
    now = dict(states)
    for change in changes:
        old = now.get(change.piece_id)
        if old is None:
            raise LedgerError(
                f"the run has no piece {change.piece_id}", "report this as a bug; nothing of this call was written"
            )
        if comes_late(old, change.state):
            continue
        if not may_follow(old, change.state):
            raise LedgerError(
                f"piece {change.piece_id} cannot go from {old} to {change.state}",
                "report this as a bug; nothing of this call was written",
            )
        now[change.piece_id] = change.state


def in_time(changes: Iterable[StateChange], states: Mapping[str, PieceState]) -> tuple[StateChange, ...]:
    """Return the changes that move something: all but answers that news were faster than."""
    return tuple(change for change in changes if not comes_late(states[change.piece_id], change.state))


def settleable(outcomes: Iterable[Outcome], current: Mapping[str, str | None]) -> tuple[Outcome, ...]:
    """Return the outcomes that may be written: those of communications that have no final outcome yet.

    Raises:
        LedgerError: If a communication is not of this run.
    """
    fresh = []
    for outcome in outcomes:
        if outcome.communication_id not in current:
            raise LedgerError(
                f"the run has no communication {outcome.communication_id}",
                "report this as a bug; nothing of this call was written",
            )
        if current[outcome.communication_id] in (None, *OPEN_OUTCOMES):
            fresh.append(outcome)
    return tuple(fresh)


def settled_read(read: int | None, outside: int, decided: int, executions: int) -> int:
    """Return how many recipients the source gave, over all executions of a run.

    Args:
        read: As the last complete reading counted; None if no reading was completed.
        outside: Of these, how many are outside the segment.
        decided: Communications in the ledger.
        executions: How often the run was executed.
    Why: People may leave the source or the segment between two executions; they were read once and have an
        outcome, so they stay in the sum. The first execution gets no such allowance, and a recipient without
        an outcome is never hidden, because `decided` only raises the count.
    """
    if read is None:
        return decided + outside
    departed = max(0, decided - (read - outside)) if executions > 1 else 0
    return read + departed
