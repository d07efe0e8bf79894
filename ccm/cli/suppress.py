"""`ccm suppress`: addresses and people that must not be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import err, fail, json_option, open_settings, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode
from ccm.model.audit import AuditAction
from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import SuppressionReason

if TYPE_CHECKING:
    from ccm.ledger.permissions import PermissionStore
    from ccm.model.keyring import Keyring
    from ccm.model.workspace import Workspace
    from ccm.run.suppressing import Ban

CHANNELS = click.Choice([channel.value for channel in Channel if not channel.is_social])
PURPOSES = click.Choice([purpose.value for purpose in Purpose])
REASONS = click.Choice([reason.value for reason in SuppressionReason])


@click.command("suppress")
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--customer", "customers", multiple=True, metavar="ID", help="A customer's id, instead of an address.")
@click.option("--channel", type=CHANNELS, help="Only on this channel; on every one if not given.")
@click.option("--purpose", type=PURPOSES, help="Only for this purpose; for every one, legal too, if not given.")
@click.option("--brand", default="", metavar="NAME", help="Only for this brand; for every one if not given.")
@click.option("--reason", type=REASONS, help="Why; manual if not given.")
@click.option("--evidence", default="", help="Number of a ticket or letter; no personal data.")
@click.option("--country", metavar="CC", help="Country of numbers without a country code, such as DE.")
@click.option(
    "--import",
    "lists",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="CSV with a column address; channel, purpose, reason and brand may stand in columns too. All rows or none.",
)
@click.option("--lift", "lifting", is_flag=True, help="Take back what is in force; with --reason only that.")
@click.option(
    "--give-up-secret",
    "lost",
    metavar="NAME",
    help="The secret of this name is lost for good: remove what was marked under it. Its people may be written to again.",
)
@click.option("--show", is_flag=True, help="Say what is in force about these, and change nothing.")
@workspace_option
@json_option
@with_errors
def command(
    addresses: tuple[str, ...],
    customers: tuple[str, ...],
    channel: str | None,
    purpose: str | None,
    brand: str,
    reason: str | None,
    evidence: str,
    country: str | None,
    lists: tuple[Path, ...],
    lifting: bool,
    lost: str | None,
    show: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Keep addresses and people from being written to, at once: a run that is sending stops for them too.

    Without addresses, customers or lists it tells how many suppressions are in force, and names nobody: the store
    keeps keyed hashes, and nobody can read an address out of it.

    Exit code: with --show, 0 if something is in force and 1 if nothing is.

    Example: ccm suppress ann@example.org --channel email --purpose marketing
    """
    from ccm.run.auditing import note
    from ccm.run.permitted import open_permission_store
    from ccm.run.prepare import utc_now
    from ccm.run.suppressing import Ban

    ban = Ban(
        SuppressionReason(reason or SuppressionReason.MANUAL),
        Channel(channel) if channel else None,
        Purpose(purpose) if purpose else None,
        brand,
        evidence=evidence,
    )
    workspace = open_settings(folder)
    if lost is not None:  # before the store is opened, which refuses as long as a secret is missing
        removed = _give_up(workspace, lost, as_json)
        note(workspace, AuditAction.SUPPRESSION_LIFTED, "", utc_now(), entries=removed, reason="secret-lost")
        return
    store, keyring = open_permission_store(workspace)
    try:
        if not (addresses or customers or lists):
            _tell_counts(store, as_json)
            return
        marks = _marks(keyring, addresses, customers, country)
        if show:
            _tell_standing(store, marks, as_json)
        elif lifting:
            lifted = _lift(store, keyring, marks, ban, any_reason=reason is None, as_json=as_json)
            note(workspace, AuditAction.SUPPRESSION_LIFTED, "", utc_now(), entries=lifted, evidence=evidence)
        else:
            written = _bar(store, keyring, marks, lists, ban, country, as_json)
            note(
                workspace,
                AuditAction.SUPPRESSED,
                "",
                utc_now(),
                entries=written,
                reason=str(ban.reason),
                evidence=evidence,
            )
    finally:
        store.close()


