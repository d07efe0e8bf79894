"""One execution of one campaign occurrence: plan → compose → check → archive → intents → deliver → settle."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from ccm.archive.vault import Vault
from ccm.check.totals import Outgoing, balance
from ccm.compose.document.layout_problem import DIFFERS
from ccm.ledger.interface import Ledger
from ccm.load import load_recipients
from ccm.model.definitions import Channel
from ccm.model.orphans import OrphanRows
from ccm.model.progress import RunProgress
from ccm.model.records import (
    Communication,
    Exclusion,
    ExclusionReason,
    Outcome,
    OutcomeKind,
    Recipient,
)
from ccm.plan import plan, plan_broadcasts
from ccm.run.completeness import refuse_few, refuse_orphans
from ccm.run.contents import ConfigurationFault
from ccm.run.deciding import cancelled, decide, excluded
from ccm.run.desk import SendJob
from ccm.run.keeping import keep
from ccm.run.prepare import Clock, Prepared
from ccm.run.pulse import FilledOtherwise, Progress, Pulse, TooManyHeld
from ccm.run.sending import Sender
from ccm.run.workers import Made, Window, Workers

WINDOW = 200  # communications written in one transaction
DOCUMENT_WINDOW = 8  # with documents the first ones are small, so that progress is seen where documents take long
MOST_DOCUMENTS = 64  # of a window, where they take short: each transaction costs as much as composing several
BRISK_SECONDS, SLOW_SECONDS = 1.0, 4.0  # windows that take less grow, those that take more shrink
HELD_SHARE_FROM = 50  # recipients before the held share can stop a run

MISTAKES = {
    ExclusionReason.INVALID_DATA,
    ExclusionReason.DUPLICATE_KEY,
    ExclusionReason.INVALID_ADDRESS,
    ExclusionReason.COMPOSE_FAILED,
    ExclusionReason.CHECK_FAILED,
}


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
        total: int | None = None,
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
        able = self._brief.capabilities.items()
        self._on_paper = frozenset(name for name, can in able if can.postal)
        self._deduplicating = frozenset(name for name, can in able if can.deduplicates)
        self.read = 0
        self.outside_segment = 0
        self.orphans: tuple[OrphanRows, ...] = ()  # child rows that belong to nobody, once the source was read
        self._done = 0
        self._pieces = 0
        self._documents = Channel.DOCUMENT in prepared.campaign.channels.all
        self._size = DOCUMENT_WINDOW if self._documents else WINDOW  # communications in the next window
        self._pulse = Pulse(total)
        self._cancelled = threading.Event()
        self._mistakes: set[str] = set()  # communications held for a mistake by this execution
        self._outcomes: dict[OutcomeKind, int] = dict.fromkeys(OutcomeKind, 0)

    def go(self) -> None:
        """Work through every recipient and broadcast; what is final already is not touched again."""
        refuse_few(self._prepared)
        began = self._clock()
        for window, made in self._workers.make(self._windows()):
            self._refuse_retired()
            if self._cancelled.is_set():
                self._leave_out(window)
            else:
                self._work(window, made)
                self._watch_held_share()
            self._tell()
            began, before = self._clock(), began
            self._fit_windows((began - before).total_seconds())
        self._sender.drain()
        self._count(self._sender.settled())
        self._tell()
        if not self._cancelled.is_set():
            self._let_go()

    def _refuse_retired(self) -> None:
        """Stop when a release was retired meanwhile; what began to go out ends first.

        Why: a communication of which one channel went would say something else with the next release, and stay held.
        """
        if self._prepared.released is None:
            return
        try:
            self._prepared.released.refuse_retired()
        except ConfigurationFault:
            self._sender.drain()
            self._count(self._sender.settled())
            raise

    def cancel(self) -> None:
        """Hand over nothing more; everybody who was not reached is left out. Called from another thread."""
        self._cancelled.set()
        self._sender.stop()

    @property
    def cancelled(self) -> bool:
        """Whether an operator cancelled the run."""
        return self._cancelled.is_set()

    def progress(self) -> RunProgress:
        """Return how far this execution is."""
        return self._pulse.progress(self.read, self._done, self._pieces, self._clock())

    def _tell(self) -> None:
        now = self.progress()
        self._listener(Progress(self.read, self._done, dict(self._outcomes), self._pieces, now.per_second, now.total))

    # ── planning ─────────────────────────────────────────────────────────

    def _windows(self) -> Iterator[Window]:
        """Batch the plan; broadcasts follow the first window, so that a broken template posts nothing."""
        allowed = self._prepared.campaign.limits.orphan_rows
        recipients = load_recipients(
            self._prepared.workspace,
            self._prepared.campaign,
            period=self._prepared.period,
            tell_orphans=self._take_orphans,
            orphans_first=allowed is not None,
        )
        planned = plan(self._counted(recipients), self._brief)
        broadcasts = plan_broadcasts(self._brief)
        yield self._window(tuple(itertools.islice(planned, self._size)))
        yield self._window(tuple(broadcasts))
        while batch := tuple(itertools.islice(planned, self._size)):
            yield self._window(batch)

    def _take_orphans(self, orphans: tuple[OrphanRows, ...]) -> None:
        self.orphans = orphans
        refuse_orphans(orphans, self._prepared.campaign.limits.orphan_rows)

    def _fit_windows(self, seconds: float) -> None:
        """Make the next windows of documents larger or smaller, by the seconds that the last one took."""
        if not self._documents:
            return
        if seconds < BRISK_SECONDS:
            self._size = min(MOST_DOCUMENTS, self._size * 2)
        elif seconds > SLOW_SECONDS:
            self._size = max(DOCUMENT_WINDOW, self._size // 2)

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
            elif self._cancelled.is_set():
                exclusions.append(cancelled(item.recipient_id, item.communication_id))
            else:
                communications.append(item)
        return Window(tuple(communications), tuple(exclusions))

    # ── one window ───────────────────────────────────────────────────────

    def _leave_out(self, window: Window) -> None:
        """Decide that nobody of the window gets anything more: the run was cancelled."""
        others = [cancelled(item.recipient_id, item.communication_id) for item in window.communications]
        known = self._ledger.known([item.communication_id for item in (*others, *window.exclusions)])
        decisions = [excluded(item, known.get(item.communication_id, ())) for item in (*others, *window.exclusions)]
        self._ledger.save(self._brief.run_id, decisions, owner=self._owner, now=self._clock())
        self._count([item.outcome for item in decisions if item.outcome is not None])

    def _work(self, window: Window, made: tuple[Made, ...]) -> None:
        planned: tuple[Communication | Exclusion, ...] = (*window.communications, *window.exclusions)
        known = self._ledger.known([item.communication_id for item in planned])
        decisions = [excluded(item, known.get(item.communication_id, ())) for item in window.exclusions]
        jobs: list[SendJob] = []
        sent: list[Outgoing] = []
        _refuse_differences(made)
        for item in made:
            before = {piece.channel: piece for piece in known.get(item.composed.communication.communication_id, ())}
            brand = self._prepared.brand_of(item.composed.communication.release)
            decision, job = decide(item, before, brand, self._on_paper, self._deduplicating)
            decisions.append(decision)
            if job is not None:
                jobs.append(job)
                sent.append(Outgoing(item.composed, job.envelopes, item.told))
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


def _refuse_differences(made: Iterable[Made]) -> None:
    """Stop where filling and the layout engine made different pages: others that nobody compared may differ too.

    Raises:
        FilledOtherwise: Before anything of the window is decided, so the same command tries again.
    """
    for item in made:
        for finding in item.findings:
            if finding.code == DIFFERS:
                raise FilledOtherwise(finding)
