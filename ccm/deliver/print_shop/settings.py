"""How a print provider is set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from ccm.deliver.print_shop.inserts import Insert, InsertMistake, read_inserts
from ccm.deliver.print_shop.marks import mark_area
from ccm.deliver.print_shop.words import Householding, Marks, Paper
from ccm.deliver.provider_settings import ProviderSettings


@dataclass(frozen=True)
class PrintSettings:
    """Settings of one print provider.

    folder: Spool, closings and batches lie here.
    duplex: Both sides of a sheet are printed; every document starts on a new sheet.
    mark_x_mm, mark_y_mm: Upper left corner of the mark, from the sheet's.
    max_sheets: Largest number of sheets in a folded envelope; a longer document goes flat, in an envelope of its own.
    max_flat_sheets: Largest number in a flat one; a longer document is an exception.
    max_grams: Weight of a folded envelope with all that is in it; 0 for no limit.
    batch_envelopes: Largest number of envelopes in one batch.
    drop: Where finished batches go: a folder, or sftp://user@host:port/folder; empty leaves them where they are.
    """

    folder: Path
    duplex: bool = True
    paper: Paper = Paper.A4
    marks: Marks = Marks.DATAMATRIX
    mark_x_mm: float = 5.0
    mark_y_mm: float = 112.0
    householding: Householding = Householding.NO
    max_sheets: int = 8
    max_flat_sheets: int = 60
    max_grams: float = 0.0
    sheet_grams: float = 5.0
    envelope_grams: float = 5.0
    inserts: tuple[Insert, ...] = ()
    batch_envelopes: int = 1_000
    drop: str = ""
    key_file: str = ""
    key_passphrase: str = ""
    known_hosts: str = ""
    timeout_seconds: float = 30.0


def read_settings(provider: str, settings: Mapping[str, str], *, root: str) -> PrintSettings:
    """Type the settings.

    Raises:
        DeliveryError: If one is unknown or wrong; names it.
    """
    known = frozenset(item.name for item in fields(PrintSettings))
    read = ProviderSettings(provider, settings, root=root, known=known)
    paper = Paper(read.choice("paper", Paper.A4, tuple(Paper)))
    width, height = paper.size_mm
    household = read.choice("householding", Householding.NO, ("yes", *Householding))
    try:
        inserts = read_inserts(read.optional("inserts", ""))
    except InsertMistake as mistake:
        raise read.wrong(f"setting inserts is wrong: {mistake}", mistake.remedy) from None
    found = PrintSettings(
        folder=Path(root) / read.optional("folder", "print"),
        duplex=read.choice("duplex", "yes", ("yes", "no")) == "yes",
        paper=paper,
        marks=Marks(read.choice("marks", Marks.DATAMATRIX, tuple(Marks))),
        mark_x_mm=_measure(read, "mark_x_mm", 5.0, width),
        mark_y_mm=_measure(read, "mark_y_mm", 112.0, height),
        householding=Householding.FAMILY if household == "yes" else Householding(household),
        max_sheets=read.count("max_sheets", 8, largest=999),
        max_flat_sheets=read.count("max_flat_sheets", 60, largest=999),
        max_grams=_measure(read, "max_grams", 0.0, 10_000),
        sheet_grams=_measure(read, "sheet_grams", 5.0, 100),
        envelope_grams=_measure(read, "envelope_grams", 5.0, 1_000),
        inserts=inserts,
        batch_envelopes=read.count("batch_envelopes", 1_000, largest=10_000),
        drop=_drop(read, root),
        key_file=read.file("key_file"),
        key_passphrase=read.optional("key_passphrase", ""),
        known_hosts=read.file("known_hosts"),
        timeout_seconds=read.seconds("timeout_seconds", 30.0),
    )
    if found.max_flat_sheets < found.max_sheets:
        raise read.wrong("setting max_flat_sheets is below max_sheets", "raise it, or lower max_sheets")
    _refuse_outside(read, found)
    return found


def _drop(read: ProviderSettings, root: str) -> str:
    """Return where batches go: a whole address with all that logging in needs, or an absolute folder."""
    drop = read.optional("drop", "")
    if not drop or "://" not in drop:
        return str(Path(root) / drop) if drop else ""
    remedy = "write it as sftp://user@host/folder; the key comes from key_file"
    try:
        parts = urlsplit(drop)
        whole = parts.scheme == "sftp" and parts.hostname and parts.username and (parts.port or 22)
    except ValueError:
        whole = False
    if not whole or parts.password:
        raise read.wrong("setting drop is no address of a folder", remedy)
    for name in ("key_file", "known_hosts"):
        read.required(name, f"secrets/{name}")
    return drop


def _measure(read: ProviderSettings, name: str, default: float, largest: float) -> float:
    try:
        value = float(read.optional(name, str(default)))
    except ValueError:
        value = -1.0
    if not 0 <= value <= largest:
        raise read.wrong(f"setting {name} is no number from 0 to {largest:g}", f"such as {name}: {default:g}")
    return value


def _refuse_outside(read: ProviderSettings, settings: PrintSettings) -> None:
    """Refuse a mark that would stand beyond the sheet's edge."""
    area = mark_area(settings.marks, settings.mark_x_mm, settings.mark_y_mm)
    width, height = settings.paper.size_mm
    if area is not None and (min(area.x, area.y) < 0 or area.x + area.width > width or area.y + area.height > height):
        remedy = "move it inside with mark_x_mm and mark_y_mm; its quiet zone counts"
        raise read.wrong("the mark would stand beyond the edge of the sheet", remedy)
