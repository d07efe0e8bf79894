"""`ccm retire`: take a release out of use for good."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import by_option, open_settings, out, with_errors, workspace_option
from ccm.model.audit import AuditAction


@click.command("retire")
@click.argument("release")
@click.option("--brand", metavar="NAME", default="", help="Which brand's, where several have that version.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for whoever asks later.")
@by_option
@workspace_option
@with_errors
def command(release: str, brand: str, reason: str, by: str, folder: Path | None) -> None:
    """Take a release out of use for good. A run that uses it stops; it stays readable for proof.

    Example: ccm retire monthly-statement@1.0.0 --reason "wrong interest rate in the footer"
    """
    from ccm.release import find_release, retire
    from ccm.run.auditing import note
    from ccm.run.contents import workspace_store
    from ccm.run.prepare import utc_now

    workspace = open_settings(folder)
    store = workspace_store(workspace)
    found = find_release(store, release, brand)
    retire(store, found, by=by, at=utc_now(), reason=reason)
    note(workspace, AuditAction.RETIRED, found.title, utc_now(), by=by, hash=found.hash)
    out.print(f"retired {found.title} by {by}", markup=False)
