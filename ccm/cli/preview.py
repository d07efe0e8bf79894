"""`ccm preview`: one customer's message on every channel, in a folder with one page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.completion import campaign_names, channel_names
from ccm.cli.terminal import (
    err,
    fail,
    json_option,
    open_workspace,
    open_workspace_for_run,
    out,
    parse_moment,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode, Severity

if TYPE_CHECKING:
    from ccm.model.definitions import Channel
    from ccm.model.records import Finding
    from ccm.run.preview import Preview


@click.command("preview")
@click.argument("campaign", shell_complete=campaign_names)
@click.option("--customer", required=True, metavar="ID", help="Any customer of the source.")
@click.option("--locale", metavar="TAG", help="Show it in this locale, such as de-DE.")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME",
    shell_complete=channel_names,
    help="Only this channel; may be repeated.",
)
@click.option("--occurrence", metavar="KEY", help="Occurrence to show, such as 2026-10.")
@click.option(
    "--release",
    metavar="VERSION",
    default="",
    help="Take this release of the template, or what is approved; not the draft.",
)
@click.option("--as-of", callback=parse_moment, metavar="TIME", help="Show it as of this time, not now.")
@click.option("--out", "target", type=click.Path(file_okay=False, path_type=Path), help="Folder to write into.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@workspace_option
@json_option
@with_errors
def command(
    campaign: str,
    customer: str,
    locale: str | None,
    channels: tuple[str, ...],
    occurrence: str | None,
    release: str,
    as_of: datetime | None,
    target: Path | None,
    open_page: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show any customer's message on every channel, exactly as it would go out. Sends nothing.

    Writes a folder with one index page: the email at phone and desktop width, SMS bubbles with their
    segments, the pages of the PDF, social posts with their cards, and the facts every channel tells.

    Shows the working folder, which nobody has approved yet. With --release 1.2.0 it shows that release, and with
    --release approved what a run would take now.

    Exit code: 0 shown, 1 shown with findings or the customer would get nothing.

    Example: ccm preview october-statement --customer C-1001 --locale de-DE --open
    """
    from ccm.run.prepare import utc_now
    from ccm.run.preview import preview_customer

    if locale is not None:
        check_locale(locale)
    wanted = [parse_channel(name) for name in channels]
    # A release is shown whatever the working templates look like; the working folder only where it has no errors.
    workspace = (
        open_workspace_for_run(folder, campaign)
        if release
        else open_workspace(folder, quiet=True, lint=False, lint_for=campaign, channels=wanted)
    )
    preview = preview_customer(
        workspace,
        campaign,
        customer,
        now=as_of or utc_now(),
        locale=locale,
        channels=wanted,
        occurrence=occurrence,
        release=release,
    )
    page = _written(preview, target or Path(workspace.root) / "preview" / campaign / safe_name(customer))
    findings = [item for made in (preview.made, *preview.broadcasts) if made for item in made.findings]
    if as_json:
        print_json(_as_json(preview, page, findings))
    else:
        _show(preview, page, findings)
    if open_page:
        click.launch(str(page))
    if preview.exclusion or any(item.severity is Severity.ERROR for item in findings):
        raise SystemExit(ExitCode.PROBLEMS)


def _written(preview: Preview, target: Path) -> Path:
    from ccm.studio.preview import write_preview

    try:
        return write_preview(preview, target)
    except OSError as error:
        remedy = "check permissions and free space, or say --out"
        return fail(f"{target}: {error.strerror or error}", remedy, ExitCode.OUTSIDE)


def _as_json(preview: Preview, page: Path, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "page": str(page),
        "release": str(preview.prepared.release),
        "excluded": str(preview.exclusion.reason) if preview.exclusion else None,
        "findings": [{"code": item.code, "channel": str(item.channel), "message": item.message} for item in findings],
    }


def _show(preview: Preview, page: Path, findings: Sequence[Finding]) -> None:
    if preview.exclusion:
        err.print(f"this customer would get nothing: {preview.exclusion.reason} {preview.exclusion.detail}")
    for item in findings:
        place = f"{item.location}: " if item.location else ""
        err.print(f"{place}{item.channel}: {item.severity}[{item.code}]: {item.message}", markup=False)
        err.print(f"  fix: {item.remedy}", markup=False)
    out.print(str(page))


def parse_channel(name: str) -> Channel:
    """Turn a name into a channel, or end with the nearest name."""
    from ccm.diagnostics import suggest
    from ccm.model.definitions import Channel

    try:
        return Channel(name)
    except ValueError:
        raise click.BadParameter(
            f'there is no channel "{name}"; {suggest(name, list(Channel))}', param_hint="--channel"
        ) from None


def check_locale(tag: str) -> None:
    """End with a usage error where no such language exists.

    Why: A customer's own odd tag falls back, so that nobody is lost; one that is typed here is a slip of the hand.
    """
    from ccm.plan.locales import own_locale

    if own_locale(tag) is None:
        raise click.BadParameter(f'there is no locale "{tag}"; write it like de-DE', param_hint="--locale")


def safe_name(customer: str) -> str:
    """Make an id fit for a folder name; ids come from data and may hold slashes."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in customer)[:80] or "customer"
