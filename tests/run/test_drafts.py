"""Drafts say so on every page, and cost what other documents cost."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import ImageChops

from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Composed, DocumentRendition
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.drafts import MARK, marked
from ccm.run.prepare import Prepared, prepare

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
CAMPAIGNS = ("october-statement", "october-invoices", "payment-reminder")


@cache
def sample() -> Workspace:
    workspace, diagnostics = load_workspace(Path(__file__).resolve().parents[2])
    assert workspace is not None, diagnostics
    return workspace


def documents(campaign: str, count: int) -> tuple[Prepared, list[Communication]]:
    prepared = prepare(sample(), campaign, now=NOW, ignore_schedule=True)
    planned = plan(load_recipients(sample(), prepared.campaign, period=prepared.period), prepared.brief)
    found = []
    for one in planned:
        if isinstance(one, Communication):
            pieces = tuple(piece for piece in one.pieces if piece.channel is Channel.DOCUMENT)
            if pieces:
                found.append(replace(one, pieces=pieces, language="en-GB", locale="en-GB"))
    return prepared, list(islice(found, 0, None, max(1, len(found) // count)))[:count]


def composed(prepared: Prepared, one: Communication, *, draft: bool) -> Composed:
    template = marked(prepared.template) if draft else prepared.template
    return Composer(template, prepared.brand, sample().fragments, sample().library).compose(one)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_documents_are_filled_and_marked_on_every_page(campaign: str) -> None:
    """None goes the slow way; the mark is seen on each page, and screen readers say it; the words are what they were."""
    prepared, (one,) = documents(campaign, 1)
    plain, draft = (composed(prepared, one, draft=draft) for draft in (False, True))
    assert draft.slow_paths == {}
    (before,), (after,) = plain.renditions, draft.renditions
    assert isinstance(before, DocumentRendition)
    assert isinstance(after, DocumentRendition)
    assert after.title == f"[{MARK}] {before.title}"
    assert after.pages == before.pages
    with pypdfium2.PdfDocument(before.content) as left, pypdfium2.PdfDocument(after.content) as right:
        for mine, its in zip(left, right, strict=True):
            assert mine.get_textpage().get_text_range() == its.get_textpage().get_text_range()
            pictures = [sheet.render(scale=1).to_pil().convert("RGB") for sheet in (mine, its)]
            redder = ImageChops.difference(*pictures).convert("L").point(lambda value: 255 if value > 10 else 0)
            assert sum(redder.histogram()[1:]) > 1000
    with pikepdf.open(io.BytesIO(after.content)) as pdf:
        said = [each for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and each.get("/Alt") == MARK]
        assert len(said) == len(pdf.pages)
