"""`ccm releases`: what is released, who approved it, what the working folder would change."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import (
    json_option,
    open_workspace_as_is,
    out,
    print_diagnostics,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode


@click.command("releases")
@click.option("--verify", "checked", is_flag=True, help="Check every byte of every release; name what changed.")
@workspace_option
@json_option
@with_errors
def command(checked: bool, folder: Path | None, as_json: bool) -> None:
    """List releases, where they stand, and what the next one of each template would be.

    Exit code: 0 fine, 1 --verify found a byte that changed, 3 the list cannot be read because a manifest changed.

    Example: ccm releases --verify
    """
    from ccm.release import releases_of, verify
    from ccm.release.candidates import span
    from ccm.run.contents import workspace_store
    from ccm.run.releasing import listed_releases, next_releases

    workspace, _ = open_workspace_as_is(folder)
    store = workspace_store(workspace)
    problems = [problem for one in releases_of(store) for problem in verify(store, one)] if checked else []
    if problems:
        print_diagnostics(dict.fromkeys(problems))
        raise SystemExit(ExitCode.PROBLEMS)
    rows = listed_releases(workspace)
    coming = next_releases(workspace)
    if as_json:
        print_json(
            {
                "releases": [
                    {
                        "release": row.release.name,
                        "brand": row.release.brand,
                        "state": str(row.state),
                        "by": row.step.by if row.step else row.release.created_by,
                        "at": (row.step.at if row.step else row.release.created_at).isoformat(),
                        "reason": row.step.reason if row.step else "",
                        "effective_from": row.release.effective_from,
                        "effective_until": row.release.effective_until,
                        "content_hash": row.release.content_hash,
                    }
                    for row in rows
                ],
                "next": [
                    {
                        "template": item.template,
                        "brand": item.brand,
                        "bump": str(item.bump),
                        "changes": [str(change) for change in item.changes],
                    }
                    for item in coming
                ],
            }
        )
    else:
        for row in rows:
            who = f"by {row.step.by} on {row.step.at:%Y-%m-%d}" if row.step else f"made by {row.release.created_by}"
            why = f" ({row.step.reason})" if row.step and row.step.reason else ""
            out.print(f"{row.release.title}: {row.state} {who}{why}, {span(row.release)}", markup=False)
        for item in coming:
            what = f"{item.bump}, {len(item.changes)} changes" if item.last else "no release yet"
            if item.last is None or item.changes:
                out.print(f"next {item.template} ({item.brand}): {what}", markup=False)
