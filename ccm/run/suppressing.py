"""Entering people's words and suppressions into the permission store: by hand, from a list, after an erasure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ccm.diagnostics import Diagnostic, Location, suggest
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, PermissionEntry, SuppressionEntry, SuppressionReason, in_force
from ccm.plan.addresses import AddressInvalid, normalised_email, normalised_phone
from ccm.run.contents import ConfigurationFault
from ccm.run.permitted import address_subject, person_subject, subjects_of

if TYPE_CHECKING:
    from ccm.ledger.permissions import PermissionStore

_SHOWN = 20  # faults of a list; more help nobody

_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True)
class Ban:
    """What to enter about addresses and people.

    brand: Empty for every brand.
    """

    reason: SuppressionReason = SuppressionReason.MANUAL
    channel: Channel | None = None
    purpose: Purpose | None = None
    brand: str = ""
    source: str = "operator"
    evidence: str = ""
    lifted: bool = False

    def on(self, subject: str, at: datetime) -> SuppressionEntry:
        """Return the entry about one subject."""
        return SuppressionEntry(
            subject, self.channel, self.purpose, self.reason, at, self.source, self.evidence, self.brand, self.lifted
        )


def plain_address(text: str, country: str | None = None) -> str:
    """Return an email address or number in the form that sending uses.

    Raises:
        AddressInvalid: If it is neither; never shows it.
    """
    return normalised_email(text) if "@" in text else normalised_phone(text, country)


def lift(
    store: PermissionStore, keyring: Keyring, subjects: Sequence[str], ban: Ban, at: datetime, *, any_reason: bool
) -> int:
    """Lift what is in force about some subjects.

    Args:
        ban: Whose channel, purpose and brand are lifted; where it names none, those of every one.
        any_reason: Lift whatever the reason; otherwise only what has the ban's reason.
    Returns:
        How many suppressions were lifted.
    """
    found = [
        entry
        for entry in in_force(store.entries(subjects))
        if (any_reason or entry.reason is ban.reason)
        and ban.channel in (None, entry.channel)
        and ban.purpose in (None, entry.purpose)
        and ban.brand in ("", entry.brand)
    ]
    lines = (replace(one, at=at, source=ban.source, evidence=ban.evidence, lifted=True) for one in found)
    return store.record(lines)


def suppress_erased(
    store: PermissionStore,
    keyring: Keyring,
    *,
    recipient_id: str,
    addresses: Iterable[str],
    at: datetime,
    evidence: str = "",
) -> int:
    """Bar an erased person for good, and forget what they ever said.

    Args:
        recipient_id: The customer's id; barred itself, so that the same row of the source is never used again.
        addresses: Every email address and number known of them, however written.
        evidence: Number of the request; no personal data.
    Returns:
        How many suppressions were written.
    """
    known = list(addresses)
    subjects = [person_subject(keyring, recipient_id), *(address_subject(keyring, text) for text in known)]
    ban = Ban(SuppressionReason.ERASED, source="erase", evidence=evidence)
    written = store.record(ban.on(subject, at) for subject in dict.fromkeys(subjects))
    marks = [*keyring.marks(f"p:{recipient_id}")]
    for text in known:
        marks += subjects_of(keyring, "", text, "").email
    store.forget(marks)
    return written


def agree(
    store: PermissionStore, keyring: Keyring, said: ConsentEntry, *, recipient_id: str, addresses: Sequence[str] = ()
) -> int:
    """Enter what a person said about one purpose and channel; a yes lifts that they had unsubscribed from it.

    Args:
        said: Its subject is filled in here.
    Returns:
        How many entries were written.
    """
    subjects = [person_subject(keyring, recipient_id)] if recipient_id else []
    subjects += [address_subject(keyring, text) for text in addresses]
    entries: list[PermissionEntry] = [replace(said, subject=subject) for subject in subjects]
    if said.granted:
        marks = [*keyring.marks(f"p:{recipient_id}")] if recipient_id else []
        for text in addresses:
            marks += subjects_of(keyring, "", text, "").email
        entries += [
            replace(entry, lifted=True, at=said.at, source=said.source, evidence=said.evidence)
            for entry in in_force(store.entries(marks))
            if entry.reason is SuppressionReason.UNSUBSCRIBED
            and entry.channel in (None, said.channel)
            and entry.purpose in (None, said.purpose)
            and entry.brand in ("", said.brand)
        ]
    return store.record(entries)


# ── lists ────────────────────────────────────────────────────────────────────


def read_suppressions(
    path: Path, keyring: Keyring, ban: Ban, at: datetime, *, country: str | None = None
) -> tuple[SuppressionEntry, ...]:
    """Read a list of addresses: CSV with a column `address`, and channel, purpose, reason, brand where they differ.

    Args:
        ban: What counts where a column is absent or a cell is empty.
        country: Of numbers without a country code.
    Raises:
        ConfigurationFault: With the first rows that cannot be used; nothing of such a list is entered. Why: A row that
            is left out would let somebody be written to who must not be.
    """
    entries, faults = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in _rows(file, path):
                try:
                    entries.append(_entry(row, keyring, ban, at, country))
                except (AddressInvalid, ValueError) as problem:
                    faults.append(_fault(path, line, str(problem)))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ConfigurationFault((_fault(path, 0, f"it cannot be read ({type(problem).__name__})"),)) from None
    if faults:
        raise ConfigurationFault(tuple(faults[:_SHOWN]))
    return tuple(entries)


def _rows(file: Iterable[str], path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(file)
    names = [name.strip().lower() for name in next(reader, [])]
    if "address" not in names:
        remedy = suggest("address", names) if names else "write a first line with the column address"
        fault = Diagnostic("missing-column", 'the list has no column "address"', remedy, Location(str(path), 1))
        raise ConfigurationFault((fault,))
    line = reader.line_num + 1
    for cells in reader:
        if cells:
            extra = {"": ""} if len(cells) > len(names) else {}
            yield line, dict(zip(names, map(str.strip, cells), strict=False)) | extra
        line = reader.line_num + 1


def _entry(row: Mapping[str, str], keyring: Keyring, ban: Ban, at: datetime, country: str | None) -> SuppressionEntry:
    if "" in row:
        raise ValueError("it has more cells than there are columns")
    subject = address_subject(keyring, plain_address(row.get("address", ""), country))
    own = replace(
        ban,
        channel=_word(row, "channel", Channel) or ban.channel,
        purpose=_word(row, "purpose", Purpose) or ban.purpose,
        reason=_word(row, "reason", SuppressionReason) or ban.reason,
        brand=row.get("brand") or ban.brand,
        source="import",
    )
    return own.on(subject, at)


def _word(row: Mapping[str, str], column: str, known: type[_Word]) -> _Word | None:
    text = row.get(column, "").lower()
    if not text:
        return None
    try:
        return known(text)
    except ValueError:
        raise ValueError(f"its {column} is none of: {', '.join(known)}") from None


def _fault(path: Path, line: int, trouble: str) -> Diagnostic:
    remedy = "mend the row; nothing of the list is entered before, so that nobody on it is written to"
    message = f"a row of the list cannot be used: {trouble}" if line else f"the list cannot be used: {trouble}"
    return Diagnostic("malformed-row", message, remedy, Location(str(path), line))
