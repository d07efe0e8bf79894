"""`ccm approve`: let production runs use a release."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import by_option, err, fail, open_settings, out, with_errors, workspace_option
from ccm.diagnostics import ExitCode
from ccm.model.audit import AuditAction


@click.command("approve")
@click.argument("releases", nargs=-1, metavar="[RELEASE]...")
@click.option("--all", "every", is_flag=True, help="Every release that waits and is newer than what is approved.")
@click.option("--brand", metavar="NAME", default="", help="Which brand's, where several have that version.")
@click.option("--supersede", is_flag=True, help="Retire the releases that would be effective at the same time.")
@by_option
@workspace_option
@with_errors
def command(releases: tuple[str, ...], every: bool, brand: str, supersede: bool, by: str, folder: Path | None) -> None:
    """Approve a release for production, bound to its hash, after checking every byte of it.

    Where the brand says approval: {four_eyes: true}, somebody else must have made it. Two releases of one major
    version that begin on the same day cannot both be approved: say --supersede, or give the new one a first day.

    Exit code: 0 approved, 1 nothing waits, 3 refused.

    Example: ccm approve monthly-statement@1.0.1 --supersede
    """
    from ccm.release import ReleaseState, find_release
    from ccm.run.auditing import note
    from ccm.run.contents import workspace_store
    from ccm.run.prepare import utc_now
    from ccm.run.releasing import approve_release, listed_releases

    workspace = open_settings(folder)
    if not releases and not every:
        fail("no release named", "say which, such as monthly-statement@1.0.0, or --all", ExitCode.USAGE)
    store = workspace_store(workspace)
    chosen = [find_release(store, name, brand) for name in releases]
    if every:
        newest = {(row.release.template, row.release.brand): row for row in listed_releases(workspace)}
        chosen += [
            row.release
            for row in newest.values()
            if row.state is ReleaseState.DRAFT and brand in ("", row.release.brand)
        ]
    if not chosen:
        err.print("no release waits for approval; make one with: ccm release TEMPLATE")
        raise SystemExit(ExitCode.PROBLEMS)
    for release in chosen:
        retired = approve_release(workspace, release, by=by, at=utc_now(), supersede=supersede)
        note(workspace, AuditAction.APPROVED, release.title, utc_now(), by=by, hash=release.hash)
        out.print(f"approved {release.title} by {by}: {release.content_hash[:12]}", markup=False)
        for old in retired:
            note(
                workspace,
                AuditAction.RETIRED,
                old.title,
                utc_now(),
                by=by,
                hash=old.hash,
                superseded_by=release.version,
            )
            out.print(f"  retired {old.title}", markup=False)
