"""`ccm consent`: what a customer said about being written to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.suppress import CHANNELS, PURPOSES
from ccm.cli.terminal import (
    err,
    json_option,
    open_settings,
    out,
    parse_moment,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode
from ccm.model.audit import AuditAction
from ccm.model.definitions import Channel, Purpose

if TYPE_CHECKING:
    from ccm.model.permissions import ConsentEntry


@click.command("consent")
@click.argument("customer")
@click.option("--grant/--refuse", "granted", default=None, help="Enter a yes or a no; without, what was said is shown.")
@click.option("--purpose", type=PURPOSES, help="For what; needed to enter.")
@click.option("--channel", type=CHANNELS, help="On which channel; needed to enter.")
@click.option("--brand", default="", metavar="NAME", help="For which brand; for every one if not given.")
@click.option("--address", "addresses", multiple=True, help="File it under this address too.")
@click.option("--source", default="operator", help="Where it was said, such as shop-form.")
@click.option("--evidence", default="", help="What proves it, such as the number of a form; no personal data.")
@click.option("--at", callback=parse_moment, metavar="TIME", help="When it was said, with offset; now if not given.")
@workspace_option
@json_option
@with_errors
def command(
    customer: str,
    granted: bool | None,
    purpose: str | None,
    channel: str | None,
    brand: str,
    addresses: tuple[str, ...],
    source: str,
    evidence: str,
    at: datetime | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show what a customer said here, newest first, or enter what they say: entries are added, never changed.

    The latest word counts, together with the consent columns of the source; at the same time a no wins. A yes takes
    back that they unsubscribed from the same.

    Exit code: 0 done, 1 nothing is written down about this customer.

    Example: ccm consent C-1001 --grant --purpose marketing --channel email --source shop-form --evidence F-2231
    """
    from ccm.model.permissions import ConsentEntry
    from ccm.run.auditing import note
    from ccm.run.permitted import open_permission_store
    from ccm.run.prepare import utc_now
    from ccm.run.suppressing import agree, plain_address

    if granted is not None and not (purpose and channel):
        raise click.UsageError("say for what and where: --purpose and --channel")
    workspace = open_settings(folder)
    store, keyring = open_permission_store(workspace)
    try:
        if granted is not None and purpose and channel:
            when = at or utc_now()
            said = ConsentEntry("", Purpose(purpose), Channel(channel), granted, when, source, evidence, brand)
            plain = [plain_address(text) for text in addresses]
            written = agree(store, keyring, said, recipient_id=customer, addresses=plain)
            note(
                workspace,
                AuditAction.CONSENT_ENTERED,
                "",
                utc_now(),
                entries=written,
                granted=str(granted),
                evidence=evidence,
            )
            print_json({"entered": written}) if as_json else out.print(f"{written} entered")
            return
        entries = store.entries(keyring.marks(f"p:{customer}"))
    finally:
        store.close()
    words = [entry for entry in reversed(entries) if isinstance(entry, ConsentEntry)]
    _tell(words, as_json)


def _tell(words: list[ConsentEntry], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "at": word.at.isoformat(),
                    "purpose": str(word.purpose),
                    "channel": str(word.channel),
                    "brand": word.brand,
                    "granted": word.granted,
                    "source": word.source,
                    "evidence": word.evidence,
                }
                for word in words
            ]
        )
    elif words:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("when (UTC)", "purpose", "channel", "brand", "said", "source", "evidence"):
            table.add_column(title)
        for word in words:
            said = "yes" if word.granted else "no"
            when = f"{word.at:%Y-%m-%d %H:%M}"
            table.add_row(when, word.purpose, word.channel, word.brand or "every", said, word.source, word.evidence)
        out.print(table)
    if not words:
        if not as_json:
            err.print("nothing was said here; the consent columns of the source count beside this")
        raise SystemExit(ExitCode.PROBLEMS)
