"""Filled documents are WeasyPrint's: a sample of what `make differential` compares, and how it goes on after a stop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.pdf.corpus import Part, build, fonts_of, parts
from benchmarks.pdf.differential import Judge, Verdict, journal, summary
from benchmarks.pdf.hostile import TEXTS, hostile

GROUPS = ("real", "store", "generated")
EACH = {"generated": 2, "hostile": 6, "store": 2}  # documents of a part; one of every other


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("corpus")
    build(folder, shared_data, 12)
    return folder, shared_data


def drawn(folder: Path, shared: Path) -> Iterator[Part]:
    """The groups of parts that are held here; of sample templates half the brands and locales, the same on every machine."""
    for part in parts(folder, shared, 170):
        if not part.name.startswith(GROUPS):
            continue
        is_sample = part.name.count("-") > 1 and "real" not in part.name
        if not is_sample or hashlib.sha256(part.name.encode()).digest()[0] % 2:
            yield part


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_filled_documents_are_the_layout_engines(corpus: tuple[Path, Path]) -> None:
    """Real months, invoices, generated statements: none differs, and all are filled."""
    judge = Judge()
    verdicts: list[Verdict] = []
    for part in drawn(*corpus):
        prepared, found = part.load()
        count = EACH.get(part.name.partition(" ")[0], 1)
        verdicts += [judge.judge(part.name, prepared, one) for one in found[:count]]
    result = summary(verdicts)
    assert result["differing"] == []
    assert result["compared"] >= 13
    real = [one for one in verdicts if one.part.startswith(("real", "store", "generated"))]
    assert [one.state for one in real] == ["same"] * len(real)


def test_every_hostile_text_is_used(corpus: tuple[Path, Path]) -> None:
    """No text waits for ever; texts that can be printed come to seven of eight customers."""
    part = next(one for one in parts(*corpus, 170) if one.name == "hostile statements")
    prepared, found = part.load()
    again = hostile(list(found), TEXTS, fonts_of(prepared), seed=1)
    used = {value for one in again for value in one.data["customer"].values()}  # type: ignore[attr-defined]
    assert used & set(TEXTS)
    assert prepared.campaign.campaign == "october-statements"
    assert all(one.data != other.data for one, other in zip(found, again, strict=True))


def test_half_a_line_is_no_verdict(tmp_path: Path) -> None:
    """What a kill cut off is judged again."""
    whole = json.dumps({"part": "real", "piece_id": "p-1", "state": "same"})
    (tmp_path / "verdicts-0.jsonl").write_text(f'{whole}\n{{"part": "re')
    assert list(journal(tmp_path)) == [Verdict("real", "p-1", "same")]


def test_the_summary_counts_what_was_judged() -> None:
    """Refused ones have no document, so they are no fallback."""
    states = ["same", "same", "differs", "fallback", "refused"]
    result = summary([Verdict("real", f"p-{at}", state, "why") for at, state in enumerate(states)])
    assert (result["documents"], result["compared"], result["differences"]) == (5, 3, 1)
    assert (result["fallback_share"], result["fallback_reasons"]) == (0.25, {"why": 1})
    assert [one["piece_id"] for one in result["differing"]] == ["p-2"]
