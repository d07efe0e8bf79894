"""Composed output of the sample workspace to be broken: every campaign, and a few documents of each language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ccm.check import Authored, CheckRules
from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Composed
from ccm.plan import plan, plan_broadcasts
from ccm.run.prepare import prepare

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 11, 6, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """One campaign, composed.

    locales: Languages that the template's texts come in.
    """

    campaign: str
    rules: CheckRules
    composed: tuple[Composed, ...]


def samples(
    root: Path = ROOT,
    *,
    now: datetime = NOW,
    documents_each: int = 1,
    per_language: int | None = None,
    only: str = "",
) -> Iterator[Sample]:
    """Compose every campaign of a workspace.

    Args:
        documents_each: Documents for each language and campaign; they take most of the time.
        per_language: Recipients for each language; all of them if None.
        only: One campaign; all if empty.
    """
    workspace, diagnostics = load_workspace(root)
    if workspace is None:
        raise ValueError(f"the workspace has errors: {diagnostics[0]}")
    for name in [only] if only else sorted(workspace.campaigns):
        prepared = prepare(workspace, name, now=now, ignore_schedule=True)
        recipients = load_recipients(workspace, prepared.campaign, period=prepared.period)
        planned = [item for item in plan(recipients, prepared.brief) if isinstance(item, Communication)]
        posts = (one for one in plan_broadcasts(prepared.brief) if isinstance(one, Communication))
        chosen = (*_chosen(planned, documents_each, per_language), *posts)
        composer = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)
        authored = Authored.of(prepared.template, prepared.brand, workspace.fragments, workspace.library)
        rules = replace(prepared.rules, authored=authored)
        yield Sample(name, rules, tuple(composer.compose(item) for item in chosen))


def _chosen(planned: list[Communication], documents_each: int, per_language: int | None) -> Iterator[Communication]:
    """Yield communications, with their documents for the first few of each language only."""
    documents: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for one in planned:
        if per_language is not None and people[one.language] >= per_language:
            continue
        people[one.language] += 1
        documents[one.language] += any(piece.channel is Channel.DOCUMENT for piece in one.pieces)
        if documents[one.language] > documents_each:
            one = replace(one, pieces=tuple(piece for piece in one.pieces if piece.channel is not Channel.DOCUMENT))
        if one.pieces:
            yield one
