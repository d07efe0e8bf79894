"""Envelopes printed again: the same letters, marked as a reprint, and not twice by accident."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from deliver.print_shop.print_pages import NOW, RUN, batch_files, envelope, postal, press, printer, spooled

from ccm.deliver.print_shop.mark_reading import read_marks
from ccm.deliver.print_shop.marks import parse_mark
from ccm.deliver.print_shop.reprint import reprint
from ccm.deliver.print_shop.shelf import PrintFault
from ccm.deliver.print_shop.words import Marks

BATCH = f"{RUN}.b001"
NAMES = ["Abt", "Bär", "Cux", "Dorn", "Eck", "Fuchs", "Gans", "Horn", "Igel", "Jung"]
SETTINGS = {"householding": "family", "inserts": "flyer (3 g): true"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A batch of ten envelopes; the first three hold two letters each."""
    adapter = printer(tmp_path, SETTINGS)
    for n in range(10):
        spooled(adapter, envelope(n, n % 3 + 1, postal(f"Ann {NAMES[n]}", f"Weg {n}", f"{10000 + n}")))
        if n < 3:
            spooled(adapter, envelope(100 + n, 1, postal(f"Ben {NAMES[n]}", f"Weg {n}", f"{10000 + n}")))
    press(adapter).close(RUN, now=NOW)
    return tmp_path


def again(root: Path, *wanted: str, batch: str = BATCH, repeat: bool = False) -> str:
    adapter = printer(root, {"marks": "none"})  # settings of today do not change what was printed
    return reprint(press(adapter), batch, wanted, now=NOW, by="eve", reason="torn", again=repeat)


def manifest(root: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(batch_files(root)[f"{name}.json"])
    return found


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (["7"], [7]),
        (["2-4", "3", "9"], [2, 3, 4, 9]),
        ([envelope(101).key], [2]),
        ([envelope(101).key, envelope(1).key, "1"], [1, 2]),
    ],
)
def test_whole_envelopes_are_printed_again(root: Path, wanted: Sequence[str], numbers: list[int]) -> None:
    """Documents, inserts and envelope numbers as they were; the sheets count anew; who and why is kept."""
    name = again(root, *wanted)
    assert name == f"{BATCH}.r01"
    first, second = manifest(root, BATCH), manifest(root, name)
    assert (second["reprint_of"], second["reprint_reason"], second["form"]) == (BATCH, "torn", "folded")
    assert first["reprint_of"] is None

    def told(of: dict[str, object]) -> list[object]:
        fields = ("envelope", "sheets", "inserts", "grams", "postal_code")
        return [
            ([one[name] for name in fields], [(piece["piece"], piece["sha256"]) for piece in one["pieces"]])
            for one in of["envelopes"]  # type: ignore[attr-defined]
            if one["envelope"] in numbers
        ]

    assert told(first) == told(second)
    assert [one["envelope"] for one in second["envelopes"]] == numbers  # type: ignore[attr-defined]
    assert second["reconciliation"]["balanced"]  # type: ignore[index]
    pdf, sheets = batch_files(root)[f"{name}.pdf"], second["totals"]["sheets"]  # type: ignore[index]
    texts = list(read_marks(pdf, range(0, 2 * sheets, 2), Marks.DATAMATRIX, 5.0, 112.0))
    assert [parse_mark(text).sequence for text in texts] == list(range(1, sheets + 1))
    assert sorted({parse_mark(text).envelope for text in texts}) == numbers


def test_the_same_command_twice_prints_once(root: Path) -> None:
    """Unless it is said so; a reprint is a reprint of the first batch, also when it is repeated itself."""
    assert again(root, "7") == f"{BATCH}.r01"
    before = batch_files(root)
    for wanted in (["7"], ["5-8"]):
        with pytest.raises(PrintFault, match=f"envelope 7 was printed again before, in batch {BATCH}.r01"):
            again(root, *wanted)
    assert batch_files(root) == before
    assert again(root, "8") == f"{BATCH}.r02"
    assert again(root, "7", batch=f"{BATCH}.r01", repeat=True) == f"{BATCH}.r03"
    assert manifest(root, f"{BATCH}.r03")["reprint_of"] == BATCH


@pytest.mark.parametrize("wanted", [["11"], ["0"], ["9-12"], ["8-7"], ["p-nobody"], ["../x"], ["1e3"]])
def test_what_is_not_in_the_batch_is_told(root: Path, wanted: list[str]) -> None:
    """Nothing is printed then, not even the rest."""
    with pytest.raises(PrintFault, match="has no '"):
        again(root, "1", *wanted)
    assert f"{BATCH}.r01.pdf" not in batch_files(root)


@pytest.mark.parametrize("batch", ["nobody.b001", f"{RUN}.b002", "", "../..", f"{RUN}.b001.r01"])
def test_unknown_batches_are_told(root: Path, batch: str) -> None:
    """With the command that lists them."""
    with pytest.raises(PrintFault, match="there is no batch"):
        again(root, "1", batch=batch)


def test_a_reprint_makes_no_new_batch_of_the_run(root: Path) -> None:
    """The next closing has nothing to do, and later letters go on counting batches."""
    again(root, "1-3")
    adapter = printer(root, SETTINGS)
    assert press(adapter).close(RUN, now=NOW).made == ()
    spooled(adapter, envelope(500))
    assert press(adapter).close(RUN, now=NOW).made == (f"{RUN}.b002",)


def test_a_stopped_reprint_is_finished_and_not_repeated(root: Path) -> None:
    """The command died after it had decided; given again it makes that batch and no second one."""
    again(root, "4")
    before = batch_files(root)
    for ending in (".sha256", ".csv", ".pdf"):
        (root / "print" / "batches" / RUN / f"{BATCH}.r01{ending}").unlink()
    assert again(root, "4") == f"{BATCH}.r01"
    assert batch_files(root) == before
