"""What the permission store says, for planning and for the moment of the hand-over.

Planning asks about every recipient; a hand-over asks again, from memory: only entries that came after the run began can
have changed anything, and these are few. A change by anybody, in any process, is seen within `FRESH_SECONDS`.
"""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, PermissionEntry, Standing, Subjects, SuppressionEntry, in_force
from ccm.model.records import (
    Communication,
    Consent,
    Envelope,
    ExclusionReason,
    OutcomeKind,
    Recipient,
    Suppression,
)
from ccm.model.tokens import LinkClaims, signed
from ccm.model.workspace import Workspace
from ccm.plan.permission import consent_allows
from ccm.plan.suppressions import address_keys, entry_key
from ccm.run.allowed import Refusal
from ccm.run.secrets import load_keyring

if TYPE_CHECKING:
    from ccm.ledger.permissions import PermissionStore

FRESH_SECONDS = 0.02  # how old what we know may be; a look costs a tenth of a millisecond

NOBODY = Standing()


class Permissions:
    """One run's view of the permission store: `PermissionBook` for planning, `StillAllowed` for sending."""

    def __init__(
        self,
        store: PermissionStore,
        keyring: Keyring,
        brand: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._brand = brand
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._since: dict[str, list[PermissionEntry]] = {}  # entries written after the run began, by subject
        self._revision = store.revision()
        self._known = array("q", sorted({hash(subject) for subject in store.subjects()}))
        self._looked_at = monotonic()

    @property
    def store(self) -> PermissionStore:
        """The store, open as long as this is."""
        return self._store

    @property
    def keyring(self) -> Keyring:
        """The secrets that its entries are marked with."""
        return self._keyring

    def standing(self, recipient: Recipient, email: str, phone: str) -> Standing:
        """Return what is written down about a recipient; see `PermissionBook.standing`."""
        self._look()
        if not self._known and not self._since:
            return NOBODY
        subjects = subjects_of(self._keyring, recipient.recipient_id, email, phone)
        found = [subject for subject in subjects.all if self._may_know(subject)]
        return standing_of(self._store.entries(found), subjects, self._brand) if found else NOBODY

    def contacts(self, recipient_id: str, since: datetime, but: str) -> int:
        """Return how often marketing of the brand reached a recipient; see `PermissionBook.contacts`."""
        return self._store.contacts(recipient_id, since, brand=self._brand, but=but)

    def token(self, recipient: Recipient, communication_id: str, email: str, locale: str) -> str:
        """Return the token of a marketing communication's unsubscribe link; see `PermissionBook.token`."""
        person = person_subject(self._keyring, recipient.recipient_id)
        address = self._keyring.mark(f"a:{email.casefold()}") if email else ""
        return signed(
            LinkClaims(self._brand, Purpose.MARKETING, communication_id, locale, person, address), self._keyring
        )

    def refusal(self, communication: Communication, envelope: Envelope, now: datetime) -> Refusal | None:
        """Return that somebody left since the run began; see `StillAllowed.refusal`."""
        self._look()
        if not self._since or communication.is_broadcast:
            return None
        channel, purpose = envelope.channel, communication.purpose
        email = envelope.address if channel is Channel.EMAIL else ""
        phone = envelope.address if channel is Channel.SMS else ""
        subjects = subjects_of(self._keyring, communication.recipient_id, email, phone)
        news = [entry for subject in subjects.all for entry in self._since.get(subject, ())]
        if not news:
            return None
        standing = standing_of(news, subjects, self._brand)
        left = any(
            not said.granted and said.purpose is purpose and said.channel is channel for said in standing.consents
        )
        if standing.forbids(channel, purpose) or (
            left and not consent_allows(standing.consents, channel, purpose, now)
        ):
            return Refusal(ExclusionReason.OPTED_OUT, OutcomeKind.SUPPRESSED)
        return None

    def close(self) -> None:
        """Give back connections."""
        self._store.close()

    def _look(self) -> None:
        """Take in what was written since the last look, if that is not a moment ago."""
        if self._monotonic() - self._looked_at < FRESH_SECONDS:
            return
        with self._lock:
            if self._monotonic() - self._looked_at < FRESH_SECONDS:
                return
            begun = self._monotonic()
            if self._store.revision() != self._revision:
                revision, entries = self._store.changes(self._revision)
                for entry in entries:
                    self._since.setdefault(entry.subject, []).append(entry)
                self._revision = revision
            self._looked_at = begun

    def _may_know(self, subject: str) -> bool:
        """Tell whether there may be an entry; now and then yes where there is none, never the other way round."""
        wanted = hash(subject)
        place = bisect_left(self._known, wanted)
        return (place < len(self._known) and self._known[place] == wanted) or subject in self._since


def open_permission_store(workspace: Workspace) -> tuple[PermissionStore, Keyring]:
    """Open the permission store of a workspace with the secrets at hand.

    Raises:
        ConfigurationFault: If the secrets cannot be used.
        LedgerError: If the database cannot be opened, or was written under a secret that is not at hand.
    """
    from ccm.ledger.permissions import open_permissions  # SQLAlchemy takes a third of a second

    keyring = load_keyring(workspace.root)
    return open_permissions(workspace.definition.ledger, workspace.root, keyring.idents), keyring


def open_run_permissions(workspace: Workspace, run_id: str, brand: str, purpose: Purpose) -> Permissions:
    """Open the store for one run, and write down what the run is for; see `open_permission_store`."""
    store, keyring = open_permission_store(workspace)
    try:
        store.note_run(run_id, brand, purpose, keyring.newest.ident)
        return Permissions(store, keyring, brand)
    except BaseException:
        store.close()
        raise


def person_subject(keyring: Keyring, recipient_id: str) -> str:
    """Return the mark that new entries about a person are filed under."""
    return keyring.mark(f"p:{recipient_id}")


def address_subject(keyring: Keyring, address: str) -> str:
    """Return the mark that new entries about an email address or number are filed under, however it is written."""
    return keyring.mark(f"a:{entry_key(address)}")


def subjects_of(keyring: Keyring, recipient_id: str, email: str, phone: str) -> Subjects:
    """Return everything that entries about a person may be filed under.

    Args:
        email: Normalised where possible; empty if there is none.
        phone: E.164 where possible; empty if there is none.
    """

    def marks(address: str) -> tuple[str, ...]:
        return tuple(mark for key in _keys(address) for mark in keyring.marks(f"a:{key}"))

    return Subjects(keyring.marks(f"p:{recipient_id}") if recipient_id else (), marks(email), marks(phone))


def _keys(address: str) -> Iterable[str]:
    """Return what a normalised address compares by; of an email that is its text, without looking at its form again."""
    if "@" in address:
        return (address.strip().casefold(),)
    return address_keys(address) if address else ()


def standing_of(entries: Iterable[PermissionEntry], subjects: Subjects, brand: str) -> Standing:
    """Sum up the entries of one person for one brand.

    Args:
        entries: In the order they were written.
        brand: Entries of other brands do not count.
    """
    mine = [entry for entry in entries if entry.brand in ("", brand)]
    consents = tuple(
        Consent(entry.purpose, entry.channel, entry.granted, entry.at)
        for entry in mine
        if isinstance(entry, ConsentEntry)
    )
    barred = in_force(mine)

    def under(marks: tuple[str, ...]) -> tuple[Suppression, ...]:
        return tuple(_suppression(entry) for entry in barred if entry.subject in marks)

    return Standing(consents, under(subjects.person), under(subjects.email), under(subjects.phone))


def _suppression(entry: SuppressionEntry) -> Suppression:
    return Suppression("", entry.channel, entry.purpose, entry.reason)
