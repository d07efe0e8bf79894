"""`ccm release`: freeze a template with everything its messages are made of."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import (
    by_option,
    err,
    fail,
    json_option,
    open_workspace_as_is,
    out,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode
from ccm.model.audit import AuditAction

if TYPE_CHECKING:
    from ccm.run.releasing import MadeRelease

SHOWN = 12  # changes in the terminal; JSON and the manifest have all


def parse_day(context: click.Context, parameter: click.Parameter, value: str | None) -> date | None:
    """Read an ISO 8601 date from the command line."""
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("write it like 2026-11-02") from None


@click.command("release")
@click.argument("templates", nargs=-1, metavar="[TEMPLATE]...")
@click.option("--all", "every", is_flag=True, help="Every template that a campaign sends; unchanged ones are left out.")
@click.option("--brand", "brands", multiple=True, metavar="NAME", help="Only in this brand; may be repeated.")
@click.option(
    "--bump",
    type=click.Choice(["auto", "major", "minor", "patch"]),
    default="auto",
    show_default=True,
    help="Least step of the version; auto takes what the difference asks for.",
)
@click.option("--effective-from", callback=parse_day, metavar="DAY", help="First day it counts; any day if not given.")
@click.option("--effective-until", callback=parse_day, metavar="DAY", help="Last day it counts.")
@click.option("--dry-run", is_flag=True, help="Show the version and the difference; make nothing.")
@by_option
@workspace_option
@json_option
@with_errors
def command(
    templates: tuple[str, ...],
    every: bool,
    brands: tuple[str, ...],
    bump: str,
    effective_from: date | None,
    effective_until: date | None,
    dry_run: bool,
    by: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Freeze a template with its fragments, brand, fonts, images and translations into an immutable release.

    The version follows from the difference to the last release: contract or facts changed: major; structure or
    layout: minor; copy, colour or picture: patch. Without --brand it is made for every brand that a campaign
    sends the template in. A production run takes it when it is approved: ccm approve.

    Exit code: 0 made, 1 nothing changed since the last release, 3 the template or brand has errors.

    Example: ccm release monthly-statement

    Example: ccm release invoice --effective-from 2027-01-01 --by "A. Author"
    """
    from ccm.release import Bump, ReleaseError, ReleaseOrder
    from ccm.run.auditing import note
    from ccm.run.prepare import utc_now
    from ccm.run.releasing import brands_for, make_release

    workspace, diagnostics = open_workspace_as_is(folder)
    if not templates and not every:
        fail("no template named", "say which, or --all; there is: " + ", ".join(workspace.templates), ExitCode.USAGE)
    wanted = None if bump == "auto" else Bump(bump)
    order = ReleaseOrder(by, utc_now(), wanted, effective_from, effective_until)
    sent = sorted({one.template_name for one in workspace.campaigns.values()})
    made, unchanged = [], 0
    for template in dict.fromkeys((*templates, *(sent if every else ()))):
        for brand in brands or brands_for(workspace, template):
            try:
                made.append(make_release(workspace, diagnostics, template, brand, order, write=not dry_run))
            except ReleaseError as error:
                if error.code != "nothing-changed":
                    raise
                unchanged += 1
                err.print(f"{error.message}; {error.remedy}", markup=False)
                continue
            if not dry_run:
                note(
                    workspace, AuditAction.RELEASED, made[-1].release.title, order.at, by=by, hash=made[-1].release.hash
                )
            if not as_json:
                _show(made[-1], dry_run)
    if as_json:
        print_json([as_json_of(item) for item in made])
    if unchanged and not made:
        raise SystemExit(ExitCode.PROBLEMS)


def _show(made: MadeRelease, dry_run: bool) -> None:
    release = made.release
    since = f"{release.bump} since {release.previous}" if release.previous else "the first one"
    word = "would be" if dry_run else "made"
    out.print(f"{word} {release.title}: {since}, {len(release.files)} files, {release.content_hash[:12]}", markup=False)
    for change in made.changes[:SHOWN]:
        out.print(f"  {change}", markup=False)
    if len(made.changes) > SHOWN:
        out.print(f"  and {len(made.changes) - SHOWN} more; see: ccm diff {release.template}@{release.previous}")
    for other in made.affected:
        out.print(
            f"  the same edit changes the next release of {other.template} ({other.brand}): {', '.join(other.through)}",
            markup=False,
        )
    if not dry_run:
        retires = f" --supersede  (retires {', '.join(one.name for one in made.rivals)})" if made.rivals else ""
        out.print(f"  next: ccm approve {release.name} --brand {release.brand}{retires}", markup=False)


def as_json_of(made: MadeRelease) -> dict[str, object]:
    """Return a new release for programs."""
    release = made.release
    return {
        "release": release.name,
        "brand": release.brand,
        "version": release.version,
        "bump": str(release.bump),
        "previous": release.previous,
        "content_hash": release.content_hash,
        "hash": release.hash,
        "changes": [
            {"level": str(item.level), "kind": item.kind, "where": item.where, "what": item.what}
            for item in made.changes
        ],
        "supersedes": [one.name for one in made.rivals],
        "affected": [
            {"template": item.template, "brand": item.brand, "through": list(item.through)} for item in made.affected
        ],
    }
