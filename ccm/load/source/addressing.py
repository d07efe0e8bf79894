"""Who a row addresses: locale, zone, country, addresses, preferences and consent, read from named columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from ccm.diagnostics import Diagnostic, Location
from ccm.load.source.tables import RawRow
from ccm.model.definitions import Channel, Purpose, SourceDefinition
from ccm.model.records import Consent

_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?(?:-.*)?")
_CHANNELS = {channel.value: channel for channel in Channel}
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


class AddressReader:
    """Reads the addressing columns of one source for one campaign.

    Args:
        purpose: The campaign's; an unreadable consent for another purpose is no fault of this run.
        fallback_locale: For rows without a locale, when the source has no default.
        label: The table's path, for faults.
    Why: An address is passed on as it stands; plan normalises it. An unknown zone too: plan takes the strictest.
    """

    def __init__(self, source: SourceDefinition, purpose: Purpose, fallback_locale: str, label: str) -> None:
        self._columns = source.recipient
        self._purpose = purpose
        self._label = label
        self.locale = source.default_locale or fallback_locale
        self.zone = source.default_zone
        self._country = source.default_country
        self._consents = tuple(
            (column, Consent(about, channel, granted=True), Consent(about, channel, granted=False))
            for about, columns in source.recipient.consent.items()
            for channel, column in (
                (Channel.EMAIL, columns.email),
                (Channel.SMS, columns.sms),
                (Channel.DOCUMENT, columns.document),
            )
            if column is not None
        )

    def read(self, row: RawRow) -> Addressing:
        """Read one row."""
        columns = self._columns
        place = Location(self._label, row.line)
        faults: list[Diagnostic] = []
        given = _text(row, columns.locale)
        locale = _canonical(given) if given else self.locale
        if not locale:
            faults.append(_fault("invalid-locale", columns.locale, "a language tag such as pt-BR", place))
        channels, unknown = _channels(_text(row, columns.channels))
        if unknown:
            faults.append(_fault("invalid-channel", columns.channels, f"channels out of: {' '.join(_CHANNELS)}", place))
        country = _text(row, columns.country) or self._country
        return Addressing(
            locale=locale or self.locale,
            zone=_text(row, columns.zone) or self.zone,
            country=country.upper() if country else None,
            email=_text(row, columns.email) or None,
            phone=_text(row, columns.phone) or None,
            preferred_channels=channels,
            consents=tuple([self._consent(row, *about, place, faults) for about in self._consents]),
            faults=tuple(faults),
        )

    def _consent(
        self, row: RawRow, column: str, granted: Consent, refused: Consent, place: Location, faults: list[Diagnostic]
    ) -> Consent:
        text = row.text(column).lower()
        if text in _YES:
            return granted
        if text in _NO:
            return refused
        given_at = _time(text)
        if given_at is not None:
            return replace(granted, given_at=given_at)
        if granted.purpose is self._purpose:
            faults.append(_fault("invalid-consent", column, "yes, no or the ISO time it was given", place))
        return refused


def _text(row: RawRow, column: str | None) -> str:
    return row.text(column) if column else ""


@lru_cache(maxsize=4096)
def _canonical(given: str) -> str:
    """Write a locale as BCP 47, `pt_br` as `pt-BR`; empty when CLDR does not know the language."""
    from babel import localedata

    found = _TAG.fullmatch(given.replace("_", "-").partition(".")[0])
    if found is None or not localedata.exists(found[1].lower()):
        return ""
    parts = [found[1].lower(), (found[2] or "").title(), (found[3] or "").upper()]
    return "-".join(part for part in parts if part)


@lru_cache(maxsize=1024)
def _channels(text: str) -> tuple[tuple[Channel, ...], bool]:
    """Return the channels that a text names, and whether it names something else."""
    words = [word for word in re.split(r"[\s,;|]+", text.lower()) if word]
    known = dict.fromkeys(_CHANNELS[word] for word in words if word in _CHANNELS)
    return tuple(known), any(word not in _CHANNELS for word in words)


@lru_cache(maxsize=4096)
def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.upper())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # overflow: a first or last day of the calendar, with an offset
        return None


def _fault(code: str, column: str | None, expected: str, place: Location) -> Diagnostic:
    return Diagnostic(
        code, f'column "{column}" does not hold {expected}', f"write {expected}, or leave it empty", place
    )
