"""Applying what providers and mail servers report: pieces move forward, and the permission store learns from it.

Events come late, twice, and in any order; each is written once, with everything that follows from it, in one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from ccm.model.audit import AuditAction
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import (
    News,
    NewsKind,
    NewsTally,
    PermissionEntry,
    SuppressionEntry,
    SuppressionReason,
    in_force,
)
from ccm.model.tokens import LinkClaims
from ccm.model.tokens import read as read_token
from ccm.model.workspace import Workspace
from ccm.plan.addresses import AddressInvalid
from ccm.run.auditing import Witness, open_witness
from ccm.run.leaving import refusal_entries
from ccm.run.permitted import address_subject, open_permission_store, person_subject, subjects_of
from ccm.run.prepare import Clock, utc_now
from ccm.run.source_words import source_emails
from ccm.run.suppressing import plain_address
from ccm.run.verdicts import summed_up

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ccm.ledger.news import Addressed, NewsStore, Step, Written
    from ccm.ledger.permissions import PermissionStore

FAILURES = 5  # within thirty days: an address that keeps failing is not tried any more

_BATCH = 100  # events in one transaction

_AUDITED: Mapping[AuditAction, frozenset[NewsKind]] = {
    AuditAction.OPTED_OUT: frozenset({NewsKind.STOPPED, NewsKind.UNSUBSCRIBED, NewsKind.COMPLAINED}),
    AuditAction.OPTED_IN: frozenset({NewsKind.STARTED}),
    AuditAction.BARRED: frozenset({NewsKind.BOUNCED, NewsKind.FAILED}),
}

OwnEmails = Callable[[str, str], frozenset[str]]  # recipient id and run id → the addresses that the source has now


@dataclass(frozen=True)
class _Known:
    """One event with what we know about it.

    address: Normalised, and trusted; empty if there is none.
    claims: What the token of a mail that asks to be let go proves.
    """

    news: News
    piece: Addressed | None
    address: str
    brand: str
    claims: LinkClaims | None = None


class EventDesk:
    """Takes news in. Safe in threads and between processes."""

    def __init__(
        self,
        store: NewsStore,
        permissions: PermissionStore,
        keyring: Keyring,
        *,
        clock: Clock = utc_now,
        own_emails: OwnEmails = lambda recipient_id, run_id: frozenset(),
        brands: Mapping[str, str] | None = None,
        witness: Witness | None = None,
    ) -> None:
        """Take open stores.

        Args:
            witness: Notes in the audit log what the permission store learns; closed with this.
            own_emails: Confirms the address of a report that anybody could have written.
            brands: Brand by the number that it sends texts from.
        """
        self._store = store
        self._permissions = permissions
        self._keyring = keyring
        self._clock = clock
        self._own_emails = own_emails
        self._brands = brands or {}
        self._witness = witness or Witness()

    def apply(self, news: Iterable[News]) -> NewsTally:
        """Write events down with what follows from them; return what became of them."""
        applied: Counter[NewsKind] = Counter()
        moved = suppressed = repeated = strange = 0
        iterator = iter(news)
        while batch := list(islice(iterator, _BATCH)):
            known = self._known(batch)
            strange += len(batch) - len(known)
            noted = partial(self._note, [one.news for one in known])
            written = self._store.write([self._step(one) for one in known], self._clock(), noted=noted)
            for one, became in zip(known, written, strict=True):
                repeated += not became.new
                applied[one.news.kind] += became.new
                moved += became.moved
                suppressed += became.suppressed
        self._witness.anchor()
        return NewsTally(
            {kind: count for kind, count in applied.items() if count}, moved, suppressed, repeated, strange
        )

    def _note(self, batch: Sequence[News], connection: Connection, written: Sequence[Written]) -> None:
        """Write into the audit log who left, who came back and what does not work: one entry for each of a batch.

        A single event is named by its id; of several their kinds are counted, and the permission store has their ids.
        """
        for action, kinds in _AUDITED.items():
            mine = [one for one, became in zip(batch, written, strict=True) if became.suppressed and one.kind in kinds]
            if mine:
                counts = Counter(str(one.kind) for one in mine)
                subject = mine[0].event_id if len(mine) == 1 else ""
                self._witness.note(connection, action, subject, self._clock(), **counts)

    def has_stopped(self, address: str, sender: str) -> bool:
        """Tell whether a STOP of a number is in force, for the brand of our number that it was sent to."""
        try:
            subjects = subjects_of(self._keyring, "", "", plain_address(address))
        except AddressInvalid:
            return False
        brands = ("", self._brands.get(_digits(sender), ""))
        found = in_force(self._permissions.entries(subjects.phone))
        return any(one.reason is SuppressionReason.STOP_REPLY and one.brand in brands for one in found)

    @property
    def witness(self) -> Witness:
        """What notes into the audit log; for others who write into the same permission store."""
        return self._witness

    def close(self) -> None:
        """Give back the audit log's connections."""
        self._witness.close()

    def _known(self, batch: Sequence[News]) -> list[_Known]:
        """Return events with their pieces; reports about nothing of ours, which anybody can write, are left out.

        So are mails that ask to be let go with a token that we did not sign.
        """
        pieces = self._store.addressed([one.piece_id for one in batch if one.piece_id])
        found = []
        for one in batch:
            piece = pieces.get(one.piece_id)
            if piece is not None and piece.channel is not one.channel:
                piece = None
            claims = read_token(one.token, self._keyring) if one.kind is NewsKind.UNSUBSCRIBED else None
            if claims is None and (one.kind is NewsKind.UNSUBSCRIBED or (piece is None and not one.proved)):
                continue
            brand = self._brands.get(_digits(one.sender), "") if one.channel is Channel.SMS else ""
            found.append(_Known(one, piece, self._address(one, piece), brand, claims))
        return found

    def _address(self, news: News, piece: Addressed | None) -> str:
        """Return the address that an event may tell something about: a provider's word, or the piece's own."""
        try:
            address = plain_address(news.address) if news.address else ""
        except AddressInvalid:
            return ""
        if news.proved or not address or piece is None:
            return address if news.proved else ""
        own = {one.casefold() for one in self._own_emails(piece.recipient_id, piece.run_id)}
        return address if address.casefold() in own else ""

    def _step(self, known: _Known) -> Step:
        from ccm.ledger.news import Step

        news = known.news
        subject = address_subject(self._keyring, known.address) if known.address else ""
        return Step(
            event_id=news.event_id,
            kind=news.kind,
            piece_id=known.piece.piece_id if known.piece else "",
            at=news.at or self._clock(),
            detail=news.detail,
            subject=subject if news.kind is NewsKind.FAILED else "",
            entries=lambda failures: self._entries(known, subject, failures),
        )

    def _entries(self, known: _Known, subject: str, failures: int) -> Sequence[PermissionEntry]:
        """Return what the permission store learns from one event."""
        at, kind = self._clock(), known.news.kind
        source = known.news.event_id.partition("/")[0]

        def bar(
            marked: str,
            reason: SuppressionReason,
            purpose: Purpose | None = None,
            *,
            brand: str = "",
            lifted: bool = False,
        ) -> SuppressionEntry:
            evidence = known.news.event_id
            return SuppressionEntry(marked, known.news.channel, purpose, reason, at, source, evidence, brand, lifted)

        if known.claims is not None:
            return list(refusal_entries(known.claims, known.claims.purpose, Channel.EMAIL, at, source))
        if kind is NewsKind.COMPLAINED:
            person = person_subject(self._keyring, known.piece.recipient_id) if known.piece else ""
            marks = [marked for marked in (subject, person) if marked]
            purposes = _complained_about(known.piece)
            return [bar(marked, SuppressionReason.COMPLAINED, purpose) for marked in marks for purpose in purposes]
        if not subject:
            return []
        if kind is NewsKind.BOUNCED:
            return [bar(subject, SuppressionReason.BOUNCED)]
        if kind is NewsKind.FAILED and failures >= FAILURES:
            return [bar(subject, SuppressionReason.BOUNCED_OFTEN)]
        if kind is NewsKind.STOPPED:
            return [bar(subject, SuppressionReason.STOP_REPLY, brand=known.brand)]
        if kind is NewsKind.STARTED:
            brands = dict.fromkeys(("", known.brand))
            return [bar(subject, SuppressionReason.STOP_REPLY, brand=brand, lifted=True) for brand in brands]
        return []


