"""The sample workspace is faultless: it loads without a word, and every message composes and passes its checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccm.diagnostics import Severity
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, EmailRendition, SmsRendition
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.prepare import prepare
from ccm.run.workers import Maker, MakerParts

CAMPAIGNS = ("october-invoices", "october-statement", "payment-reminder", "welcome", "winter-offer")
BRANDS = ("juniper-energy", "northwind-bank")
LOCALES = {"en-GB", "de-DE", "fr-FR", "pl-PL", "ar-EG", "ja-JP"}
NOW = datetime(2026, 11, 6, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(project: Path) -> Workspace:
    loaded, diagnostics = load_workspace(project)
    assert loaded is not None
    assert not [str(diagnostic) for diagnostic in diagnostics]
    return loaded


def one_per_language(workspace: Workspace, campaign: str) -> tuple[Maker, dict[str, Communication]]:
    """Plan a campaign and keep the first recipient of each language."""
    prepared = prepare(workspace, campaign, now=NOW, ignore_schedule=True)
    recipients = load_recipients(workspace, prepared.campaign, period=prepared.period)
    first: dict[str, Communication] = {}
    for planned in plan(recipients, prepared.brief):
        if isinstance(planned, Communication):
            first.setdefault(planned.language, planned)
    return Maker(MakerParts.of(prepared)), first


def test_the_workspace_names_what_we_test(workspace: Workspace) -> None:
    """No campaign or brand is left out of the tests below."""
    assert tuple(sorted(workspace.campaigns)) == CAMPAIGNS
    assert tuple(sorted(workspace.brands)) == BRANDS
    assert len(workspace.templates) == 5
    assert all(len(template.samples) == 4 for template in workspace.templates.values())


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_every_language_composes_in_both_brands(workspace: Workspace, campaign: str, brand: str) -> None:
    """Switching the brand is one word; nothing breaks in any language, on any channel."""
    switched = workspace.campaigns[campaign].model_copy(update={"brand": brand})
    maker, planned = one_per_language(
        replace(workspace, campaigns={**workspace.campaigns, campaign: switched}), campaign
    )
    assert set(planned) == LOCALES
    for language, communication in planned.items():
        made = maker.make(communication)
        errors = [finding for finding in made.findings if finding.severity is Severity.ERROR]
        assert not errors, (language, errors)
        assert len(made.composed.renditions) == len(communication.pieces)


@pytest.mark.parametrize("campaign", [name for name in CAMPAIGNS if name != "payment-reminder"])
def test_messages_stay_small(workspace: Workspace, campaign: str) -> None:
    """Emails stay under the 102 KB at which Gmail cuts, text messages within two segments."""
    maker, planned = one_per_language(workspace, campaign)
    seen = 0
    for communication in planned.values():
        kept = tuple(piece for piece in communication.pieces if piece.channel is not Channel.DOCUMENT)
        for rendition in maker.make(replace(communication, pieces=kept)).composed.renditions:
            seen += 1
            if isinstance(rendition, EmailRendition):
                assert len(rendition.html.encode()) < 60_000
            if isinstance(rendition, SmsRendition):
                assert len(rendition.segments) <= 2
    assert seen >= len(LOCALES)
