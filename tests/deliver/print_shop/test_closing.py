"""Batches: everything that was accepted is printed once, in order, with marks that can be read; or it is named."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from deliver.print_shop.print_pages import NOW, RUN, batch_files, envelope, letter_pdf, postal, press, printer, spooled

from ccm.deliver.print_shop.mark_reading import read_marks
from ccm.deliver.print_shop.marks import parse_mark
from ccm.deliver.print_shop.shelf import PrintFault
from ccm.deliver.print_shop.words import Marks

PAGES = (1, 2, 3, 1, 5)


def page_texts(pdf: bytes) -> list[str]:
    """Return what stands on every page."""
    document = pypdfium2.PdfDocument(pdf)
    found = [page.get_textpage().get_text_bounded().strip() for page in document]
    document.close()
    return found


def test_two_hundred_documents_are_read_back_from_the_picture_of_the_whole_page(tmp_path: Path) -> None:
    """With a long one among them: every sheet's code is found where nobody said it would be, in order, and all counts agree."""
    adapter = printer(tmp_path, {"batch_envelopes": "150"})
    streets = [postal(f"N{n}", f"Weg {n}", f"{n * 7919 % 90000 + 10000}", "DE" if n % 3 else "AT") for n in range(210)]
    letters = [envelope(n, 40 if n == 77 else PAGES[n % 5], streets[n]) for n in range(210)]
    spooled(adapter, *letters)
    closed = press(adapter).close(RUN, now=NOW, accepted={one.key: _sha(one.rendition.content) for one in letters})
    assert closed.made == (f"{RUN}.b001", f"{RUN}.b002", f"{RUN}.b003")
    assert closed.exceptions == ()
    files = batch_files(tmp_path)
    printed: Counter[str] = Counter()
    for name in closed.made:
        manifest = json.loads(files[f"{name}.json"])
        document = pypdfium2.PdfDocument(files[f"{name}.pdf"])
        marks = []
        for page in document:
            codes = zxingcpp.read_barcodes(page.render(scale=150 / 72, grayscale=True).to_pil())
            marks += [parse_mark(code.text) for code in codes]
            assert len(codes) <= 1
        assert len(document) == manifest["totals"]["pages_in_file"]
        document.close()
        assert [mark.sequence for mark in marks] == list(range(1, manifest["totals"]["sheets"] + 1))
        expected = [
            (piece["piece"], sheet, one["sheets"], one["envelope"])
            for one in manifest["envelopes"]
            for piece in one["pieces"]
            for sheet in range(1, piece["sheets"] + 1)
        ]
        assert [(mark.piece_id, mark.sheet, mark.sheets, mark.envelope) for mark in marks] == expected
        assert manifest["marks"]["read_back"] == len(marks)
        keys = [(one["country"], one["postal_code"]) for one in manifest["envelopes"]]
        assert keys == sorted(keys)
        printed.update({mark.piece_id for mark in marks})
        assert manifest["reconciliation"]["balanced"]
        assert sum(manifest["reconciliation"]["batches"].values()) == 210
    assert printed == Counter({one.key: 1 for one in letters})
    flat = json.loads(files[f"{RUN}.b003.json"])
    assert (flat["form"], flat["totals"]["sheets"], flat["totals"]["envelopes"]) == ("flat", 20, 1)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_every_document_starts_on_a_new_sheet(tmp_path: Path) -> None:
    """Odd ones get a blank back; the manifest tells the first page of each."""
    adapter = printer(tmp_path)
    spooled(adapter, *(envelope(n, pages) for n, pages in enumerate(PAGES)))
    press(adapter).close(RUN, now=NOW)
    files = batch_files(tmp_path)
    texts = page_texts(files[f"{RUN}.b001.pdf"])
    manifest = json.loads(files[f"{RUN}.b001.json"])
    assert len(texts) == 2 * manifest["totals"]["sheets"] == 16
    assert manifest["totals"]["blank_backs"] == texts.count("") == 4
    for one in manifest["envelopes"]:
        for piece in one["pieces"]:
            first = piece["first_page"]
            assert first % 2 == 1
            own = texts[first - 1 : first - 1 + piece["pages"]]
            assert own == [f"{piece['piece']} {number}" for number in range(1, piece["pages"] + 1)]


def test_single_sided_printing_adds_no_backs(tmp_path: Path) -> None:
    """Every page is a sheet with a mark."""
    adapter = printer(tmp_path, {"duplex": "no"})
    spooled(adapter, *(envelope(n, pages) for n, pages in enumerate(PAGES)))
    press(adapter).close(RUN, now=NOW)
    totals = json.loads(batch_files(tmp_path)[f"{RUN}.b001.json"])["totals"]
    assert (totals["pages"], totals["sheets"], totals["pages_in_file"], totals["blank_backs"]) == (12, 12, 12, 0)


