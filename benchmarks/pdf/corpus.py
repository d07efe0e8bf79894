"""Documents to try: real statements and invoices, generated ones, hostile ones, all sample templates, brands and locales, drafts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.bench import NOW as SAMPLE_DAY
from benchmarks.oracle.__main__ import NOW as REAL_DAY
from benchmarks.oracle.build import PROJECT
from benchmarks.oracle.build import build as build_real
from benchmarks.pdf import bank
from benchmarks.pdf.engines.filled import Engine
from benchmarks.pdf.hostile import hostile, strings
from benchmarks.pdf.months import MONTHS, documents_of, prepared_month, workspace_of
from ccm.compose.document.stylesheet import font_paths
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.drafts import marked
from ccm.run.prepare import Prepared, prepare

SEED = 20261122


@dataclass(frozen=True)
class Part:
    """Some documents of one template in one brand.

    load: Returns what composes them, and them; the same every time.
    """

    name: str
    load: Callable[[], tuple[Prepared, Sequence[Communication]]]


def build(folder: Path, shared: Path, statements: int) -> None:
    """Write the workspaces that the parts read."""
    bank.build(folder / "bank", statements)
    if shared.is_dir():
        build_real(folder / "real", shared)


def parts(folder: Path, shared: Path, documents: int) -> Iterator[Part]:
    """Yield all parts, about so many documents together; real ones only where the shared data are there."""
    generated, odd, each = max(4, documents // 14), max(4, documents // 14), max(1, documents // 400)
    yield from _samples(each)
    yield from _samples(max(1, each // 4), draft=True)
    yield from _bank(folder / "bank", generated, odd, shared)
    if shared.is_dir():
        yield from _real(folder / "real", documents, odd, shared)


def _bank(folder: Path, generated: int, odd: int, shared: Path) -> Iterator[Part]:
    engine = Engine(folder)

    def plain() -> tuple[Prepared, Sequence[Communication]]:
        return engine.prepared, list(engine.communications())[:generated]

    def spoilt() -> tuple[Prepared, Sequence[Communication]]:
        return engine.prepared, hostile(list(engine.communications())[:odd], strings(shared), fonts_of(engine.prepared))

    yield Part("generated statements", plain)
    yield Part("hostile statements", spoilt)


def _real(folder: Path, documents: int, odd: int, shared: Path) -> Iterator[Part]:
    workspace = workspace_of(folder)
    invoices = min(412, documents // 12)
    wanted = max(2, (documents * 6 // 7 - 2 * odd - invoices) // len(MONTHS))

    def month_of(month: str) -> tuple[Prepared, Sequence[Communication]]:
        prepared = prepared_month(workspace, month)
        return prepared, by_size(list(documents_of(prepared)), wanted)

    def store() -> tuple[Prepared, Sequence[Communication]]:
        prepared = prepare(workspace, "store-invoices", now=REAL_DAY, ignore_schedule=True)
        found = list(documents_of(prepared))
        return prepared, found[:: max(1, len(found) // invoices)][:invoices]

    def spoilt() -> tuple[Prepared, Sequence[Communication]]:
        prepared = prepared_month(workspace, MONTHS[0])
        return prepared, hostile(by_size(list(documents_of(prepared)), odd), strings(shared), fonts_of(prepared))

    for month in MONTHS:
        yield Part(f"real {month}", lambda month=month: month_of(month))  # type: ignore[misc]
    yield Part("store invoices", store)
    yield Part("hostile real statements", spoilt)


def fonts_of(prepared: Prepared) -> list[bytes]:
    """Return the files of the brand's fonts."""
    return [prepared.workspace.library.files[path] for path in font_paths(prepared.brand)]


def by_size(found: list[Communication], wanted: int) -> list[Communication]:
    """Choose documents over their numbers of rows, smallest and largest among them; mixed, with a seed.

    Why most from the smaller three quarters: The engine takes a minute for the longest, and what they have besides, rows
    over pages, one of ten shows.
    """
    found.sort(key=lambda one: len(one.data["lines"]))  # type: ignore[arg-type]
    large = max(1, wanted // 10)
    chosen = [*_evenly(found[: len(found) * 3 // 4], wanted - large), *_evenly(found[len(found) * 3 // 4 :], large)]
    random.Random(SEED).shuffle(chosen)
    return chosen


def _evenly(found: list[Communication], wanted: int) -> list[Communication]:
    """Choose documents with the same distance between them, the last one among them."""
    last = len(found) - 1
    return [found[at] for at in sorted({last - round(at * last / max(1, wanted)) for at in range(wanted)})]


def _samples(each: int, *, draft: bool = False) -> Iterator[Part]:
    """Yield every sample template with a document in every brand and locale, marked as a draft or not."""
    workspace, diagnostics = load_workspace(PROJECT)
    assert workspace is not None, diagnostics
    for name, campaign in sorted(workspace.campaigns.items()):
        template = workspace.templates[campaign.template_name]
        if template.body(Channel.DOCUMENT) is None:
            continue
        for brand in sorted(workspace.brands):
            for locale in template.definition.locales:

                def load(
                    name: str = name, brand: str = brand, locale: str = locale
                ) -> tuple[Prepared, Sequence[Communication]]:
                    prepared, found = _sample(workspace, name, brand, locale, each)
                    return replace(prepared, template=marked(prepared.template)) if draft else prepared, found

                yield Part(f"{campaign.template_name} {brand} {locale}{' draft' if draft else ''}", load)


def _sample(
    workspace: Workspace, campaign: str, brand: str, locale: str, each: int
) -> tuple[Prepared, Sequence[Communication]]:
    prepared = prepare(workspace, campaign, now=SAMPLE_DAY, ignore_schedule=True)
    prepared = replace(prepared, brand=workspace.brands[brand])
    found = []
    for item in plan(load_recipients(workspace, prepared.campaign, period=prepared.period), prepared.brief):
        if isinstance(item, Communication):
            pieces = tuple(piece for piece in item.pieces if piece.channel is Channel.DOCUMENT)
            if pieces:
                found.append(replace(item, pieces=pieces, language=locale, locale=locale))
    start = random.Random(f"{campaign} {brand} {locale}").randrange(max(1, len(found)))
    step = max(1, len(found) // each)
    return prepared, [found[(start + at * step) % len(found)] for at in range(min(each, len(found)))]
