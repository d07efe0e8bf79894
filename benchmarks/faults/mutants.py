"""Mistakes that others made in their senders, put into ours on purpose: the suite must catch every one.

Each is put in at a seam that the engine promises (ledger, adapter, lease), in the process of one command. It says on
stderr when it changed something; one that never does no longer fits the engine, and fails loudly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

MARK = "mutant fired"


class NoLongerFits(Exception):
    """The place that a mutant changes is gone."""


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    what: In words.
    caught_by: The part of the suite that must notice.
    """

    name: str
    what: str
    caught_by: str
    apply: Callable[[], None]


def fired() -> None:
    """Say that the mistake was made; survives a kill."""
    os.write(2, f"{MARK}\n".encode())


def original(owner: Any, name: str) -> Any:
    """Return what a mutant takes the place of."""
    found = vars(owner).get(name)
    if not callable(found):
        raise NoLongerFits(f"{owner.__name__} has no {name} of its own; mend the mutant")
    return found


def record_after_send() -> None:
    from ccm.model.records import PieceState

    before = (PieceState.INTENT, PieceState.SENDING)

    def forgetful(write: Callable[..., None], changes: Sequence[Any], rest: Mapping[str, Any]) -> None:
        kept = [change for change in changes if change.state not in before]
        if len(kept) < len(changes):
            fired()
        write(kept, **rest)

    blind_to_older_copies()
    change_writing(forgetful)


def blind_to_older_copies() -> None:
    """Leave out the numbers beside the ledger: they would notice that intents are missing, and stop the run."""
    from ccm.run.marks import OutsideMarks

    original(OutsideMarks, "highest")
    OutsideMarks.highest = lambda self: 0  # type: ignore[method-assign]


def change_writing(changed: Callable[[Callable[..., None], Sequence[Any], Mapping[str, Any]], None]) -> None:
    """Put something between the sender and both ways of writing steps of pieces into the ledger."""
    from ccm.ledger.sql import SqlLedger

    advance, record = original(SqlLedger, "advance"), original(SqlLedger, "record")

    def advanced(self: Any, run_id: str, changes: Sequence[Any], **rest: Any) -> None:
        changed(lambda kept, **rest: advance(self, run_id, kept, **rest), changes, rest)

    def recorded(self: Any, run_id: str, changes: Sequence[Any], outcomes: Sequence[Any], **rest: Any) -> None:
        changed(lambda kept, **rest: record(self, run_id, kept, outcomes, **rest), changes, rest)

    SqlLedger.advance, SqlLedger.record = advanced, recorded  # type: ignore[method-assign]


def checkpoint_at_fetch() -> None:
    from ccm.ledger.sql import SqlLedger
    from ccm.model.records import Outcome, OutcomeKind

    save = original(SqlLedger, "save")

    def early(self: Any, run_id: str, decisions: Sequence[Any], **rest: Any) -> None:
        done = []
        for one in decisions:
            if one.outcome is None:
                fired()
                one = replace(one, outcome=Outcome(one.communication_id, one.recipient_id, OutcomeKind.ACCEPTED))
            done.append(one)
        save(self, run_id, done, **rest)

    SqlLedger.save = early  # type: ignore[method-assign]


def retry_on_timeout() -> None:
    from ccm.deliver.smtp import SmtpAdapter
    from ccm.model.records import ReceiptStatus

    converse = original(SmtpAdapter, "converse")

    def hopeful(self: Any, envelope: Any) -> Any:
        receipt = yield from converse(self, envelope)
        if receipt.status is not ReceiptStatus.UNKNOWN:
            return receipt
        fired()
        return replace(receipt, status=ReceiptStatus.DEFERRED)

    SmtpAdapter.converse = hopeful  # type: ignore[method-assign]


def drop_stale_lock() -> None:
    import sqlalchemy as sa

    from ccm.ledger.sql import SqlLedger
    from ccm.ledger.tables import communications, pieces

    claim = original(SqlLedger, "claim_run")

    def tidy(self: Any, run: Any, **rest: Any) -> Any:
        claimed = claim(self, run, **rest)
        stale = pieces.c.state.in_(("intent", "sending"))
        with self._database.write() as connection:
            of = connection.scalars(sa.select(pieces.c.communication_id).where(stale)).all()
            if of:
                fired()
            connection.execute(sa.delete(pieces).where(stale))
            mine = communications.c.communication_id.in_(of)
            connection.execute(sa.update(communications).where(mine).values(outcome="suppressed"))
        return claimed

    SqlLedger.claim_run = tidy  # type: ignore[method-assign]


def sdk_default_retries() -> None:
    from botocore.config import Config

    begin = original(Config, "__init__")

    def default(self: Any, *args: Any, **options: Any) -> None:
        if (options.get("retries") or {}).get("total_max_attempts") == 1:
            fired()
            del options["retries"]
        begin(self, *args, **options)

    Config.__init__ = default


def swallowed_enospc() -> None:
    from ccm.ledger.interface import LedgerError
    from ccm.ledger.sql import SqlLedger

    for name in ("advance", "record", "save", "settle"):
        setattr(SqlLedger, name, deaf(original(SqlLedger, name), LedgerError))


def deaf(method: Callable[..., None], error: type[Exception]) -> Callable[..., None]:
    """Return a method that goes on when the disk is full."""

    def unconcerned(*args: Any, **options: Any) -> None:
        try:
            method(*args, **options)
        except error:
            fired()

    return unconcerned


def intents_not_durable() -> None:
    def hasty(write: Callable[..., None], changes: Sequence[Any], rest: Mapping[str, Any]) -> None:
        if rest["durable"]:
            fired()
        write(changes, **{**rest, "durable": False})

    blind_to_older_copies()
    change_writing(hasty)


def trusts_the_server_to_deduplicate() -> None:
    from ccm.deliver.smtp import SmtpAdapter

    if SmtpAdapter.capabilities.deduplicates:
        raise NoLongerFits("SMTP cannot deduplicate")
    fired()
    SmtpAdapter.capabilities = replace(SmtpAdapter.capabilities, deduplicates=True)


def in_the_simulator() -> None:
    """Nothing to do in a process: the simulator has its own place for it."""


MUTANTS = {
    one.name: one
    for one in (
        Mutant("record-after-send", "nothing is written down before a hand-over", "kills", record_after_send),
        Mutant("checkpoint-at-fetch", "a recipient counts as done when read", "kills", checkpoint_at_fetch),
        Mutant("drop-stale-lock", "what a dead process was sending is thrown away", "kills", drop_stale_lock),
        Mutant("resend-in-doubt", "SMTP is thought to deduplicate", "kills", trusts_the_server_to_deduplicate),
        Mutant("retry-on-timeout", "a lost answer counts as not accepted", "verbs", retry_on_timeout),
        Mutant("sdk-default-retries", "boto3 sends again by itself", "ses", sdk_default_retries),
        Mutant("swallowed-enospc", "a full disk is no reason to stop", "disk", swallowed_enospc),
        Mutant("intents-not-durable", "intents do not wait for the disk", "power", intents_not_durable),
        Mutant("unfenced", "a process that lost the run may still write", "simulation", in_the_simulator),
        Mutant("no-window", "all intents of a run are written at once", "simulation", in_the_simulator),
        Mutant("deaf-to-opt-outs", "permission is asked once, when a row is read", "simulation", in_the_simulator),
    )
}
