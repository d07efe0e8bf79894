"""Documents on one core, beside WeasyPrint, Typst, PlutoPrint and ReportLab, and on real months. Writes benchmarks/out/pdf.json.

    python -m benchmarks.pdf [--months 2011-02|all|none] [--workers 2] [--memory 100000]
    python -m benchmarks.pdf.processes      # composing processes alone

Statements of a bank, warm: each engine in a process of its own, rounds that take turns, medians, seconds of processor time;
everything counted from the values on (tables read or JSON parsed, pages rendered, amounts formatted, laid out, written).
Real months, cold: see `benchmarks.pdf.months`. What was not asked for this time keeps its last figures, with their time.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.bench import machine
from benchmarks.oracle.build import PROJECT
from benchmarks.oracle.build import build as build_real
from benchmarks.pdf import bank
from benchmarks.pdf.child import Child
from benchmarks.pdf.comparing import differences
from benchmarks.pdf.engines import ENGINES
from benchmarks.pdf.memory import BATCH, long_run
from benchmarks.pdf.months import MONTHS, real_months, sample_differs
from benchmarks.pdf.processes import side_by_side
from benchmarks.pdf.turns import engines_side_by_side, say

OUT = Path(__file__).resolve().parent.parent / "out"
COMPARED = 12  # statements of the bank that are compared with the layout engine's


def main(arguments: list[str] | None = None) -> None:
    """Measure and write down."""
    options = _options(arguments)
    shared = Path(os.environ.get("CCM_SHARED_DATA") or PROJECT.parent / "shared" / "data")
    found: dict[str, Any] = {}
    with TemporaryDirectory(prefix="ccm-pdf-") as temporary:
        folder = Path(temporary)
        if not options.no_engines:
            found |= homogeneous(
                folder / "bank", options.documents, options.rounds, options.share, options.engines.split("|")
            )
        if options.workers > 1:
            say(f"{options.workers} composing processes")
            statements = bank.build(folder / "crew", options.documents)
            found["workers"] = side_by_side(statements, bank.CAMPAIGN, "", options.workers, options.rounds)
        if options.memory:
            say(f"{options.memory} documents in one process")
            found["memory"] = long_run(folder / "long", options.memory, min(BATCH, options.memory))
        if options.months != "none":
            build_real(folder / "real", shared)
            found |= real(folder / "real", options.months, options.sample, options.month_documents)
    result = merged(options.out / "pdf.json", found)
    print(json.dumps(result, indent=2))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pdf")
    parser.add_argument(
        "--documents", type=int, default=300, help="statements of the bank that ccm makes in each round"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0, help="part of the others' documents in a round")
    parser.add_argument("--engines", default="|".join(ENGINES), help="those to measure; ccm and weasyprint among them")
    parser.add_argument("--no-engines", action="store_true", help="leave out the comparison with other engines")
    parser.add_argument(
        "--months", default="2011-02", help="real months: one, `all`, or `none`; all measures the first one too"
    )
    parser.add_argument("--month-documents", type=int, default=0, help="at most so many of each month; 0 for all")
    parser.add_argument("--sample", type=int, default=24, help="real documents that a plain WeasyPrint loop makes")
    parser.add_argument(
        "--workers", type=int, default=0, help="whole runs with so many composing processes, beside one"
    )
    parser.add_argument("--memory", type=int, default=0, help="watch the memory of one process over so many documents")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of pdf.json")
    return parser.parse_args(arguments)


def homogeneous(
    folder: Path, documents: int, rounds: int, share: float, names: Sequence[str] = tuple(ENGINES)
) -> dict[str, Any]:
    """Measure the statements of the bank with every engine, and compare some of ours with WeasyPrint's."""
    bank.build(folder, documents)
    found = engines_side_by_side(folder, documents, rounds, names, share)
    engines, slow = found["engines"], found["slow"]
    differing = _bank_differs(folder, min(COMPARED, documents))
    made = documents * (rounds + 1)
    return {
        "engines": engines,
        "ratio_to_weasyprint": found["ratios"]["weasyprint"],
        "ratios": found["ratios"],
        "file_size_ratio": _file_size_ratio(engines),
        "bank": _fallbacks(slow, made) | {"compared": min(COMPARED, documents), "differing": differing},
    }


def _file_size_ratio(engines: Mapping[str, Mapping[str, Any]]) -> float | None:
    same = engines.get("weasyprint, tuned")  # of the same standards, so with the same things inside
    return round(engines["ccm"]["file_kb"] / same["file_kb"], 2) if same else None


def _bank_differs(folder: Path, count: int) -> dict[str, str]:
    for name in ("ccm", "weasyprint, tuned"):
        (folder / name).mkdir()
        with Child(name, folder) as child:
            child.make(0, count, folder / name)
    found = {}
    for number in range(count):
        ours, theirs = ((folder / name / f"{number}.pdf").read_bytes() for name in ("ccm", "weasyprint, tuned"))
        if difference := differences(ours, theirs):
            found[str(number)] = difference
    return found


def real(folder: Path, months: str, sample: int, limit: int) -> dict[str, Any]:
    """Measure one month cold, and all of them if wanted."""
    one = "2011-02" if months == "all" else months
    say(f"real data, {one}")
    month = real_months(folder, [one], sample, limit)
    compared, differing = sample_differs(folder, [one], sample, limit)
    month |= _fallbacks(month.pop("fallbacks"), month["documents"]) | {"compared": compared, "differing": differing}
    found = {"real_month": month, "real_month_cold_ratio": month["ratio"]}
    if months == "all":
        say("real data, all months")
        everything = real_months(folder, MONTHS, sample, limit)
        everything |= _fallbacks(everything.pop("fallbacks"), everything["documents"])
        found |= {"nine_months": everything, "nine_months_ratio": everything["ratio"]}
    return found


def _fallbacks(slow: Mapping[str, int], documents: int) -> dict[str, Any]:
    return {"fallback_share": round(sum(slow.values()) / max(1, documents), 5), "fallback_reasons": dict(slow)}


def merged(path: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Put what was measured into the file, with the time; what was not measured stays as it was."""
    known = json.loads(path.read_text()) if path.exists() else {}
    if "measured_at" not in known:
        known = {}
    names = ("real_month_cold_ratio", "nine_months_ratio")
    result = {"machine": machine(), "ratio_to_weasyprint": None, **dict.fromkeys(names), **known, **found}
    now = datetime.now(UTC).isoformat(timespec="minutes")
    result["measured_at"] = known.get("measured_at", {}) | dict.fromkeys(found, now)
    parts = [result[name] for name in ("bank", "real_month", "nine_months") if name in result]
    result["fallback_share"] = max((part["fallback_share"] for part in parts), default=None)
    result["compared"] = sum(part.get("compared", 0) for part in parts)
    result["differences"] = sum(len(part.get("differing", {})) for part in parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    main()