def _marks(
    keyring: Keyring, addresses: tuple[str, ...], customers: tuple[str, ...], country: str | None
) -> list[tuple[str, ...]]:
    """Return the marks of each one named, the one for new entries first."""
    from ccm.plan.addresses import AddressInvalid
    from ccm.run.permitted import address_subject, subjects_of
    from ccm.run.suppressing import plain_address

    found = [keyring.marks(f"p:{customer}") for customer in customers]
    for number, text in enumerate(addresses, 1):
        try:
            plain = plain_address(text, country)
        except AddressInvalid as problem:
            fail(f"address {number} cannot be used: {problem}", "correct it; nothing was changed", ExitCode.USAGE)
        found.append(
            tuple(dict.fromkeys((address_subject(keyring, plain), *subjects_of(keyring, "", plain, "").email)))
        )
    return found


def _give_up(workspace: Workspace, ident: str, as_json: bool) -> int:
    from ccm.ledger.permissions import give_up_secret
    from ccm.run.secrets import load_keyring

    if ident in load_keyring(workspace.root).idents:
        remedy = "nothing was changed; name the one that the error of other commands names"
        fail(f"the secret {ident} is not lost: it is at hand", remedy, ExitCode.USAGE)
    removed = give_up_secret(workspace.definition.ledger, workspace.root, ident)
    if as_json:
        print_json({"removed": removed})
    else:
        out.print(f"{removed} entries removed; import the lists that you still have")
    return removed


def _tell_counts(store: PermissionStore, as_json: bool) -> None:
    counts = store.counts()
    names = ("reason", "channel", "purpose", "brand")
    if as_json:
        print_json([{**dict(zip(names, words, strict=True)), "count": count} for words, count in counts.items()])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (*names, "in force"):
        table.add_column(title)
    for words, count in counts.items():
        table.add_row(words[0], *(word or "every" for word in words[1:]), str(count))
    if counts:
        out.print(table)
    else:
        err.print("nobody is suppressed here; lists of the sources count beside this")


def _tell_standing(store: PermissionStore, marks: list[tuple[str, ...]], as_json: bool) -> None:
    from ccm.model.permissions import in_force

    entries = [entry for each in marks for entry in in_force(store.entries(each))]
    if as_json:
        print_json(
            [
                {
                    "reason": str(entry.reason),
                    "channel": entry.channel or "",
                    "purpose": entry.purpose or "",
                    "brand": entry.brand,
                    "at": entry.at.isoformat(),
                    "source": entry.source,
                    "evidence": entry.evidence,
                }
                for entry in entries
            ]
        )
    for entry in () if as_json else entries:
        where = (
            f"{entry.channel or 'every channel'}, {entry.purpose or 'every purpose'}, {entry.brand or 'every brand'}"
        )
        out.print(f"{entry.reason}: {where}; since {entry.at:%Y-%m-%d %H:%M} UTC by {entry.source} {entry.evidence}")
    if not entries:
        err.print("nothing is in force about them here")
        raise SystemExit(ExitCode.PROBLEMS)


def _lift(
    store: PermissionStore, keyring: Keyring, marks: list[tuple[str, ...]], ban: Ban, *, any_reason: bool, as_json: bool
) -> int:
    from ccm.run.prepare import utc_now
    from ccm.run.suppressing import lift

    lifted = sum(lift(store, keyring, each, ban, utc_now(), any_reason=any_reason) for each in marks)
    if as_json:
        print_json({"lifted": lifted})
    else:
        out.print(f"{lifted} suppression{'' if lifted == 1 else 's'} lifted")
    return lifted


def _bar(
    store: PermissionStore,
    keyring: Keyring,
    marks: list[tuple[str, ...]],
    lists: tuple[Path, ...],
    ban: Ban,
    country: str | None,
    as_json: bool,
) -> int:
    from ccm.run.prepare import utc_now
    from ccm.run.suppressing import read_suppressions

    now = utc_now()
    entries = [ban.on(each[0], now) for each in marks]
    for path in lists:
        entries += read_suppressions(path, keyring, replace(ban, source="import"), now, country=country)
    written = store.record(entries)
    if as_json:
        print_json({"suppressed": written})
    else:
        out.print(f"{written} suppression{'' if written == 1 else 's'} entered")
    return written
