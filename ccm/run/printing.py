"""Batches for the print shop: what the ledger holds for accepted is compared with what the printer's spool has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccm.deliver.packages import require_package
from ccm.deliver.print_shop.adapter import EXTRA, PrintAdapter
from ccm.deliver.print_shop.closing import Press
from ccm.deliver.print_shop.drop import hand_over, open_drop
from ccm.deliver.print_shop.records import BatchPlan, Exceptional
from ccm.deliver.print_shop.reprint import reprint
from ccm.deliver.print_shop.shelf import PrintFault
from ccm.diagnostics import suggest
from ccm.ledger.sql import open_ledger
from ccm.model.audit import AuditAction
from ccm.model.definitions import Channel
from ccm.model.records import PieceState
from ccm.model.workspace import Workspace
from ccm.run.auditing import note
from ccm.run.prepare import Clock, open_adapters, utc_now

PRINT = "print"  # the adapter's entry point
_TAKEN = (PieceState.ACCEPTED, PieceState.DELIVERED)


@dataclass(frozen=True)
class PrintReport:
    """What one command did.

    folder: Where the batches are.
    made: Batches finished now.
    sent: Batches handed over now; `to` says where.
    exceptions: Pieces that wait for somebody.
    """

    provider: str
    folder: str
    made: tuple[str, ...]
    sent: tuple[str, ...]
    to: str
    exceptions: tuple[Exceptional, ...] = ()


@dataclass(frozen=True)
class BatchLine:
    """One batch in a list.

    state: made, handed over, or unfinished when the command that makes it was stopped.
    """

    batch: str
    provider: str
    form: str
    pieces: int
    envelopes: int
    sheets: int
    made_at: str
    state: str
    reprint_of: str
    by: str
    reason: str


def print_run(workspace: Workspace, run_id: str, provider: str | None = None, *, clock: Clock = utc_now) -> PrintReport:
    """Close what waits of a run into batches, and hand over every batch that is not with the print shop yet.

    Raises:
        PrintFault: No such run or provider, or a batch that cannot be made.
        DeliveryError: The print shop's place cannot be used; batches stay and the same command goes on.
        OSError: Disk full or no permission; the same command goes on.
    """
    with _opened(workspace, provider, run_id) as adapter:
        accepted = _accepted(workspace, run_id, adapter)
        press = Press(adapter.provider, adapter.settings)
        closed = press.close(run_id, now=clock(), accepted=accepted)
        sent, place = _handed_over(adapter, press, run_id, clock)
        folder = str(adapter.settings.folder / "batches" / run_id)
        return PrintReport(adapter.provider, folder, closed.made, sent, place, closed.exceptions)


def print_again(
    workspace: Workspace,
    batch: str,
    wanted: Sequence[str],
    provider: str | None = None,
    *,
    by: str,
    reason: str,
    again: bool = False,
    clock: Clock = utc_now,
) -> PrintReport:
    """Print envelopes of a batch again, see `reprint`; the audit log says who ordered it, the manifest also why."""
    with _opened(workspace, provider, batch.rpartition(".b")[0]) as adapter:
        press = Press(adapter.provider, adapter.settings)

        def noted(plan: BatchPlan) -> None:
            counts = {"envelopes": len(plan.envelopes), "pieces": sum(len(one.letters) for one in plan.envelopes)}
            note(workspace, AuditAction.REPRINTED, plan.batch, clock(), by=by, of=plan.reprint_of, **counts)

        made = reprint(press, batch, wanted, now=clock(), by=by, reason=reason, again=again, noted=noted)
        run_id = press.shelf.find(made)[0].run
        sent, place = _handed_over(adapter, press, run_id, clock)
        folder = str(adapter.settings.folder / "batches" / run_id)
        return PrintReport(adapter.provider, folder, (made,), sent, place)


def print_batches(
    workspace: Workspace, run_id: str | None = None, provider: str | None = None
) -> tuple[BatchLine, ...]:
    """Return the batches of all print providers, or of one, oldest first."""
    lines = []
    for name in [provider] if provider else _print_providers(workspace):
        with _opened(workspace, name, "") as adapter:
            shelf = Press(name, adapter.settings).shelf
            for run in shelf.runs():
                for closing in shelf.closings(run) if run_id in (None, run) else ():
                    for batch in closing.batches:
                        files = shelf.files(run, batch.batch)
                        state = "handed over" if files.sent.exists() else "made" if files.complete else "unfinished"
                        pieces = sum(len(one.letters) for one in batch.envelopes)
                        sheets = sum(one.sheets for one in batch.envelopes)
                        counts = (pieces, len(batch.envelopes), sheets)
                        told = (closing.made_at, state, batch.reprint_of, closing.by, closing.reason)
                        lines.append(BatchLine(batch.batch, name, batch.form, *counts, *told))
    return tuple(lines)


def _print_providers(workspace: Workspace) -> tuple[str, ...]:
    return tuple(name for name, one in sorted(workspace.definition.providers.items()) if one.adapter == PRINT)


@contextlib.contextmanager
def _opened(workspace: Workspace, provider: str | None, run_id: str) -> Iterator[PrintAdapter]:
    """Open the print provider that is named, or the only one that knows the run."""
    known = _print_providers(workspace)
    if provider is not None and provider not in known:
        raise PrintFault(f'there is no print provider "{provider}"', suggest(provider, known))
    adapters = open_adapters(workspace, {provider} if provider else set(known))
    try:
        found = [one for one in adapters.values() if isinstance(one, PrintAdapter)]
        if len(found) > 1:
            found = [
                one for one in found if run_id in {*one.spool.runs(), *Press("", one.settings).shelf.runs()}
            ] or found
        if not found:
            remedy = "add one to ccm.yaml: providers: {printer: {adapter: print}}; see docs/printing.md"
            raise PrintFault("the workspace has no print provider", remedy)
        if len(found) > 1:
            names = ", ".join(one.provider for one in found)
            raise PrintFault(f"several providers print: {names}", "say which with --provider")
        require_package(found[0].provider, "pikepdf", EXTRA)
        yield found[0]
    finally:
        for adapter in adapters.values():
            adapter.close()


def _accepted(workspace: Workspace, run_id: str, adapter: PrintAdapter) -> dict[str, str]:
    """Return the hash of every piece that the ledger holds for accepted by this provider."""
    ledger = open_ledger(workspace.definition.ledger, workspace.root)
    try:
        runs = [run.run_id for run in ledger.runs()]
        if run_id not in runs and run_id not in adapter.spool.runs():
            raise PrintFault(
                f"there is no run {run_id[:80]!a}", suggest(run_id, runs) if runs else "list them with: ccm status"
            )
        return {
            piece.piece_id: piece.sha256
            for piece in ledger.pieces(run_id, states=_TAKEN)
            if piece.provider == adapter.provider and piece.channel is Channel.DOCUMENT
        }
    finally:
        ledger.close()


def _handed_over(adapter: PrintAdapter, press: Press, run_id: str, clock: Clock) -> tuple[tuple[str, ...], str]:
    drop = open_drop(adapter.provider, adapter.settings)
    if drop is None:
        return (), ""
    with contextlib.closing(drop):
        return hand_over(press.shelf, drop, run_id, now=clock()), drop.place