def test_bars_are_read_back(tmp_path: Path) -> None:
    """First and last sheet, sequence, inserts and parity, for every sheet; a page without bars gives none."""
    rules = 'flyer (3 g): pages == 5\ncard (2 g): country == "DE"'
    adapter = printer(tmp_path, {"marks": "omr", "inserts": rules})
    spooled(adapter, *(envelope(n, pages) for n, pages in enumerate(PAGES)))
    press(adapter).close(RUN, now=NOW)
    files = batch_files(tmp_path)
    manifest = json.loads(files[f"{RUN}.b001.json"])
    found = list(read_marks(files[f"{RUN}.b001.pdf"], range(0, 16, 2), Marks.OMR, 5.0, 112.0))
    expected, sequence = [], 0
    for one in manifest["envelopes"]:
        for sheet in range(1, one["sheets"] + 1):
            sequence += 1
            inner = (
                f"{sheet == 1:d}{sheet == one['sheets']:d}{sequence & 1:d}{sequence >> 1 & 1:d}{sequence >> 2 & 1:d}"
            )
            inner += f"{'flyer' in one['inserts']:d}100"
            expected.append(f"1{inner}{inner.count('1') % 2}1")
    assert found == expected
    assert all(text.count("1") % 2 == 0 for text in found)
    assert list(read_marks(files[f"{RUN}.b001.pdf"], [1], Marks.OMR, 5.0, 112.0)) == ["0" * 12]
    assert manifest["marks"] == {
        "kind": "omr", "x_mm": 5.0, "y_mm": 112.0, "read_back": 8, "feeders": ["flyer", "card"]
    }  # fmt: skip


def test_no_marks_where_none_are_wanted(tmp_path: Path) -> None:
    """Then nothing needs to be empty either."""
    adapter = printer(tmp_path, {"marks": "none"})
    spooled(adapter, envelope(1, content=letter_pdf("x", dirt_mm=(10, 115))))
    assert press(adapter).close(RUN, now=NOW).exceptions == ()
    pdf = batch_files(tmp_path)[f"{RUN}.b001.pdf"]
    document = pypdfium2.PdfDocument(pdf)
    assert zxingcpp.read_barcodes(document[0].render(scale=2).to_pil()) == []
    document.close()


@pytest.mark.parametrize(
    ("content", "pages", "reason"),
    [
        (letter_pdf("x", dirt_mm=(10, 115)), 1, "mark-area-not-empty"),
        (letter_pdf("x", 3, dirt_mm=(4, 111)), 3, "mark-area-not-empty"),  # in the quiet zone of the second sheet
        (letter_pdf("x", size=(612, 792)), 1, "wrong-page-size"),
        (letter_pdf("x", 2), 1, "altered-document"),
        (b"%PDF-1.7\nno", 1, "unreadable-document"),
        (letter_pdf("x", 130), 130, "too-many-sheets"),
    ],
)
def test_what_cannot_be_printed_is_named(tmp_path: Path, content: bytes, pages: int, reason: str) -> None:
    """The others are printed, and the manifest balances with the exception."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope("p-bad", pages, content=content), envelope("p-good"))
    closed = press(adapter).close(RUN, now=NOW)
    assert [(one.piece_id, one.reason) for one in closed.exceptions] == [("p-bad", reason)]
    assert closed.exceptions[0].remedy
    balance = json.loads(batch_files(tmp_path)[f"{RUN}.b001.json"])["reconciliation"]
    assert (balance["pieces_in"], balance["batches"], balance["balanced"]) == (2, {f"{RUN}.b001": 1}, True)
    assert [one["piece"] for one in balance["exceptions"]] == ["p-bad"]


def test_a_dot_on_a_back_or_beside_the_quiet_zone_does_no_harm(tmp_path: Path) -> None:
    """Only fronts carry marks, and only their own place must be empty."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope(1, 2, content=letter_pdf("x", 2, dirt_mm=(10, 115))))
    spooled(adapter, envelope(2, 1, content=letter_pdf("y", 1, dirt_mm=(19, 115))))
    assert press(adapter).close(RUN, now=NOW).exceptions == ()


def test_an_exception_is_printed_once_it_is_mended(tmp_path: Path) -> None:
    """The mark is moved; the next batch takes it, and nothing is printed twice."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope("p-bad", content=letter_pdf("x", dirt_mm=(10, 115))), envelope("p-good"))
    assert press(adapter).close(RUN, now=NOW).made == (f"{RUN}.b001",)
    moved = printer(tmp_path, {"mark_y_mm": "140"})
    assert press(moved).close(RUN, now=NOW).made == (f"{RUN}.b002",)
    again = press(moved).close(RUN, now=NOW)
    assert (again.made, again.exceptions) == ((), ())
    pieces = [
        line["piece"] for name, text in batch_files(tmp_path).items() if name.endswith(".csv") for line in rows(text)
    ]
    assert sorted(pieces) == ["p-bad", "p-good"]


def rows(table: bytes) -> list[dict[str, str]]:
    """Return the lines of a CSV manifest."""
    return list(csv.DictReader(io.StringIO(table.decode(), newline="")))


def test_only_exceptions_make_no_batch(tmp_path: Path) -> None:
    """And no closing: the next command looks at them again."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope("p-bad", content=b"%PDF-1.7\nno"))
    assert press(adapter).close(RUN, now=NOW).made == ()
    assert not (tmp_path / "print" / "closings").exists()


