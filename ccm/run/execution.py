"""One execution of one campaign occurrence: plan → compose → check → archive → intents → deliver → settle."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ccm.archive.vault import Vault
from ccm.check.totals import Outgoing, balance
from ccm.diagnostics import Severity
from ccm.ledger.interface import Ledger
from ccm.load import load_recipients
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
    Recipient,
    Rendition,
    SmsRendition,
)
from ccm.model.workspace import Brand
from ccm.plan import plan, plan_broadcasts
from ccm.run.desk import SendJob
from ccm.run.keeping import keep
from ccm.run.postal import postal_address
from ccm.run.prepare import Clock, Prepared
from ccm.run.sending import Sender
from ccm.run.verdicts import outcome_of, summed_up
from ccm.run.workers import Made, Window, Workers

WINDOW = 200  # communications written in one transaction
DOCUMENT_WINDOW = 8  # smaller with documents, so that every process has work and progress is seen
HELD_SHARE_FROM = 50  # recipients before the held share can stop a run

MISTAKES = {
    ExclusionReason.INVALID_DATA,
    ExclusionReason.DUPLICATE_KEY,
    ExclusionReason.INVALID_ADDRESS,
    ExclusionReason.COMPOSE_FAILED,
    ExclusionReason.CHECK_FAILED,
}


class TooManyHeld(Exception):
    """More recipients were held for mistakes than the campaign allows; the run stopped by itself."""

    def __init__(self, held: int, seen: int, share: float) -> None:
        self.remedy = "mend the data or the template, or raise limits.held_share, and give the same command again"
        super().__init__(
            f"{held} of the first {seen} recipients are held for mistakes, more than the allowed {share:.0%}; {self.remedy}"
        )


@dataclass(frozen=True)
class Progress:
    """How far an execution is; passed to the listener after every window."""

    read: int
    done: int
    outcomes: Mapping[OutcomeKind, int]
    pieces: int


class Execution:
    """Carries one run from its source to its outcomes. Holds counters only; the truth is in the ledger."""

    def __init__(
        self,
        prepared: Prepared,
        ledger: Ledger,
        vault: Vault,
        sender: Sender,
        workers: Workers,
        *,
        owner: str,
        clock: Clock,
        listener: Callable[[Progress], None],
    ) -> None:
        self._prepared = prepared
        self._brief = prepared.brief
        self._ledger = ledger
        self._vault = vault
        self._sender = sender
        self._workers = workers
        self._owner = owner
        self._clock = clock
        self._listener = listener
        self._on_paper = frozenset(name for name, can in self._brief.capabilities.items() if can.postal)
        self.read = 0
        self.outside_segment = 0
        self._done = 0
        self._pieces = 0
        self._mistakes: set[str] = set()  # communications held for a mistake by this execution
        self._outcomes: dict[OutcomeKind, int] = dict.fromkeys(OutcomeKind, 0)

    def go(self) -> None:
        """Work through every recipient and broadcast; what is final already is not touched again."""
        for window, made in self._workers.make(self._windows()):
            if self._prepared.released is not None:
                self._prepared.released.refuse_retired()
            self._work(window, made)
            self._watch_held_share()
            self._tell()
        self._sender.drain()
        self._count(self._sender.settled())
        self._tell()
        self._let_go()

    def _tell(self) -> None:
        self._listener(Progress(self.read, self._done, dict(self._outcomes), self._pieces))

    # ── planning ─────────────────────────────────────────────────────────

    def _windows(self) -> Iterator[Window]:
        """Batch the plan; broadcasts follow the first window, so that a broken template posts nothing."""
        size = DOCUMENT_WINDOW if Channel.DOCUMENT in self._prepared.campaign.channels.all else WINDOW
        recipients = load_recipients(self._prepared.workspace, self._prepared.campaign, period=self._prepared.period)
        planned = plan(self._counted(recipients), self._brief)
        broadcasts = plan_broadcasts(self._brief)
        first = tuple(itertools.islice(planned, size))
        for batch in itertools.chain((first,), (tuple(broadcasts),), batched(planned, size)):
            yield self._window(batch)

    def _counted(self, recipients: Iterable[Recipient]) -> Iterator[Recipient]:
        for recipient in recipients:
            self.read += 1
            yield recipient

    def _window(self, batch: tuple[Communication | Exclusion, ...]) -> Window:
        """Leave out what is final and who is not addressed; count both."""
        final = self._ledger.final([item.communication_id for item in batch])
        exclusions, communications = [], []
        for item in batch:
            if isinstance(item, Exclusion) and item.outcome is None:
                self.outside_segment += 1
            elif item.communication_id in final:
                self._done += 1
            elif isinstance(item, Exclusion):
                exclusions.append(item)
            else:
                communications.append(item)
        return Window(tuple(communications), tuple(exclusions))

    # ── one window ───────────────────────────────────────────────────────

    def _work(self, window: Window, made: tuple[Made, ...]) -> None:
        planned: tuple[Communication | Exclusion, ...] = (*window.communications, *window.exclusions)
        known = self._ledger.known([item.communication_id for item in planned])
        decisions = [excluded(item, known.get(item.communication_id, ())) for item in window.exclusions]
        jobs: list[SendJob] = []
        sent: list[Outgoing] = []
        for item in made:
            before = {piece.channel: piece for piece in known.get(item.composed.communication.communication_id, ())}
            decision, job = decide(
                item, before, self._prepared.brand_of(item.composed.communication.release), self._on_paper
            )
            decisions.append(decision)
            if job is not None:
                jobs.append(job)
                sent.append(Outgoing(item.composed, job.envelopes))
        facts = self._prepared.template.definition.facts
        balance(window.communications, [item.composed for item in made], sent, facts)
        decisions = keep(self._vault, decisions, made)
        self._vault.sync()
        self._ledger.save(self._brief.run_id, decisions, owner=self._owner, now=self._clock())
        self._sender.submit(jobs)
        self._count([item.outcome for item in decisions if item.outcome is not None])
        self._count(self._sender.settled())
        self._pieces += sum(len(job.envelopes) for job in jobs)

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.recipient_id.startswith("broadcast:"):
                continue
            self._outcomes[outcome.kind] += 1
            self._done += 1
            if outcome.kind is OutcomeKind.HELD and outcome.reason in MISTAKES:
                self._mistakes.add(outcome.communication_id)

    def _watch_held_share(self) -> None:
        allowed = self._prepared.campaign.limits.held_share
        seen = self.read - self.outside_segment
        if seen >= HELD_SHARE_FROM and len(self._mistakes) > allowed * seen:
            raise TooManyHeld(len(self._mistakes), seen, allowed)

    def _let_go(self) -> None:
        """Settle whom an earlier execution held for a mistake and this complete reading did not meet again.

        Why: The cure of a doubled or broken row may be to take it out. Its recipient would stay held for ever.
        """
        held = self._ledger.outcomes(self._brief.run_id, kinds=(OutcomeKind.HELD,))
        gone = [
            Outcome(item.communication_id, item.recipient_id, OutcomeKind.SUPPRESSED, str(ExclusionReason.LEFT_SOURCE))
            for item in held
            if item.reason in MISTAKES
            and item.communication_id not in self._mistakes
            and not item.recipient_id.startswith("broadcast:")
        ]
        if gone:
            self._ledger.settle(self._brief.run_id, gone, owner=self._owner, now=self._clock())


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
    made: Made, before: Mapping[Channel, PieceRecord], brand: Brand, on_paper: frozenset[str] = frozenset()
) -> tuple[Decision, SendJob | None]:
    """Decide what of a composed communication goes out; `on_paper` names the providers that need a postal address.

    All required pieces are good: they and the good optional ones go. One is bad: all are held.
    A piece that an earlier execution sent is never sent again; if what it said then differs from what
    would be said now, the rest is held, because the channels would disagree.
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
        if sent is not None and _was_handed_over(sent.state):
            pieces.append(sent)
            states[planned.channel] = sent.state
            continue
        rendition = made.rendition(planned.piece_id)
        own = made.failure(planned.piece_id)
        good = failure is None and own is None and rendition is not None
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


def batched(items: Iterable[Communication | Exclusion], size: int) -> Iterator[tuple[Communication | Exclusion, ...]]:
    """Yield tuples of up to `size` items; itertools has this from Python 3.12."""
    iterator = iter(items)
    while batch := tuple(itertools.islice(iterator, size)):
        yield batch
