"""Communications, and what composing them gave, made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from ccm.model.definitions import BrandDefinition, Channel, Purpose
from ccm.model.records import Communication, Composed, Finding, PlannedPiece, ReleaseRef, communication_id, piece_id
from ccm.model.workspace import Brand
from ccm.run.workers import Made
from ccm.testing import sample_rendition
from ccm.testing.samples import CAMPAIGN, OCCURRENCE, RUN_ID

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
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def planned(ident: str, channel: Channel, *, required: bool, provider: str = "") -> PlannedPiece:
    """Return a piece whose provider is named like its channel."""
    return PlannedPiece(piece_id(ident, channel), channel, "ann@example.org", required, provider or channel.value)


def communication(
    recipient: str,
    required: Iterable[Channel],
    optional: Iterable[Channel] = (),
    alternatives: Iterable[Channel] = (),
) -> Communication:
    """Return a planned communication."""
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
        pieces=(
            *(planned(ident, channel, required=True) for channel in required),
            *(planned(ident, channel, required=False) for channel in optional),
        ),
        data={},
        parameters={},
        issued_at=NOW,
        alternatives=tuple(planned(ident, channel, required=True) for channel in alternatives),
    )


def made(one: Communication, failures: Mapping[Channel, str] | None = None, *, text: str = "Grüße") -> Made:
    """Return it composed; failures name channels that could not be made (compose) or broke a rule (check)."""
    failures = failures or {}
    renditions = tuple(
        sample_rendition(piece.channel, piece.piece_id, text)
        for piece in one.pieces
        if failures.get(piece.channel) != "compose"
    )
    findings = tuple(
        Finding("missing-glyph", "a glyph is missing", "choose another font", piece.piece_id, piece.channel)
        for piece in one.pieces
        if piece.channel in failures
    )
    return Made(Composed(one, (), renditions), findings)