def _complained_about(piece: Addressed | None) -> tuple[Purpose, ...]:
    """Return what a complaint ends: marketing always, messages about the contract unless it was about marketing.

    Legal messages still go: the law asks for them, and a complaint about them changes nothing.
    """
    if piece is not None and piece.purpose is Purpose.MARKETING:
        return (Purpose.MARKETING,)
    return (Purpose.MARKETING, Purpose.TRANSACTIONAL)


def sending_numbers(workspace: Workspace) -> Mapping[str, str]:
    """Return brands by the number they send texts from; a number of two brands belongs to neither."""
    found: dict[str, set[str]] = {}
    for name, brand in workspace.brands.items():
        if brand.definition.senders.sms is not None:
            found.setdefault(_digits(brand.definition.senders.sms.sender), set()).add(name)
    return {number: names.pop() for number, names in found.items() if len(names) == 1}


def open_event_desk(workspace: Workspace, *, actor: str = "") -> tuple[EventDesk, PermissionStore, Keyring]:
    """Open the stores of a workspace for events; close the desk and then the permission store at the end.

    Args:
        actor: Who lets us know, for the audit log; the login name if not given.

    Raises:
        ConfigurationFault: If the secrets cannot be used.
        LedgerError: If the database cannot be opened, or was written under a secret that is not at hand.
    """
    permissions, keyring = open_permission_store(workspace)
    return event_desk(workspace, permissions, keyring, actor=actor), permissions, keyring


def event_desk(
    workspace: Workspace,
    permissions: PermissionStore,
    keyring: Keyring,
    *,
    clock: Clock = utc_now,
    actor: str = "",
) -> EventDesk:
    """Return the desk of a workspace whose permission store is open; close it before the store."""
    from ccm.ledger.news import NewsStore

    return EventDesk(
        NewsStore(permissions.database, permissions, summed_up),
        permissions,
        keyring,
        clock=clock,
        own_emails=source_emails(workspace),
        brands=sending_numbers(workspace),
        witness=open_witness(workspace, actor),
    )


def _digits(number: str) -> str:
    """Return what numbers and names of senders compare by."""
    return "".join(sign for sign in number if sign.isalnum()).casefold()
