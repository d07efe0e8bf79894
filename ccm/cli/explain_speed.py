"""`ccm explain-speed`: what in a template keeps its documents and emails slow, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.run.explaining import Explanation, SlowReason


@click.command("explain-speed")
@click.argument("template", metavar="TEMPLATE")
@click.option("--brand", default="", metavar="NAME", help="Only campaigns of this brand.")
@click.option("--campaign", default="", metavar="NAME", help="Whose customers are looked at; the first that sends it.")
@click.option("--customers", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@workspace_option
@json_option
@with_errors
def command(template: str, brand: str, campaign: str, customers: int, folder: Path | None, as_json: bool) -> None:
    """Tell which CSS or markup sends documents and emails of a template down the full path, with file, line and remedy.

    Composes some customers' messages from the working folder, for real; writes and sends nothing. A declaration is named when
    the reason goes away without it.

    Exit code: 0 everything is filled, 1 something takes the full path.

    Example: ccm explain-speed monthly-statement
    """
    from ccm.run.explaining import explain_speed
    from ccm.run.prepare import utc_now

    workspace = open_workspace(folder, quiet=True, lint=False)
    told = explain_speed(workspace, template, brand=brand, campaign=campaign, customers=customers, now=utc_now())
    if as_json:
        print_json(as_json_form(told))
    else:
        show(told)
    raise SystemExit(ExitCode.PROBLEMS if told.reasons else ExitCode.FINE)


def show(told: Explanation) -> None:
    """Print the counts, then each reason with its place and remedy."""
    for channel, counts in told.counts.items():
        sums = " · ".join(f"{count} {word}" for word, count in counts.items())
        out.print(f"{channel}: {sums}  ({told.customers} customers of {told.campaign})", markup=False)
    for one in told.reasons:
        out.print(f"\n{one.channel} in full, {one.count} of {told.customers}: {one.reason}", markup=False)
        for place in one.places:
            out.print(f"  {place.location}: {place.text}", markup=False)
        if not one.places:
            out.print(
                f"  its line could not be found; see it with: ccm preview {told.campaign} --customer {one.example}"
            )
        out.print(f"  fix: {one.remedy}", markup=False)
    if not told.counts:
        out.print("no document or email could be composed; see why with: ccm preview")


def as_json_form(told: Explanation) -> dict[str, object]:
    """Return the explanation in a JSON-able form."""
    return {
        "template": told.template,
        "brand": told.brand,
        "campaign": told.campaign,
        "customers": told.customers,
        "counts": {str(channel): counts for channel, counts in told.counts.items()},
        "reasons": [_reason(one) for one in told.reasons],
    }


def _reason(one: SlowReason) -> dict[str, object]:
    return {
        "channel": str(one.channel),
        "reason": one.reason,
        "count": one.count,
        "example": one.example,
        "places": [
            {"path": place.location.path, "line": place.location.line, "text": place.text} for place in one.places
        ],
        "proved": one.proved,
        "remedy": one.remedy,
    }
