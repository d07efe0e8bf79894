"""Rounds in which the engines take turns over the same statements, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.pdf import bank
from benchmarks.pdf.child import Child
from benchmarks.pdf.engines import ENGINES, STATES

WARM_UP = 2  # documents of every engine before its first round


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def engines_side_by_side(
    folder: Path, documents: int, rounds: int, names: Iterable[str] = tuple(ENGINES), share: float = 1.0
) -> dict[str, Any]:
    """Measure every engine on one folder of statements.

    Args:
        documents: How many there are; ccm makes so many new ones in every round, which nobody has met before.
        share: Part of the documents that `ENGINES` names for a round of the others.
    """
    rates: dict[str, list[float]] = {name: [] for name in names}
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    sizes: dict[str, float] = {}
    slow: dict[str, int] = {}
    with ExitStack() as held:
        children: dict[str, Child] = {}
        for name in rates:
            children[name] = held.enter_context(Child(name, folder))
            first[name] = children[name].make(0, 1)
            children[name].make(0, min(WARM_UP, documents) if ENGINES[name][2] else documents)
            say(f"{name}: first document after {first[name]['since_start']:.2f} s")
        for turn in range(rounds):
            bank.renew(folder, documents, bank.SEED + 1 + turn)
            for name, child in children.items():
                count = max(1, round(ENGINES[name][2] * share)) if ENGINES[name][2] else documents
                start = turn * count % max(1, documents - count + 1)
                last[name] = answer = child.make(start, count)
                rates[name].append(answer["documents"] / answer["seconds"])
                say(f"round {turn + 1}: {name} {rates[name][-1]:.1f} documents a second")
        bank.renew(folder, documents, bank.SEED)
        for name, child in children.items():
            same = child.make(0, min(4, documents))  # sizes of the same documents
            sizes[name] = same["bytes"] / same["documents"]
            slow |= last[name]["slow"] if name == "ccm" else {}
    return {
        "engines": {name: _figures(name, rates[name], first[name], last[name], sizes[name]) for name in rates},
        "ratios": _ratios(rates),
        "slow": slow,
    }


def _figures(
    name: str, rates: list[float], first: Mapping[str, Any], last: Mapping[str, Any], size: float
) -> dict[str, Any]:
    return {
        "what": STATES[name],
        "documents_per_cpu_second": round(median(rates), 2),
        "lowest": round(min(rates), 2),
        "highest": round(max(rates), 2),
        "documents_in_a_round": last["documents"],
        "first_document_seconds": round(first["since_start"], 2),
        "peak_memory_mb": round(last["peak_memory_mb"]),
        "file_kb": round(size / 1024, 1),
    }


def _ratios(rates: Mapping[str, list[float]]) -> dict[str, float]:
    """Return how many times faster ccm is: the median of what each round says."""
    ours = rates.get("ccm", [])
    of: Callable[[list[float]], float] = lambda theirs: median(a / b for a, b in zip(ours, theirs, strict=True))  # noqa: E731
    return {name: round(of(theirs), 1) for name, theirs in rates.items() if name != "ccm" and ours}