def test_the_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    """The print shop needs no program of ours."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope(1), envelope(2))
    press(adapter).close(RUN, now=NOW)
    folder = tmp_path / "print" / "batches" / RUN
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", f"{RUN}.b001.sha256"], cwd=folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.count(": OK")) == (0, 3)


def test_both_manifests_tell_the_same(tmp_path: Path) -> None:
    """Line by line, with the hash of the batch; postal codes are no formulas."""
    adapter = printer(tmp_path, {"householding": "yes"})
    evil = postal("Zoe Zet", code='=HYPERLINK("x")')
    spooled(adapter, envelope(1), envelope(2, 3, evil), envelope(3, 2, evil))
    press(adapter).close(RUN, now=NOW)
    files = batch_files(tmp_path)
    manifest, table = json.loads(files[f"{RUN}.b001.json"]), rows(files[f"{RUN}.b001.csv"])
    told = [
        (str(one["envelope"]), piece["piece"], str(piece["first_page"]), str(piece["first_sheet"]), piece["sha256"])
        for one in manifest["envelopes"]
        for piece in one["pieces"]
    ]
    assert told == [(r["envelope"], r["piece"], r["first_page"], r["first_sheet"], r["sha256"]) for r in table]
    assert {row["batch_sha256"] for row in table} == {_sha(files[f"{RUN}.b001.pdf"])} == {manifest["file"]["sha256"]}
    assert not [cell for row in table for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert "Zoe" not in files[f"{RUN}.b001.csv"].decode() + files[f"{RUN}.b001.json"].decode()


def test_the_same_letters_give_the_same_bytes(tmp_path: Path) -> None:
    """In whatever order they were accepted, in whatever folder."""
    letters = [envelope(n, PAGES[n % 5]) for n in range(12)]
    for name, order in (("one", letters), ("two", letters[::-1])):
        adapter = printer(tmp_path / name)
        spooled(adapter, *order)
        press(adapter).close(RUN, now=NOW)
    assert batch_files(tmp_path / "one") == batch_files(tmp_path / "two") != {}


def test_what_the_ledger_has_and_the_spool_has_not_is_named(tmp_path: Path) -> None:
    """An accepted piece that vanished, and one that is another document now."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope(1), envelope(2))
    accepted = {envelope(1).key: "0" * 64, "p-gone": "1" * 64}
    closed = press(adapter).close(RUN, now=NOW, accepted=accepted)
    reasons = {one.piece_id: one.reason for one in closed.exceptions}
    assert reasons == {envelope(1).key: "altered-document", "p-gone": "missing-from-spool"}


def test_a_document_altered_after_the_decision_stops_its_batch(tmp_path: Path) -> None:
    """It is named; put back, the same command makes the batch that was decided."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope(1), envelope(2))
    making = press(adapter)
    path = tmp_path / "print" / "spool" / RUN / f"{envelope(1).key}.pdf"
    whole = path.read_bytes()
    add = making.shelf.add

    def add_and_alter(closing: object) -> None:
        add(closing)  # type: ignore[arg-type]
        path.write_bytes(whole[:-1] + b"x")

    making.shelf.add = add_and_alter  # type: ignore[method-assign]
    with pytest.raises(PrintFault, match=f"{envelope(1).key}: altered-document"):
        making.close(RUN, now=NOW)
    with pytest.raises(PrintFault, match="altered-document"):
        press(adapter).close(RUN, now=NOW)
    path.write_bytes(whole)
    assert press(adapter).close(RUN, now=NOW).made == (f"{RUN}.b001",)


def test_a_second_process_waits_its_turn(tmp_path: Path) -> None:
    """Two at once would put a piece into two batches."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope(1))
    with press(adapter).shelf.locked(), pytest.raises(PrintFault, match="another process"):
        press(adapter).close(RUN, now=NOW)
    assert press(adapter).close(RUN, now=NOW).made


def test_an_altered_closing_is_named(tmp_path: Path) -> None:
    """Rather than printing what it says."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope(1))
    press(adapter).close(RUN, now=NOW)
    path = tmp_path / "print" / "closings" / RUN / "0001.json"
    path.write_bytes(path.read_bytes().replace(b'"duplex": true', b'"duplex": false'))
    with pytest.raises(PrintFault, match="closing 0001 of notice"):
        press(adapter).close(RUN, now=NOW)
