"""Deciding about one recipient: what of a composed communication goes out, and who gets nothing (more). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ccm.diagnostics import Severity
from ccm.model.definitions import Channel
from ccm.model.records import (
    Communication,
    Decision,
    DocumentRendition,
    Envelope,
    Exclusion,
    ExclusionReason,
    Outcome,
    OutcomeKind,
    PieceRecord,
    PieceState,
    PlannedPiece,
    Rendition,
    SmsRendition,
)
from ccm.model.workspace import Brand
from ccm.run.desk import SendJob
from ccm.run.postal import postal_address
from ccm.run.verdicts import outcome_of, summed_up
from ccm.run.workers import Made


def cancelled(recipient: str, communication: str) -> Exclusion:
    """Leave somebody out because the run was cancelled before their turn."""
    return Exclusion(recipient, communication, ExclusionReason.CANCELLED, OutcomeKind.SUPPRESSED)


def excluded(exclusion: Exclusion, before: Sequence[PieceRecord]) -> Decision:
    """Decide on a recipient who gets nothing (more) in this execution.

    Args:
        before: Pieces of earlier executions, when the recipient was in then.
    Why: Somebody may opt out, or their row may break, after a required piece went. Its state is the truth then; an
        answer that was lost must not disappear behind "suppressed".
    """
    assert exclusion.outcome is not None
    ident, recipient = exclusion.communication_id, exclusion.recipient_id
    outcome = Outcome(ident, recipient, exclusion.outcome, str(exclusion.reason), exclusion.until)
    states = {piece.channel: piece.state for piece in before if piece.required}
    if states and (PieceState.UNKNOWN in states.values() or all(map(_was_handed_over, states.values()))):
        outcome = summed_up(ident, recipient, states, frozenset(states))
    return Decision(ident, recipient, "", None, exclusion=exclusion, outcome=outcome)


def _was_handed_over(state: PieceState) -> bool:
    return state.is_final and state is not PieceState.HELD


def decide(
    made: Made,
    before: Mapping[Channel, PieceRecord],
    brand: Brand,
    on_paper: frozenset[str] = frozenset(),
    deduplicating: frozenset[str] = frozenset(),
) -> tuple[Decision, SendJob | None]:
    """Decide what of a composed communication goes out.

    All required pieces are good: they and the good optional ones go. One is bad: all are held.
    A piece that an earlier execution sent is never sent again; if what it said then differs from what
    would be said now, the rest is held, because the channels would disagree. One whose answer was lost is handed over
    once more, exactly as it was, where the provider drops a second hand-over; it stays in doubt until the answer.

    Args:
        on_paper: Providers that need a postal address.
        deduplicating: Providers that drop a second hand-over with the same key.
    """
    communication = made.composed.communication
    channels = {piece.channel for piece in communication.pieces}
    elsewhere = [one for one in before.values() if one.required and one.channel not in channels]
    if any(_was_handed_over(piece.state) for piece in elsewhere):
        return _reached_before(made, elsewhere), None
    failure = made.blocking_failure()
    if failure is None and _contradicts_what_was_sent(made, before):
        failure = "content-changed"
    pieces, envelopes = [], []
    states: dict[Channel, PieceState] = {}
    for planned in communication.pieces:
        sent = before.get(planned.channel)
        rendition = made.rendition(planned.piece_id)
        own = made.failure(planned.piece_id)
        good = failure is None and own is None and rendition is not None
        if sent is not None and _was_handed_over(sent.state):
            pieces.append(sent)
            states[planned.channel] = sent.state
            good = good and planned.provider in deduplicating and _in_doubt_as_it_was(sent, planned, rendition)
        else:
            states[planned.channel] = PieceState.COMPOSED if good else PieceState.HELD
            detail = "" if good else (own.code if own else failure or "not-composed")
            pieces.append(_piece_record(communication, planned, states[planned.channel], detail, rendition))
        if good and rendition is not None:
            envelope = _envelope(communication, planned, rendition, brand)
            if planned.provider in on_paper and planned.channel is Channel.DOCUMENT:
                envelope = replace(envelope, postal=postal_address(made.composed, brand))
            envelopes.append(envelope)
    required = frozenset(piece.channel for piece in communication.pieces if piece.required)
    decision = Decision(
        communication.communication_id,
        communication.recipient_id,
        communication.locale,
        communication,
        tuple(pieces),
        made.composed.facts,
        made.findings,
        slow_paths=made.composed.slow_paths,
        taught=made.composed.taught,
    )
    if failure is not None:
        held = Outcome(
            communication.communication_id,
            communication.recipient_id,
            OutcomeKind.HELD,
            failure,
            detail=_first_error(made),
        )
        return replace(decision, outcome=held), None
    if not envelopes:
        return replace(decision, outcome=outcome_of(communication, states, required)), None
    providers = {piece.piece_id: piece.provider for piece in communication.pieces}
    return decision, SendJob(communication, tuple(envelopes), states, required, providers)


def _in_doubt_as_it_was(sent: PieceRecord, planned: PlannedPiece, rendition: Rendition | None) -> bool:
    """Tell whether a piece's answer was lost, and the same provider would get the same bytes again."""
    if sent.state is not PieceState.UNKNOWN or sent.provider != planned.provider or rendition is None:
        return False
    return not sent.sha256 or sent.sha256 == content_hash(rendition)


