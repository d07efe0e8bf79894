"""Letters into envelopes, envelopes into batches: households, limits, inserts, order. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ccm.deliver.print_shop.households import household, plain
from ccm.deliver.print_shop.inserts import Insert
from ccm.deliver.print_shop.records import EnvelopePlan, Exceptional, Letter
from ccm.deliver.print_shop.settings import PrintSettings
from ccm.deliver.print_shop.spool import SpooledPiece

FOLDED, FLAT = "folded", "flat"


@dataclass(frozen=True)
class _Open:
    """An envelope that is being filled."""

    pieces: tuple[SpooledPiece, ...]
    required: tuple[Insert, ...]
    sheets: int
    grams: float


def sheets_of(pages: int, *, duplex: bool) -> int:
    """Return how many sheets a document takes; it starts on a new one."""
    return (pages + 1) // 2 if duplex else pages


def plan_envelopes(
    pieces: Iterable[SpooledPiece], settings: PrintSettings
) -> tuple[Mapping[str, tuple[EnvelopePlan, ...]], tuple[Exceptional, ...]]:
    """Put every piece into one envelope, or name it as an exception.

    Returns:
        Envelopes by form (folded, flat), sorted by country and postal code, not numbered yet; exceptions.
    """
    forms: dict[str, list[tuple[tuple[str, ...], EnvelopePlan]]] = {FOLDED: [], FLAT: []}
    exceptions: list[Exceptional] = []
    for group in _households(pieces, settings):
        for opened in _filled(group, settings):
            form = FOLDED if _fits(opened, settings) else FLAT
            if form == FLAT and opened.sheets > settings.max_flat_sheets:
                remedy = f"raise max_flat_sheets above {opened.sheets}, or print it by hand"
                exceptions += [Exceptional(piece.piece_id, "too-many-sheets", remedy) for piece in opened.pieces]
                continue
            first = opened.pieces[0]
            order = (first.postal.country, first.postal.postal_code, *first.postal.lines, first.piece_id)
            forms[form].append((order, _closed(opened, settings, form)))
    ordered = {
        form: tuple(plan for _, plan in sorted(found, key=lambda item: item[0])) for form, found in forms.items()
    }
    return ordered, tuple(exceptions)


def numbered(envelopes: Sequence[EnvelopePlan]) -> tuple[EnvelopePlan, ...]:
    """Return the envelopes of one batch with their numbers."""
    return tuple(replace(plan, number=number) for number, plan in enumerate(envelopes, 1))


def _households(pieces: Iterable[SpooledPiece], settings: PrintSettings) -> Iterator[list[SpooledPiece]]:
    """Group what may share an envelope, by person and then by piece; the order hangs on nothing else."""

    def key(piece: SpooledPiece) -> tuple[str, str]:
        shared = household(piece.postal, piece.brand, settings.householding)
        return (shared, "" if shared else piece.piece_id)

    ordered = sorted(pieces, key=lambda piece: (key(piece), plain(piece.postal.name), piece.piece_id))
    for _, group in itertools.groupby(ordered, key):
        yield list(group)


def _filled(group: Sequence[SpooledPiece], settings: PrintSettings) -> Iterator[_Open]:
    """Fill envelopes one after the other; a document is never divided."""
    current: _Open | None = None
    for piece in group:
        wider = _with((*current.pieces, piece), settings) if current else None
        if wider and _fits(wider, settings):
            current = wider
            continue
        if current:
            yield current
        current = _with((piece,), settings)
    if current:
        yield current


def _with(pieces: tuple[SpooledPiece, ...], settings: PrintSettings) -> _Open:
    required = tuple(insert for insert in settings.inserts if insert.required and _wanted(insert, pieces, settings))
    sheets = sum(sheets_of(piece.pages, duplex=settings.duplex) for piece in pieces)
    grams = settings.envelope_grams + sheets * settings.sheet_grams + sum(insert.grams for insert in required)
    return _Open(pieces, required, sheets, grams)


def _fits(opened: _Open, settings: PrintSettings) -> bool:
    """Tell whether it may be folded; an insert is as thick as a sheet."""
    light = not settings.max_grams or opened.grams <= settings.max_grams + 1e-9
    return opened.sheets + len(opened.required) <= settings.max_sheets and light


def _closed(opened: _Open, settings: PrintSettings, form: str) -> EnvelopePlan:
    """Add the inserts that still fit, in the order of the setting."""
    inserts, left_out = {insert.name for insert in opened.required}, []
    thick, grams = opened.sheets + len(opened.required), opened.grams
    for insert in settings.inserts:
        if insert.required or not _wanted(insert, opened.pieces, settings):
            continue
        light = form == FLAT or not settings.max_grams or grams + insert.grams <= settings.max_grams + 1e-9
        if light and (form == FLAT or thick < settings.max_sheets):
            inserts.add(insert.name)
            thick, grams = thick + 1, grams + insert.grams
        else:
            left_out.append(insert.name)
    first = opened.pieces[0]
    return EnvelopePlan(
        number=0,
        letters=tuple(
            Letter(piece.piece_id, piece.pages, sheets_of(piece.pages, duplex=settings.duplex), piece.sha256)
            for piece in opened.pieces
        ),
        sheets=opened.sheets,
        grams=round(grams, 2),
        country=first.postal.country,
        postal_code=first.postal.postal_code,
        inserts=tuple(insert.name for insert in settings.inserts if insert.name in inserts),
        left_out=tuple(left_out),
    )


def _wanted(insert: Insert, pieces: Iterable[SpooledPiece], settings: PrintSettings) -> bool:
    """Tell whether any letter of the envelope asks for an insert."""
    return any(insert.rule(_seen(piece, settings)) for piece in pieces)


def _seen(piece: SpooledPiece, settings: PrintSettings) -> dict[str, object]:
    return {
        "country": piece.postal.country,
        "postal_code": piece.postal.postal_code,
        "locale": piece.locale,
        "brand": piece.brand,
        "campaign": piece.campaign,
        "occurrence": piece.occurrence,
        "template": piece.release.partition("@")[0],
        "release": piece.release,
        "pages": piece.pages,
        "sheets": sheets_of(piece.pages, duplex=settings.duplex),
    }
