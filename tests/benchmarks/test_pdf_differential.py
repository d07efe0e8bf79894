"""Filled documents are WeasyPrint's: a sample of what `make differential` compares, and how it goes on after a stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.pdf.corpus import Part, build, fonts_of, parts
from benchmarks.pdf.differential import Judge, Verdict, journal, summary
from benchmarks.pdf.hostile import TEXTS, hostile
from ccm.model.records import Communication

HOSTILE = 3  # documents of such a part; one of every other
LOCALES = 6  # of each sample template
ROWS = 60  # more than go on two pages


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("corpus")
    build(folder, shared_data, 12)
    return folder, shared_data


def drawn(folder: Path, shared: Path) -> Iterator[Part]:
    """A few parts of every group: each sample template in each brand, in another locale each; one real month of five."""
    samples = months = 0
    for part in parts(folder, shared, 170):
        if part.name.startswith("real "):
            months += 1
            if months % 5 == 1:
                yield part
        elif part.name.startswith(("store", "generated", "hostile")):
            yield part
        else:
            letter, locale = divmod(samples, LOCALES)
            samples += 1
            if letter == locale:
                yield part


def few(part: Part, found: Sequence[Communication]) -> Sequence[Communication]:
    """Choose documents of a part; of a real month a statement of some pages, as the longest take the engine a minute."""
    if part.name.startswith("real "):
        return [min((one for one in found if rows(one) > ROWS), key=rows)]
    return found[: HOSTILE if part.name.startswith("hostile") else 1]


def rows(one: Communication) -> int:
    """Return how many rows the statement has."""
    return len(one.data["lines"])  # type: ignore[arg-type]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_filled_documents_are_the_layout_engines(corpus: tuple[Path, Path]) -> None:
    """Real months, invoices, generated and hostile statements, samples in all locales: none differs, and the sane are filled."""
    judge = Judge()
    verdicts: list[Verdict] = []
    for part in drawn(*corpus):
        prepared, found = part.load()
        verdicts += [judge.judge(part.name, prepared, one) for one in few(part, found)]
    result = summary(verdicts)
    assert result["differing"] == []
    assert len(result["parts"]) == LOCALES + 2 + 4
    sane = [one for one in verdicts if not one.part.startswith("hostile")]
    assert [one.state for one in sane] == ["same"] * len(sane)
    assert result["compared"] >= len(sane) + 1
    assert sum(one.pages > 2 for one in sane) >= 3


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