def _reached_before(made: Made, elsewhere: Sequence[PieceRecord]) -> Decision:
    """Settle a communication of policy FIRST whose required piece went over another channel in an earlier execution."""
    communication = made.composed.communication
    sent = tuple(piece for piece in elsewhere if _was_handed_over(piece.state))
    states = {piece.channel: piece.state for piece in sent}
    ident, recipient = communication.communication_id, communication.recipient_id
    outcome = summed_up(ident, recipient, states, frozenset(states))
    return Decision(ident, recipient, communication.locale, communication, sent, made.composed.facts, outcome=outcome)


def _first_error(made: Made) -> str:
    """Return place, code and message of what held a communication; findings carry no personal data."""
    for item in made.findings:
        if item.severity is Severity.ERROR:
            return (f"{item.location}: " if item.location else "") + f"{item.code}: {item.message}"
    return ""


def _contradicts_what_was_sent(made: Made, before: Mapping[Channel, PieceRecord]) -> bool:
    """Tell whether a piece that an earlier execution sent would say something else today."""
    for piece in made.composed.communication.pieces:
        rendition, sent = made.rendition(piece.piece_id), before.get(piece.channel)
        if sent is None or rendition is None or sent.state is not PieceState.ACCEPTED or not sent.sha256:
            continue
        if sent.sha256 != content_hash(rendition):
            return True
    return False


def content_hash(rendition: Rendition) -> str:
    """Return the SHA-256 of what the archive keeps of a rendition, in hex."""
    return hashlib.sha256(rendition.content).hexdigest()


def _piece_record(
    communication: Communication, planned: PlannedPiece, state: PieceState, detail: str, rendition: Rendition | None
) -> PieceRecord:
    return PieceRecord(
        piece_id=planned.piece_id,
        communication_id=communication.communication_id,
        run_id=communication.run_id,
        recipient_id=communication.recipient_id,
        channel=planned.channel,
        state=state,
        required=planned.required,
        provider=planned.provider,
        release=str(communication.release),
        locale=communication.locale,
        detail=detail,
        pages=rendition.pages if isinstance(rendition, DocumentRendition) else 0,
        segments=len(rendition.segments) if isinstance(rendition, SmsRendition) else 0,
    )


def _envelope(communication: Communication, planned: PlannedPiece, rendition: Rendition, brand: Brand) -> Envelope:
    return Envelope(
        key=planned.piece_id,
        channel=planned.channel,
        sender=sender_of(brand, planned.channel),
        address=planned.address,
        rendition=rendition,
        tags={"campaign": communication.campaign, "occurrence": communication.occurrence, "run": communication.run_id},
        release=str(communication.release),
        locale=communication.locale,
    )


def sender_of(brand: Brand, channel: Channel) -> str:
    """Return the brand's identity on a channel: address, number or handle; its name for documents."""
    senders = brand.definition.senders
    match channel:
        case Channel.EMAIL:
            return senders.email.address
        case Channel.SMS:
            return senders.sms.sender if senders.sms else ""
        case Channel.DOCUMENT:
            return brand.definition.title
        case _:
            account = getattr(senders, channel.value)
            return account.handle if account else ""
