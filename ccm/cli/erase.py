"""`ccm erase`: take a customer out of archive, ledger and keys, and keep them suppressed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import err, json_option, open_settings, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode
from ccm.model.audit import AuditAction

if TYPE_CHECKING:
    from ccm.run.erasing import Erasure, ErasureReport, Hold
    from ccm.run.forgetting import Copies


@click.command("erase")
@click.argument("customers", metavar="CUSTOMER...", nargs=-1, required=True)
@click.option("--evidence", default="", help="Number of the request; no personal data.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
@with_errors
def command(customers: tuple[str, ...], evidence: str, yes: bool, folder: Path | None, as_json: bool) -> None:
    """Erase customers: their key is destroyed, so that archive, snapshots and every backup of them are noise.

    In the ledger a keyed hash stands in place of their id; outcomes and amounts stay, so that sums still balance. They
    stay suppressed. What `retention` in ccm.yaml holds for legal and transactional purposes stays until it ends. Copies
    that adapters keep go: outbox, print spool, batches that were not handed over, documents in a bucket. Copies that
    others have, and your source of data, are yours to ask for: the answer says who has some.

    Exit code: 0 erased, 1 give the command again (a run is under way, another process reads the ledger, or a provider
    could not be asked).

    Example: ccm erase C-1042 --evidence ticket-4711
    """
    from ccm.run.auditing import note
    from ccm.run.erasing import erase, holds_of
    from ccm.run.prepare import utc_now

    workspace, now = open_settings(folder), utc_now()
    if not yes:
        for customer in customers:
            _tell_holds(customer, holds_of(workspace, customer, now))
        whom = customers[0] if len(customers) == 1 else f"{len(customers)} customers"
        click.confirm(f"erase {whom} for good?", abort=True, err=True)

    def write_down(erasure: Erasure) -> None:
        held = sum(hold.pieces for hold in erasure.holds)
        left = sum(erasure.copies.left.values())
        counts = {"pieces": erasure.pieces, "held": held, "copies_left": left}
        note(workspace, AuditAction.ERASED, erasure.stands_for, now, by="", **counts, evidence=evidence)

    report = erase(workspace, customers, at=now, evidence=evidence, done=write_down)
    if as_json:
        print_json(_as_json(report))
    else:
        for erasure in report.erasures:
            _print(erasure)
        _print_rest(report)
    failed = any(erasure.copies.failed for erasure in report.erasures)
    raise SystemExit(ExitCode.PROBLEMS if report.running or failed or not report.scrubbed else ExitCode.FINE)


def _tell_holds(customer: str, holds: tuple[Hold, ...]) -> None:
    for hold in holds:
        err.print(f"{customer}: {hold.pieces} {hold.purpose} pieces stay until {hold.until:%Y-%m-%d}", markup=False)


def _print(erasure: Erasure) -> None:
    key = "key destroyed" if erasure.key_destroyed else "key replaced" if erasure.holds else "had no key"
    out.print(f"{erasure.stands_for}: {erasure.pieces} pieces blanked, {key}", markup=False)
    for hold in erasure.holds:
        out.print(f"  held: {hold.pieces} {hold.purpose} pieces until {hold.until:%Y-%m-%d}", markup=False)
    print_copies(erasure.copies)


def print_copies(copies: Copies) -> None:
    """Print what became of copies at providers; nothing where there were none."""
    if copies.removed:
        out.print(f"  copies removed: {_counted(copies.removed)}", markup=False)
    for (provider, where), count in copies.left.items():
        out.print(f"  copies left: {provider} {count}: {where}", markup=False)
    if copies.given:
        out.print(f"  copies to be deleted at providers: {_counted(copies.given)}", markup=False)
    for problem in copies.failed:
        err.print(f"  {problem}; then give the command again", markup=False)


def copies_as_json(copies: Copies) -> dict[str, object]:
    """Return the same for programs."""
    return {
        "providers": dict(copies.given),
        "removed": dict(copies.removed),
        "left": [
            {"provider": provider, "where": where, "pieces": count} for (provider, where), count in copies.left.items()
        ],
        "failed": list(copies.failed),
    }


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _print_rest(report: ErasureReport) -> None:
    if report.running:
        err.print(f"runs under way may write about them again; erase again after: {', '.join(report.running)}")
    if not report.scrubbed:
        err.print(
            "another process reads the ledger, or it is PostgreSQL: free pages are not overwritten yet (docs/replay.md)"
        )


def _as_json(report: ErasureReport) -> dict[str, object]:
    return {
        "erased": [
            {
                "stands_for": one.stands_for,
                "communications": one.communications,
                "pieces": one.pieces,
                "key_destroyed": one.key_destroyed,
                "held": [
                    {"purpose": str(hold.purpose), "pieces": hold.pieces, "until": hold.until.isoformat()}
                    for hold in one.holds
                ],
                **copies_as_json(one.copies),
            }
            for one in report.erasures
        ],
        "running": list(report.running),
        "scrubbed": report.scrubbed,
    }
