"""ccm itself: tables read and typed, planned, composed; filled, or laid out by WeasyPrint with everything kept between documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.pdf.bank import CAMPAIGN
from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.records import Communication, DocumentRendition
from ccm.plan import plan
from ccm.run.collecting import collect_rarely
from ccm.run.prepare import Prepared, prepare

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def unfilled(prepared: Prepared) -> Prepared:
    """Return the same campaign with `fill: false`: every document laid out by WeasyPrint."""
    rules = prepared.template.definition.document.model_copy(update={"fill": False})
    definition = prepared.template.definition.model_copy(update={"document": rules})
    return replace(prepared, template=replace(prepared.template, definition=definition))


def composer_of(prepared: Prepared) -> Composer:
    """Return a composer that has met nothing yet."""
    workspace = prepared.workspace
    return Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)


class Engine:
    """Loads, plans and composes, as a run does."""

    def __init__(self, folder: Path, *, fill: bool = True) -> None:
        workspace, diagnostics = load_workspace(folder)
        assert workspace is not None, diagnostics
        collect_rarely()
        prepared = prepare(workspace, CAMPAIGN, now=NOW, ignore_schedule=True)
        self.prepared = prepared if fill else unfilled(prepared)
        self.composer = composer_of(self.prepared)
        self.pages = 0
        self.slow: Counter[str] = Counter()

    def make(self, start: int, count: int) -> Iterator[bytes]:
        """Make some documents."""
        for communication in islice(self.communications(), start, start + count):
            composed = self.composer.compose(communication)
            self.slow.update(composed.slow_paths.values())
            (rendition,) = composed.renditions
            assert isinstance(rendition, DocumentRendition)
            self.pages += rendition.pages
            yield rendition.content

    def communications(self) -> Iterator[Communication]:
        """Yield the planned statements."""
        one = self.prepared
        for item in plan(load_recipients(one.workspace, one.campaign, period=one.period), one.brief):
            assert isinstance(item, Communication)
            yield item
