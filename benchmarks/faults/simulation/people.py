"""Communications made by hand: some with several channels, some with one that cannot be composed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ccm.model.definitions import BrandDefinition, Channel, Purpose
from ccm.model.records import (
    Communication,
    Composed,
    Finding,
    PlannedPiece,
    ReleaseRef,
    communication_id,
    piece_id,
)
from ccm.model.workspace import Brand
from ccm.run.workers import Made
from ccm.testing.samples import CAMPAIGN, NOON, OCCURRENCE, RUN_ID, sample_rendition

BRAND = Brand(
    BrandDefinition.model_validate(
        {
            "brand": "plain",
            "title": "Plain Ltd",
            "logo": {"file": "logo.svg", "alt": "Plain"},
            "fonts": [{"family": "Plain Sans", "file": "plain.ttf"}],
            "senders": {"email": {"name": "Plain", "address": "mail@plain.example"}, "sms": {"sender": "Plain"}},
            "address": ["Plain Ltd"],
            "legal": {"en": ["Plain Ltd"]},
        }
    ),
    "brands/plain",
    {},
)
CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.DOCUMENT)


@dataclass(frozen=True)
class Person:
    """One recipient.

    broken: Channels that cannot be composed.
    """

    number: int
    required: tuple[Channel, ...]
    optional: tuple[Channel, ...]
    broken: frozenset[Channel]

    @property
    def communication(self) -> Communication:
        """What was planned for them."""
        return planned(self.number, self.required, self.optional)

    @property
    def made(self) -> Made:
        """What composing gave."""
        return composed(self.number, self.required, self.optional, self.broken)

    @property
    def must_get_nothing(self) -> bool:
        """Whether a required channel cannot be composed."""
        return bool(self.broken & set(self.required))


def drawn_people(rng: random.Random) -> list[Person]:
    """Draw the recipients of a run."""
    people = []
    for number in range(rng.randint(3, 9)):
        channels = rng.sample(CHANNELS, rng.choice((1, 1, 2, 2, 3)))
        needed = rng.randint(1, len(channels))
        broken = frozenset(one for one in channels if rng.random() < 0.06)
        people.append(Person(number, tuple(channels[:needed]), tuple(channels[needed:]), broken))
    return people


@cache
def planned(number: int, required: tuple[Channel, ...], optional: tuple[Channel, ...]) -> Communication:
    """Return a planned communication; providers are named like their channels."""
    recipient = f"C-{number}"
    ident = communication_id(CAMPAIGN, OCCURRENCE, recipient)
    return Communication(
        communication_id=ident,
        run_id=RUN_ID,
        campaign=CAMPAIGN,
        occurrence=OCCURRENCE,
        recipient_id=recipient,
        language="en",
        locale="en-GB",
        zone="UTC",
        purpose=Purpose.TRANSACTIONAL,
        release=ReleaseRef("monthly-statement", "1.0.0", "0123456789ab"),
        pieces=tuple(
            PlannedPiece(piece_id(ident, one), one, "ann@example.org", one in required, one.value)
            for one in (*required, *optional)
        ),
        data={},
        parameters={},
        issued_at=NOON,
    )


@cache
def composed(
    number: int, required: tuple[Channel, ...], optional: tuple[Channel, ...], broken: frozenset[Channel]
) -> Made:
    """Return it composed, but for what is broken."""
    one = planned(number, required, optional)
    renditions = tuple(
        sample_rendition(piece.channel, piece.piece_id) for piece in one.pieces if piece.channel not in broken
    )
    findings = tuple(
        Finding("missing-glyph", "a glyph is missing", "choose another font", piece.piece_id, piece.channel)
        for piece in one.pieces
        if piece.channel in broken
    )
    return Made(Composed(one, (), renditions), findings)


def pieces_of(people: list[Person]) -> Mapping[str, Person]:
    """Return whom each piece is for."""
    return {piece.piece_id: one for one in people for piece in one.communication.pieces}
