"""The report of a run that was executed before, and whom of it somebody must look after."""

from __future__ import annotations

import itertools

from ccm.ledger.interface import Ledger
from ccm.model.records import Outcome, OutcomeKind, RunReport
from ccm.model.workspace import Workspace
from ccm.reconcile import reconcile

WATCHED = (OutcomeKind.HELD, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN)


def workspace_ledger(workspace: Workspace) -> Ledger:
    """Open the workspace's ledger."""
    from ccm.ledger.sql import open_ledger  # SQLAlchemy takes a third of a second, and a preview needs no ledger

    return open_ledger(workspace.definition.ledger, workspace.root)


def run_attention(workspace: Workspace, run_id: str, limit: int) -> tuple[Outcome, ...]:
    """Return recipients and posts whom somebody must look after, with reason and place, in the order decided."""
    ledger = workspace_ledger(workspace)
    try:
        return tuple(itertools.islice(ledger.outcomes(run_id, kinds=WATCHED), limit))
    finally:
        ledger.close()


def run_report(workspace: Workspace, run_id: str) -> RunReport:
    """Return the report of a run that was executed before.

    Raises:
        LookupError: If the ledger knows no such run.
    """
    ledger = workspace_ledger(workspace)
    try:
        if run_id not in {run.run_id for run in ledger.runs()}:
            raise LookupError(run_id)
        return reconcile(ledger.tally(run_id))
    finally:
        ledger.close()
