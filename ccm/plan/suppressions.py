"""Addresses that must not be used, found in constant time however they were written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from phonenumbers import NumberParseException

from ccm.model.definitions import Channel, Purpose
from ccm.model.records import Suppression
from ccm.plan.addresses import AddressInvalid, national_digits, normalised_email, normalised_phone

_FOREIGN_CALL = re.compile(r"^011(?=[1-9]\d{9})")  # how North America dials another country; no number is so long


@dataclass(frozen=True)
class SuppressionIndex:
    """Suppressions by comparable address.

    Emails compare without case, domains in ASCII. Numbers compare in E.164; an entry without a plus compares by its
    digits, with and without country code, so it may stop a number of another country too: one message too few is
    the smaller harm.
    """

    entries: Mapping[str, tuple[Suppression, ...]]

    @classmethod
    def of(cls, suppressions: Iterable[Suppression]) -> SuppressionIndex:
        """Build the index."""
        entries: dict[str, list[Suppression]] = defaultdict(list)
        for entry in suppressions:
            entries[entry_key(entry.address)].append(entry)
        return cls({key: tuple(found) for key, found in entries.items()})

    def find(self, channel: Channel, purpose: Purpose, *, email: str | None, phone: str | None) -> Suppression | None:
        """Return the entry that forbids a channel, or None.

        Args:
            channel: Email looks at the email address, SMS at the number; a document has no address of its own
                and is stopped only by an entry that names the document channel, for either address.
            purpose: An entry without purpose forbids every purpose, legal ones too.
            email: Normalised where possible, otherwise as it was written.
            phone: E.164 where possible, otherwise as it was written.
        """
        if not self.entries:
            return None
        addresses = {Channel.EMAIL: (email,), Channel.SMS: (phone,)}.get(channel, (email, phone))
        for address in addresses:
            for key in address_keys(address) if address else ():
                for entry in self.entries.get(key, ()):
                    named = entry.channel is channel or (entry.channel is None and channel is not Channel.DOCUMENT)
                    if named and entry.purpose in (None, purpose):
                        return entry
        return None


def entry_key(address: str) -> str:
    """Return what an entry of a suppression list compares by."""
    if "@" in address:
        return _email_key(address)
    try:
        return normalised_phone(address, None)
    except AddressInvalid:
        return _digits_key(address)


def address_keys(address: str) -> tuple[str, ...]:
    """Return what a recipient's address compares by."""
    if "@" in address:
        return (_email_key(address),)
    if not address.startswith("+"):
        return (_digits_key(address),)
    keys = (address, _digits_key(address))  # the second for lists that leave out the plus or write 00 for it
    try:
        return (*keys, _digits_key(national_digits(address)))
    except NumberParseException:  # never became E.164: its digits are all there is
        return keys


def _digits_key(address: str) -> str:
    """Return the digits of a number, without the zeros in front that stand for a plus or a trunk line."""
    return "digits:" + _FOREIGN_CALL.sub("", re.sub(r"\D", "", address)).lstrip("0")


def _email_key(address: str) -> str:
    try:
        return normalised_email(address).casefold()
    except AddressInvalid:
        return address.strip().casefold()
