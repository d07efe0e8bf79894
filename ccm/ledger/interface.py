"""What a ledger is: the only truth about who got what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

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


class RunBusy(Exception):
    """Another process holds the lease of this run."""

    def __init__(self, run_id: str, owner: str, until: datetime) -> None:
        self.owner = owner
        self.until = until
        super().__init__(
            f"run {run_id} is being executed by {owner} until {until:%H:%M:%S} UTC; "
            "wait for it, or stop that process and give the command again"
        )


class LeaseLost(Exception):
    """This process was too slow: another one took the run over. Nothing more may be sent."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"the lease of run {run_id} was lost to another process; nothing more was sent by this one")


class LedgerError(Exception):
    """The ledger could not be read or written; free of personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


class Ledger(ABC):
    """Base of every ledger. All writes of one call are one transaction; times are aware UTC."""

    @abstractmethod
    def claim_run(self, run: RunRecord, *, owner: str, now: datetime, lease_seconds: float) -> RunRecord:
        """Create the run, or take up an existing one, and hold its lease.

        Why: A closed run is taken up too. Recipients who came to the source since then get their message, and
        nobody else does: a final outcome stays final.

        Returns:
            The run as it was first claimed, release included, and open again if it was closed.
        Raises:
            RunBusy: If another owner's lease has not run out.
        """

    @abstractmethod
    def renew_lease(self, run_id: str, *, owner: str, now: datetime, lease_seconds: float) -> None:
        """Hold the lease longer.

        Raises:
            LeaseLost: If another owner has it.
        """

    @abstractmethod
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
        """End this execution with state closed (all final), open (resumable), stopped or cancelled; gives the lease back.

        Args:
            read: Recipients of the source, without broadcasts; None when it was not read to its end. Of a stopped
                execution it is not recorded.
            outside_segment: Of these, how many the campaign does not address.
            orphans: Child rows of the source that belong to nobody. Of a stopped execution they are not recorded either.
        Raises:
            LeaseLost: If another owner has the run.
        """

    @abstractmethod
    def known(self, communication_ids: Sequence[str]) -> Mapping[str, tuple[PieceRecord, ...]]:
        """Return the pieces of those communications that were decided before, by communication id.

        A communication that was only excluded or held is known with no pieces.
        """

    @abstractmethod
    def final(self, communication_ids: Sequence[str]) -> frozenset[str]:
        """Return those communications whose outcome is final and must not be worked on again.

        Held and waiting outcomes are not final: a later execution tries them again.
        """

    @abstractmethod
    def save(self, run_id: str, decisions: Sequence[Decision], *, owner: str, now: datetime) -> None:
        """Write decisions with their pieces and facts, durably, in one transaction.

        Replaces an earlier decision that was not final. A piece that was ever SENDING or later stays as it is,
        with the facts it told. Recipients outside the segment are counted (`close_run`), not saved.

        Raises:
            LeaseLost: If the run belongs to another owner by now.
            LedgerError: If one communication is decided twice, decides nothing, or a total is not exact.
        """

    @abstractmethod
    def advance(self, run_id: str, changes: Sequence[StateChange], *, owner: str, durable: bool) -> None:
        """Move pieces forward in one transaction. Intents are counted in `RunRecord.intents`, once for ever.

        Args:
            durable: True waits for the disk (intents); False survives a kill but not a power cut. After a
                power cut, pieces with an intent come back as SENDING: they may have been handed over.
        Raises:
            LeaseLost: If the run belongs to another owner by now.
            LedgerError: If a state would move back.
        """

    @abstractmethod
    def settle(self, run_id: str, outcomes: Sequence[Outcome], *, owner: str, now: datetime) -> None:
        """Write outcomes; one that is final already stays, but UNKNOWN may still be resolved.

        Raises:
            LeaseLost: If the run belongs to another owner by now.
            LedgerError: If the run has no such communication.
        """

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
        """Move pieces forward and write outcomes: `advance` and `settle` in one transaction where that is possible.

        Args:
            durable: As for `advance`, and for the outcomes too.
        Raises:
            LeaseLost, LedgerError: As `advance` and `settle`.
        """
        if changes:
            self.advance(run_id, changes, owner=owner, durable=durable)
        if outcomes:
            self.settle(run_id, outcomes, owner=owner, now=now)

    @abstractmethod
    def adopt(self, run_id: str, intents: int, *, owner: str, now: datetime) -> None:
        """Take an older copy of the ledger for the truth: count on from `intents`, and doubt every written intent.

        Raises:
            LeaseLost: If another owner has the run.
        """

    @abstractmethod
    def order(self, run_id: str, order: RunOrder) -> None:
        """Order a run to pause, to be cancelled or to go on; whoever executes it looks by itself. Needs no lease.

        Raises:
            LedgerError: If there is no such run.
        """

    @abstractmethod
    def ordered(self, run_id: str) -> RunOrder:
        """Return what was ordered last; cheap, asked twice a second."""

    @abstractmethod
    def tell(self, run_id: str, progress: RunProgress, *, owner: str) -> None:
        """Write how far the execution is, for whoever looks from another terminal; need not survive a power cut.

        Raises:
            LeaseLost: If another owner has the run.
        """

    @abstractmethod
    def pieces(self, run_id: str, *, states: Sequence[PieceState] = ()) -> Iterator[PieceRecord]:
        """Stream the pieces of a run, in the order they were decided; all states if none given."""

    @abstractmethod
    def outcomes(self, run_id: str, *, kinds: Sequence[OutcomeKind] = ()) -> Iterator[Outcome]:
        """Stream the outcomes of a run's recipients and posts, in the order they were decided; all kinds if none given."""

    @abstractmethod
    def tally(self, run_id: str) -> RunTally:
        """Sum up a run, exactly; memory does not grow with its size.

        Raises:
            LedgerError: If there is no such run.
        """

    @abstractmethod
    def runs(self) -> tuple[RunRecord, ...]:
        """Return all runs, newest first."""

    @abstractmethod
    def history(self, recipient_id: str) -> tuple[HistoryEntry, ...]:
        """Return every piece a recipient ever got or should have got, newest first, in one query."""

    @abstractmethod
    def close(self) -> None:
        """Give back connections."""
