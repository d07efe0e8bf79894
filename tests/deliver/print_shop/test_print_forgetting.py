"""Letters of the erased: gone from spool and batches, and what the print shop has already is said."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pikepdf
import pytest
from deliver.print_shop.print_pages import NOW, RUN, batch_files, envelope, postal, press, printer, spooled
from deliver.print_shop.test_closing import page_texts

from ccm.deliver.interface import DeliveryError
from ccm.deliver.print_shop.adapter import PrintAdapter
from ccm.deliver.print_shop.drop import hand_over, open_drop
from ccm.deliver.print_shop.reprint import reprint
from ccm.deliver.print_shop.shelf import PrintFault, Shelf

BATCH = f"{RUN}.b001"
ERASED = envelope(1).key
DROP = {"drop": "shop", "householding": "family"}


def filled(root: Path, settings: dict[str, str] | None = None) -> PrintAdapter:
    """Three letters in the spool; the first two go to one family."""
    adapter = printer(root, settings if settings is not None else DROP)
    for n, name in enumerate(("Ann Abt", "Ben Abt", "Cid Cux")):
        spooled(adapter, envelope(n, n + 1, postal(name, f"Weg {n // 2}", "12345")))
    return adapter


def handed_over(adapter: PrintAdapter) -> tuple[str, ...]:
    drop = open_drop("mine", adapter.settings)
    assert drop is not None
    return hand_over(press(adapter).shelf, drop, RUN, now=NOW)


def left_of(root: Path, text: str) -> list[str]:
    """Return the files below the print folder whose bytes, or whose pages, hold a text."""
    found = []
    for path in sorted((root / "print").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            pages = "".join(page_texts(content)) if content.startswith(b"%PDF") else ""
            if text.encode() in content or text in pages:
                found.append(path.name)
    return found


def test_a_letter_that_waits_is_gone_and_not_missed(tmp_path: Path) -> None:
    """No byte of it stays, half files of a killed process included; the next batch balances without it."""
    adapter = filled(tmp_path)
    spool = tmp_path / "print" / "spool" / RUN
    (spool / f".{ERASED}.pdf.77-3.tmp").write_bytes(b"Ben Abt")
    told = adapter.forget([ERASED])
    assert told.removed == {ERASED}
    assert not told.left
    assert left_of(tmp_path, "Ben Abt") == []
    accepted = {envelope(n).key: "" for n in (1,)}
    closed = press(adapter).close(RUN, now=NOW, accepted=accepted)
    assert (closed.made, closed.exceptions) == ((BATCH,), ())
    assert json.loads(batch_files(tmp_path)[f"{BATCH}.json"])["totals"]["pieces"] == 2
    assert adapter.forget([ERASED]).removed == frozenset()


def test_a_batch_nobody_has_is_made_anew_with_blank_pages(tmp_path: Path) -> None:
    """Same batch, sheets and marks; the letter's pages are empty, the manifest says so, the family's other letter stays."""
    adapter = filled(tmp_path)
    press(adapter).close(RUN, now=NOW)
    before = page_texts(batch_files(tmp_path)[f"{BATCH}.pdf"])
    assert sum(ERASED in text for text in before) == 2
    assert adapter.forget([ERASED]).removed == {ERASED}
    assert left_of(tmp_path, "Ben Abt") == []
    assert not any(ERASED in "".join(page_texts(one.read_bytes())) for one in (tmp_path / "print").rglob("*.pdf"))
    assert press(adapter).close(RUN, now=NOW).made == (BATCH,)
    files = batch_files(tmp_path)
    after = page_texts(files[f"{BATCH}.pdf"])
    assert after == ["" if ERASED in text else text for text in before]
    rows = {row["piece"]: row for one in json.loads(files[f"{BATCH}.json"])["envelopes"] for row in one["pieces"]}
    assert (rows[ERASED]["withdrawn"], rows[ERASED]["sha256"]) == (True, "")
    assert not any("withdrawn" in row for key, row in rows.items() if key != ERASED)
    with pikepdf.open(io.BytesIO(files[f"{BATCH}.pdf"])) as made:
        assert len(made.pages) == len(before)
    assert adapter.forget([ERASED]).removed == frozenset(), "a batch with blank pages is not made again"
    assert handed_over(adapter) == (BATCH,)


def test_an_envelope_with_nothing_left_in_it_says_so(tmp_path: Path) -> None:
    """The print shop takes it out by its number; it is not printed again."""
    adapter = filled(tmp_path)
    press(adapter).close(RUN, now=NOW)
    alone = envelope(2).key
    adapter.forget([alone])
    press(adapter).close(RUN, now=NOW)
    made = json.loads(batch_files(tmp_path)[f"{BATCH}.json"])
    (number,) = (one["envelope"] for one in made["envelopes"] if one.get("withdrawn"))
    with pytest.raises(PrintFault, match="was erased"):
        reprint(press(adapter), BATCH, [str(number)], now=NOW, by="eve", reason="torn")
    assert len(press(adapter).shelf.closings(RUN)) == 1


def test_what_the_print_shop_has_is_said(tmp_path: Path) -> None:
    """Batch, place and day; our own copy of the file goes, and the same commands go on."""
    adapter = filled(tmp_path)
    press(adapter).close(RUN, now=NOW)
    assert handed_over(adapter) == (BATCH,)
    for _ in range(2):
        told = adapter.forget([ERASED])
        assert "handed over to" in told.left[ERASED]
        assert BATCH in told.left[ERASED]
        assert "2026-11-02" in told.left[ERASED]
    assert left_of(tmp_path, "Ben Abt") == []
    assert not (tmp_path / "print" / "batches" / RUN / f"{BATCH}.pdf").exists()
    assert (tmp_path / "shop" / f"{BATCH}.pdf").exists(), "the print shop's folder is not ours"
    assert press(adapter).close(RUN, now=NOW).made == ()
    assert handed_over(adapter) == ()
    again = reprint(press(adapter), BATCH, ["1"], now=NOW, by="eve", reason="torn")
    assert not any(ERASED in text for text in page_texts(batch_files(tmp_path)[f"{again}.pdf"]))


def test_a_batch_on_its_way_is_neither_changed_nor_hidden(tmp_path: Path) -> None:
    """Handing over was cut off: the print shop may have a part, so the batch stays as it is and is told."""
    adapter = filled(tmp_path)
    press(adapter).close(RUN, now=NOW)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / f"{BATCH}.json").write_text("another")
    with pytest.raises(PrintFault):
        handed_over(adapter)
    assert "is being handed over" in adapter.forget([ERASED]).left[ERASED]
    (tmp_path / "shop" / f"{BATCH}.json").unlink()
    assert handed_over(adapter) == (BATCH,)
    assert "was handed over" in adapter.forget([ERASED]).left[ERASED]


def test_where_batches_are_fetched_nobody_knows_who_has_one(tmp_path: Path) -> None:
    """Without a place to hand over to, the batch is made anew and the doubt is told once."""
    adapter = filled(tmp_path, {})
    press(adapter).close(RUN, now=NOW)
    assert "if somebody fetched the file" in adapter.forget([ERASED]).left[ERASED]
    press(adapter).close(RUN, now=NOW)
    assert dict(adapter.forget([ERASED]).left) == {}


def test_while_batches_are_made_it_is_asked_again_later(tmp_path: Path) -> None:
    """Two processes never work on one folder; nothing was removed yet, and the error says that waiting helps."""
    adapter = filled(tmp_path)
    with Shelf(tmp_path / "print").locked(), pytest.raises(DeliveryError) as caught:
        adapter.forget([ERASED])
    assert caught.value.retriable
    assert adapter.look_up(ERASED) is not None
