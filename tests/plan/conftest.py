"""A brief and a recipient with everything right, to be changed in one place at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ccm.diagnostics import Location
from ccm.model.definitions import BrandDefinition, CampaignDefinition, Channel, TemplateDefinition
from ccm.model.records import Capabilities, Recipient, ReleaseRef, run_id
from ccm.model.workspace import Brand
from ccm.plan import PlanBrief, occurrence_of

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def brand() -> Brand:
    definition = BrandDefinition.model_validate(
        {
            "brand": "bank",
            "title": "Bank",
            "logo": {"file": "logo.svg", "alt": "Bank"},
            "fonts": [{"family": "Plex", "file": "plex.ttf"}],
            "senders": {
                "email": {"name": "Bank", "address": "a@bank.example"},
                "mastodon": {"handle": "@bank@m.example"},
            },
            "address": ["Bank"],
            "legal": {"en": ["Bank"]},
        }
    )
    return Brand(definition, "brands/bank", {})


def template(**fields: Any) -> TemplateDefinition:
    given = {
        "template": "offer",
        "title": "Offer",
        "purpose": "transactional",
        "locales": ["en-US", "de-DE", "en-GB"],
        "contract": {"customer": {"record": {"name": "text"}}},
        "channels": {"required": ["email", "document"], "optional": ["sms"], "broadcast": ["mastodon", "bluesky"]},
    }
    return TemplateDefinition.model_validate(given | fields)


def campaign(**fields: Any) -> CampaignDefinition:
    given = {
        "campaign": "offer",
        "brand": "bank",
        "template": "offer@1",
        "purpose": "transactional",
        "occurrence": "monthly",
        "audience": {"source": "customers"},
        "channels": {"together": ["email", "document"], "optional": ["sms"]},
        "deliver": {
            "email": "outbox",
            "sms": "outbox",
            "document": "archive",
            "mastodon": "outbox",
            "bluesky": "outbox",
        },
    }
    return CampaignDefinition.model_validate(given | fields)


def brief_of(definition: CampaignDefinition, **fields: Any) -> PlanBrief:
    key, period = occurrence_of(definition, fields.get("now", NOW))
    brief = PlanBrief(
        campaign=definition,
        template=template(),
        brand=brand(),
        release=ReleaseRef("offer", "1.0.0", "0" * 64),
        run_id=run_id("offer", key),
        occurrence=key,
        period=period,
        now=NOW,
        segment=lambda data: True,
        capabilities={"outbox": Capabilities(tuple(Channel)), "archive": Capabilities((Channel.DOCUMENT,))},
    )
    return replace(brief, **fields)


def recipient_of(**fields: Any) -> Recipient:
    base = Recipient(
        recipient_id="C-1",
        occurrence_key="",
        locale="de-CH",
        zone="Europe/Zurich",
        country="CH",
        email="Ana@bank.example",
        phone="044 668 18 00",
        preferred_channels=(),
        consents=(),
        data={"customer": {"name": "Ana"}},
        location=Location("data/customers.csv", 2),
    )
    return replace(base, **fields)


@pytest.fixture
def brief() -> Callable[..., PlanBrief]:
    """Make a brief from changed campaign fields; `brief__` fields go to the brief itself."""

    def make(**fields: Any) -> PlanBrief:
        own = {name.removeprefix("brief__"): fields.pop(name) for name in list(fields) if name.startswith("brief__")}
        return brief_of(campaign(**fields), **own)

    return make
