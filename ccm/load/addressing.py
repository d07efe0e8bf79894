"""Who a row addresses: locale, zone, country, addresses, preferences and consent, read from named columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ccm.diagnostics import Diagnostic, Location
from ccm.load.tables import RawRow
from ccm.model.definitions import Channel, Purpose, SourceDefinition
from ccm.model.records import Consent

_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?(?:-.*)?")
_YES = frozenset({"yes", "true", "1", "y"})
_NO = frozenset({"no", "false", "0", "n", ""})


@dataclass(frozen=True, slots=True)
class Addressing:
    """What one row says about reaching its person."""

    locale: str
    zone: str
    country: str | None
    email: str | None
    phone: str | None
    preferred_channels: tuple[Channel, ...]
    consents: tuple[Consent, ...]
    faults: tuple[Diagnostic, ...]


def read_addressing(
    row: RawRow, source: SourceDefinition, purpose: Purpose, fallback_locale: str, label: str
) -> Addressing:
    """Read the addressing columns of a row.

    Args:
        purpose: The campaign's; an unreadable consent for another purpose is no fault of this run.
        fallback_locale: For rows without a locale, when the source has no default.
        label: The table's path, for faults.
    Why: An address is passed on as it stands; plan normalises it. An unknown zone too: plan takes the strictest.
    """
    columns = source.recipient
    place = Location(label, row.line)
    faults: list[Diagnostic] = []
    given = row.text(columns.locale) if columns.locale else ""
    locale = _canonical(given) if given else source.default_locale or fallback_locale
    if not locale:
        faults.append(_fault("invalid-locale", columns.locale, "a language tag such as pt-BR", place))
    channels, unknown = _channels(row.text(columns.channels) if columns.channels else "")
    if unknown:
        names = " ".join(channel.value for channel in Channel)
        faults.append(_fault("invalid-channel", columns.channels, f"channels out of: {names}", place))
    country = (row.text(columns.country) if columns.country else "") or source.default_country
    return Addressing(
        locale=locale or source.default_locale or fallback_locale,
        zone=(row.text(columns.zone) if columns.zone else "") or source.default_zone,
        country=country.upper() if country else None,
        email=(row.text(columns.email) or None) if columns.email else None,
        phone=(row.text(columns.phone) or None) if columns.phone else None,
        preferred_channels=channels,
        consents=tuple(_consents(row, source, purpose, place, faults)),
        faults=tuple(faults),
    )


@lru_cache(maxsize=4096)
def _canonical(given: str) -> str:
    """Write a locale as BCP 47, `pt_br` as `pt-BR`; empty when CLDR does not know the language."""
    from babel import localedata

    found = _TAG.fullmatch(given.replace("_", "-").partition(".")[0])
    if found is None or not localedata.exists(found[1].lower()):
        return ""
    parts = [found[1].lower(), (found[2] or "").title(), (found[3] or "").upper()]
    return "-".join(part for part in parts if part)


def _channels(text: str) -> tuple[tuple[Channel, ...], bool]:
    words = dict.fromkeys(re.split(r"[\s,;|]+", text.lower())) if text else {}
    known = {channel.value: channel for channel in Channel}
    return tuple(known[word] for word in words if word in known), any(word and word not in known for word in words)


def _consents(
    row: RawRow, source: SourceDefinition, purpose: Purpose, place: Location, faults: list[Diagnostic]
) -> Iterator[Consent]:
    for about, columns in source.recipient.consent.items():
        for channel, column in (
            (Channel.EMAIL, columns.email),
            (Channel.SMS, columns.sms),
            (Channel.DOCUMENT, columns.document),
        ):
            if column is None:
                continue
            text = row.text(column).lower()
            if text in _YES or text in _NO:
                yield Consent(about, channel, text in _YES)
                continue
            given_at = _time(text)
            if given_at is None and about is purpose:
                faults.append(_fault("invalid-consent", column, "yes, no or the ISO time it was given", place))
            yield Consent(about, channel, given_at is not None, given_at)


@lru_cache(maxsize=4096)
def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _fault(code: str, column: str | None, expected: str, place: Location) -> Diagnostic:
    return Diagnostic(
        code, f'column "{column}" does not hold {expected}', f"write {expected}, or leave it empty", place
    )
