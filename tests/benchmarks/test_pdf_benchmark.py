"""The benchmark of documents, in its shortest form: what it writes is complete, and what it compares is the same."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pypdfium2
import pytest

from benchmarks.pdf import bank
from benchmarks.pdf.__main__ import main
from benchmarks.pdf.comparing import differences
from benchmarks.pdf.engines import ENGINES, engine

HERE = {"typst": "typst", "plutoprint, tuned": "plutoprint", "reportlab": "reportlab"}


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bank.build(tmp_path_factory.mktemp("bank"), 3)


def words(content: bytes) -> list[str]:
    """All words of a document, sorted: engines draw in orders of their own, and repeat heads on pages of their own."""
    with pypdfium2.PdfDocument(content) as document:
        found = " ".join(page.get_textpage().get_text_range() for page in document)
    repeated = {"Date", "Details", "Reference", "Amount", "Balance", "Page", "of", "1", "2", "3", "4"}
    return sorted({word for word in found.split() if word not in repeated})


@pytest.mark.slow
def test_the_short_form_writes_everything(tmp_path: Path) -> None:
    """Engines with their figures, ratios, shares and differences; two documents are compared and equal."""
    main(["--documents", "2", "--rounds", "1", "--share", "0.1", "--engines", "ccm|ccm, Python alone|weasyprint", "--months", "none", "--out", str(tmp_path)])  # fmt: skip
    result = json.loads((tmp_path / "pdf.json").read_text())
    assert set(result["engines"]) == {"ccm", "ccm, Python alone", "weasyprint"}
    for figures in result["engines"].values():
        assert figures["documents_per_cpu_second"] > 0
        assert figures["first_document_seconds"] > 0
        assert figures["peak_memory_mb"] > 10
        assert figures["file_kb"] > 5
    assert result["ratio_to_weasyprint"] == result["ratios"]["weasyprint"] > 0
    assert (result["compared"], result["differences"], result["fallback_share"]) == (2, 0, 0)
    assert {"machine", "real_month_cold_ratio", "nine_months_ratio", "measured_at"} <= set(result)


@pytest.mark.parametrize("name", [name for name in ENGINES if not name.startswith("ccm")])
def test_every_engine_sets_the_same_texts(name: str, statements: Path) -> None:
    """Words of a statement are those of ours, in every engine that is installed."""
    if name in HERE and importlib.util.find_spec(HERE[name]) is None:
        pytest.skip("installed by make bench-pdf")
    (ours,) = engine("ccm", statements).make(1, 1)
    (theirs,) = engine(name, statements).make(1, 1)
    assert len(words(ours)) > 150
    assert words(theirs) == words(ours)


def test_a_comparison_finds_what_differs(statements: Path) -> None:
    """Another document is another; the same one is the same."""
    one, other = engine("ccm", statements).make(0, 2)
    assert differences(one, one) == ""
    assert differences(one, other) != ""
