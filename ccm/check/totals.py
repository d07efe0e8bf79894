"""Control totals: what goes out is what was planned, piece by piece and cent by cent.

The proof looks at one communication; this looks at a whole window of them. It knows the source data, as planning read it,
and what is about to be handed over, and nothing of how the one became the other.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from email.headerregistry import Address
from typing import TypeAlias, cast

from ccm.check.comparable import comparable
from ccm.check.facts.statements import Said, statements
from ccm.check.facts.told import times_told
from ccm.check.texts import Reading
from ccm.model.definitions import Channel, FactDefinition
from ccm.model.records import Communication, Composed, EmailRendition, Envelope, FactValue, Rendition
from ccm.model.values import Money

_PATH = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)*")
_TO = re.compile(rb"(?:^|\r?\n)To:[ \t]*([^\r\n]*)", re.IGNORECASE)

Totals: TypeAlias = dict[tuple[str, Channel, str], Decimal]  # by fact, channel and currency


Amounts: TypeAlias = tuple[tuple[Decimal, str], ...]  # amounts and currencies that one rendition tells for one fact


@dataclass(frozen=True)
class Told:
    """The amounts that were read out of one rendition.

    sha256: Of what was read, in hex; they hold for nothing else.
    amounts: By the fact's name.
    """

    sha256: str
    amounts: Mapping[str, Amounts]


@dataclass(frozen=True)
class Outgoing:
    """One communication whose pieces are about to be handed over.

    told: What checking read out of its renditions, by piece id; what is not there is read again.
    """

    composed: Composed
    envelopes: tuple[Envelope, ...]
    told: Mapping[str, Told] = field(default_factory=dict)


class ControlTotalsDiffer(Exception):
    """What is about to leave is not what was planned; nothing of the window was sent.

    faults: What differs, by fact, channel and currency or by id; no personal data.
    """

    remedy = "report it with the template: nothing of this window was sent; the same command goes on once it is mended"

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        super().__init__(f"the control totals do not balance: {'; '.join(faults[:3])}{more}; {self.remedy}")


def balance(
    planned: Sequence[Communication],
    made: Sequence[Composed],
    outgoing: Sequence[Outgoing],
    facts: Mapping[str, FactDefinition],
) -> None:
    """Compare a window's output with its source.

    Args:
        planned: The communications as they were planned, with the source's data.
        made: What composing gave for them.
        outgoing: What is about to be handed over, among what was made.
        facts: The template's declared facts.
    Raises:
        ControlTotalsDiffer: If a communication is lost, doubled or exchanged, if a piece goes to another's address, or if the
            amounts read out of the output do not sum to those of the source, per fact, channel and currency.
    """
    faults = (*_crossed(planned, made, outgoing), *_differing(planned, outgoing, facts))
    if faults:
        raise ControlTotalsDiffer(faults)


# ── who ──────────────────────────────────────────────────────────────────────


def _crossed(planned: Sequence[Communication], made: Sequence[Composed], outgoing: Sequence[Outgoing]) -> Iterator[str]:
    wanted = [one.communication_id for one in planned]
    found = Counter(one.communication.communication_id for one in made)
    for identity in wanted:
        if found[identity] != 1:
            yield f"the communication {identity} was made {found[identity]} times"
    yield from (f"the communication {identity} was not planned" for identity in found.keys() - set(wanted))
    sent = Counter(envelope.key for one in outgoing for envelope in one.envelopes)
    yield from (f"the piece {key} would go out {count} times" for key, count in sent.items() if count != 1)
    sources = {one.communication_id: one for one in planned}
    for one in outgoing:
        source = sources.get(one.composed.communication.communication_id)
        if source is None:
            continue
        if (
            source.data != one.composed.communication.data
            or source.recipient_id != one.composed.communication.recipient_id
        ):
            yield f"the communication {source.communication_id} was made from other data than planned"
        for envelope in one.envelopes:
            yield from _misdirected(source, envelope)


def _misdirected(source: Communication, envelope: Envelope) -> Iterator[str]:
    pieces = {piece.piece_id: piece for piece in (*source.pieces, *source.alternatives)}
    piece = pieces.get(envelope.key)
    if piece is None or envelope.rendition.piece_id != envelope.key or envelope.rendition.channel is not piece.channel:
        yield f"the piece {envelope.key} holds a rendition of another piece"
    elif envelope.address != piece.address or not _addressed(envelope, piece.address):
        yield f"the piece {envelope.key} would go to another address than planned"


def _addressed(envelope: Envelope, address: str) -> bool:
    """Tell whether a message names its recipient, and nobody else."""
    if not isinstance(envelope.rendition, EmailRendition):
        return True
    match = _TO.search(envelope.rendition.message[:4096])
    if match is None:
        return False
    written = match[1].decode("utf-8", "replace").strip().strip("<>")
    return written == address or _ascii_domain(address) == written


def _ascii_domain(address: str) -> str:
    """Return an address as headers write it: with its domain in Punycode."""
    try:
        parsed = Address(addr_spec=address)
        return f"{parsed.username}@{parsed.domain.encode('idna').decode()}"
    except (ValueError, UnicodeError, IndexError):
        return address


# ── how much ─────────────────────────────────────────────────────────────────


def _differing(
    planned: Sequence[Communication], outgoing: Sequence[Outgoing], facts: Mapping[str, FactDefinition]
) -> Iterator[str]:
    totals = {name for name, fact in facts.items() if fact.total}
    if not totals:
        return
    sources = {one.communication_id: one for one in planned}
    due: Totals = Counter()  # type: ignore[assignment]  # a mapping that starts at nought
    told: Totals = Counter()  # type: ignore[assignment]
    for one in outgoing:
        source = sources.get(one.composed.communication.communication_id, one.composed.communication)
        for envelope in one.envelopes:
            read = _told_by(envelope, one, source, totals)
            for fact in one.composed.facts:
                if fact.name not in totals or (fact.channels and envelope.channel not in fact.channels):
                    continue
                owed = _of_source(source, facts[fact.name], fact)
                if owed is not None:
                    due[fact.name, envelope.channel, owed.currency] += owed.amount
                    for amount, currency in read.amounts.get(fact.name, ()):
                        told[fact.name, envelope.channel, currency] += amount
    for key in sorted(due.keys() | told.keys()):
        if due.get(key, Decimal()) != told.get(key, Decimal()):
            name, channel, currency = key
            yield f'the fact "{name}" in {currency} told by {channel} does not sum to the source data'


def _of_source(source: Communication, definition: FactDefinition, fact: FactValue) -> Money | None:
    """Return the amount as it stands in the source; a computed fact is taken as composing computed it."""
    if _PATH.fullmatch(definition.value):
        value: object = source.data
        for name in definition.value.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, Money):
            return value
    return fact.value if isinstance(fact.value, Money) else None


def amounts_told(reading: Reading, facts: Iterable[FactValue], totals: Set[str]) -> Told:
    """Read the amounts of summed-up facts out of a rendition.

    Args:
        totals: Names of the facts that are summed up.
    """
    channel = reading.rendition.channel
    wanted = [one for one in facts if one.name in totals and (not one.channels or channel in one.channels)]
    return Told(_digest(reading.rendition), {one.name: _read_back(one, reading) for one in wanted})


def _told_by(envelope: Envelope, outgoing: Outgoing, source: Communication, totals: Set[str]) -> Told:
    """Return what a piece tells: as checking read it, if these are the very bytes that it read.

    Why: A document takes as long to read as to check, and many processes check where one balances.
    """
    known = outgoing.told.get(envelope.key)
    if known is not None and known.sha256 == _digest(envelope.rendition):
        return known
    return amounts_told(Reading(envelope.rendition, source), outgoing.composed.facts, totals)


def _digest(rendition: Rendition) -> str:
    """Return a digest of everything that amounts are read out of."""
    digest = hashlib.sha256(rendition.content)
    if isinstance(rendition, EmailRendition):
        digest.update(rendition.text.encode())
    return digest.hexdigest()


def _read_back(fact: FactValue, reading: Reading) -> Amounts:
    """Return the amount that a rendition tells for a fact, read out of its text; nothing where it tells none."""
    source = reading.communication
    part = "text" if isinstance(reading.rendition, EmailRendition) else "body"
    wanted = comparable(fact.text)
    if not wanted or not times_told(wanted, reading, part, exact=False, most=1):
        return ()
    value = fact.value
    for statement in statements(wanted, source.language, source.locale):
        readings = cast("tuple[tuple[Decimal, frozenset[str]], ...]", statement.readings)
        if statement.said is Said.AMOUNT and readings and _digits(statement.text) == _digits(wanted):
            amount, codes = readings[0]
            own = value.currency if isinstance(value, Money) else ""
            return ((amount, own if own in codes else min(codes)),)
    # A sign or grouping that our tables do not know: the text was found as it must be, and that is all there is to read.
    return ((value.amount, value.currency),) if isinstance(value, Money) else ()


def _digits(text: str) -> list[str]:
    return [letter for letter in text if letter.isdecimal()]
