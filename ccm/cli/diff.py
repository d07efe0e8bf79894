"""`ccm diff`: what differs between two releases, or a release and the working folder."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import (
    err,
    json_option,
    open_workspace_as_is,
    out,
    parse_moment,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.run.comparing import Comparison


@click.command("diff")
@click.argument("first")
@click.argument("second", required=False)
@click.option("--brand", metavar="NAME", default="", help="Which brand's, where several have that version.")
@click.option("--no-samples", is_flag=True, help="Do not render the template's test customers.")
@click.option("--as-of", callback=parse_moment, metavar="TIME", help="The time that rendered samples carry.")
@workspace_option
@json_option
@with_errors
def command(
    first: str,
    second: str | None,
    brand: str,
    no_samples: bool,
    as_of: datetime | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compare two releases, or one with the working folder: contract, facts, texts, tokens, rendered samples.

    FIRST and SECOND are releases (invoice@1.0.0) or templates (invoice: the working folder). Without SECOND the
    working folder of the same template is meant.

    Exit code: 0 nothing differs, 1 something differs.

    Example: ccm diff invoice@1.0.0 invoice@1.1.0
    """
    from ccm.run.comparing import compare_named
    from ccm.run.prepare import utc_now

    workspace, _ = open_workspace_as_is(folder)
    other = second or first.partition("@")[0]
    found = compare_named(workspace, first, other, brand=brand, now=as_of or utc_now(), with_samples=not no_samples)
    if as_json:
        print_json({**asdict(found), "differs": found.differs})
    else:
        show(found)
    if found.differs:
        raise SystemExit(ExitCode.PROBLEMS)


def show(found: Comparison) -> None:
    """Print a comparison section by section."""
    out.print(f"{found.before} → {found.after}", markup=False, style="bold")
    for kind, changes in groupby(found.changes, key=lambda item: item.kind):
        out.print(kind, style="bold")
        for change in changes:
            out.print(f"  {change.level}: {change.where}: {change.what}", markup=False)
    for (channel, locale), texts in groupby(found.texts, key=lambda item: (item.channel, item.locale)):
        out.print(f"text of {channel} in {locale}", style="bold", markup=False)
        for text in texts:
            if text.before:
                out.print(f"  - {text.before}", markup=False)
            if text.after:
                out.print(f"  + {text.after}", markup=False)
    for sample in found.samples:
        out.print(f"sample {sample.sample} on {sample.channel}", style="bold", markup=False)
        for line in sample.lines:
            out.print(f"  {line[:1]} {line[1:]}", markup=False)
    if found.note:
        err.print(f"samples were not rendered: {found.note}", markup=False)
    if not found.differs:
        out.print("nothing differs")
