"""A campaign on paper, from `ccm run` to the print shop's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import zxingcpp
from e2e.forked_ccm import ForkedCcm
from e2e.print_workspace import RUN, letters, print_workspace
from run.small_workspace import AS_OF

from ccm.deliver.print_shop.marks import parse_mark


def test_from_run_to_print_shop(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Six letters in three shared envelopes; who has no postal address is left out; commands given again change nothing."""
    root = print_workspace(tmp_path / "w", [*letters(6), "P-900,Nobody,,,,,"], 'householding: "yes", drop: shop/in')
    ended = ccm("run", "news", "--as-of", AS_OF, "--json", cwd=root)
    assert ended.code == 0, ended.stderr
    assert (ended.json["outcomes"]["accepted"], ended.json["outcomes"]["suppressed"]) == (6, 1)
    assert ended.json["reasons"] == {"no-address": 1}
    made = ccm("print", RUN, "--json", cwd=root)
    assert made.code == 0, made.stderr
    assert (made.json["made"], made.json["sent"], made.json["exceptions"]) == ([f"{RUN}.b001"], [f"{RUN}.b001"], [])
    manifest = json.loads((root / "shop" / "in" / f"{RUN}.b001.json").read_text())
    assert (manifest["totals"]["pieces"], manifest["totals"]["envelopes"]) == (6, 3)
    document = pypdfium2.PdfDocument(root / "shop" / "in" / f"{RUN}.b001.pdf")
    codes = [zxingcpp.read_barcodes(document[page].render(scale=2).to_pil()) for page in range(0, 12, 2)]
    assert [parse_mark(code.text).sequence for (code,) in codes] == [1, 2, 3, 4, 5, 6]
    document.close()
    again = ccm("print", RUN, cwd=root)
    assert (again.code, again.stdout) == (0, "nothing waits to be printed\n")
    assert ccm("run", "news", "--as-of", AS_OF, "--json", cwd=root).json["outcomes"]["accepted"] == 6
    listed = ccm("print", "list", "--json", cwd=root).json
    assert [(one["batch"], one["state"], one["pieces"]) for one in listed] == [(f"{RUN}.b001", "handed over", 6)]


def test_a_reprint_is_kept_with_who_and_why(ccm: ForkedCcm, tmp_path: Path) -> None:
    """It is handed over like a batch, and listed as what it is."""
    root = print_workspace(tmp_path / "w", letters(2), "drop: shop/in")
    assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
    assert ccm("print", RUN, cwd=root).code == 0
    words = ("print", "reprint", f"{RUN}.b001", "2", "--by", "eve", "--reason", "torn by the machine")
    assert ccm(*words, cwd=root).code == 0
    refused = ccm(*words, cwd=root)
    assert refused.code == 1
    assert "say --again" in refused.stderr
    assert (root / "shop" / "in" / f"{RUN}.b001.r01.sha256").exists()
    assert "reprint by eve: torn by the machine" in ccm("print", "list", RUN, cwd=root).stdout


def test_what_is_not_there_is_told(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Unknown runs, batches and providers, with what to do."""
    root = print_workspace(tmp_path / "w", letters(1))
    assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
    for words, said in (
        (("print", "new.once"), 'did you mean "news.once"?'),
        (("print", RUN, "--provider", "printr"), 'did you mean "printer"?'),
        (("print", "reprint", f"{RUN}.b009", "1", "--reason", "x"), "ccm print list"),
    ):
        ended = ccm(*words, cwd=root)
        assert ended.code == 1
        assert said in ended.stderr
    assert ccm("print", "list", cwd=root).stdout.startswith("no batches yet")


def test_a_vanished_letter_is_named_and_the_rest_is_printed(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The ledger knows what the spool should have."""
    root = print_workspace(tmp_path / "w", letters(3))
    assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
    first, second, _ = sorted((root / "print" / "spool" / RUN).glob("*.json"))
    first.unlink()
    second.with_suffix(".pdf").unlink()
    ended = ccm("print", RUN, "--json", cwd=root)
    assert ended.code == 1
    found = {one["piece_id"]: one["reason"] for one in ended.json["exceptions"]}
    assert found == {first.stem: "missing-from-spool", second.stem: "missing-document"}
    (name,) = ended.json["made"]
    balance = json.loads((root / "print" / "batches" / RUN / f"{name}.json").read_text())["reconciliation"]
    assert (balance["pieces_in"], balance["batches"], balance["balanced"]) == (3, {name: 1}, True)


def test_a_template_without_an_address_is_refused_before_composing(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The provider prints; nothing is spooled."""
    root = print_workspace(tmp_path / "w", letters(1))
    template = root / "templates" / "notice" / "template.yaml"
    template.write_text(template.read_text().replace("  address:\n", "  place:\n"), encoding="utf-8")
    document = root / "templates" / "notice" / "document.html"
    document.write_text(document.read_text().replace("address %}", "place %}").replace("{{ address|", "{{ place|"))
    table = root / "data" / "people.csv"
    table.write_text(table.read_text().replace("address.", "place."), encoding="utf-8")
    ended = ccm("check", cwd=root)
    assert (ended.code, "provider-postal" in ended.stderr + ended.stdout) == (3, True)
